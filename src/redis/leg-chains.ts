import { poolsOfPayer, type LegPool } from '../admission/leg-pools.ts';
import type { AllotmentRecord, LegRecord } from '../admission/leg-record.ts';
import type { PoolId } from '../units/ids.ts';

/**
 * One payer's pools in the order in which they pay: an allotment and its groups, or money, and what follows it. A
 * customer's seconds are asked like a payer.
 */
export type Chain = {
  readonly first: readonly LegPool[];
  readonly allotment: AllotmentRecord | undefined;
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
      first: [
        { pool: allotment.pool, terms: allotment.terms },
        ...allotment.groups.map((pool): LegPool => ({ pool, terms: allotment.terms, isForced: true })),
      ],
      allotment,
    }));
  const shared = time === undefined || !parts.has(time.pool) ? [] : [time];
  const seconds = shared.map(({ pool, terms }): Chain => ({
    first: [{ pool, terms }],
    allotment: undefined,
  }));
  return [...money, ...ahead, ...seconds];
}
