import { toEpochMs, type EpochMs } from '../units/time.ts';
import {
  civilOfDay,
  dayOfCivil,
  firstMomentAtWall,
  offsetMsAt,
  transitionBetween,
} from '../units/time-zone.ts';

/** How often an allotment is given anew: calendar boundaries in the account's time zone (DESIGN 7). */
export const CYCLES = ['minutely', 'hourly', 'daily', 'weekly', 'monthly', 'yearly'] as const;
export type Cycle = (typeof CYCLES)[number];

/** One cycle: from `startsAt`, up to but not including `endsAt`. */
export type CycleSpan = { readonly startsAt: EpochMs; readonly endsAt: EpochMs };

/** The part of a call that lies in one cycle. */
export type CyclePiece = { readonly span: CycleSpan; readonly from: EpochMs; readonly to: EpochMs };

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
const MONTHS_A_YEAR = 12;
const DAYS_A_WEEK = 7;
/** 1970-01-01 was a Thursday, three days after its week's Monday. */
const EPOCH_WEEKDAY = 3;

/** The span asked for last, of each cycle and zone: nearly every question is about now. */
const latest = new Map<Cycle, Map<string, CycleSpan>>();

/**
 * The cycle a moment lies in. Cycles of one kind follow each other without gap or overlap, whatever the clocks do:
 * a day starts when its date is first shown, and an hour that is shown twice is two hourly cycles (ruling 22).
 */
export function cycleAt(cycle: Cycle, zone: string, at: EpochMs): CycleSpan {
  const zones = latest.get(cycle) ?? new Map<string, CycleSpan>();
  const known = zones.get(zone);
  if (known !== undefined && known.startsAt <= at && at < known.endsAt) return known;
  const span = spanAt(cycle, zone, at);
  zones.set(zone, span);
  latest.set(cycle, zones);
  return span;
}

/** The pieces of a call, in order: together they are the call, and each lies in one cycle. */
export function splitByCycle(cycle: Cycle, zone: string, from: EpochMs, to: EpochMs): readonly CyclePiece[] {
  const pieces: CyclePiece[] = [];
  for (let at = from; at < to;) {
    const span = cycleAt(cycle, zone, at);
    const until = toEpochMs(Math.min(span.endsAt, to));
    pieces.push({ span, from: at, to: until });
    at = until;
  }
  return pieces;
}

function spanAt(cycle: Cycle, zone: string, at: EpochMs): CycleSpan {
  switch (cycle) {
    case 'minutely':
      return clockSpan(MINUTE_MS, zone, at);
    case 'hourly':
      return clockSpan(HOUR_MS, zone, at);
    case 'daily':
    case 'weekly':
    case 'monthly':
    case 'yearly':
      return dateSpan(cycle, zone, at);
  }
}

/** A minute or an hour as the clock on the wall shows it; whenever it is set back, another one begins. */
function clockSpan(lengthMs: number, zone: string, at: EpochMs): CycleSpan {
  const offset = offsetMsAt(zone, at);
  const label = Math.floor((at + offset) / lengthMs);
  const startsAt = label * lengthMs - offset;
  const endsAt = startsAt + lengthMs;
  return {
    startsAt: toEpochMs(offsetMsAt(zone, startsAt) === offset ? startsAt : startAfterShift()),
    endsAt: toEpochMs(offsetMsAt(zone, endsAt - 1) === offset ? endsAt : endBeforeShift()),
  };

  function startAfterShift(): number {
    const before = offsetMsAt(zone, startsAt);
    const shift = transitionBetween(zone, startsAt, at);
    const labelBefore = Math.floor((shift - 1 + before) / lengthMs);
    return before < offset && labelBefore === label ? label * lengthMs - before : shift;
  }

  function endBeforeShift(): number {
    const after = offsetMsAt(zone, endsAt - 1);
    const shift = transitionBetween(zone, at, endsAt - 1);
    const labelAfter = Math.floor((shift + after) / lengthMs);
    return after > offset && labelAfter === label ? (label + 1) * lengthMs - after : shift;
  }
}

type DateCycle = Exclude<Cycle, 'minutely' | 'hourly'>;

function dateSpan(cycle: DateCycle, zone: string, at: EpochMs): CycleSpan {
  const today = Math.floor((at + offsetMsAt(zone, at)) / DAY_MS);
  let first = firstDay(cycle, today);
  let next = nextFirstDay(cycle, first);
  // Clocks that are set back over midnight show yesterday's date again: it is no longer yesterday's cycle.
  if (momentOf(next, zone) <= at) {
    first = next;
    next = nextFirstDay(cycle, first);
  }
  return { startsAt: momentOf(first, zone), endsAt: momentOf(next, zone) };
}

function momentOf(day: number, zone: string): EpochMs {
  return firstMomentAtWall(zone, day * DAY_MS);
}

function firstDay(cycle: DateCycle, day: number): number {
  if (cycle === 'daily') return day;
  if (cycle === 'weekly') return day - ((((day + EPOCH_WEEKDAY) % DAYS_A_WEEK) + DAYS_A_WEEK) % DAYS_A_WEEK);
  const { year, month } = civilOfDay(day);
  return dayOfCivil({ year, month: cycle === 'monthly' ? month : 1, day: 1 });
}

function nextFirstDay(cycle: DateCycle, first: number): number {
  if (cycle === 'daily') return first + 1;
  if (cycle === 'weekly') return first + DAYS_A_WEEK;
  const { year, month } = civilOfDay(first);
  if (cycle === 'yearly' || month === MONTHS_A_YEAR) return dayOfCivil({ year: year + 1, month: 1, day: 1 });
  return dayOfCivil({ year, month: month + 1, day: 1 });
}
