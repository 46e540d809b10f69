import { describe, expect, it } from 'vitest';
import type { TariffAssignments } from '../../src/accounts/tariff-assignments.ts';
import type { Account } from '../../src/accounts/account.ts';
import type { AccountStore } from '../../src/accounts/account-store.ts';
import { DEFAULT_ROUNDING } from '../../src/rating/price.ts';
import type { TariffStore } from '../../src/rating/tariff-store.ts';
import { parseRouteName, type TariffName } from '../../src/units/ids.ts';
import { addMs, ALWAYS } from '../../src/units/time.ts';
import { account, money, NOON, settlementOf, tariffName, topupOf } from '../records/samples.ts';
import { DATABASES } from './databases.ts';

function accountOf(path: string, changes: Partial<Account> = {}): Account {
  return {
    path: account(path),
    operator: {},
    customer: {},
    walletCurrency: undefined,
    tariffs: [],
    defaults: undefined,
    numbering: undefined,
    ...changes,
  };
}

function always(tariff: TariffName): TariffAssignments {
  return [{ from: ALWAYS, tariff }];
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
    const child = accountOf('acme/alice', { walletCurrency: 'EUR', tariffs: always(tariffName('retail')) });
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

  it('that are removed while they get a child are still there, or the child is refused', async () => {
    const url = await freshUrl();
    const [one, other] = [await openRecord(url), await openRecord(url)];
    const outcomes = new Set<string>();
    for (let run = 0; run < 10; run += 1) {
      await saved(one.accounts, accountOf(`root${run}`));
      const removing = one.accounts.removeAccount(account(`root${run}`));
      const adding = other.accounts.saveAccount(accountOf(`root${run}/child`));
      outcomes.add(`${(await removing).kind}, ${(await adding).kind}`);
    }
    expect(['removed, refused', 'refused, saved']).toEqual(expect.arrayContaining([...outcomes]));
    const { accounts } = await one.accounts.loadAll();
    const paths = new Set(accounts.map(({ path }) => path));
    expect([...paths].filter((path) => !paths.has(account(path.split('/')[0] ?? '')))).toEqual([]);
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
      tariff: 'retail',
      tariffCurrency: 'EUR',
      walletCurrency: 'USD',
    };
    await saved(accounts, accountOf('acme', { tariffs: always(retail) }), accountOf('acme/shop'));
    expect(await accounts.saveAccount(accountOf('acme/shop/alice', { walletCurrency: 'USD' }))).toEqual({
      ...differs,
      account: 'acme/shop/alice',
    });
    await saved(accounts, accountOf('zeta'), accountOf('zeta/bob', { walletCurrency: 'USD' }));
    expect(await accounts.saveAccount(accountOf('zeta', { tariffs: always(retail) }))).toEqual({
      ...differs,
      account: 'zeta/bob',
    });
    await importEmpty(tariffs, 'dollars', 'USD');
    await saved(
      accounts,
      accountOf('zeta/bob', { walletCurrency: 'USD', tariffs: always(tariffName('dollars')) }),
    );
    await saved(accounts, accountOf('zeta', { tariffs: always(retail) }));
  });

  it('agrees with every tariff that it has, had or will have', async () => {
    const { accounts, tariffs } = await openRecord();
    for (const [name, currency] of [
      ['retail', 'EUR'],
      ['gold', 'EUR'],
      ['dollars', 'USD'],
    ] as const) {
      await importEmpty(tariffs, name, currency);
    }
    const [retail, gold, dollars] = [tariffName('retail'), tariffName('gold'), tariffName('dollars')];
    const later = (tariff: TariffName | undefined, days: number) => ({
      from: addMs(NOON, days * 86_400_000),
      tariff,
    });
    await saved(accounts, accountOf('acme', { tariffs: [...always(retail), later(dollars, 2)] }));
    const alice = (tariffsOf: TariffAssignments) =>
      accounts.saveAccount(accountOf('acme/alice', { walletCurrency: 'EUR', tariffs: tariffsOf }));
    const differs = {
      kind: 'refused',
      reason: 'currency_differs',
      account: 'acme/alice',
      tariff: 'dollars',
      tariffCurrency: 'USD',
      walletCurrency: 'EUR',
    };
    expect(await alice([])).toEqual(differs);
    expect(await alice([later(gold, 3)])).toEqual(differs);
    expect(await alice([later(gold, 1), later(undefined, 4)])).toEqual(differs);
    expect(await alice([later(gold, 1), later(dollars, 4)])).toEqual(differs);
    expect(await alice([later(gold, 2)])).toMatchObject({ kind: 'saved' });
    // Only who pays by it minds, and only while it has none of its own.
    const acme = (tariffsOf: TariffAssignments) =>
      accounts.saveAccount(accountOf('acme', { tariffs: tariffsOf }));
    expect(await acme([...always(retail), later(dollars, 1)])).toEqual(differs);
    expect(await acme([...always(retail), later(dollars, 3)])).toMatchObject({ kind: 'saved' });
    expect((await accounts.loadAll()).accounts.map(({ tariffs: each }) => each)).toEqual([
      [...always(retail), later(dollars, 3)],
      [later(gold, 2)],
    ]);
  });

  it('is not that of a tariff nobody imported', async () => {
    const { accounts } = await openRecord();
    expect(await accounts.saveAccount(accountOf('acme', { tariffs: always(tariffName('retial')) }))).toEqual({
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
