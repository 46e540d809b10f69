import type { AccountLookup, AccountNode } from '../accounts/account-tree.ts';
import { parseTerms } from '../rating/terms-text.ts';
import { ADHOC_RATE, type Decision } from '../records/records.ts';
import { ADHOC_ROOT, customerOf, storedPathOf, type AccountPath } from '../units/ids.ts';
import { ZERO_MICROS } from '../units/money.ts';

/**
 * The customer of a call whom nobody stored, with the price that it brought, as the decision that admitted it has it.
 * How much money was in his pool nobody knows any more. Undefined: it was none of a customer's, or brought no price.
 */
export function customerAsAdmitted(
  admission: Decision | undefined,
  account: AccountPath,
  accounts: Pick<AccountLookup, 'node' | 'customer'>,
): AccountNode | undefined {
  const customer = customerOf(account);
  if (admission === undefined || customer === undefined) return undefined;
  const stored = storedPathOf(account);
  const below = accounts.node(stored);
  if (below === undefined && stored !== ADHOC_ROOT) return undefined;
  const terms = termsBrought(admission.inputs['payers'], account);
  if (terms === undefined) return undefined;
  const credit = { amount: ZERO_MICROS, terms: parseTerms(terms) };
  return accounts.customer({ customer, credit, seconds: undefined, channels: undefined }, below);
}

/** What the decision says of the customer among those who pay, in one line. */
function termsBrought(payers: unknown, account: AccountPath): string | undefined {
  if (!Array.isArray(payers)) return undefined;
  const own = payers.find((payer: Readonly<Record<string, unknown>>) => {
    return payer['account'] === account && payer['tariff'] === ADHOC_RATE.tariff;
  }) as Readonly<Record<string, unknown>> | undefined;
  const terms = own?.['terms'];
  return typeof terms === 'string' ? terms : undefined;
}
