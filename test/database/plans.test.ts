import { Kysely, sql, type CompiledQuery } from 'kysely';
import { Client } from 'pg';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createAccountStore } from '../../src/sql-books/account-tables.ts';
import { createPostgresDialect } from '../../src/sql/postgres-dialect.ts';
import { createRecordReader } from '../../src/sql-records/record-reader.ts';
import { createRerateReader } from '../../src/sql-rerate/rerate-reader.ts';
import { createRerateWriter } from '../../src/sql-rerate/rerate-writer.ts';
import type { Schema } from '../../src/sql/schema.ts';
import { createSqliteDialect, openSqlite } from '../../src/sql/sqlite-dialect.ts';
import { parseRerateRunId } from '../../src/units/ids.ts';
import { toEpochMs } from '../../src/units/time.ts';
import { account, leg } from '../records/samples.ts';
import { POSTGRES, SQLITE, openRaw } from './databases.ts';
import { fillLargeRecord, YEAR_FROM, YEAR_MS } from './large-record.ts';

/** So many that PostgreSQL, which knows how many there are, would not read them all for a page. */
const LARGE = { calls: 30_000, people: 25, rareCalls: 5 };
const LARGE_TABLES = new Set(['cdr', 'charge', 'transfer', 'decision', 'rerate_item']);

/** A large record, the queries that its readers make, and what of each reads a whole table or a whole index. */
type Plans = {
  readonly database: Kysely<Schema>;
  readonly asked: CompiledQuery[];
  readonly wholeReads: (query: CompiledQuery) => Promise<readonly string[]>;
};

async function sqlitePlans(): Promise<Plans> {
  const path = await SQLITE.freshUrl();
  await (await SQLITE.openRecord(path)).close();
  const asked: CompiledQuery[] = [];
  const file = { path, lockWaitMs: 1_000 };
  const database = new Kysely<Schema>({
    dialect: createSqliteDialect(await openSqlite(file), file),
    log: ({ query }) => void asked.push(query),
  });
  onTestFinished(() => database.destroy());
  await fillLargeRecord(database, LARGE);
  await fillRun(database);
  const raw = openRaw(path);
  return {
    database,
    asked,
    wholeReads: async ({ sql, parameters }) =>
      raw
        .prepare(`explain query plan ${sql}`)
        .all(...(parameters as string[]))
        .map((row) => String(row['detail']))
        .filter(
          (detail) => LARGE_TABLES.has(/^SCAN (\w+)/.exec(detail)?.[1] ?? '') || passesPages(sql, detail),
        ),
  };
}

/** A run that changed every charge. */
async function fillRun(database: Kysely<Schema>): Promise<void> {
  const run = parseRerateRunId('large');
  if (run === undefined) throw new Error('the name is one that a run may have');
  const writer = createRerateWriter(database);
  const filter = { from: toEpochMs(0), to: toEpochMs(YEAR_FROM + YEAR_MS) };
  await writer.begin({ id: run, funding: 'kept', filter, createdAt: toEpochMs(0) });
  await sql`insert into rerate_item (run, payer, leg_uuid, state, destination, currency, charges, admitted_at,
      version_before, price_before, price_after, applied_at)
    select ${run}, payer, leg_uuid, 'applied', '', 'EUR', '[]', admitted_at, 1, price, 0, 0 from charge`.execute(
    database,
  );
}

