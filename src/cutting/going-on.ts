import { capAt } from '../admission/cap.ts';
import type { FundingPolicy } from '../admission/funding.ts';
import { dryRunAllotments } from '../admission/leg-pools.ts';
import type { Continuation, LegCap, LegRecord } from '../admission/leg-record.ts';
import { isDryPool } from '../credit/pools.ts';
import { splitContinuation } from '../admission/rate-split.ts';
import { segmentDecision } from '../gate/decisions.ts';
import type { ControllerContext } from '../state/context.ts';
import { rootOf, type PoolId } from '../units/ids.ts';
import type { EpochMs } from '../units/time.ts';

/** By which rates a leg goes on from a moment on: those of its times of day, where calls are split by them. */
export function continuationAt(
  {
    policy,
    directory,
  }: Pick<ControllerContext, 'directory'> & { readonly policy: Pick<FundingPolicy, 'periods'> },
  record: LegRecord,
  goesOn: Continuation,
  from: EpochMs,
): Continuation {
  return policy.periods === 'split' ? splitContinuation(goesOn, record, from, directory.tariffs()) : goesOn;
}

/** Which limit is over for a leg that has lasted as long as it may: up to when it goes on the store alone knows. */
export async function capThatEnds(
  { store }: Pick<ControllerContext, 'store'>,
  record: LegRecord,
  endsAt: EpochMs,
): Promise<LegCap | undefined> {
  if (record.allotments.length === 0) return record.cap;
  const kept = await store.find(rootOf(record.account), record.legKey);
  return capAt(kept?.record ?? record, endsAt);
}

/**
 * Whether a leg whose allotment has run dry goes on per minute (DESIGN 6): from now on, if its payer has money. A dry run
 * ends nobody.
 */
export async function goesOnPerMinute(
  context: ControllerContext,
  record: LegRecord,
  pool: PoolId,
): Promise<boolean> {
  if (isDryPool(pool)) {
    const would = dryRunAllotments(record).find((each) => each.pool === pool);
    const outcome = await context.store.goOn(record, would ?? { pool, goesOn: undefined }, true);
    // It would end there.
    if (outcome.kind === 'refused') await context.store.goOn(record, { pool, goesOn: undefined }, true);
    return true;
  }
  const allotment = record.allotments.find((each) => each.pool === pool);
  if (allotment?.goesOn === undefined) return false;
  const outcome = await context.store.goOn(record, allotment);
  if (outcome.kind === 'refused') return false;
  if (outcome.kind === 'continued') {
    context.record(segmentDecision(record, allotment, outcome));
    const { account: accountId, name } = allotment;
    context.log.info({ callUuid: record.uuid, accountId, allotment: name }, 'call goes on per minute');
  }
  return true;
}
