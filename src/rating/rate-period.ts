import { offsetMsAt, transitionBetween } from '../units/time-zone.ts';
import { toEpochMs, type EpochMs } from '../units/time.ts';

/** When in the week a rate holds, as the clocks of its tariff's zone show it. */
export type RatePeriod = {
  /** One bit for each day on which it begins, Monday's the lowest; at least one. */
  readonly days: number;
  /** Minutes after midnight, 0 to 1439. */
  readonly fromMinute: number;
  /** 1 to 1440, never `fromMinute`. Less than that: it passes midnight, into a day that `days` need not name. */
  readonly untilMinute: number;
};

/** The days and the times of day as they are written; what is not written holds always. */
export type PeriodText = { readonly days: string; readonly from: string; readonly until: string };

const MINUTE_MS = 60_000;
const DAY_MINUTES = 1_440;
const WEEK_DAYS = 7;
const WEEK_MINUTES = WEEK_DAYS * DAY_MINUTES;
/** 1970-01-01 was a Thursday. */
const EPOCH_WEEK_MINUTE = 3 * DAY_MINUTES;

const DAY_NAMES = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
const EVERY_DAY = 2 ** WEEK_DAYS - 1;
const DAYS = /^[a-z]{3}(?:-[a-z]{3})?$/;
const CLOCK = /^(\d{2}):(\d{2})$/;

/** Minutes since Monday 00:00 that the clocks of the zone show. */
export function weekMinuteAt(zone: string, at: EpochMs): number {
  return positiveRemainder(Math.floor((at + offsetMsAt(zone, at)) / MINUTE_MS) + EPOCH_WEEK_MINUTE);
}

export function periodHolds({ days, fromMinute, untilMinute }: RatePeriod, weekMinute: number): boolean {
  const minute = weekMinute % DAY_MINUTES;
  const day = (weekMinute - minute) / DAY_MINUTES;
  if (fromMinute < untilMinute) return begins(days, day) && minute >= fromMinute && minute < untilMinute;
  return minute >= fromMinute
    ? begins(days, day)
    : minute < untilMinute && begins(days, day === 0 ? WEEK_DAYS - 1 : day - 1);
}

/**
 * The first moment after `at` at which one of the periods may begin or end, a change of the clocks being such a
 * moment too. Undefined where there is no period. Between two such moments all of them stay as they are.
 */
export function nextPeriodEdge(
  periods: Iterable<RatePeriod>,
  zone: string,
  at: EpochMs,
): EpochMs | undefined {
  const offset = offsetMsAt(zone, at);
  const shownMinute = Math.floor((at + offset) / MINUTE_MS);
  const weekMinute = positiveRemainder(shownMinute + EPOCH_WEEK_MINUTE);
  let minutes = Infinity;
  for (const { fromMinute, untilMinute } of periods) {
    for (const edge of [fromMinute, untilMinute]) {
      // On every day, the unnamed ones too: one look too many changes nothing.
      minutes = Math.min(minutes, DAY_MINUTES - positiveRemainder(weekMinute - edge, DAY_MINUTES));
    }
  }
  if (minutes === Infinity) return undefined;
  const edgeAt = toEpochMs((shownMinute + minutes) * MINUTE_MS - offset);
  return offsetMsAt(zone, edgeAt) === offset ? edgeAt : transitionBetween(zone, at, edgeAt);
}

/** `mon-fri`, `sat,sun`, `fri-mon`: days and ranges of days, separated by commas, semicolons, bars or blanks. */
export function parseDays(text: string): number | undefined {
  let days = 0;
  for (const part of text.toLowerCase().split(/[,;|\s]+/)) {
    if (!DAYS.test(part)) return undefined;
    const [first, last = first] = part.split('-').map((name) => DAY_NAMES.indexOf(name));
    if (first === undefined || last === undefined || first < 0 || last < 0) return undefined;
    for (let day = first; ; day = (day + 1) % WEEK_DAYS) {
      days |= 2 ** day;
      if (day === last) break;
    }
  }
  return days;
}

/** Minutes after midnight of `HH:MM`, 00:00 to 24:00. */
export function parseClock(text: string): number | undefined {
  const [whole, hours = '', minutes = ''] = CLOCK.exec(text) ?? [];
  if (whole === undefined) return undefined;
  const minute = Number.parseInt(hours, 10) * 60 + Number.parseInt(minutes, 10);
  return Number.parseInt(minutes, 10) < 60 && minute <= DAY_MINUTES ? minute : undefined;
}

/** The whole week is no period. An end at 00:00 is the day's own. */
export function periodOf(parts: {
  readonly days: number | undefined;
  readonly fromMinute: number | undefined;
  readonly untilMinute: number | undefined;
}): RatePeriod | undefined {
  const { days = EVERY_DAY, fromMinute = 0, untilMinute = DAY_MINUTES } = parts;
  const end = untilMinute === 0 ? DAY_MINUTES : untilMinute;
  return days === EVERY_DAY && fromMinute === 0 && end === DAY_MINUTES
    ? undefined
    : { days, fromMinute, untilMinute: end };
}

export function periodText(period: RatePeriod | undefined): PeriodText {
  if (period === undefined) return { days: '', from: '', until: '' };
  const { days, fromMinute, untilMinute } = period;
  const isWholeDay = fromMinute === 0 && untilMinute === DAY_MINUTES;
  return {
    days: days === EVERY_DAY ? '' : formatDays(days),
    from: isWholeDay ? '' : formatClock(fromMinute),
    until: isWholeDay ? '' : formatClock(untilMinute),
  };
}

/** `mon-fri 08:00-18:00`; undefined for the whole week. */
export function periodInWords(period: RatePeriod | undefined): string | undefined {
  const { days, from, until } = periodText(period);
  const times = from === '' ? '' : `${from}-${until}`;
  return [days, times].filter((part) => part !== '').join(' ') || undefined;
}

/** Runs of three days and more as ranges. They may pass Sunday, so a run's first day is looked for. */
function formatDays(days: number): string {
  const runs: string[] = [];
  const start = DAY_NAMES.findIndex((_, day) => begins(days, day) && !begins(days, (day + 6) % WEEK_DAYS));
  for (let step = 0; step < WEEK_DAYS; step++) {
    const first = (start + step) % WEEK_DAYS;
    if (!begins(days, first)) continue;
    let length = 1;
    while (begins(days, (first + length) % WEEK_DAYS)) length += 1;
    const names = Array.from({ length }, (_, index) => DAY_NAMES[(first + index) % WEEK_DAYS] ?? '');
    if (length > 2) runs.push(`${names[0]}-${names.at(-1)}`);
    else runs.push(...names);
    step += length;
  }
  return runs.join(',');
}

function formatClock(minute: number): string {
  const hours = Math.floor(minute / 60);
  return `${String(hours).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`;
}

function begins(days: number, day: number): boolean {
  return (days & (2 ** day)) !== 0;
}

function positiveRemainder(value: number, divisor: number = WEEK_MINUTES): number {
  const remainder = value % divisor;
  return remainder < 0 ? remainder + divisor : remainder;
}
