/** When the cycle of a moment began, in zones that keep their offset all year and in weeks of no change elsewhere. */

export type Cycle = 'minutely' | 'hourly' | 'daily' | 'weekly' | 'monthly' | 'yearly';

/** East of Greenwich, in winter. */
const OFFSET_HOURS: Readonly<Record<string, number>> = {
  UTC: 0,
  'Europe/Berlin': 1,
  'America/Sao_Paulo': -3,
};
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** 1970-01-01 was a Thursday; weeks start on Monday (DESIGN 7). */
const DAYS_TO_MONDAY = 3;

export function cycleStart(cycle: Cycle, zone: string, at: number): number {
  const offset = (OFFSET_HOURS[zone] ?? 0) * HOUR;
  const wall = at + offset;
  const date = new Date(wall);
  const floor = (length: number, from = 0): number => Math.floor((wall - from) / length) * length + from;
  const starts: Readonly<Record<Cycle, number>> = {
    minutely: floor(MINUTE),
    hourly: floor(HOUR),
    daily: floor(DAY),
    weekly: floor(7 * DAY, -DAYS_TO_MONDAY * DAY),
    monthly: Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1),
    yearly: Date.UTC(date.getUTCFullYear(), 0, 1),
  };
  return starts[cycle] - offset;
}
