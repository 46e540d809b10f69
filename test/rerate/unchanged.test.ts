import { randomInt } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RatingBooks } from '../../src/charging/finished-call.ts';
import { planKept } from '../../src/charging/plan-rerate.ts';
import type { Database } from '../../src/database/database.ts';
import { EMPTY_TARIFF_BOOK, type TariffBook } from '../../src/rating/tariff-book.ts';
import type { Settlement } from '../../src/records/records.ts';
import type { RerateRunId } from '../../src/units/ids.ts';
import { toEpochMs } from '../../src/units/time.ts';
import { EVERYTHING, fillRecord } from '../charging/charged-record.ts';
import { ACCOUNTS, anyTariffs, POLICY, randomTalk, settledLive } from '../charging/live-calls.ts';
import { DATABASES } from '../database/databases.ts';
import { seededRandom } from '../support/seeded-random.ts';

const RUN = 'run-1' as RerateRunId;
const WRITTEN_AT_ONCE = 2_000;
/** Of so many random books those with most rates are taken: by a poor one the gate refuses nearly everybody. */
const BOOKS_TRIED = 20;

/** With its random books, that many random calls that the gate admits, each settled live and put on record. */
async function chargeLive(
  database: Database,
  {
    calls,
    seed,
    periods,
  }: { readonly calls: number; readonly seed: number; readonly periods: 'start' | 'split' },
): Promise<RatingBooks> {
  const random = seededRandom(seed);
  const tariffs = richestOf(fc.sample(anyTariffs, { numRuns: BOOKS_TRIED, seed }));
  const books: RatingBooks = { accounts: ACCOUNTS, tariffs, policy: { ...POLICY, periods } };
  const versions = [...tariffs.values()].flat().map(({ version }) => version);
  await fillRecord(database, [], versions);
  let settled: Settlement[] = [];
  for (let written = 0, asked = 0; written < calls; asked += 1) {
    const settlement = settledLive(randomTalk(random), books, `${asked}`);
    if (settlement !== undefined) settled.push(settlement);
    if (settled.length === WRITTEN_AT_ONCE || written + settled.length === calls) {
      await database.records.writeBatch({ settlements: settled, decisions: [] });
      written += settled.length;
      settled = [];
    }
  }
  return books;
}

function richestOf(books: readonly TariffBook[]): TariffBook {
  const rates = (book: TariffBook): number =>
    [...book.values()].flat().reduce((sum, { version }) => sum + version.rates.length, 0);
  return books.toSorted((a, b) => rates(b) - rates(a))[0] ?? EMPTY_TARIFF_BOOK;
}

/** 100,000 in all on SQLite. PostgreSQL reads by the same queries, and writes more slowly. */
const CALLS = { SQLite: 50_000, PostgreSQL: 5_000 } as const;

describe.each(DATABASES)('calls that were charged live, on $name', ({ name, openRecord }) => {
  it.each(['start', 'split'] as const)(
    'cost the same when they are all rated again by the tariffs that they had, at the rate of their %s',
    async (periods) => {
      const seed = randomInt(2 ** 31);
      const calls = CALLS[name];
      const database = await openRecord();
      const books = await chargeLive(database, { calls, seed, periods });
      const run = { id: RUN, funding: 'kept', filter: EVERYTHING, createdAt: toEpochMs(0) } as const;
      await database.rerates.begin(run);
      const outcome = await planKept(run, books, database.rerates, () => undefined);
      const { charges } = await database.records.counts();
      expect(charges, `seed ${seed}`).toBeGreaterThan(calls / 4);
      expect(outcome, `seed ${seed}`).toMatchObject({ calls, items: 0, unrated: 0, remarks: [] });
    },
    600_000,
  );
});
