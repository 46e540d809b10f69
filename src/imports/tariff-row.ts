import { parseClock, parseDays, periodOf } from '../rating/rate-period.ts';
import type { Rate } from '../rating/rate.ts';
import { parseRouteName } from '../units/ids.ts';
import { parseMicros, type Micros } from '../units/money.ts';
import { REQUIRED_COLUMNS, type ColumnPlaces, type TariffColumn } from './tariff-columns.ts';

/** Tells of one field that cannot be read. */
export type ReportFault = (field: TariffColumn, value: string, expected: string) => void;

/** As long as the longest number that can be dialled. */
const PREFIX = /^\+?(\d{1,32})$/;
const WHOLE = /^\d{1,6}$/;
const NAME_SEPARATOR = /[;|]/;
const CONTROL_CHARACTER = /\p{Cc}/u;
const DESCRIPTION_CHARS_MAX = 200;

/** A day. A longer pulse or grace is a slip of the pen, and would hold a fortune at every call. */
const SECONDS_MAX = 86_400;
const WEIGHT_MAX = 10_000;
const DAY_MINUTES = 1_440;

/**
 * A million units a minute is dearer than any call in any currency, and low enough that days of it are still
 * an amount of money that can be held exactly.
 */
const PRICE_MAX_UNITS = '1000000';
const PRICE_MAX = parseMicros(PRICE_MAX_UNITS) ?? 0n;

const PREFIX_SHAPE = 'up to 32 digits, a plus before them at most';
const PRICE_SHAPE = `a decimal number such as 0.015, 0 to ${PRICE_MAX_UNITS}, with at most six decimals`;
const SECONDS_SHAPE = `whole seconds, 0 to ${SECONDS_MAX}`;
const DESCRIPTION_SHAPE = `one line of at most ${DESCRIPTION_CHARS_MAX} characters`;
const DAYS_SHAPE = 'days such as mon-fri or sat;sun: mon tue wed thu fri sat sun';
const FROM_SHAPE = 'a time of day, 00:00 to 23:59';
const UNTIL_SHAPE = 'a time of day, 00:00 to 24:00';
const NAMES_SHAPE = 'separated by ; or |, each once';

/** Shared by all the rates that name no route or option, which is most of them. */
const NO_NAMES: readonly string[] = [];

/** Reads one line's fields. Every one that is wrong is reported; the rate is undefined if any is. */
export function parseTariffRow(
  fields: readonly string[],
  columns: ColumnPlaces,
  report: ReportFault,
): Omit<Rate, 'id'> | undefined {
  let isGood = true;
  const textOf = (column: TariffColumn): string => {
    const place = columns.places.get(column);
    return place === undefined ? '' : (fields[place] ?? '');
  };
  const complain: ReportFault = (column, value, expected) => {
    isGood = false;
    report(column, value, expected);
  };
  const read = <Value>(
    column: TariffColumn,
    parse: (text: string) => Value | undefined,
    expected: string,
  ): Value | undefined => {
    const text = textOf(column);
    if (text === '' && !REQUIRED_COLUMNS.includes(column)) return undefined;
    const value = parse(text);
    if (value === undefined) complain(column, text, expected);
    return value;
  };

  const prefix = read('prefix', parsePrefix, PREFIX_SHAPE);
  const perMinute = read('rate', parsePrice, `money a minute, ${PRICE_SHAPE}`);
  const rate = {
    description: read('description', parseDescription, DESCRIPTION_SHAPE) ?? '',
    surcharge: read('surcharge', parsePrice, `money a call, ${PRICE_SHAPE}`),
    minimumSeconds: read('minimum', parseSeconds, SECONDS_SHAPE),
    incrementSeconds: read('increment', parseSeconds, SECONDS_SHAPE),
    graceSeconds: read('grace', parseSeconds, SECONDS_SHAPE),
    direction: read('direction', parseDirection, 'inbound, outbound, both or nothing'),
    routes: read('routes', parseNames, `names of routes ${NAMES_SHAPE}`) ?? NO_NAMES,
    options: read('options', parseNames, `names of options ${NAMES_SHAPE}`) ?? NO_NAMES,
    weight: read('weight', parseWeight, `a whole number, 0 to ${WEIGHT_MAX}`),
  };
  const days = read('days', parseDays, DAYS_SHAPE);
  const fromMinute = read('from', parseBeginning, FROM_SHAPE);
  const untilMinute = read('until', parseClock, UNTIL_SHAPE);
  if ((textOf('from') === '') !== (textOf('until') === '')) {
    const [missing, given] =
      textOf('from') === '' ? (['from', 'until'] as const) : (['until', 'from'] as const);
    complain(missing, '', `a time of day, for there is one in column ${given}`);
  }
  const period = periodOf({ days, fromMinute, untilMinute });
  if (period?.fromMinute === period?.untilMinute && period !== undefined) {
    complain('until', textOf('until'), 'another time than from, or neither for the whole day');
  }
  if (!isGood || prefix === undefined || perMinute === undefined) return undefined;
  return { prefix, perMinute, ...rate, period };
}

/** A period may end at 24:00 and not begin there. */
function parseBeginning(text: string): number | undefined {
  const minute = parseClock(text);
  return minute === DAY_MINUTES ? undefined : minute;
}

function parsePrefix(text: string): string | undefined {
  return PREFIX.exec(text)?.[1];
}

function parsePrice(text: string): Micros | undefined {
  const price = parseMicros(text);
  return price !== undefined && price >= 0n && price <= PRICE_MAX && !text.startsWith('-')
    ? price
    : undefined;
}

function parseSeconds(text: string): number | undefined {
  return parseWhole(text, SECONDS_MAX);
}

function parseWeight(text: string): number | undefined {
  return parseWhole(text, WEIGHT_MAX);
}

function parseWhole(text: string, max: number): number | undefined {
  const value = WHOLE.test(text) ? Number(text) : undefined;
  return value !== undefined && value <= max ? value : undefined;
}

function parseDescription(text: string): string | undefined {
  return text.length <= DESCRIPTION_CHARS_MAX && !CONTROL_CHARACTER.test(text) ? text : undefined;
}

function parseDirection(text: string): Rate['direction'] {
  const direction = text.toLowerCase();
  return direction === 'inbound' || direction === 'outbound' || direction === 'both' ? direction : undefined;
}

function parseNames(text: string): readonly string[] | undefined {
  const names: string[] = [];
  for (const part of text.split(NAME_SEPARATOR)) {
    const name = parseRouteName(part.trim());
    if (name === undefined || names.includes(name)) return undefined;
    names.push(name);
  }
  return names;
}
