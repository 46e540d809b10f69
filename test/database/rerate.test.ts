import { describe, expect, it } from 'vitest';
import { carryOut, type CarriedOut } from '../../src/charging/carry-out.ts';
import { planKept, type RerateOutcome } from '../../src/charging/plan-rerate.ts';
import type { RatingBooks } from '../../src/charging/finished-call.ts';
import type { RerateFilter } from '../../src/charging/rerate-run.ts';
import type { RerateClaim } from '../../src/charging/rerate-store.ts';
import type { Database } from '../../src/database/database.ts';
import { withTariffVersions } from '../../src/rating/tariff-book.ts';
import type { Movement } from '../../src/records/record-store.ts';
import { proveRecord } from '../../src/records/proof.ts';
import { walletLedger } from '../../src/records/records.ts';
import type { AccountPath, RerateRunId, TariffName } from '../../src/units/ids.ts';
import { toMicros } from '../../src/units/money.ts';
import { addMs, toEpochMs } from '../../src/units/time.ts';
import {
  balancesOf,
  BOOKS,
  DOUBLED,
  EVERYTHING,
  fillRecord,
  importVersions,
  liveCalls,
} from '../charging/charged-record.ts';
import { DATABASES, type TestedDatabase } from './databases.ts';

const CALLS = 1_500;
const NOW = toEpochMs(Date.UTC(2026, 7, 1));
const RUN = 'run-1' as RerateRunId;
const DEAR: RatingBooks = { ...BOOKS, tariffs: withTariffVersions(BOOKS.tariffs, DOUBLED) };

type Told = { readonly movements: Movement[] };

async function charged({ openRecord }: TestedDatabase): Promise<Database & Told> {
  const database = await openRecord();
  await fillRecord(database, liveCalls(CALLS, 1));
  return { ...database, movements: [] };
}

function plan(
  { rerates }: Database,
  books: RatingBooks,
  filter: RerateFilter = EVERYTHING,
  id = RUN,
): Promise<RerateOutcome> {
  const run = { id, funding: 'kept', filter, createdAt: NOW } as const;
  return rerates.begin(run).then(async () => {
    const outcome = await planKept(run, books, rerates, () => undefined);
    await rerates.finishPlan(run, outcome);
    return outcome;
  });
}

function change(
  { rerates, records, movements }: Database & Told,
  wanted: RerateClaim['wanted'],
  { run = RUN, holder = 'me', now = NOW } = {},
): Promise<CarriedOut> {
  return carryOut(
    { run, wanted, holder },
    {
      store: rerates,
      untold: () => records.untold(undefined),
      async tell(told) {
        movements.push(...told);
        await records.forgetTold(told);
      },
      clock: () => now,
      onChanged: () => undefined,
    },
  );
}

async function findings({ evidence }: Database): Promise<readonly string[]> {
  return (await Array.fromAsync(proveRecord(evidence))).map(({ kind }) => kind);
}

