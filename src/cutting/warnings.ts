import { isDryPool } from '../credit/pools.ts';
import type { ControllerContext } from '../state/context.ts';
import type { LegBook } from '../state/leg-book.ts';
import { rootOf, type AccountPath, type LegKey, type PoolId } from '../units/ids.ts';
import { toEpochMs, type EpochMs } from '../units/time.ts';

/** A warning that could not be given within this time of its moment is not given: the next one is nearer. */
const LATE_MS_MAX = 1_500;
/** A cutoff that moved by more than this has been moved by money, and its warnings are due again. */
const SAME_CUTOFF_MS = 5_000;

type Ending = { readonly legKey: LegKey; readonly endsAt: EpochMs };

export type Warnings = {
  /** The longest time before a cutoff at which anybody is warned. */
  readonly aheadMs: number;
  /** Warns the legs whose moment has come, and says when the next moment is. */
  look(account: PoolId, next: readonly Ending[], now: EpochMs): Promise<EpochMs | undefined>;
  /** The same for the legs of a root that will have lasted as long as they may, for moments until then. */
  lookAtDeadlines(root: AccountPath, until: EpochMs): Promise<EpochMs | undefined>;
  /** When something is to be done for a leg that ends then: its warnings that are to come, and its end. */
  momentsOf(endsAt: EpochMs, now: EpochMs): readonly EpochMs[];
  forget(now: EpochMs): void;
};

/**
 * Tells the paying leg, and nobody else on the call, that its money or its time is about to end (DESIGN 6). Warnings
 * follow the end as it is known at each look: after a top-up the old ones are not due any more and new ones will be.
 */
export function createWarnings(context: ControllerContext, book: LegBook): Warnings {
  const { store, policy, log } = context;
  const beforeMs = policy.warningSeconds.map((seconds) => seconds * 1000);
  /** Leg and warning → the cutoff it was about. */
  const given = new Map<string, EpochMs>();

  const warn = async (account: PoolId, legKey: LegKey, secondsLeft: number): Promise<void> => {
    const record = book.byKey(legKey)?.record ?? (await store.find(rootOf(account), legKey))?.record;
    if (record?.uuid === undefined) return;
    if (isDryPool(account)) return;
    // It goes on per minute, and is warned before that money ends.
    if (record.allotments.some(({ pool, goesOn }) => pool === account && goesOn !== undefined)) return;
    // The placed leg is the one that is metered; its caller is the one who hears and pays.
    const listener = record.direction === 'outbound' ? record.aLeg : record.uuid;
    try {
      await context.controlOf(record.node)?.warn(listener, policy.warningSound);
      log.info({ callUuid: record.uuid, accountId: account, secondsLeft }, 'caller warned');
    } catch (err) {
      log.warn({ err, callUuid: record.uuid }, 'caller not warned');
    }
  };

  /** Warns those whose moment is `before` their end and has come, and says when the next one's is. */
  const warnDue = async (
    account: PoolId,
    next: readonly Ending[],
    before: number,
    now: EpochMs,
  ): Promise<EpochMs | undefined> => {
    let soonest: EpochMs | undefined;
    const due: Promise<void>[] = [];
    for (const { legKey, endsAt } of next) {
      const at = toEpochMs(endsAt - before);
      if (at > now) {
        soonest = earliest(soonest, at);
      } else if (now - at <= LATE_MS_MAX) {
        const about = given.get(`${legKey} ${before}`);
        given.set(`${legKey} ${before}`, endsAt);
        if (about === undefined || Math.abs(about - endsAt) > SAME_CUTOFF_MS) {
          due.push(warn(account, legKey, before / 1000));
        }
      }
    }
    await Promise.all(due);
    return soonest;
  };

  return {
    aheadMs: Math.max(0, ...beforeMs),
    async look(account, next, now) {
      const moments = await Promise.all(beforeMs.map((before) => warnDue(account, next, before, now)));
      return moments.reduce(earliest, undefined);
    },
    async lookAtDeadlines(root, until) {
      const moments = await Promise.all(
        beforeMs.map(async (before) => {
          const after = toEpochMs(store.now() + before - LATE_MS_MAX);
          const next = await store.dueDeadlines(root, toEpochMs(until + before), after);
          return await warnDue(root, next, before, store.now());
        }),
      );
      return moments.reduce(earliest, undefined);
    },
    momentsOf(endsAt, now) {
      const warned = beforeMs.map((before) => toEpochMs(endsAt - before));
      return [...warned.filter((at) => at > now), endsAt];
    },
    forget(now) {
      for (const [key, endsAt] of given) if (endsAt < now) given.delete(key);
    },
  };
}

function earliest(one: EpochMs | undefined, other: EpochMs | undefined): EpochMs | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return other < one ? other : one;
}
