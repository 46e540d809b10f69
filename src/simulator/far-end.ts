import { parseCause } from './causes.ts';
import type { Core } from './core.ts';
import type { Leg } from './leg.ts';
import { hangUp, markAnswered, markEarlyMedia, markRinging } from './signals.ts';

/** What the phone or carrier at the far end does. Times are from the INVITE, `hangsUpAfterMs` from the answer. */
export type FarEnd =
  | {
      readonly kind: 'answers';
      /** Or once this is fulfilled: calls that are to be answered at one instant wait for the same. */
      readonly afterMs: number | Promise<void>;
      /** At once, unless it says otherwise. */
      readonly ringsAfterMs?: number | 'never';
      readonly earlyMediaAfterMs?: number;
      readonly hangsUpAfterMs?: number;
      readonly cause?: string;
    }
  | {
      readonly kind: 'rejects';
      readonly cause: string;
      readonly afterMs?: number;
      readonly ringsAfterMs?: number;
      readonly earlyMediaAfterMs?: number;
    }
  /** For ever, or until the switch gives up. */
  | { readonly kind: 'rings'; readonly ringsAfterMs?: number; readonly earlyMediaAfterMs?: number };

/** Sets the far end's timers. They go with the leg. */
export function playFarEnd(core: Core, leg: Leg, farEnd: FarEnd): void {
  const later = (delayMs: number, action: () => void): void => {
    leg.alarms.push(core.kernel.after(delayMs, action));
  };
  const { earlyMediaAfterMs, ringsAfterMs } = farEnd;
  // A refusal comes without ringing unless the script says otherwise.
  const ringMs = ringsAfterMs ?? (farEnd.kind === 'rejects' ? undefined : 0);
  if (ringMs !== undefined && ringMs !== 'never') later(ringMs, () => markRinging(core, leg));
  if (earlyMediaAfterMs !== undefined) later(earlyMediaAfterMs, () => markEarlyMedia(core, leg));
  if (farEnd.kind === 'rejects') {
    later(farEnd.afterMs ?? 0, () => void hangUp(core, leg, parseCause(farEnd.cause), 'far-end'));
  }
  if (farEnd.kind !== 'answers') return;
  const { hangsUpAfterMs } = farEnd;
  const answer = (): void => {
    markAnswered(core, leg);
    if (hangsUpAfterMs === undefined) return;
    later(hangsUpAfterMs, () => void hangUp(core, leg, parseCause(farEnd.cause ?? '16'), 'far-end'));
  };
  const { afterMs } = farEnd;
  if (typeof afterMs === 'number') later(afterMs, answer);
  else void afterMs.then(() => leg.isUp && later(0, answer));
}
