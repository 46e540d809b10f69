import { describe, expect, it } from 'vitest';
import type { Account } from '../../src/accounts/account.ts';
import type { AccountStore } from '../../src/accounts/account-store.ts';
import { DEFAULT_ROUNDING } from '../../src/rating/price.ts';
import type { TariffStore } from '../../src/rating/tariff-store.ts';
import { parseRouteName } from '../../src/units/ids.ts';
import { account, money, NOON, settlementOf, tariffName, topupOf } from '../records/samples.ts';
import { DATABASES } from './databases.ts';

function accountOf(path: string, changes: Partial<Account> = {}): Account {
  return {
    path: account(path),
    operator: {},
    customer: {},
    walletCurrency: undefined,
    tariff: undefined,
    defaults: undefined,
    numbering: undefined,
    ...changes,
  };
}

async function importEmpty(tariffs: TariffStore, name: string, currency: string): Promise<void> {
  const tariff = tariffName(name);
  await tariffs.importVersion({
    tariff,
    currency,
    rounding: DEFAULT_ROUNDING,
    startsAt: NOON,
    zone: 'UTC',
    rates: [],
  });
}

async function saved(accounts: AccountStore, ...all: readonly Account[]): Promise<void> {
  for (const one of all) expect((await accounts.saveAccount(one)).kind).toBe('saved');
}

describe.each(DATABASES)('accounts on $name', ({ openRecord, freshUrl }) => {
  it('read back as they were, money included, parents first', async () => {
    const url = await freshUrl();
    const first = await openRecord(url);
    await importEmpty(first.tariffs, 'retail', 'EUR');
    const root = accountOf('acme', {
      operator: { calls: 0, inboundCalls: 'unlimited', maxPostpay: money('-0.000001'), allowPrepay: true },
      customer: { callsPerSecond: 3, allowPrepay: false },
      defaults: { maxPostpay: money('9007199254.740991'), enforcement: 'dry_run' },
      numbering: { country: '44', internationalPrefix: '00', trunkPrefix: '' },
    });
    const child = accountOf('acme/alice', { walletCurrency: 'EUR', tariff: tariffName('retail') });
    await saved(first.accounts, root, child);
    const route = { name: route1(), limits: { calls: 30, callsPerSecond: 'unlimited' as const } };
    await first.accounts.saveRoute(route);
    await first.close();

    const { accounts } = await openRecord(url);
    expect(await accounts.loadAll()).toEqual({ revision: 3, accounts: [root, child], routes: [route] });
  });

  it('count each change and nothing else', async () => {
    const { accounts } = await openRecord();
    expect(await accounts.revision()).toBe(0);
    await saved(accounts, accountOf('acme'));
    expect(await accounts.saveAccount(accountOf('acme'))).toEqual({ kind: 'unchanged', revision: 1 });
    expect(await accounts.saveAccount(accountOf('acme', { operator: { calls: 2 } }))).toEqual({
      kind: 'saved',
      revision: 2,
    });
    await accounts.saveRoute({ name: route1(), limits: {} });
    expect(await accounts.saveRoute({ name: route1(), limits: {} })).toEqual({
      kind: 'unchanged',
      revision: 3,
    });
    expect(await accounts.removeRoute(route1())).toEqual({ kind: 'removed', revision: 4 });
    expect(await accounts.removeRoute(route1())).toEqual({ kind: 'unknown' });
    expect(await accounts.revision()).toBe(4);
  });

  it('have a parent', async () => {
    const { accounts } = await openRecord();
    const refused = { kind: 'refused', reason: 'no_parent', parent: 'acme' };
    expect(await accounts.saveAccount(accountOf('acme/alice'))).toEqual(refused);
    await saved(accounts, accountOf('acme'));
    await accounts.removeAccount(account('acme'));
    expect(await accounts.saveAccount(accountOf('acme/alice'))).toEqual(refused);
  });

  it('are not removed from under their children', async () => {
    const { accounts } = await openRecord();
    await saved(accounts, accountOf('acme'), accountOf('acme/alice'), accountOf('acme/bob'));
    expect(await accounts.removeAccount(account('acme'))).toEqual({
      kind: 'refused',
      reason: 'has_children',
      children: 2,
      example: 'acme/alice',
    });
    expect((await accounts.removeAccount(account('acme/alice'))).kind).toBe('removed');
    expect(await accounts.removeAccount(account('acme/alice'))).toEqual({ kind: 'unknown' });
  });

  it('that had calls or money are only marked, with their parents, and may come back', async () => {
    const { accounts, records } = await openRecord();
    await saved(
      accounts,
      accountOf('acme'),
      accountOf('acme/alice', { walletCurrency: 'EUR' }),
      accountOf('zeta'),
    );
    await records.writeBatch({ settlements: [settlementOf({ leg: 'l1' })], decisions: [] });
    expect((await accounts.removeAccount(account('acme/alice'))).kind).toBe('marked');
    expect(await accounts.removeAccount(account('acme/alice'))).toEqual({ kind: 'unknown' });
    expect((await accounts.removeAccount(account('acme'))).kind).toBe('marked');
    expect((await accounts.loadAll()).accounts.map(({ path }) => path)).toEqual(['zeta']);
    await saved(accounts, accountOf('acme'), accountOf('acme/alice', { walletCurrency: 'EUR' }));
    expect((await accounts.loadAll()).accounts).toHaveLength(3);
  });
});

describe.each(DATABASES)('the currency of an account on $name', ({ openRecord }) => {
  it('agrees with its tariff, its own or the nearest above', async () => {
    const { accounts, tariffs } = await openRecord();
    await importEmpty(tariffs, 'retail', 'EUR');
    const retail = tariffName('retail');
    const differs = {
      kind: 'refused',
      reason: 'currency_differs',
      tariffCurrency: 'EUR',
      walletCurrency: 'USD',
    };
    await saved(accounts, accountOf('acme', { tariff: retail }), accountOf('acme/shop'));
    expect(await accounts.saveAccount(accountOf('acme/shop/alice', { walletCurrency: 'USD' }))).toEqual({
      ...differs,
      account: 'acme/shop/alice',
    });
    await saved(accounts, accountOf('zeta'), accountOf('zeta/bob', { walletCurrency: 'USD' }));
    expect(await accounts.saveAccount(accountOf('zeta', { tariff: retail }))).toEqual({
      ...differs,
      account: 'zeta/bob',
    });
    await importEmpty(tariffs, 'dollars', 'USD');
    await saved(accounts, accountOf('zeta/bob', { walletCurrency: 'USD', tariff: tariffName('dollars') }));
    await saved(accounts, accountOf('zeta', { tariff: retail }));
  });

  it('is not that of a tariff nobody imported', async () => {
    const { accounts } = await openRecord();
    expect(await accounts.saveAccount(accountOf('acme', { tariff: tariffName('retial') }))).toEqual({
      kind: 'refused',
      reason: 'no_tariff',
      tariff: 'retial',
    });
  });

  it('stays once the wallet has held money', async () => {
    const { accounts, records } = await openRecord();
    await saved(accounts, accountOf('acme'), accountOf('acme/alice', { walletCurrency: 'EUR' }));
    await records.insertTransfer(topupOf({}));
    for (const walletCurrency of ['USD', undefined]) {
      expect(await accounts.saveAccount(accountOf('acme/alice', { walletCurrency }))).toEqual({
        kind: 'refused',
        reason: 'currency_fixed',
        walletCurrency: 'EUR',
      });
    }
  });
});

function route1() {
  const name = parseRouteName('carrier-1');
  if (name === undefined) throw new Error('the sample is not valid');
  return name;
}
