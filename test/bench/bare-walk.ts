import { DatabaseSync } from 'node:sqlite';
import { Client } from 'pg';

/**
 * What reading a record costs without anything else: every call and every charge in the order of time, the columns
 * that a price depends on, by the database's own driver. Prints how many rows there were.
 */
const CALLS = `select leg_uuid, account, direction, dialled, destination, routes, options, admitted_at, answered_at
  from cdr where (admitted_at, leg_uuid) > ($1, $2) order by admitted_at, leg_uuid limit $3`;
const CHARGES = `select leg_uuid, payer, version, segment, tariff, tariff_version, currency, discount_ppm,
    billed_seconds, charged_seconds, price, admitted_at
  from charge where (admitted_at, leg_uuid) > ($1, $2) order by admitted_at, leg_uuid limit $3`;
const PAGE_ROWS = 2_000;

type Row = { readonly admitted_at: bigint | string; readonly leg_uuid: string };
type Ask = (sql: string, values: readonly [bigint | string, string, number]) => Promise<readonly Row[]>;

const [url = ''] = process.argv.slice(2);
let rows = 0;
if (url.startsWith('postgres:')) {
  const client = new Client(url);
  await client.connect();
  await walk(async (sql, values) => (await client.query<Row>(sql, [...values])).rows);
  await client.end();
} else {
  const database = new DatabaseSync(url, { readBigInts: true });
  const statements = new Map(
    [CALLS, CHARGES].map((sql) => [sql, database.prepare(sql.replaceAll(/\$\d/g, '?'))]),
  );
  await walk(async (sql, values) => statements.get(sql)?.all(...values) as unknown as readonly Row[]);
  database.close();
}
process.stdout.write(`${rows}\n`);

/** One charge a call: both tables give the same pages. */
async function walk(ask: Ask): Promise<void> {
  let after: Row = { admitted_at: 0n, leg_uuid: '' };
  for (;;) {
    const from = [after.admitted_at, after.leg_uuid, PAGE_ROWS] as const;
    const [calls, charges] = [await ask(CALLS, from), await ask(CHARGES, from)];
    rows += calls.length + charges.length;
    const last = calls.at(-1);
    if (last === undefined) return;
    after = last;
  }
}
