import { assert } from '../units/assert.ts';
import { DEFAULT_WEIGHT, type Direction, type Rate, type TariffVersion } from './rate.ts';

/**
 * A tariff's version made ready for longest-prefix matching. Rates are sorted by prefix, and those of one
 * prefix form a group. Between a prefix and any number it begins stand only longer prefixes it begins too,
 * so the longest match is the greatest prefix not above the number, or one of the prefixes that one starts
 * with. `parent` names the longest of these. It costs 12 bytes a prefix beside the rates themselves.
 */
export type TariffTable = {
  readonly rates: readonly Rate[];
  /** Indexes into `rates` by prefix, then by preference: lowest weight, lowest id (ruling 18). */
  readonly order: Uint32Array;
  /** Where in `order` each group begins, and one past the last. */
  readonly groupStart: Uint32Array;
  /** The group of the longest prefix in the table that this group's prefix starts with, or −1. */
  readonly parent: Int32Array;
};

/** What the rate choice looks at. `number` is E.164 digits without a plus. */
export type RatedCall = {
  readonly number: string;
  readonly direction: Direction;
  readonly routes: readonly string[];
};

const NO_GROUP = -1;

export function createTariffTable(version: TariffVersion): TariffTable {
  const { rates } = version;
  // A plain array's sort is quick on rates that come sorted already, as they do from the database.
  const sorted = rates.map((_, index) => index);
  sorted.sort((a, b) => byPrefixThenPreference(rateAt(rates, a), rateAt(rates, b)));
  const order = Uint32Array.from(sorted);
  const starts: number[] = [];
  for (let row = 0; row < order.length; row++) {
    const isFirst = row === 0 || prefixOfRow(rates, order, row) !== prefixOfRow(rates, order, row - 1);
    if (isFirst) starts.push(row);
  }
  const groupStart = Uint32Array.from([...starts, order.length]);
  return { rates, order, groupStart, parent: parentsOf(rates, order, starts) };
}

/**
 * Ruling 18: filter by direction and routes, then longest prefix, lowest weight, lowest id. A prefix whose
 * rates are all filtered out gives way to the next shorter one.
 */
export function chooseRate(table: TariffTable, call: RatedCall): Rate | undefined {
  let group = lastGroupUpTo(table, call.number);
  while (group !== NO_GROUP) {
    const start = table.groupStart[group] ?? 0;
    if (call.number.startsWith(prefixOfRow(table.rates, table.order, start))) {
      const end = table.groupStart[group + 1] ?? start;
      for (let row = start; row < end; row++) {
        const rate = rateAt(table.rates, table.order[row]);
        if (suits(rate, call)) return rate;
      }
    }
    group = table.parent[group] ?? NO_GROUP;
  }
  return undefined;
}

function suits(rate: Rate, call: RatedCall): boolean {
  const direction = rate.direction ?? 'outbound';
  if (direction !== 'both' && direction !== call.direction) return false;
  return rate.routes.length === 0 || rate.routes.some((route) => call.routes.includes(route));
}

/** The group with the greatest prefix that is not above the number. */
function lastGroupUpTo(table: TariffTable, number: string): number {
  let low = 0;
  let high = table.parent.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const prefix = prefixOfRow(table.rates, table.order, table.groupStart[middle] ?? 0);
    if (prefix <= number) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** In sorted order the prefixes that the next one may start with form a stack, none longer than 32 digits. */
function parentsOf(rates: readonly Rate[], order: Uint32Array, starts: readonly number[]): Int32Array {
  const parent = new Int32Array(starts.length);
  const open: { readonly group: number; readonly prefix: string }[] = [];
  for (const [group, row] of starts.entries()) {
    const prefix = prefixOfRow(rates, order, row);
    while (open.length > 0 && !prefix.startsWith(open.at(-1)?.prefix ?? '')) open.pop();
    parent[group] = open.at(-1)?.group ?? NO_GROUP;
    open.push({ group, prefix });
  }
  return parent;
}

function byPrefixThenPreference(a: Rate, b: Rate): number {
  if (a.prefix !== b.prefix) return a.prefix < b.prefix ? -1 : 1;
  return (a.weight ?? DEFAULT_WEIGHT) - (b.weight ?? DEFAULT_WEIGHT) || a.id - b.id;
}

function prefixOfRow(rates: readonly Rate[], order: Uint32Array, row: number): string {
  return rateAt(rates, order[row]).prefix;
}

function rateAt(rates: readonly Rate[], index: number | undefined): Rate {
  const rate = index === undefined ? undefined : rates[index];
  assert(rate !== undefined, 'the table points only at its own rates');
  return rate;
}
