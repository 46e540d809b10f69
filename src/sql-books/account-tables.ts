import type { Kysely, Transaction } from 'kysely';
import type { Account, Route } from '../accounts/account.ts';
import type { AccountStore, AccountTree, RemoveVerdict, SaveVerdict } from '../accounts/account-store.ts';
import { tariffRefusal, type Charged } from '../accounts/tariff-currency.ts';
import { walletLedger } from '../records/records.ts';
import { chainOf, type AccountPath, type RouteName, type TariffName } from '../units/ids.ts';
import { idCell, jsonCell, sameRow, valueOfJson } from '../sql/cell.ts';
import { subtreeRange } from '../sql/paging.ts';
import { bumpRevision, readRevision } from '../sql/revision.ts';
import type { AccountRow, RouteRow, Schema } from '../sql/schema.ts';

export function createAccountStore(database: Kysely<Schema>): AccountStore {
  return {
    loadAll: () => database.transaction().setAccessMode('read only').execute(loadTree),
    saveAccount: (account) => database.transaction().execute((trx) => saveAccount(trx, account)),
    removeAccount: (path) => database.transaction().execute((trx) => removeAccount(trx, path)),
    saveRoute: (route) => database.transaction().execute((trx) => saveRoute(trx, route)),
    removeRoute: (name) => database.transaction().execute((trx) => removeRoute(trx, name)),
    revision: () => readRevision(database, 'accounts'),
  };
}

async function loadTree(trx: Transaction<Schema>): Promise<AccountTree> {
  // Ordered by path a parent stands before its children, being a prefix of them.
  const accounts = await trx
    .selectFrom('account')
    .selectAll()
    .where('removed', '=', 0n)
    .orderBy('path')
    .execute();
  const routes = await trx.selectFrom('route').selectAll().orderBy('name').execute();
  return {
    revision: await readRevision(trx, 'accounts'),
    accounts: accounts.map(toAccount),
    routes: routes.map((row) => ({ name: row.name, limits: valueOfJson(row.limits) })),
  };
}

async function saveAccount(trx: Transaction<Schema>, account: Account): Promise<SaveVerdict> {
  const standing = await trx
    .selectFrom('account')
    .selectAll()
    .where('path', '=', account.path)
    .executeTakeFirst();
  const row = toAccountRow(account);
  if (standing !== undefined && sameRow(row, standing)) {
    return { kind: 'unchanged', revision: await readRevision(trx, 'accounts') };
  }
  const refusal = (await parentRefusal(trx, row)) ?? (await currencyRefusal(trx, account, standing));
  if (refusal !== undefined) return refusal;
  const { path: _, ...changes } = row;
  await trx
    .insertInto('account')
    .values(row)
    .onConflict((conflict) => conflict.column('path').doUpdateSet(changes))
    .execute();
  return { kind: 'saved', revision: await bumpRevision(trx, 'accounts') };
}

async function parentRefusal(trx: Transaction<Schema>, row: AccountRow): Promise<SaveVerdict | undefined> {
  if (row.parent === null) return undefined;
  const parent = await trx
    .selectFrom('account')
    .select('path')
    .where('path', '=', row.parent)
    .where('removed', '=', 0n)
    .executeTakeFirst();
  return parent === undefined ? { kind: 'refused', reason: 'no_parent', parent: row.parent } : undefined;
}

async function currencyRefusal(
  trx: Transaction<Schema>,
  account: Account,
  standing: AccountRow | undefined,
): Promise<SaveVerdict | undefined> {
  const held = await currencyHeld(trx, account.path);
  if (held !== undefined && held !== account.walletCurrency) {
    return { kind: 'refused', reason: 'currency_fixed', walletCurrency: held };
  }
  const ancestors = chainOf(account.path).slice(0, -1);
  // Those below feel it only when its tariffs change.
  const isChanged = standing?.removed !== 0n || standing.tariffs !== toAccountRow(account).tariffs;
  const below = isChanged ? await chargedWhere(trx, subtreeRange(account.path)) : [];
  const above = ancestors.length === 0 ? [] : await chargedWhere(trx, ancestors);
  const charged = new Map([...above, ...below]);
  const currencies = await currenciesOf(trx, [account, ...charged.values()]);
  return tariffRefusal(account, { charged, below: below.map(([path]) => path) }, (tariff) =>
    currencies.get(tariff),
  );
}

/** The currency of the money a wallet ever held. */
async function currencyHeld(trx: Transaction<Schema>, path: AccountPath): Promise<string | undefined> {
  const ledger = walletLedger(path);
  for (const side of ['credit', 'debit'] as const) {
    const row = await trx
      .selectFrom('transfer')
      .select('currency')
      .where(side, '=', ledger)
      .limit(1)
      .executeTakeFirst();
    if (row !== undefined) return row.currency;
  }
  return undefined;
}

