import { chainOf, type AccountPath, type TariffName } from '../units/ids.ts';
import type { SaveVerdict } from './account-store.ts';
import type { Account } from './account.ts';
import { effectiveTariffs, type TariffAssignments } from './tariff-assignments.ts';

type TariffRefusal = Extract<
  SaveVerdict,
  { readonly kind: 'refused'; readonly reason: 'no_tariff' | 'currency_differs' }
>;

/** What of an account the currencies of wallets and tariffs are held together by. */
export type Charged = Pick<Account, 'tariffs' | 'walletCurrency'>;

/**
 * Why an account may not have these tariffs and this wallet: a tariff is nobody's, or its currency, at whatever time,
 * is not that of a wallet that pays by it, its own or one below it (ruling 14).
 */
export function tariffRefusal(
  account: Pick<Account, 'path'> & Charged,
  others: {
    /** Those above it and below it. */
    readonly charged: ReadonlyMap<AccountPath, Charged>;
    readonly below: readonly AccountPath[];
  },
  currencyOf: (tariff: TariffName) => string | undefined,
): TariffRefusal | undefined {
  for (const { tariff } of account.tariffs) {
    if (tariff !== undefined && currencyOf(tariff) === undefined) {
      return { kind: 'refused', reason: 'no_tariff', tariff };
    }
  }
  const chargedAs = (path: AccountPath) => (path === account.path ? account : others.charged.get(path));
  for (const path of [account.path, ...others.below]) {
    const walletCurrency = chargedAs(path)?.walletCurrency;
    if (walletCurrency === undefined) continue;
    let tariffs: TariffAssignments = [];
    for (const each of chainOf(path)) tariffs = effectiveTariffs(chargedAs(each)?.tariffs ?? [], tariffs);
    for (const { tariff } of tariffs) {
      const tariffCurrency = tariff === undefined ? undefined : currencyOf(tariff);
      if (tariff === undefined || tariffCurrency === undefined || tariffCurrency === walletCurrency) continue;
      return {
        kind: 'refused',
        reason: 'currency_differs',
        account: path,
        tariff,
        tariffCurrency,
        walletCurrency,
      };
    }
  }
  return undefined;
}
