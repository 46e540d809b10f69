import { toIsoUtc, type EpochMs } from '../units/time.ts';

/** `2026-08-01 12:00:00`, in UTC: for columns. */
export function showMoment(moment: EpochMs): string {
  return toIsoUtc(moment).slice(0, 19).replace('T', ' ');
}