async function chargedWhere(
  trx: Transaction<Schema>,
  paths: readonly AccountPath[] | ReturnType<typeof subtreeRange>,
): Promise<readonly (readonly [AccountPath, Charged])[]> {
  const query = trx
    .selectFrom('account')
    .select(['path', 'wallet_currency', 'tariffs'])
    .where('removed', '=', 0n);
  const rows = await (
    'from' in paths
      ? query.where('path', '>=', paths.from).where('path', '<', paths.to)
      : query.where('path', 'in', paths)
  ).execute();
  return rows.map(({ path, wallet_currency, tariffs }) => [
    path,
    { walletCurrency: wallet_currency ?? undefined, tariffs: valueOfJson(tariffs) },
  ]);
}

async function currenciesOf(
  trx: Transaction<Schema>,
  accounts: readonly Charged[],
): Promise<ReadonlyMap<TariffName, string>> {
  const named = accounts.flatMap(({ tariffs }) => tariffs.map(({ tariff }) => tariff));
  const tariffs = [...new Set(named.filter((tariff) => tariff !== undefined))];
  if (tariffs.length === 0) return new Map();
  const rows = await trx
    .selectFrom('tariff')
    .select(['tariff', 'currency'])
    .distinct()
    .where('tariff', 'in', tariffs)
    .execute();
  return new Map(rows.map(({ tariff, currency }) => [tariff, currency]));
}

async function removeAccount(trx: Transaction<Schema>, path: AccountPath): Promise<RemoveVerdict> {
  const standing = await trx
    .selectFrom('account')
    .select('removed')
    .where('path', '=', path)
    .executeTakeFirst();
  if (standing === undefined || standing.removed === 1n) return { kind: 'unknown' };
  const children = await trx
    .selectFrom('account')
    .select(['path', 'removed'])
    .where('parent', '=', path)
    .orderBy('path')
    .execute();
  const living = children.filter((child) => child.removed === 0n);
  const example = living[0]?.path;
  if (example !== undefined) {
    return { kind: 'refused', reason: 'has_children', children: living.length, example };
  }
  // A marked child's row names this one as its parent.
  if (children.length > 0 || (await hasRecords(trx, path))) {
    await trx.updateTable('account').set({ removed: 1n }).where('path', '=', path).execute();
    return { kind: 'marked', revision: await bumpRevision(trx, 'accounts') };
  }
  await trx.deleteFrom('account').where('path', '=', path).execute();
  return { kind: 'removed', revision: await bumpRevision(trx, 'accounts') };
}

async function hasRecords(trx: Transaction<Schema>, path: AccountPath): Promise<boolean> {
  if ((await currencyHeld(trx, path)) !== undefined) return true;
  const cdr = trx.selectFrom('cdr').select('leg_uuid').where('account', '=', path).limit(1);
  if ((await cdr.executeTakeFirst()) !== undefined) return true;
  const charge = trx.selectFrom('charge').select('leg_uuid').where('payer', '=', path).limit(1);
  return (await charge.executeTakeFirst()) !== undefined;
}

async function saveRoute(trx: Transaction<Schema>, route: Route): Promise<SaveVerdict> {
  const row: RouteRow = { name: idCell(route.name), limits: jsonCell(route.limits) };
  const standing = await trx.selectFrom('route').selectAll().where('name', '=', row.name).executeTakeFirst();
  if (standing !== undefined && sameRow(row, standing)) {
    return { kind: 'unchanged', revision: await readRevision(trx, 'accounts') };
  }
  await trx
    .insertInto('route')
    .values(row)
    .onConflict((conflict) => conflict.column('name').doUpdateSet({ limits: row.limits }))
    .execute();
  return { kind: 'saved', revision: await bumpRevision(trx, 'accounts') };
}

async function removeRoute(trx: Transaction<Schema>, name: RouteName): Promise<RemoveVerdict> {
  const { numDeletedRows } = await trx.deleteFrom('route').where('name', '=', name).executeTakeFirst();
  if (numDeletedRows === 0n) return { kind: 'unknown' };
  return { kind: 'removed', revision: await bumpRevision(trx, 'accounts') };
}

function toAccountRow(account: Account): AccountRow {
  return {
    path: idCell(account.path),
    parent: chainOf(account.path).at(-2) ?? null,
    operator_limits: jsonCell(account.operator),
    customer_limits: jsonCell(account.customer),
    wallet_currency: account.walletCurrency ?? null,
    tariffs: jsonCell(account.tariffs.map(({ from, tariff }) => ({ from, tariff }))),
    tree_defaults: account.defaults === undefined ? null : jsonCell(account.defaults),
    numbering: account.numbering === undefined ? null : jsonCell(account.numbering),
    shadow_limits: account.shadow === undefined ? null : jsonCell(account.shadow),
    removed: 0n,
  };
}

function toAccount(row: AccountRow): Account {
  return {
    path: row.path,
    operator: valueOfJson(row.operator_limits),
    customer: valueOfJson(row.customer_limits),
    walletCurrency: row.wallet_currency ?? undefined,
    tariffs: valueOfJson(row.tariffs),
    defaults: row.tree_defaults === null ? undefined : valueOfJson(row.tree_defaults),
    numbering: row.numbering === null ? undefined : valueOfJson(row.numbering),
    ...(row.shadow_limits === null ? {} : { shadow: valueOfJson(row.shadow_limits) }),
  };
}
