import type { AccountPath, RouteName, TariffName } from '../units/ids.ts';
import type { Account, Route } from './account.ts';

/**
 * The record of accounts and routes. Every method either does the whole of it or rejects with an operating error
 * of the store, and then nothing has changed. What an operator asked for in vain is a value, not an error.
 */
export type AccountStore = {
  /** Everything that is not removed, parents before children, as it stood at one revision. */
  loadAll(): Promise<AccountTree>;
  /** Creates or replaces one account. Saving the same again is `unchanged` and no change. Revives a marked one. */
  saveAccount(account: Account): Promise<SaveVerdict>;
  /** An account that ever had a call or money keeps its row, marked, because its records are for ever. */
  removeAccount(path: AccountPath): Promise<RemoveVerdict>;
  /** Creates or replaces one route. */
  saveRoute(route: Route): Promise<SaveVerdict>;
  removeRoute(name: RouteName): Promise<RemoveVerdict>;
  /** Grows with each change of an account or a route, by whichever process: a differing number means stale. */
  revision(): Promise<number>;
};

export type AccountTree = {
  readonly revision: number;
  readonly accounts: readonly Account[];
  readonly routes: readonly Route[];
};

export type SaveVerdict =
  | { readonly kind: 'saved' | 'unchanged'; readonly revision: number }
  | { readonly kind: 'refused'; readonly reason: 'no_parent'; readonly parent: AccountPath }
  | { readonly kind: 'refused'; readonly reason: 'no_tariff'; readonly tariff: TariffName }
  /** Wallet and tariff, its own or its nearest ancestor's, must always agree (ruling 14); `account` has the wallet. */
  | {
      readonly kind: 'refused';
      readonly reason: 'currency_differs';
      readonly account: AccountPath;
      readonly tariff: TariffName;
      readonly tariffCurrency: string;
      readonly walletCurrency: string;
    }
  /** A wallet that ever held money stays, in its currency: its balance is the sum of its transfers. */
  | { readonly kind: 'refused'; readonly reason: 'currency_fixed'; readonly walletCurrency: string };

export type RemoveVerdict =
  /** `marked`: it no longer exists for calls, its row stays for its records. */
  | { readonly kind: 'removed' | 'marked'; readonly revision: number }
  | { readonly kind: 'unknown' }
  | {
      readonly kind: 'refused';
      readonly reason: 'has_children';
      readonly children: number;
      readonly example: AccountPath;
    };
