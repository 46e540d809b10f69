import { assert } from '../units/assert.ts';
import type { EpochMs } from '../units/time.ts';
import { periodHolds, weekMinuteAt } from './rate-period.ts';
import { DEFAULT_WEIGHT, type Direction, type Rate, type TariffVersion } from './rate.ts';

/**
 * A tariff's version made ready for longest-prefix matching. Rates are sorted by prefix, and those of one
 * prefix form a group. Between a prefix and any number it begins stand only longer prefixes it begins too,
 * so the longest match is the greatest prefix not above the number, or one of the prefixes that one starts
 * with. `parent` names the longest of these. Prefixes are compared by their keys, which are numbers: to compare
 * texts, scattered over the memory, takes most of a choice. It costs at most 36 bytes a prefix beside the rates themselves.
 */
export type TariffTable = {
  readonly zone: string;
  /** By prefix, then by preference: lowest weight, lowest id (ruling 18). */
  readonly rates: readonly Rate[];
  /** Where in `rates` each group begins, and one past the last. */
  readonly groupStart: Uint32Array;
  /** The group of the longest prefix in the table that this group's prefix starts with, or −1. */
  readonly parent: Int32Array;
  /** The key of each group's prefix, and the first key above those of the numbers that start with it. */
  readonly key: Float64Array;
  readonly keyEnd: Float64Array;
  /** Where the groups of each beginning start, and one past the last: a search looks through one beginning. */
  readonly beginning: Uint32Array;
  /** How many keys begin alike. */
  readonly beginningSpan: number;
};

/** What the rate choice looks at. `number` is E.164 digits without a plus. */
export type RatedCall = {
  readonly number: string;
  readonly direction: Direction;
  readonly routes: readonly string[];
  readonly options: readonly string[];
  /** When it was admitted: by that the periods of rates are told. */
  readonly at: EpochMs;
};

const NO_GROUP = -1;

/**
 * A key is the first digits of a number, each one more than it is and none a zero, in base 11: keys sort as
 * the numbers do. A double holds that many exactly; of longer prefixes the text is compared as well.
 */
const KEY_BASE = 11;
const KEY_DIGITS = 15;
/** The beginnings of more digits would not stay in the processor's cache. */
const BEGINNING_DIGITS_MAX = 4;
const ZERO_CODE = 48;
const DIGIT_COUNT = 10;
/** How many keys the numbers with a prefix of so many digits have. */
const KEY_SPANS = Array.from({ length: KEY_DIGITS + 1 }, (_, digits) => KEY_BASE ** (KEY_DIGITS - digits));

export function createTariffTable(version: TariffVersion): TariffTable {
  const rates = version.rates.toSorted(byPrefixThenPreference);
  const starts: number[] = [];
  for (let row = 0; row < rates.length; row++) {
    if (row === 0 || prefixOf(rates, row) !== prefixOf(rates, row - 1)) starts.push(row);
  }
  const prefixes = starts.map((row) => prefixOf(rates, row));
  const key = Float64Array.from(prefixes, keyOf);
  const keyEnd = key.map((first, group) => first + spanOf(prefixes[group] ?? ''));
  const groupStart = Uint32Array.from([...starts, rates.length]);
  return {
    zone: version.zone,
    rates,
    groupStart,
    parent: parentsOf(prefixes),
    key,
    keyEnd,
    ...beginningsOf(key),
  };
}

/**
 * Ruling 18: filter by direction, routes, options and period, then longest prefix, lowest weight, lowest id. A prefix whose
 * rates are all filtered out gives way to the next shorter one.
 */
export function chooseRate(table: TariffTable, call: RatedCall): Rate | undefined {
  const key = keyOf(call.number);
  let group = lastGroupUpTo(table, call.number, key);
  while (group !== NO_GROUP) {
    if (isPrefix(table, group, call.number, key)) {
      const end = table.groupStart[group + 1] ?? 0;
      for (let row = table.groupStart[group] ?? end; row < end; row++) {
        const rate = rateAt(table.rates, row);
        if (suits(rate, call) && holds(rate, call.at, table.zone)) return rate;
      }
    }
    group = table.parent[group] ?? NO_GROUP;
  }
  return undefined;
}