describe.each(DATABASES)('a run of re-rating on $name', (tested) => {
  it('changes nothing where the tariffs are the same', async () => {
    const database = await charged(tested);
    expect(await plan(database, BOOKS)).toMatchObject({ calls: CALLS, items: 0, unrated: 0, remarks: [] });
    expect(await database.rerates.totals(RUN)).toEqual([]);
    expect(await change(database, 'applying')).toEqual({ kind: 'done', changed: 0, passed: 0 });
    expect(await database.rerates.run(RUN)).toMatchObject({ state: 'applied', calls: CALLS, appliedAt: NOW });
    expect(database.movements).toEqual([]);
  });

  it('takes back and charges anew what costs twice as much, and gives all of it back', async () => {
    const database = await charged(tested);
    const { records, rerates } = database;
    const before = await balancesOf(records);
    const counted = await records.counts();
    await importVersions(database.tariffs, DOUBLED);
    const { items } = await plan(database, DEAR);
    expect(items).toBeGreaterThan(CALLS / 2);

    expect(await change(database, 'applying')).toEqual({ kind: 'done', changed: items, passed: 0 });
    expect(await findings(database)).toEqual([]);
    const charges = await records.counts();
    const [sum] = await rerates.totals(RUN);
    const wallets = await balancesOf(records);
    for await (const { payer, before: paid, after: costs } of rerates.sumsByPayer(RUN)) {
      const wallet = walletLedger(payer);
      expect(wallets.get(wallet)).toBe((before.get(wallet) ?? 0n) + paid - costs);
    }
    // An allotment's part of a call gets a further version beside the one that was paid per minute.
    expect(charges.charges - counted.charges).toBeGreaterThanOrEqual(items);
    expect(charges.transfers - counted.transfers).toBe(2 * items);
    expect(sum?.charges).toBe(items);
    expect(netOf(database.movements)).toEqual(changesBetween(before, wallets));

    expect(await change(database, 'reverting')).toEqual({ kind: 'done', changed: items, passed: 0 });
    expect(await balancesOf(records)).toEqual(before);
    expect(await findings(database)).toEqual([]);
    expect(netOf(database.movements)).toEqual(new Map());
    expect(new Set(database.movements.map(({ id }) => id)).size).toBe(database.movements.length);
    expect((await rerates.run(RUN))?.state).toBe('reverted');
    expect(await Array.fromAsync(records.untold(undefined))).toEqual([]);
  });

  it('looks only at the calls that are asked for', async () => {
    const database = await charged(tested);
    const itemsOf = async (filter: Partial<RerateFilter>, id: string) => {
      await plan(database, DEAR, { ...EVERYTHING, ...filter }, id as RerateRunId);
      return await Array.fromAsync(database.rerates.items(id as RerateRunId));
    };
    const all = await itemsOf({}, 'all');
    const day = { from: toEpochMs(86_400_000), to: toEpochMs(2 * 86_400_000) };
    expect(await itemsOf(day, 'day')).toEqual(
      all.filter(({ admittedAt }) => admittedAt >= day.from && admittedAt < day.to),
    );
    expect(await itemsOf({ prefix: '4930' }, 'prefix')).toEqual(
      all.filter(({ destination }) => destination.startsWith('4930')),
    );
    expect(await itemsOf({ tariff: 'wholesale' as TariffName }, 'tariff')).toEqual(
      all.filter(({ tariff }) => tariff === 'wholesale'),
    );
    const shop = await itemsOf({ account: 'acme/shop' as AccountPath }, 'account');
    expect(new Set(shop.map(({ payer }) => payer))).toEqual(new Set(['acme', 'acme/shop']));
    const legs = new Set(shop.map(({ legUuid }) => legUuid));
    const calls = liveCalls(CALLS, 1).filter(({ cdr }) => cdr.account.startsWith('acme/shop'));
    expect(all.filter(({ legUuid }) => legs.has(legUuid))).toHaveLength(shop.length);
    expect(calls.filter(({ cdr }) => legs.has(cdr.legUuid))).toHaveLength(legs.size);
  });

  it('tells its sums by account and by rate, and where it changes most', async () => {
    const database = await charged(tested);
    await plan(database, DEAR);
    const { rerates } = database;
    const items = await Array.fromAsync(rerates.items(RUN));
    const difference = (rows: readonly { readonly before: bigint; readonly after: bigint }[]) =>
      rows.reduce((sum, { before, after }) => sum + after - before, 0n);
    const total = difference(items);
    expect(total).toBeGreaterThan(0n);
    expect(difference(await rerates.totals(RUN))).toBe(total);
    expect(difference(await Array.fromAsync(rerates.sumsByPayer(RUN)))).toBe(total);
    const rates = await Array.fromAsync(rerates.sumsByRate(RUN));
    expect(difference(rates)).toBe(total);
    expect(new Set(rates.map(({ tariff, prefix }) => `${tariff} ${prefix}`)).size).toBe(rates.length);
    const [first] = await rerates.biggest(RUN, 3);
    const most = items.reduce(
      (least, { before, after }) => (after - before > least ? after - before : least),
      0n,
    );
    expect(first && first.after - first.before).toBe(most);
  });

  it('is worked at by one process at a time, and taken over when that is dead', async () => {
    const database = await charged(tested);
    const { rerates } = database;
    await plan(database, DEAR);
    await plan(database, DEAR, EVERYTHING, 'run-2' as RerateRunId);
    const claim = {
      run: RUN,
      wanted: 'applying',
      holder: 'other',
      now: NOW,
      until: addMs(NOW, 60_000),
    } as const;
    expect(await rerates.claim(claim)).toMatchObject({ kind: 'held' });
    const busy = { kind: 'busy', run: RUN, until: addMs(NOW, 60_000) };
    expect(await change(database, 'applying')).toEqual(busy);
    expect(await change(database, 'applying', { run: 'run-2' as RerateRunId })).toEqual(busy);
    const later = addMs(NOW, 60_000);
    expect(await change(database, 'applying', { now: later })).toMatchObject({ kind: 'done' });
    expect(await rerates.step({ ...claim, now: later }, undefined)).toEqual({ kind: 'lost' });
    expect(await change(database, 'applying', { now: later })).toEqual({ kind: 'already', state: 'applied' });
  });

  it('leaves alone what another run has changed since, in both directions', async () => {
    const database = await charged(tested);
    await importVersions(database.tariffs, DOUBLED);
    const { items } = await plan(database, DEAR);
    await plan(database, DEAR, EVERYTHING, 'run-2' as RerateRunId);
    await change(database, 'applying');
    expect(await change(database, 'applying', { run: 'run-2' as RerateRunId })).toEqual({
      kind: 'done',
      changed: 0,
      passed: items,
    });
    await plan(database, BOOKS, EVERYTHING, 'run-3' as RerateRunId);
    await change(database, 'applying', { run: 'run-3' as RerateRunId });
    expect(await change(database, 'reverting')).toEqual({ kind: 'done', changed: 0, passed: items });
    expect(await findings(database)).toEqual([]);
  });

  it('that was left half planned is planned anew, and who planned it before is told', async () => {
    const { rerates, close: _, ...database } = await charged(tested);
    const half = { id: RUN, funding: 'kept', filter: EVERYTHING, createdAt: NOW } as const;
    expect(await rerates.begin(half)).toBe('begun');
    await expect(planKept(half, DEAR, dying(rerates), () => undefined)).rejects.toThrow('killed');
    expect((await rerates.itemStates(RUN)).get('planned')).toBeGreaterThan(0);

    const again = { ...half, createdAt: addMs(NOW, 60_000) };
    expect(await rerates.begin(again)).toBe('begun');
    expect(await rerates.itemStates(RUN)).toEqual(new Map());
    const words = 'run-1 was planned anew by another process meanwhile';
    await expect(planKept(half, DEAR, rerates, () => undefined)).rejects.toThrow(words);
    await expect(rerates.finishPlan(half, NOTHING)).rejects.toThrow(words);
    const outcome = await planKept(again, DEAR, rerates, () => undefined);
    await rerates.finishPlan(again, outcome);
    expect((await rerates.itemStates(RUN)).get('planned')).toBe(outcome.items);
    // What is planned is left alone.
    expect(await rerates.begin({ ...half, createdAt: addMs(NOW, 120_000) })).toBe('exists');
    expect(await rerates.run(RUN)).toMatchObject({ state: 'planned', createdAt: again.createdAt });
    expect(await findings({ rerates, close: _, ...database })).toEqual([]);
  });

  it('is refused what its state does not lead to', async () => {
    const database = await charged(tested);
    expect(await change(database, 'applying')).toEqual({ kind: 'unknown' });
    const run = { id: RUN, funding: 'kept', filter: EVERYTHING, createdAt: NOW } as const;
    expect(await database.rerates.begin(run)).toBe('begun');
    expect(await database.rerates.begin(run)).toBe('exists');
    expect(await change(database, 'applying')).toEqual({ kind: 'refused', state: 'planning' });
    await database.rerates.finishPlan(run, { calls: 0, unrated: 0, refused: 0, cut: 0 });
    expect(await change(database, 'reverting')).toEqual({ kind: 'refused', state: 'planned' });
    await change(database, 'applying');
    await change(database, 'reverting');
    expect(await change(database, 'applying')).toEqual({ kind: 'refused', state: 'reverted' });
    expect((await database.rerates.runs()).map(({ id }) => id)).toEqual([RUN]);
  });
});

const NOTHING = { calls: 0, unrated: 0, refused: 0, cut: 0 };

/** Dies behind the first items. */
function dying(rerates: Database['rerates']): Database['rerates'] {
  return {
    ...rerates,
    async addItems(run, items) {
      await rerates.addItems(run, items);
      throw new Error('killed');
    },
  };
}

function netOf(movements: readonly Movement[]): ReadonlyMap<string, bigint> {
  const net = new Map<string, bigint>();
  for (const { account, amount } of movements) {
    const wallet = walletLedger(account);
    const sum = (net.get(wallet) ?? 0n) + amount;
    if (sum === 0n) net.delete(wallet);
    else net.set(wallet, sum);
  }
  return net;
}

function changesBetween(
  before: ReadonlyMap<string, bigint>,
  after: ReadonlyMap<string, bigint>,
): ReadonlyMap<string, bigint> {
  return new Map(
    [...after].flatMap(([wallet, balance]) => {
      const change = toMicros(balance - (before.get(wallet) ?? 0n));
      return change === 0n ? [] : [[wallet, change]];
    }),
  );
}
