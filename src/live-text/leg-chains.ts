import {
  dryRunAllotments,
  dryRunPayers,
  poolsOfAllotment,
  poolsOfPayer,
  windowsInDryRun,
  type LegPool,
} from '../admission/leg-pools.ts';
import type { AllotmentRecord, LegRecord } from '../admission/leg-record.ts';
import type { AccountPath, PoolId } from '../units/ids.ts';

/**
 * One payer's pools in the order in which they pay: an allotment and its groups, or money, and what follows it. A
 * customer's seconds are asked like a payer.
 */
export type Chain = {
  readonly first: readonly LegPool[];
  readonly allotment: AllotmentRecord | undefined;
  /** In a dry run: whose it is. */
  readonly wouldPay?: AccountPath;
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

/** What accounts in a dry run would pay by: it bounds nobody's talk, and nobody's money is asked. */
export function dryRunChains(record: LegRecord, parts: ReadonlyMap<PoolId, string>): readonly Chain[] {
  const ahead = dryRunAllotments(record).map((allotment): Chain => ({
    first: poolsOfAllotment(allotment),
    allotment,
    wouldPay: allotment.account,
  }));
  const windows = dryRunPayers(record).map((payer): Chain => ({
    first: windowsInDryRun(payer),
    allotment: undefined,
    wouldPay: payer.account,
  }));
  return [...ahead, ...windows].filter(({ first }) => first.some(({ pool }) => parts.has(pool)));
}