/** A page in the order of time that does not begin at its cursor walks past all pages before it. */
function passesPages(sql: string, detail: string): boolean {
  const hasCursor = /\("?(?:admitted_at|at)"?, "?(?:leg_uuid|id)"?\) [<>]/.test(sql);
  return hasCursor && /[ (](?:admitted_at|at)>\? AND (?:admitted_at|at)<\?/.test(detail);
}

type PlanNode = Readonly<Record<string, unknown>> & { readonly Plans?: readonly PlanNode[] };

async function postgresPlans(): Promise<Plans> {
  const url = await POSTGRES.freshUrl();
  const client = new Client({ connectionString: url });
  await client.connect();
  onTestFinished(() => client.end());
  const asked: CompiledQuery[] = [];
  const place = { url, name: url, connectionsMax: 1, connectTimeoutMs: 5_000, lockWaitMs: 1_000 };
  const database = new Kysely<Schema>({
    dialect: createPostgresDialect({ ...place, statementTimeoutMs: undefined }),
    log: ({ query }) => void asked.push(query),
  });
  onTestFinished(() => database.destroy());
  await fillLargeRecord(database, LARGE);
  await fillRun(database);
  // As it does by itself, some time after a table has grown.
  await client.query('analyze');
  return {
    database,
    asked,
    wholeReads: async ({ sql, parameters }) => {
      const { rows } = await client.query<{ readonly 'QUERY PLAN': readonly [{ readonly Plan: PlanNode }] }>(
        `explain (format json) ${sql}`,
        [...parameters],
      );
      return nodesOf(rows[0]?.['QUERY PLAN'][0].Plan)
        .filter((node) => LARGE_TABLES.has(String(node['Relation Name'])) && readsAll(node))
        .map((node) => `${String(node['Node Type'])} of ${String(node['Relation Name'])}`);
    },
  };
}

function nodesOf(node: PlanNode | undefined): readonly PlanNode[] {
  return node === undefined ? [] : [node, ...(node.Plans ?? []).flatMap(nodesOf)];
}

function readsAll(node: PlanNode): boolean {
  const type = String(node['Node Type']);
  return type === 'Seq Scan' || (type.startsWith('Index') && node['Index Cond'] === undefined);
}

describe.each([
  { name: 'SQLite', open: sqlitePlans },
  { name: 'PostgreSQL', open: postgresPlans },
])('a question to a large record on $name', ({ open }) => {
  it('is answered along an index', async () => {
    const { database, asked, wholeReads } = await open();
    asked.splice(0);
    const records = createRecordReader(database);
    const middle = toEpochMs(YEAR_FROM + YEAR_MS / 2);
    const month = { from: middle, to: toEpochMs(middle + YEAR_MS / 12) };
    const ranges = [{ from: toEpochMs(0), to: toEpochMs(YEAR_FROM + 2 * YEAR_MS) }, month];
    for (const order of ['oldest_first', 'newest_first'] as const) {
      for (const range of ranges) {
        for (const after of [undefined, { at: middle, id: 'l5' }]) {
          const page = { ...range, order, after, limit: 20 };
          await records.cdrs({ ...page, account: account('t3/s4/u5'), scope: 'account' });
          await records.cdrs({ ...page, account: account('t3'), scope: 'subtree' });
          await records.cdrs({ ...page, account: account('rare'), scope: 'subtree' });
          await records.transfersOf({ ...page, ledger: 'wallet:t3/s4/u5' });
          await records.transfersOf({ ...page, ledger: 'revenue:t3' });
        }
      }
    }
    const someone = leg('l2654435761');
    await records.cdr(someone);
    await records.cdrsOfCall(someone);
    await records.chargesOf(someone);
    await records.decisionsOf(someone);
    await records.transfer('charge:l2654435761');
    await records.knownTransferIds(['charge:l2654435761', 'topup:1']);
    await records.balance('wallet:t3/s4/u5', 'EUR');
    await records.toldBalance(account('t3/s4/u5'), 'EUR');
    await records.paidSince(account('t3/s4/u5'), middle);
    await Array.fromAsync(records.decisionsOfKind({ kind: 'admission', account: undefined, ...month }));
    for await (const _ of createRerateReader(database).pricedCalls(month)) continue;
    await createRerateReader(database).appliedTo([someone]);
    await createAccountStore(database).removeAccount(account('t3/s4/u5'));
    const questions = new Map(asked.map((query) => [query.sql, query]));
    expect(questions.size).toBeGreaterThan(20);
    const found: string[] = [];
    for (const query of questions.values()) {
      if (!/^(?:\s*with|\s*select)/.test(query.sql)) continue;
      for (const whole of await wholeReads(query)) found.push(`${whole}: ${query.sql}`);
    }
    expect(found).toEqual([]);
  });
});
