import { assert } from './assert.ts';
import { toEpochMs, type EpochMs } from './time.ts';

/** A date of the calendar. Months and days count from 1. */
export type CivilDate = { readonly year: number; readonly month: number; readonly day: number };

const DAY_MS = 86_400_000;
const SECOND_MS = 1000;
const ZONE_CHARS_MAX = 64;
/** A name; an offset such as +01:00 is none, for it knows no summer time. */
const ZONE_NAME = /^[A-Za-z][A-Za-z0-9_+/-]*$/;

const formatters = new Map<string, Intl.DateTimeFormat>();

/** The offsets of one day of UTC, in which the clocks change once at most. */
type DayOffsets = { readonly before: number; readonly changesAt: number; readonly after: number };

/** To ask Intl takes some microseconds, and calls ask about the same days again and again. */
const dayOffsets = new Map<string, Map<number, DayOffsets>>();
/** Eleven years. */
const REMEMBERED_DAYS_MAX = 4_000;

/** Whether this is a name of the time zone database, such as Europe/Berlin or UTC. */
export function isTimeZone(text: string): boolean {
  if (text.length > ZONE_CHARS_MAX || !ZONE_NAME.test(text)) return false;
  if (formatters.has(text)) return true;
  try {
    formatterOf(text);
    return true;
  } catch (error) {
    // What Intl throws for a zone it does not know, and it has no other way to be asked.
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/** How far the clocks of the zone are ahead of UTC at a moment. */
export function offsetMsAt(zone: string, at: number): number {
  const day = Math.floor(at / DAY_MS);
  const days = dayOffsets.get(zone) ?? new Map<number, DayOffsets>();
  let offsets = days.get(day);
  if (offsets === undefined) {
    offsets = readDayOffsets(zone, day);
    if (days.size >= REMEMBERED_DAYS_MAX) days.clear();
    days.set(day, offsets);
    dayOffsets.set(zone, days);
  }
  return at < offsets.changesAt ? offsets.before : offsets.after;
}

function readDayOffsets(zone: string, day: number): DayOffsets {
  const before = readOffsetMs(zone, day * DAY_MS);
  const after = readOffsetMs(zone, (day + 1) * DAY_MS - 1);
  const changesAt =
    before === after ? Infinity : firstMomentWith(zone, after, day * DAY_MS, (day + 1) * DAY_MS - 1);
  return { before, changesAt, after };
}

function readOffsetMs(zone: string, at: number): number {
  const fields = { year: 0, month: 0, day: 0, hour: 0, minute: 0, second: 0 };
  for (const { type, value } of formatterOf(zone).formatToParts(at)) {
    if (type in fields) fields[type as keyof typeof fields] = Number.parseInt(value, 10);
  }
  const { hour, minute, second } = fields;
  const wallMs = dayOfCivil(fields) * DAY_MS + ((hour * 60 + minute) * 60 + second) * SECOND_MS;
  return wallMs - Math.floor(at / SECOND_MS) * SECOND_MS;
}

/**
 * The first moment at which the clocks of the zone show `wallMs`, written as if it were UTC, or something later:
 * where they jump over it, the moment of the jump; where they show it twice, the first of the two.
 */
export function firstMomentAtWall(zone: string, wallMs: number): EpochMs {
  // No zone is a day or more from UTC, so these two lie before and after any moment that shows this time.
  const before = offsetMsAt(zone, wallMs - DAY_MS);
  const after = offsetMsAt(zone, wallMs + DAY_MS);
  const byBefore = wallMs - before;
  if (offsetMsAt(zone, byBefore) === before) return toEpochMs(byBefore);
  const byAfter = wallMs - after;
  if (offsetMsAt(zone, byAfter) === after) return toEpochMs(byAfter);
  return transitionBetween(zone, byAfter, byBefore);
}

/** The first moment after `from`, at `to` at the latest, with the offset of `to`. One change lies between them. */
export function transitionBetween(zone: string, from: number, to: number): EpochMs {
  const after = offsetMsAt(zone, to);
  assert(offsetMsAt(zone, from) !== after, `the clocks of ${zone} change between the two moments`);
  return toEpochMs(firstMomentWith(zone, after, from, to));
}

/** By halves: the clocks show that offset at `to`, and another one at `from`. */
function firstMomentWith(zone: string, offset: number, from: number, to: number): number {
  let before = from;
  let reached = to;
  while (reached - before > 1) {
    const middle = Math.floor((before + reached) / 2);
    if (readOffsetMs(zone, middle) === offset) reached = middle;
    else before = middle;
  }
  return reached;
}

/** Days since 1970-01-01. The year is taken to start in March, so that the leap day is its last. */
export function dayOfCivil({ year, month, day }: CivilDate): number {
  const marchYear = month <= 2 ? year - 1 : year;
  const era = Math.floor(marchYear / 400);
  const yearOfEra = marchYear - era * 400;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * DAYS_AN_ERA + dayOfEra - EPOCH_DAY;
}

/** 400 years: the leap years repeat. */
const DAYS_AN_ERA = 146_097;
/** Days from 0000-03-01 to 1970-01-01. */
const EPOCH_DAY = 719_468;

export function civilOfDay(days: number): CivilDate {
  const shifted = days + EPOCH_DAY;
  const era = Math.floor(shifted / DAYS_AN_ERA);
  const dayOfEra = shifted - era * DAYS_AN_ERA;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / (DAYS_AN_ERA - 1))) /
      365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const marchMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9;
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * marchMonth + 2) / 5) + 1,
  };
}

function formatterOf(zone: string): Intl.DateTimeFormat {
  const known = formatters.get(zone);
  if (known !== undefined) return known;
  const formatter = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    calendar: 'gregory',
    numberingSystem: 'latn',
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  formatters.set(zone, formatter);
  return formatter;
}
