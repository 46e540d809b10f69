import type { AccountLookup } from '../accounts/account-tree.ts';
import { serviceDefaultsOf } from '../accounts/effective-limits.ts';
import type { OperatorLimits } from '../accounts/limits.ts';
import type { RatingBooks } from '../charging/finished-call.ts';
import type { ServiceConfig, Stores } from '../command-line/command.ts';
import { openDirectory } from '../state/directory.ts';
import { policyOf } from '../wiring/parts.ts';

/** What accounts and the roots of their trees leave to the configuration. */
export function serviceDefaultsIn({ accounts, store }: ServiceConfig): OperatorLimits {
  return serviceDefaultsOf({ defaults: accounts.defaults, onStoreDown: store.onDown });
}

/** Accounts and every version of every tariff, as they are on record now. */
export async function loadRatingBooks(
  config: ServiceConfig,
  { accounts, tariffs }: Pick<Stores, 'accounts' | 'tariffs'>,
): Promise<RatingBooks & { readonly accounts: AccountLookup }> {
  const directory = await openDirectory({
    accountStore: accounts,
    tariffStore: tariffs,
    serviceDefaults: serviceDefaultsIn(config),
  });
  return { accounts: directory.accounts(), tariffs: directory.tariffs(), policy: policyOf(config) };
}
