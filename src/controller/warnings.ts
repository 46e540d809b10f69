import { rootOf, type AccountPath, type LegKey } from '../units/ids.ts';
import { toEpochMs, type EpochMs } from '../units/time.ts';
import type { ControllerContext } from './context.ts';
import type { LegBook } from './leg-book.ts';

/** A warning that could not be given within this time of its moment is not given: the next one is nearer. */
const LATE_MS_MAX = 1_500;
/** A cutoff that moved by more than this has been moved by money, and its warnings are due again. */
const SAME_CUTOFF_MS = 5_000;

type Ending = { readonly legKey: LegKey; readonly endsAt: EpochMs };

export type Warnings = {
  /** The longest time before a cutoff at which anybody is warned. */
  readonly aheadMs: number;
  /** Warns the legs whose moment has come, and says when the next moment is. */
  look(account: AccountPath, next: readonly Ending[], now: EpochMs): Promise<EpochMs | undefined>;
  forget(now: EpochMs): void;
};

/**
 * Tells the paying leg, and nobody else on the call, that its money is about to end (DESIGN 6). Warnings follow the
 * cutoff as it is known at each look: after a top-up the old ones are not due any more and new ones will be.
 */
export function createWarnings(context: ControllerContext, book: LegBook): Warnings {
  const { store, policy, log } = context;
  const beforeMs = policy.warningSeconds.map((seconds) => seconds * 1000);
  /** Leg and warning → the cutoff it was about. */
  const given = new Map<string, EpochMs>();

  const warn = async (account: AccountPath, legKey: LegKey, secondsLeft: number): Promise<void> => {
    const record = book.byKey(legKey)?.record ?? (await store.find(rootOf(account), legKey))?.record;
    if (record?.uuid === undefined) return;
    // The placed leg is the one that is metered; its caller is the one who hears and pays.
    const listener = record.direction === 'outbound' ? record.aLeg : record.uuid;
    try {
      await context.controlOf(record.node)?.warn(listener, policy.warningSound);
      log.info({ callUuid: record.uuid, accountId: account, secondsLeft }, 'caller warned');
    } catch (err) {
      log.warn({ err, callUuid: record.uuid }, 'caller not warned');
    }
  };

  return {
    aheadMs: Math.max(0, ...beforeMs),
    async look(account, next, now) {
      let soonest: EpochMs | undefined;
      const due: Promise<void>[] = [];
      for (const { legKey, endsAt } of next) {
        for (const before of beforeMs) {
          const at = toEpochMs(endsAt - before);
          if (at > now) {
            if (soonest === undefined || at < soonest) soonest = at;
          } else if (now - at <= LATE_MS_MAX) {
            const about = given.get(`${legKey} ${before}`);
            given.set(`${legKey} ${before}`, endsAt);
            if (about === undefined || Math.abs(about - endsAt) > SAME_CUTOFF_MS) {
              due.push(warn(account, legKey, before / 1000));
            }
          }
        }
      }
      await Promise.all(due);
      return soonest;
    },
    forget(now) {
      for (const [key, endsAt] of given) if (endsAt < now) given.delete(key);
    },
  };
}
