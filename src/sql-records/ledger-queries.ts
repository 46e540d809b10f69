import { sql, type Kysely } from 'kysely';
import type { LedgerBalance, Page, TransferQuery } from '../records/record-store.ts';
import type { LedgerName, Transfer } from '../records/records.ts';
import { legTransferPrefixes } from '../records/reversal.ts';
import type { AccountPath, LegUuid } from '../units/ids.ts';
import { toMicros, type Micros } from '../units/money.ts';
import type { EpochMs } from '../units/time.ts';
import { integerCell, numberOf } from '../sql/cell.ts';
import { pageOf, pageShape, walkPages, rangeAfter } from '../sql/paging.ts';
import { toTransfer } from './record-rows.ts';
import type { Schema } from '../sql/schema.ts';

/** Wallets as a range of ledger names: `;` is the character after `:`, and `0` the one after `/`. */
type NameRange = { readonly from: string; readonly to: string };
const ALL_WALLETS: NameRange = { from: 'wallet:', to: 'wallet;' };

/** A transfer has two different sides, so the two index walks never meet the same row. */
export async function readTransfers(database: Kysely<Schema>, query: TransferQuery): Promise<Page<Transfer>> {
  const { direction, limit } = pageShape(query);
  const side = (column: 'debit' | 'credit') => {
    const select = database
      .selectFrom('transfer')
      .selectAll()
      .where(column, '=', query.ledger)
      .where(rangeAfter(['at', 'id'], query));
    return select.orderBy('at', direction).orderBy('id', direction).limit(limit);
  };
  const rows = await database
    .selectFrom(side('debit').as('outgoing'))
    .selectAll()
    .unionAll(database.selectFrom(side('credit').as('incoming')).selectAll())
    .orderBy('at', direction)
    .orderBy('id', direction)
    .limit(limit)
    .execute();
  return pageOf(rows.map(toTransfer), limit, ({ at, id }) => ({ at, id }));
}

export async function readBalance(
  database: Kysely<Schema>,
  ledger: LedgerName,
  currency: string,
): Promise<Micros> {
  const side = (column: 'credit' | 'debit') =>
    database
      .selectFrom('transfer')
      // PostgreSQL sums to a numeric, which its driver would hand over as text.
      .select(sql<bigint | null>`cast(sum(amount) as bigint)`.as('total'))
      .where(column, '=', ledger)
      .where('currency', '=', currency);
  // One statement sees one moment: what came in and what went out by then.
  const sums = await database
    .selectNoFrom([side('credit').as('credit'), side('debit').as('debit')])
    .executeTakeFirstOrThrow();
  return toMicros((sums.credit ?? 0n) - (sums.debit ?? 0n));
}

export async function readBalancesBefore(
  database: Kysely<Schema>,
  ledger: LedgerName,
  before: EpochMs,
): Promise<ReadonlyMap<string, Micros>> {
  const at = integerCell(before);
  const sums = await sql<{ readonly currency: string; readonly balance: bigint }>`
    select currency, cast(sum(amount) as bigint) as balance from (
      select currency, amount from transfer where credit = ${ledger} and at < ${at}
      union all
      select currency, -amount from transfer where debit = ${ledger} and at < ${at}
    ) as movements
    group by currency order by currency`.execute(database);
  return new Map(sums.rows.map(({ currency, balance }) => [currency, toMicros(balance)]));
}

/** Found by their ids, in which the leg stands: a leg has few. */
export async function readLegTransfers(database: Kysely<Schema>, leg: LegUuid): Promise<readonly Transfer[]> {
  const rows = await database
    .selectFrom('transfer')
    .selectAll()
    .where((where) =>
      where.or(
        // `;` is the character after the `:` with which each prefix ends.
        legTransferPrefixes(leg).map((prefix) =>
          where.and([where('id', '>', prefix), where('id', '<', `${prefix.slice(0, -1)};`)]),
        ),
      ),
    )
    .orderBy('at')
    .orderBy('id')
    .execute();
  return rows.map(toTransfer);
}

/** Wallets in the order of their names: a page of names, then their sums, all of it along the two ledger indexes. */
export async function* walkWallets(
  database: Kysely<Schema>,
  below?: AccountPath,
): AsyncGenerator<LedgerBalance> {
  const range = below === undefined ? ALL_WALLETS : { from: `wallet:${below}/`, to: `wallet:${below}0` };
  const pages = walkPages(
    (after: LedgerName | undefined, limit) =>
      readWalletNames(database, { ...range, from: after ?? range.from }, limit),
    (ledger) => ledger,
  );
  for await (const names of pages) yield* await sumWallets(database, names);
}

async function readWalletNames(
  database: Kysely<Schema>,
  { from, to }: NameRange,
  limit: number,
): Promise<readonly LedgerName[]> {
  const side = (column: 'credit' | 'debit') => sql`
    select ledger from (
      select distinct ${sql.ref(column)} as ledger from transfer
      where ${sql.ref(column)} > ${from} and ${sql.ref(column)} < ${to}
      order by ledger limit ${limit}
    ) as ${sql.ref(`${column}_names`)}`;
  const names = await sql<{ readonly ledger: LedgerName }>`
    select ledger from (${side('credit')} union ${side('debit')}) as names
    order by ledger limit ${limit}`.execute(database);
  return names.rows.map(({ ledger }) => ledger);
}

async function sumWallets(
  database: Kysely<Schema>,
  names: readonly LedgerName[],
): Promise<readonly LedgerBalance[]> {
  const [first, last] = [names[0], names.at(-1)];
  const sums = await sql<{
    readonly ledger: LedgerName;
    readonly currency: string;
    readonly balance: bigint;
    readonly transfers: bigint;
  }>`
    select ledger, currency, cast(sum(amount) as bigint) as balance, count(*) as transfers from (
      select credit as ledger, currency, amount from transfer where credit between ${first} and ${last}
      union all
      select debit as ledger, currency, -amount from transfer where debit between ${first} and ${last}
    ) as movements
    group by ledger, currency order by ledger, currency`.execute(database);
  return sums.rows.map((row) => ({
    ledger: row.ledger,
    currency: row.currency,
    balance: toMicros(row.balance),
    transfers: numberOf(row.transfers),
  }));
}
