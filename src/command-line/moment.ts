import { toIsoUtc, type EpochMs } from '../units/time.ts';

/** `2026-08-01 12:00:00`, in UTC: for columns. */
export function showMoment(moment: EpochMs): string {
  return toIsoUtc(moment).slice(0, 19).replace('T', ' ');
}

/** A talk in seconds: to the millisecond, and to the microsecond where that says more; a second more is billed for one. */
export function showTalk(microseconds: number): string {
  return `${(microseconds / 1_000_000).toFixed(6).replace(/000$/, '')} s`;
}
