import { chainOf, type AccountPath, type TariffName } from '../units/ids.ts';
import type { AccountChange } from './account-difference.ts';
import type { SaveVerdict } from './account-store.ts';
import type { Account } from './account.ts';
import { isSameTariffs } from './tariff-assignments.ts';
import { tariffRefusal } from './tariff-currency.ts';

export type SaveRefusal = Extract<SaveVerdict, { readonly kind: 'refused' }>;

export type RefusedChange = { readonly account: AccountPath; readonly refusal: SaveRefusal };

/** What the record knows besides accounts. */
export type RecordFacts = {
  readonly currencyOfTariff: ReadonlyMap<TariffName, string>;
  /** Of wallets that ever held money: they stay in it. */
  readonly currencyHeld: ReadonlyMap<AccountPath, string>;
};

/** In which order changes can be saved one by one, and which of them cannot be at all. */
export type SavingOrder = {
  readonly order: readonly AccountChange[];
  readonly refused: readonly RefusedChange[];
};

/**
 * Foresees what the record would say to each change, so that nothing need be saved by halves. The record itself
 * decides; where the two differ because somebody else was quicker, its word counts.
 */
export function savingOrder(
  onRecord: readonly Account[],
  changes: readonly AccountChange[],
  facts: RecordFacts,
): SavingOrder {
  const accounts = new Map(onRecord.map((account) => [account.path, account]));
  const order: AccountChange[] = [];
  let waiting: readonly AccountChange[] = changes;
  // One that is refused now may pass when another is saved; each round saves one at least.
  for (let before = Infinity; waiting.length < before;) {
    before = waiting.length;
    waiting = waiting.filter((change) => {
      if (refusalOf(change.account, accounts, facts) !== undefined) return true;
      accounts.set(change.account.path, change.account);
      order.push(change);
      return false;
    });
  }
  const stuck = new Set(waiting.map(({ account }) => account.path));
  const refused = waiting.flatMap(({ account }): readonly RefusedChange[] => {
    const refusal = refusalOf(account, accounts, facts);
    // A child of an account that is refused itself has nothing to add.
    const isEcho = refusal?.reason === 'no_parent' && stuck.has(refusal.parent);
    return refusal === undefined || isEcho ? [] : [{ account: account.path, refusal }];
  });
  return { order, refused };
}

type Accounts = ReadonlyMap<AccountPath, Account>;

function refusalOf(account: Account, accounts: Accounts, facts: RecordFacts): SaveRefusal | undefined {
  const parent = chainOf(account.path).at(-2);
  if (parent !== undefined && !accounts.has(parent)) return { kind: 'refused', reason: 'no_parent', parent };
  const held = facts.currencyHeld.get(account.path);
  if (held !== undefined && held !== account.walletCurrency) {
    return { kind: 'refused', reason: 'currency_fixed', walletCurrency: held };
  }
  // Those below feel it only when its tariffs change.
  const standing = accounts.get(account.path)?.tariffs ?? [];
  const below = isSameTariffs(standing, account.tariffs) ? [] : accountsBelow(account.path, accounts);
  return tariffRefusal(account, { charged: accounts, below }, (tariff) => facts.currencyOfTariff.get(tariff));
}

function accountsBelow(path: AccountPath, accounts: Accounts): readonly AccountPath[] {
  return [...accounts.keys()].filter((other) => other.startsWith(`${path}/`));
}
