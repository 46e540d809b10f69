import { setImmediate as otherWork } from 'node:timers/promises';
import { sql, type RawBuilder } from 'kysely';
import type { Page, PageCursor, PageQuery } from '../records/record-store.ts';
import type { AccountPath } from '../units/ids.ts';

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

/** What a page's order means in SQL: the direction, and the comparison that finds what comes after the cursor. */
export function pageShape(query: Pick<PageQuery, 'order' | 'limit'>): {
  readonly direction: 'asc' | 'desc';
  readonly step: RawBuilder<unknown>;
  readonly limit: number;
} {
  const limit = Math.max(1, Math.min(query.limit, PAGE_ROWS_MAX));
  return query.order === 'oldest_first'
    ? { direction: 'asc', step: sql`>`, limit }
    : { direction: 'desc', step: sql`<`, limit };
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
