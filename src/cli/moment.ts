import { toEpochMs, toIsoUtc, type EpochMs } from '../units/time.ts';

const ISO_MOMENT = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:\d{2}))?$/;

/** A day (its start in UTC), or a moment with its offset: never a local time whose zone is anyone's guess. */
export function parseMoment(text: string): EpochMs | undefined {
  if (!ISO_MOMENT.test(text)) return undefined;
  const moment = Date.parse(text);
  return Number.isNaN(moment) ? undefined : toEpochMs(moment);
}

/** `2026-08-01 12:00:00`, in UTC: for columns. */
export function showMoment(moment: EpochMs): string {
  return toIsoUtc(moment).slice(0, 19).replace('T', ' ');
}