/** The rates that a call may have at some time or other, in the order in which they are preferred while they hold. */
export function possibleRates(table: TariffTable, call: RatedCall): readonly Rate[] {
  const rates: Rate[] = [];
  const key = keyOf(call.number);
  for (let group = lastGroupUpTo(table, call.number, key); group !== NO_GROUP;) {
    if (isPrefix(table, group, call.number, key)) {
      const rows = table.rates.slice(table.groupStart[group], table.groupStart[group + 1]);
      rates.push(...rows.filter((rate) => suits(rate, call)));
    }
    group = table.parent[group] ?? NO_GROUP;
  }
  return rates;
}

/** At some time or other. */
function suits(rate: Rate, call: RatedCall): boolean {
  const direction = rate.direction ?? 'outbound';
  if (direction !== 'both' && direction !== call.direction) return false;
  if (rate.routes.length > 0 && !rate.routes.some((route) => call.routes.includes(route))) return false;
  return rate.options.length === 0 || call.options.every((option) => rate.options.includes(option));
}

function holds({ period }: Rate, at: EpochMs, zone: string): boolean {
  return period === undefined || periodHolds(period, weekMinuteAt(zone, at));
}

/** The group with the greatest prefix that is not above the number. */
function lastGroupUpTo(table: TariffTable, number: string, key: number): number {
  const beginning = Math.floor(key / table.beginningSpan);
  let low = table.beginning[beginning] ?? 0;
  let high = table.beginning[beginning + 1] ?? low;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const middleKey = table.key[middle] ?? 0;
    const isUpTo = middleKey < key || (middleKey === key && groupPrefix(table, middle) <= number);
    if (isUpTo) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Of a group that is not above the number. */
function isPrefix(table: TariffTable, group: number, number: string, key: number): boolean {
  const end = table.keyEnd[group] ?? 0;
  if (key >= end) return false;
  const isWholeInKey = end - (table.key[group] ?? 0) > 1;
  return isWholeInKey || number.startsWith(groupPrefix(table, group));
}

/** Of the digits that the text begins with. */
function keyOf(text: string): number {
  let key = 0;
  let at = 0;
  for (; at < KEY_DIGITS; at++) {
    const digit = text.charCodeAt(at) - ZERO_CODE;
    // Also at the end of the text, where it is not a number.
    if (!(digit >= 0 && digit < DIGIT_COUNT)) break;
    key = key * KEY_BASE + digit + 1;
  }
  return key * (KEY_SPANS[at] ?? 1);
}

/** By as many digits as make fewer beginnings than there are keys. */
function beginningsOf(keys: Float64Array): Pick<TariffTable, 'beginning' | 'beginningSpan'> {
  let digits = 0;
  while (digits < BEGINNING_DIGITS_MAX && KEY_BASE ** (digits + 1) < keys.length) digits += 1;
  const span = KEY_BASE ** (KEY_DIGITS - digits);
  const starts = new Uint32Array(KEY_BASE ** digits + 1);
  let group = 0;
  for (let beginning = 0; beginning < starts.length; beginning++) {
    while (group < keys.length && (keys[group] ?? 0) < beginning * span) group += 1;
    starts[beginning] = group;
  }
  return { beginning: starts, beginningSpan: span };
}

function spanOf(prefix: string): number {
  return KEY_SPANS[prefix.length] ?? 1;
}

/** In sorted order the prefixes that the next one may start with form a stack, none longer than 32 digits. */
function parentsOf(prefixes: readonly string[]): Int32Array {
  const parent = new Int32Array(prefixes.length);
  const open: { readonly group: number; readonly prefix: string }[] = [];
  for (const [group, prefix] of prefixes.entries()) {
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

function groupPrefix(table: TariffTable, group: number): string {
  return prefixOf(table.rates, table.groupStart[group] ?? 0);
}

function prefixOf(rates: readonly Rate[], row: number): string {
  return rateAt(rates, row).prefix;
}

function rateAt(rates: readonly Rate[], row: number): Rate {
  const rate = rates[row];
  assert(rate !== undefined, 'the table points only at its own rates');
  return rate;
}
