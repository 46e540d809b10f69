import { dryRunAllotments, poolsOfAllotment, poolsOfPayer, type LegPool } from '../admission/leg-pools.ts';
import type { AllotmentRecord, LegRecord } from '../admission/leg-record.ts';
import type { PoolId } from '../units/ids.ts';

/**
 * One payer's pools in the order in which they pay: an allotment and its groups, or money, and what follows it. A
 * customer's seconds are asked like a payer.
 */
export type Chain = {
  readonly first: readonly LegPool[];
  readonly allotment: AllotmentRecord | undefined;
  readonly isDryRun?: true;
};

/** Of those that the leg has a part in. */
export function chainsOf(
  { payers, allotments, time }: LegRecord,
  parts: ReadonlyMap<PoolId, string>,
): readonly Chain[] {
  const money = payers
    .filter(({ soft, wallet }) => soft !== true && parts.has(wallet))
    .map((payer): Chain => ({ first: poolsOfPayer(payer), allotment: undefined }));
  const ahead = allotments
    .filter(({ pool }) => parts.has(pool))
    .map((allotment): Chain => ({
      first: poolsOfAllotment(allotment),
      allotment,
    }));
  const shared = time === undefined || !parts.has(time.pool) ? [] : [time];
  const seconds = shared.map(({ pool, terms }): Chain => ({
    first: [{ pool, terms }],
    allotment: undefined,
  }));
  return [...money, ...ahead, ...seconds];
}

/** What accounts in a dry run would pay by: it bounds nobody's talk, and what would follow it is charged to nobody. */
export function dryRunChains(record: LegRecord, parts: ReadonlyMap<PoolId, string>): readonly Chain[] {
  return dryRunAllotments(record)
    .filter(({ pool }) => parts.has(pool))
    .map((allotment): Chain => ({ first: poolsOfAllotment(allotment), allotment, isDryRun: true }));
}
