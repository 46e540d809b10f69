import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDatabase, type Database } from '../../../src/database/database.ts';
import type { RecordReader } from '../../../src/records/record-store.ts';
import { startPostgres, type StartedPostgres } from '../../../src/servers/postgres-server.ts';
import { toEpochMs } from '../../../src/units/time.ts';
import { YEAR_FROM, YEAR_MS, type LargeRecordOptions } from '../../database/large-record.ts';
import { account, leg } from '../../records/samples.ts';
import type { Bench, Figure } from '../figure.ts';
import { fillPostgres, fillSqlite, nameOf } from '../filled-records.ts';
import { interleave } from '../rounds.ts';
import { ratioAtMost, rowOf, type Row } from '../row.ts';

const CALLS = 1_000_000;
/** PostgreSQL makes its rows more slowly; what is shown does not depend on how many there are. */
const POSTGRES_SHARE = 5;
const SMALL_CALLS = 20_000;
/** As many people in both: each of them has a page of calls even in the small one. */
const PEOPLE = { people: 5, rareCalls: 100 } as const;
const PAGE_ROWS = 20;
/** Of every question in a round. */
const ASKED = 20;
/** An index of so many more rows is one level deeper or two, and fits the memory of a connection less well. */
const TIMES_SMALL_MAX = 3;

export const recordPages: Figure = {
  name: 'record-pages',
  title: 'the record: pages of a large table against those of a small one',
  needsRealRedis: false,
  async measure(bench) {
    const calls = bench.calls ?? CALLS;
    const folder = mkdtempSync(join(tmpdir(), 'tollgate-bench-'));
    try {
      const rows = [...(await measureSqlite(bench, folder, calls))];
      const postgres = await startPostgres({ say: bench.say });
      if (postgres.kind === 'none') bench.say(`PostgreSQL left out: ${postgres.why}`);
      else rows.push(...(await measurePostgres(bench, postgres, Math.ceil(calls / POSTGRES_SHARE))));
      return rows;
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

async function measureSqlite(bench: Bench, folder: string, calls: number): Promise<readonly Row[]> {
  const filled = async (name: string, options: LargeRecordOptions): Promise<Database> => {
    const url = join(folder, name);
    await fillSqlite(url, options);
    return await openDatabase({ url });
  };
  return await measureRecords(bench, 'SQLite', calls, filled);
}

async function measurePostgres(
  bench: Bench,
  postgres: StartedPostgres,
  calls: number,
): Promise<readonly Row[]> {
  const filled = async (name: string, options: LargeRecordOptions): Promise<Database> =>
    await openDatabase({ url: await fillPostgres(postgres, name, options) });
  try {
    return await measureRecords(bench, nameOf(postgres), calls, filled);
  } finally {
    await postgres.stop();
  }
}

async function measureRecords(
  { full, say }: Bench,
  name: string,
  calls: number,
  filled: (name: string, options: LargeRecordOptions) => Promise<Database>,
): Promise<readonly Row[]> {
  const startedAt = performance.now();
  const small = await filled('small', { ...PEOPLE, calls: SMALL_CALLS });
  const large = await filled('large', { ...PEOPLE, calls });
  const seconds = Math.round((performance.now() - startedAt) / 1_000);
  say(`${name}: ${calls.toLocaleString('en')} calls made in ${seconds} s`);
  const rows: Row[] = [];
  for (const { what, ask, grows } of QUESTIONS) {
    const found = await interleave(full ? 15 : 7, {
      large: () => averageMs(large.records, ask),
      small: () => averageMs(small.records, ask),
    });
    rows.push(
      rowOf({
        what: `${name}, ${calls.toLocaleString('en')} calls: ${what}`,
        unit: 'ms',
        measured: found.large,
        baselineWhat: `of ${SMALL_CALLS.toLocaleString('en')}`,
        baseline: found.small,
        target: grows === undefined ? ratioAtMost(TIMES_SMALL_MAX) : undefined,
        note: grows,
      }),
    );
  }
  await small.close();
  await large.close();
  return rows;
}

type Someone = { readonly tenant: string; readonly reseller: string; readonly person: string };
type Ask = (records: RecordReader, of: Someone, n: number) => Promise<unknown>;

async function averageMs(records: RecordReader, ask: Ask): Promise<number> {
  const startedAt = performance.now();
  for (let n = 0; n < ASKED; n += 1) {
    const tenant = `t${(n * 7) % 20}`;
    const reseller = `${tenant}/s${n % 10}`;
    await ask(records, { tenant, reseller, person: `${reseller}/u${n % PEOPLE.people}` }, n);
  }
  return (performance.now() - startedAt) / ASKED;
}

const ALWAYS = { from: toEpochMs(0), to: toEpochMs(YEAR_FROM + 2 * YEAR_MS) };
const page = { order: 'newest_first', limit: PAGE_ROWS } as const;

const MIDDLE = { at: toEpochMs(YEAR_FROM + YEAR_MS / 2), id: 'l5' };

function monthOf(n: number): typeof ALWAYS {
  const from = YEAR_FROM + ((n % 12) * YEAR_MS) / 12;
  return { from: toEpochMs(Math.floor(from)), to: toEpochMs(Math.floor(from + YEAR_MS / 12)) };
}

type Question = {
  readonly what: string;
  readonly ask: Ask;
  /** What there is more of in a larger record, so that it takes longer. */
  readonly grows?: string;
};

const QUESTIONS: readonly Question[] = [
  {
    what: 'last calls of an account',
    ask: (records, { person }) =>
      records.cdrs({ ...ALWAYS, ...page, account: account(person), scope: 'account' }),
  },
  {
    what: 'calls of a tenant in a month',
    ask: (records, { tenant }, n) =>
      records.cdrs({ ...monthOf(n), ...page, account: account(tenant), scope: 'subtree' }),
  },
  {
    what: 'last calls of a reseller',
    ask: (records, { reseller }) =>
      records.cdrs({ ...ALWAYS, ...page, account: account(reseller), scope: 'subtree' }),
  },
  {
    what: 'calls of a tenant, a page in the middle of its year',
    ask: (records, { tenant }) =>
      records.cdrs({ ...ALWAYS, ...page, account: account(tenant), scope: 'subtree', after: MIDDLE }),
  },
  {
    what: 'calls of a tenant that seldom calls',
    ask: (records) => records.cdrs({ ...ALWAYS, ...page, account: account('rare'), scope: 'subtree' }),
  },
  {
    what: 'last movements of a wallet',
    ask: (records, { person }) =>
      records.transfersOf({ ...ALWAYS, ...page, ledger: `wallet:${account(person)}` }),
  },
  {
    what: 'balance of a wallet',
    grows: 'a sum of all its transfers',
    ask: (records, { person }) => records.balance(`wallet:${account(person)}`, 'EUR'),
  },
  {
    what: 'all of one call',
    ask: async (records) => {
      const uuid = leg('l2654435761');
      await records.cdrsOfCall(uuid);
      await records.chargesOf(uuid);
    },
  },
];
