import { StoreUnavailableError } from '../admission/live-store.ts';
import type { Decision } from '../records/records.ts';
import type { Timers } from '../state/timers.ts';
import type { Log } from '../units/log.ts';

/** What was decided while the store was away waits here: an hour of refusals of a busy exchange. */
const WAITING_MAX = 10_000;
const RETRY_MS = 1_000;

/** Puts decisions on their way into SQL. Nobody waits for it, and a store that is away for a while loses none. */
export type DecisionKeeper = {
  keep(decision: Decision): void;
  /** Tries once more what waits. */
  stop(): Promise<void>;
};

export function createDecisionKeeper(options: {
  readonly decide: (decision: Decision) => Promise<void>;
  readonly timers: Timers;
  readonly log: Log;
}): DecisionKeeper {
  const { decide, timers, log } = options;
  let waiting: Decision[] = [];
  let cancelRetry: (() => void) | undefined;
  let stopped = false;
  const underWay = new Set<Promise<void>>();

  const lose = (decision: Decision, err: unknown): void =>
    log.error({ err, id: decision.id }, 'decision not kept');

  const send = async (decision: Decision): Promise<void> => {
    try {
      await decide(decision);
    } catch (err) {
      if (!(err instanceof StoreUnavailableError) || stopped || waiting.length >= WAITING_MAX) {
        lose(decision, err);
        return;
      }
      waiting.push(decision);
      cancelRetry ??= timers.after(RETRY_MS, () => {
        cancelRetry = undefined;
        sendWaiting();
      });
    }
  };
  const keep = (decision: Decision): void => {
    const sending = send(decision).then(() => void underWay.delete(sending));
    underWay.add(sending);
  };
  const sendWaiting = (): void => {
    const all = waiting;
    waiting = [];
    for (const decision of all) keep(decision);
  };

  return {
    keep,
    async stop() {
      await Promise.all(underWay);
      cancelRetry?.();
      stopped = true;
      sendWaiting();
      await Promise.all(underWay);
    },
  };
}
