import type { AccountLookup } from '../accounts/account-tree.ts';
import { serviceDefaultsOf } from '../accounts/effective-limits.ts';
import type { RatingBooks } from '../charging/finished-call.ts';
import { openDirectory } from '../controller/directory.ts';
import { policyOf } from '../wiring/parts.ts';
import type { ServiceConfig, Stores } from './command.ts';

/** Accounts and every version of every tariff, as they are on record now. */
export async function loadRatingBooks(
  config: ServiceConfig,
  { accounts, tariffs }: Pick<Stores, 'accounts' | 'tariffs'>,
): Promise<RatingBooks & { readonly accounts: AccountLookup }> {
  const { accounts: settings, store } = config;
  const defaults = { defaults: settings.defaults, onStoreDown: store.onDown };
  const directory = await openDirectory({
    accountStore: accounts,
    tariffStore: tariffs,
    serviceDefaults: serviceDefaultsOf(defaults),
  });
  return { accounts: directory.accounts(), tariffs: directory.tariffs(), policy: policyOf(config) };
}
