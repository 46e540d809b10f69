import * as fc from 'fast-check';
import type { RatingBooks } from '../../src/charging/finished-call.ts';
import type { Database } from '../../src/database/database.ts';
import type { Rate, TariffVersion } from '../../src/rating/rate.ts';
import { EMPTY_TARIFF_BOOK, withTariffVersions } from '../../src/rating/tariff-book.ts';
import { walletLedger, type Settlement } from '../../src/records/records.ts';
import type { AccountPath, TariffName } from '../../src/units/ids.ts';
import { toMicros, type Micros } from '../../src/units/money.ts';
import { toEpochMs } from '../../src/units/time.ts';
import { rateOf } from '../rating/samples.ts';
import { ACCOUNTS, anyTalk, DAY_MS, POLICY, settledLive } from './live-calls.ts';

/** A record on which calls were charged live, and the books by which they were. */

/** Everybody reaches everything, and hardly two rates are alike. */
const RETAIL: readonly Rate[] = [
  rateOf({ id: 1, prefix: '49', perMinute: toMicros(100_000n), direction: 'both' }),
  rateOf({ id: 2, prefix: '4930', perMinute: toMicros(33_333n), minimumSeconds: 30, incrementSeconds: 6 }),
  rateOf({
    id: 3,
    prefix: '44',
    perMinute: toMicros(70_001n),
    surcharge: toMicros(50_000n),
    incrementSeconds: 1,
  }),
  rateOf({ id: 4, prefix: '1', perMinute: toMicros(12_345n), graceSeconds: 3, incrementSeconds: 6 }),
  rateOf({ id: 5, prefix: '33', perMinute: toMicros(250_000n), routes: ['carrier'] }),
  rateOf({ id: 6, prefix: '33', perMinute: toMicros(300_000n), weight: 200 }),
];
const WHOLESALE = RETAIL.map((rate) => ({ ...rate, perMinute: toMicros(rate.perMinute / 2n) }));
const WHEN = { currency: 'EUR', zone: 'Europe/Berlin', startsAt: toEpochMs(0), version: 1 } as const;

export const VERSIONS: readonly TariffVersion[] = [
  { ...WHEN, tariff: 'retail' as TariffName, rounding: { mode: 'up', decimals: 4 }, rates: RETAIL },
  {
    ...WHEN,
    tariff: 'wholesale' as TariffName,
    rounding: { mode: 'half_up', decimals: 6 },
    rates: WHOLESALE,
  },
];
export const BOOKS: RatingBooks = {
  accounts: ACCOUNTS,
  tariffs: withTariffVersions(EMPTY_TARIFF_BOOK, VERSIONS),
  policy: POLICY,
};
export const EVERYTHING = { from: toEpochMs(0), to: toEpochMs(10 * DAY_MS) } as const;

/** Twice the price of every rate, in force from the beginning. */
export const DOUBLED: readonly TariffVersion[] = VERSIONS.map((version) => ({
  ...version,
  version: 2,
  rates: version.rates.map((rate) => ({
    ...rate,
    perMinute: toMicros(rate.perMinute * 2n),
    surcharge: rate.surcharge === undefined ? undefined : toMicros(rate.surcharge * 2n),
  })),
}));

/** So many calls that were admitted, the same for the same seed. */
export function liveCalls(count: number, seed: number): readonly Settlement[] {
  const settled: Settlement[] = [];
  for (let round = 0; settled.length < count; round += 1) {
    for (const talk of fc.sample(anyTalk, { numRuns: count, seed: seed + round })) {
      if (settled.length === count) break;
      const settlement = settledLive(talk, BOOKS, `${seed}-${settled.length}`);
      if (settlement !== undefined) settled.push(settlement);
    }
  }
  return settled;
}

/** The accounts, the tariffs and the calls on record, each wallet with 1,000.00 to begin with. */
export async function fillRecord(
  { accounts, tariffs, records }: Pick<Database, 'accounts' | 'tariffs' | 'records'>,
  settlements: readonly Settlement[],
  versions = VERSIONS,
): Promise<void> {
  await importVersions(tariffs, versions);
  for (const { account } of ACCOUNTS.nodes) {
    const saved = await accounts.saveAccount(account);
    if (saved.kind === 'refused') throw new Error(JSON.stringify(saved));
  }
  for (const { path, account } of ACCOUNTS.nodes) {
    if (account.walletCurrency !== undefined) await records.insertTransfer(topUp(path));
  }
  for (let at = 0; at < settlements.length; at += BATCH) {
    await records.writeBatch({ settlements: settlements.slice(at, at + BATCH), decisions: [] });
  }
}

const BATCH = 500;

export async function importVersions(
  store: Database['tariffs'],
  versions: readonly TariffVersion[],
): Promise<void> {
  for (const { version, ...content } of versions) {
    const verdict = await store.importVersion(content);
    if (verdict.kind !== 'imported' || verdict.version !== version) throw new Error(JSON.stringify(verdict));
  }
}

function topUp(path: AccountPath) {
  return {
    id: `topup:${path}`,
    kind: 'topup',
    debit: 'cash:acme',
    credit: walletLedger(path),
    amount: toMicros(1_000_000_000n),
    currency: 'EUR',
    at: toEpochMs(0),
    reference: '',
  } as const;
}

/** Every wallet's balance, by its name. */
export async function balancesOf(records: Database['records']): Promise<ReadonlyMap<string, Micros>> {
  const balances = new Map<string, Micros>();
  for await (const { ledger, balance } of records.walletBalances()) balances.set(ledger, balance);
  return balances;
}
