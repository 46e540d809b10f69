import { describe, expect, it } from 'vitest';
import { carryOut } from '../../src/charging/carry-out.ts';
import type { RerateOutcome } from '../../src/charging/plan-rerate.ts';
import type { RerateFilter } from '../../src/charging/rerate-run.ts';
import type { RerateClaim } from '../../src/charging/rerate-store.ts';
import type { Database } from '../../src/database/database.ts';
import { transferOfCharge } from '../../src/charging/charges.ts';
import { FIRST_WAY, rateFirst } from '../../src/charging/first-rating.ts';
import { proveRecord } from '../../src/records/proof.ts';
import type { Charge, Settlement } from '../../src/records/records.ts';
import { planReplayed, type ReplayBooks } from '../../src/replay/plan-replayed.ts';
import { createReplay } from '../../src/replay/replay.ts';
import type { ReplayedCall } from '../../src/replay/replayed-call.ts';
import type { AccountPath, NodeId, RerateRunId } from '../../src/units/ids.ts';
import { addMs, toEpochMs } from '../../src/units/time.ts';
import { balancesOf, importVersions } from '../charging/charged-record.ts';
import { DATABASES, type TestedDatabase } from '../database/databases.ts';
import { booksOf, NOON, pastCall, type PastCall } from '../replay/past-calls.ts';

const NOW = toEpochMs(Date.UTC(2026, 8, 1));
const DAY = { from: addMs(NOON, -12 * 3_600_000), to: addMs(NOON, 12 * 3_600_000) };
const RUN = 'run-1' as RerateRunId;

/** 120 seconds a day for a shop, whose reseller pays by the minute. */
const BOOKS: ReplayBooks = booksOf([
  { account: 'acme', wallet: 'EUR', tariff: 'retail' },
  {
    account: 'acme/shop',
    wallet: 'EUR',
    tariff: 'retail',
    operator: {
      fundingOrder: ['allotment', 'per_minute'],
      allotments: { international: { seconds: 120, cycle: 'daily', minimum: 1, increment: 1 } },
    },
  },
  { account: 'acme/other', wallet: 'EUR', tariff: 'retail' },
]);

const CALLS: readonly PastCall[] = [
  { at: -3600, seconds: 50 },
  { at: -1800, seconds: 50, account: 'acme/other' },
  { at: 0, seconds: 60 },
  { at: 30, seconds: 60 },
  { at: 600, seconds: 30 },
];
/** An hour before all others, and heard of afterwards. */
const LATE = pastCall(99, { at: -7200, seconds: 100 });

/** As they were charged live. */
function settledLive(): readonly Settlement[] {
  const replay = createReplay(BOOKS, 'as_talked');
  const outcomes = [...CALLS.flatMap((call, n) => replay.admit(pastCall(n, call))), ...replay.finish()];
  return outcomes.map((outcome) =>
    settlementOf(outcome.call, outcome.kind === 'admitted' ? outcome.charges : []),
  );
}

/** As it is charged from a file: as if its allotment had lasted. */
function imported(call: ReplayedCall): Settlement {
  const rated = rateFirst(call, BOOKS, FIRST_WAY);
  return settlementOf(call, rated.kind === 'rated' ? rated.charges : []);
}

function settlementOf(call: ReplayedCall, charges: readonly Charge[]): Settlement {
  const cdr = {
    ...call,
    node: 'fs1' as NodeId,
    coreUuid: 'core',
    callerNumber: '',
    billsec: call.billedSeconds,
    cause: 'NORMAL_CLEARING',
    cut: undefined,
    funding: 'per_minute',
    estimated: false,
  } as const;
  return {
    cdr,
    charges,
    transfers: charges.flatMap((charge) => transferOfCharge(charge, call.endedAt) ?? []),
  };
}

async function recordOf(
  { openScratch }: TestedDatabase,
  settlements: readonly Settlement[],
): Promise<Database> {
  const database = await openScratch();
  const versions = [...BOOKS.tariffs.values()].flat().map(({ version }) => version);
  await importVersions(database.tariffs, versions);
  for (const { account } of BOOKS.accounts.nodes) await database.accounts.saveAccount(account);
  await database.records.writeBatch({ settlements, decisions: [] });
  return database;
}

async function plan(
  { rerates }: Database,
  { id = RUN, filter = DAY }: { readonly id?: RerateRunId; readonly filter?: RerateFilter } = {},
): Promise<RerateOutcome> {
  const run = { id, funding: 'replayed', filter, createdAt: NOW } as const;
  await rerates.begin(run);
  const outcome = await planReplayed(run, BOOKS, rerates, () => undefined);
  await rerates.finishPlan(run, outcome);
  return outcome;
}

