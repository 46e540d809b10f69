import type { AccountLookup } from '../accounts/account-tree.ts';
import type { AccountTree } from '../accounts/account-store.ts';
import type { TariffAssignments } from '../accounts/tariff-assignments.ts';
import type { DescribedTree } from '../accounts/tree-document.ts';
import { isWithin } from '../units/ids.ts';
import type { TariffChange } from './tariff-change.ts';

/** The accounts and routes on record as they would be with a description saved; what it does not name stays. */
export function laidOver(onRecord: AccountTree, { accounts, routes }: DescribedTree): AccountTree {
  const accountsBy = new Map([...onRecord.accounts, ...accounts].map((account) => [account.path, account]));
  const routesBy = new Map([...onRecord.routes, ...routes].map((route) => [route.name, route]));
  return {
    revision: onRecord.revision,
    accounts: [...accountsBy.values()],
    routes: [...routesBy.values()],
  };
}

/** The same accounts, those who pay with the other tariff in the place of the one that they have, be it inherited. */
export function withTariffChange(
  tree: AccountTree,
  lookup: Pick<AccountLookup, 'node'>,
  { by, replaces, account: scope }: TariffChange,
): AccountTree {
  const changed = (assignments: TariffAssignments): TariffAssignments =>
    assignments.map(({ from, tariff }) => ({
      from,
      tariff: tariff === undefined || (replaces !== undefined && tariff !== replaces) ? tariff : by,
    }));
  const accounts = tree.accounts.map((account) => {
    const node = lookup.node(account.path);
    const pays = node?.paying.some(({ path }) => path === account.path) === true;
    const isMeant = scope === undefined || isWithin(account.path, scope);
    return node !== undefined && pays && isMeant ? { ...account, tariffs: changed(node.tariffs) } : account;
  });
  return { ...tree, accounts };
}
