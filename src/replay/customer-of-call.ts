import type { AccountLookup, AccountNode } from '../accounts/account-tree.ts';
import { isOfOwnPrice, type Charge } from '../records/records.ts';
import { ADHOC_ROOT, customerOf, storedPathOf } from '../units/ids.ts';
import type { ReplayedCall } from './replayed-call.ts';

/**
 * The customer of a call that is stored nowhere, with the price that it came with, as its charge says. His pools are
 * not asked again: what was in them nobody knows. Undefined: the call was none of a customer's, or what he was below is gone.
 */
export function customerOfCall(
  { account }: Pick<ReplayedCall, 'account'>,
  charged: readonly Charge[],
  accounts: Pick<AccountLookup, 'node' | 'customer'>,
): AccountNode | undefined {
  const customer = customerOf(account);
  if (customer === undefined) return undefined;
  const stored = storedPathOf(account);
  const below = accounts.node(stored);
  if (below === undefined && stored !== ADHOC_ROOT) return undefined;
  const own = charged.flatMap((charge) =>
    charge.way === 'per_minute' && charge.payer === account && isOfOwnPrice(charge) ? [charge] : [],
  )[0];
  const credit = own && { amount: own.price, terms: own.terms };
  return accounts.customer({ customer, credit, seconds: undefined, channels: undefined }, below);
}
