import type { AccountNode } from '../accounts/account-tree.ts';
import { allotmentTerms, secondsToMicros, timePool } from '../credit/pools.ts';
import { ADHOC_RATE } from '../records/records.ts';
import type { AccountPath } from '../units/ids.ts';
import { canCost } from './funded.ts';
import type { PayerRecord, TimeRecord } from './leg-record.ts';
import type { HoldTake } from './plan.ts';
import { isEnforced } from './takes.ts';

/** What a call draws on because its own variables say so. */
export type CustomerFunding = {
  readonly payer: PayerRecord | undefined;
  readonly time: TimeRecord | undefined;
  readonly holds: readonly HoldTake[];
  /** He would draw on all of it, and draws on nothing. */
  readonly isDryRun: boolean;
};

/**
 * The pools of the caller's customer, all of them and beside whoever else pays: money by the price that the call came
 * with, and seconds. Undefined where the call names no customer.
 */
export function customerFunding(
  { path, customer, limits }: Pick<AccountNode, 'path' | 'customer' | 'limits'>,
  currency: string,
): CustomerFunding | undefined {
  if (customer === undefined) return undefined;
  const { credit, seconds } = customer;
  const payer = credit && { account: path, wallet: path, ...ADHOC_RATE, currency, terms: credit.terms };
  const time = seconds === undefined ? undefined : timeOf(path);
  const holds: HoldTake[] = [];
  if (credit !== undefined && canCost(credit.terms)) {
    holds.push({ wallet: path, terms: credit.terms, opening: { amount: credit.amount, currency } });
  }
  if (time !== undefined && seconds !== undefined) {
    const opening = { amount: secondsToMicros(seconds), currency: undefined };
    holds.push({ wallet: time.pool, terms: time.terms, opening });
  }
  return { payer, time, holds, isDryRun: !isEnforced({ limits }) };
}

/** By the second, whatever the pulses of the price are. */
function timeOf(account: AccountPath): TimeRecord {
  const terms = allotmentTerms({ minimumSeconds: 1, incrementSeconds: 1, graceSeconds: 0 });
  return { account, pool: timePool(account), terms };
}
