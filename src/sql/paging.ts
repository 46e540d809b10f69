import { setImmediate as otherWork } from 'node:timers/promises';
import { sql, type RawBuilder } from 'kysely';
import type { Page, PageCursor, PageQuery } from '../records/record-store.ts';
import type { AccountPath } from '../units/ids.ts';
import type { EpochMs } from '../units/time.ts';
import { integerCell } from './cell.ts';

/** Rows of one statement; 22 columns of a CDR times this stays under SQLite's 32,766 parameters. */
const SLICE_ROWS = 500;

/** However many rows an asker wants, a page is read in one piece while nothing else runs. */
const PAGE_ROWS_MAX = 1_000;

export function* slicesOf<Item>(items: readonly Item[]): Generator<Item[]> {
  for (let start = 0; start < items.length; start += SLICE_ROWS) yield items.slice(start, start + SLICE_ROWS);
}

/**
 * Walks a table page by page, each page starting after the last row of the one before. Between pages other work
 * runs and no lock is held, so a walk may see rows written after it began.
 */
export async function* walkPages<Row, Key>(
  readPage: (after: Key | undefined, limit: number) => Promise<readonly Row[]>,
  keyOf: (row: Row) => Key,
): AsyncGenerator<readonly Row[]> {
  let after: Key | undefined;
  for (;;) {
    const rows = await readPage(after, SLICE_ROWS);
    const last = rows.at(-1);
    if (last === undefined) return;
    yield rows;
    if (rows.length < SLICE_ROWS) return;
    after = keyOf(last);
    await otherWork();
  }
}

type Moments = {
  readonly from: EpochMs;
  readonly to: EpochMs;
  readonly after?: { readonly at: EpochMs | bigint; readonly id: string } | undefined;
  readonly order?: PageQuery['order'];
};

/**
 * The rows of a range of moments that come after a cursor, in an order. By one bound on each side and no more: given
 * two, SQLite may walk the index from the farther one, past all that the pages before have shown.
 */
export function rangeAfter(
  [at, id]: readonly [string, string],
  { from, to, after, order = 'oldest_first' }: Moments,
): RawBuilder<boolean> {
  const isOldestFirst = order === 'oldest_first';
  // One that is not of this range does not widen it.
  const cursor =
    after !== undefined && (isOldestFirst ? after.at >= from : after.at < to) ? after : undefined;
  const column = sql.ref(at);
  const start =
    cursor &&
    sql`(${column}, ${sql.ref(id)}) ${isOldestFirst ? sql`>` : sql`<`} (${BigInt(cursor.at)}, ${cursor.id})`;
  const lower = isOldestFirst && start !== undefined ? start : sql`${column} >= ${integerCell(from)}`;
  const upper = !isOldestFirst && start !== undefined ? start : sql`${column} < ${integerCell(to)}`;
  return sql<boolean>`(${lower} and ${upper})`;
}

/** What a page's order means in SQL. */
export function pageShape(query: Pick<PageQuery, 'order' | 'limit'>): {
  readonly direction: 'asc' | 'desc';
  readonly limit: number;
} {
  const limit = Math.max(1, Math.min(query.limit, PAGE_ROWS_MAX));
  return query.order === 'oldest_first' ? { direction: 'asc', limit } : { direction: 'desc', limit };
}

export function pageOf<Row>(
  rows: readonly Row[],
  limit: number,
  cursorOf: (row: Row) => PageCursor,
): Page<Row> {
  const last = rows.at(-1);
  return { rows, next: last === undefined || rows.length < limit ? undefined : cursorOf(last) };
}

/**
 * The paths strictly below an account, as a range that an index can walk: all begin with `path/`, and `0` is the
 * character after `/`. Holds where keys compare byte by byte.
 */
export function subtreeRange(path: AccountPath): { readonly from: AccountPath; readonly to: AccountPath } {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- bounds of a range of paths
  return { from: `${path}/` as AccountPath, to: `${path}0` as AccountPath };
}
