import type { RecordBatch } from '../records/record-store.ts';
import type { Decision, Settlement, Transfer } from '../records/records.ts';
import type { FeedBatch, FeedEntry } from '../records/settlement-feed.ts';

/** One entry on its way into SQL. `record` is what a log line calls it. */
export type DrainItem = { readonly entry: FeedEntry; readonly record: string } & (
  | { readonly kind: 'settlement'; readonly settlement: Settlement }
  | { readonly kind: 'transfer'; readonly transfer: Transfer }
  | { readonly kind: 'decision'; readonly decision: Decision }
);

/** An entry that SQL refuses for what it says, while it takes others. */
export type Unwritten = { readonly item: DrainItem; readonly error: unknown };

export function itemsOf({ settlements, transfers, decisions }: FeedBatch): readonly DrainItem[] {
  return [
    ...settlements.map(({ entry, settlement }): DrainItem => ({
      kind: 'settlement',
      entry,
      record: `leg ${settlement.cdr.legUuid}`,
      settlement,
    })),
    ...transfers.map(({ entry, transfer }): DrainItem => ({
      kind: 'transfer',
      entry,
      record: `transfer ${transfer.id}`,
      transfer,
    })),
    ...decisions.map(({ entry, decision }): DrainItem => ({
      kind: 'decision',
      entry,
      record: `decision ${decision.id}`,
      decision,
    })),
  ];
}

export function batchOf(items: readonly DrainItem[]): RecordBatch {
  return {
    settlements: items.flatMap((item) => (item.kind === 'settlement' ? [item.settlement] : [])),
    transfers: items.flatMap((item) => (item.kind === 'transfer' ? [item.transfer] : [])),
    decisions: items.flatMap((item) => (item.kind === 'decision' ? [item.decision] : [])),
  };
}

export function idOf({ stream, id }: FeedEntry): string {
  return `${stream} ${id}`;
}

/**
 * Writes all items but those that cannot be written, which it finds by halving: about 2·log₂ writes for each.
 * Rejects when it is not a record's fault, with nothing set aside.
 */
export async function writeAround(
  items: readonly DrainItem[],
  write: (items: readonly DrainItem[]) => Promise<void>,
  probe: () => Promise<unknown>,
): Promise<readonly Unwritten[]> {
  try {
    await write(items);
    return [];
  } catch (error) {
    if (!(await isRecordsFault(error, probe))) throw error;
    const [first] = items;
    if (items.length === 1 && first !== undefined) return [{ item: first, error }];
    const middle = items.length >> 1;
    return [
      ...(await writeAround(items.slice(0, middle), write, probe)),
      ...(await writeAround(items.slice(middle), write, probe)),
    ];
  }
}

/**
 * The store names the record where it knows it (RecordWriter). Of an error that it does not explain, a constraint
 * say, an empty batch tells: a store that is up takes it.
 */
async function isRecordsFault(error: unknown, probe: () => Promise<unknown>): Promise<boolean> {
  if (!(error instanceof Error)) return false;
  if ('record' in error) return true;
  if (error.name.startsWith('Database') || error.name === 'StoreUnavailableError') return false;
  try {
    await probe();
    return true;
  } catch {
    // The error that brought us here is the one to tell.
    return false;
  }
}