async function change({ rerates, records }: Database, wanted: RerateClaim['wanted']): Promise<void> {
  const carried = await carryOut(
    { run: RUN, wanted, holder: 'me' },
    {
      store: rerates,
      untold: () => records.untold(undefined),
      tell: (told) => records.forgetTold(told),
      clock: () => NOW,
      onChanged: () => undefined,
    },
  );
  expect(carried.kind).toBe('done');
}

async function proven({ evidence }: Database): Promise<readonly string[]> {
  return (await Array.fromAsync(proveRecord(evidence))).map(({ kind }) => kind);
}

/** Of the shop, in the order of its calls: `allotment 20 + per_minute 40`. */
async function shopPays({ rerates }: Database): Promise<readonly string[]> {
  const calls = [LATE, ...CALLS.map((call, n) => pastCall(n, call))];
  const charges = await rerates.chargesInForce(calls.map(({ legUuid }) => legUuid));
  return calls
    .filter(({ account }) => account === 'acme/shop')
    .map(({ legUuid }) =>
      (charges.get(legUuid) ?? [])
        .filter(({ payer }) => payer === 'acme/shop')
        .map(({ way, billedSeconds }) => `${way} ${billedSeconds}`)
        .join(' + '),
    );
}

describe.each(DATABASES)('funding that is replayed on $name', (tested) => {
  it('finds nothing where nothing differs', async () => {
    const database = await recordOf(tested, settledLive());
    expect(await plan(database)).toEqual({
      calls: CALLS.length,
      items: 0,
      unrated: 0,
      refused: 0,
      cut: 0,
      remarks: [],
    });
    await database.close();
  });

  it('gives an allotment to a call that was heard of late, and takes it from later ones; and back again', async () => {
    const database = await recordOf(tested, [...settledLive(), imported(LATE)]);
    const before = await balancesOf(database.records);
    const asCharged = await shopPays(database);
    expect(asCharged).toEqual([
      'allotment 100',
      'allotment 50',
      'allotment 50 + per_minute 10',
      'allotment 20 + per_minute 40',
      'per_minute 30',
    ]);
    expect(await plan(database)).toMatchObject({ calls: 6, items: 3, refused: 0, cut: 0 });
    await change(database, 'applying');
    expect(await shopPays(database)).toEqual([
      'allotment 100',
      'allotment 20 + per_minute 30',
      'per_minute 60',
      'per_minute 60',
      'per_minute 30',
    ]);
    expect(await proven(database)).toEqual([]);
    expect((await plan(database, { id: 'run-2' as RerateRunId })).items).toBe(0);
    await change(database, 'reverting');
    expect(await shopPays(database)).toEqual(asCharged);
    expect(await balancesOf(database.records)).toEqual(before);
    expect(await proven(database)).toEqual([]);
    await database.close();
  });

  it('leaves calls alone that are not of the run, and counts what they used', async () => {
    const database = await recordOf(tested, [...settledLive(), imported(LATE)]);
    const filter = { from: NOON, to: DAY.to, account: 'acme/shop' as RerateFilter['account'] };
    expect(await plan(database, { filter })).toMatchObject({ calls: 3, items: 2 });
    await change(database, 'applying');
    // 100 and 50 seconds are gone by noon.
    expect(await shopPays(database)).toEqual([
      'allotment 100',
      'allotment 50',
      'per_minute 60',
      'per_minute 60',
      'per_minute 30',
    ]);
    await database.close();
  });

  it('gives who pays nothing any more a charge of nothing, and who pays now his first', async () => {
    const [late] = [imported(LATE)];
    const stranger = late.charges.map((charge): Charge => ({
      ...charge,
      payer: 'acme/other' as AccountPath,
    }));
    const database = await recordOf(tested, [settlementOf(LATE, stranger)]);
    expect(await plan(database)).toMatchObject({ items: 3 });
    const before = await balancesOf(database.records);
    await change(database, 'applying');
    const charges = (await database.rerates.chargesInForce([LATE.legUuid])).get(LATE.legUuid) ?? [];
    expect(charges.map(({ payer, way, version }) => `${payer} ${way} ${version}`).toSorted()).toEqual([
      'acme per_minute 1',
      'acme/other free 2',
      'acme/shop allotment 1',
    ]);
    await change(database, 'reverting');
    expect([...(await balancesOf(database.records))].filter(([, sum]) => sum !== 0n)).toEqual(
      [...before].filter(([, sum]) => sum !== 0n),
    );
    expect(await proven(database)).toEqual([]);
    await database.close();
  });
});
