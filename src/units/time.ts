import { assert } from './assert.ts';

/** Milliseconds since 1970 in UTC. Unless a name says otherwise the clock is that of Redis. */
export type EpochMs = number & { readonly __brand: 'EpochMs' };

/** A span of time in milliseconds. */
export type DurationMs = number & { readonly __brand: 'DurationMs' };

export function toEpochMs(value: number): EpochMs {
  assert(Number.isFinite(value), 'a moment is a finite number of milliseconds');
  return Math.floor(value) as EpochMs;
}

export function toDurationMs(value: number): DurationMs {
  assert(Number.isFinite(value), 'a duration is a finite number of milliseconds');
  return value as DurationMs;
}

export function addMs(moment: EpochMs, duration: number): EpochMs {
  return toEpochMs(moment + duration);
}

/** The start of what was never otherwise: no call is as old. */
export const ALWAYS: EpochMs = toEpochMs(0);

/** Now, as an argument: rooms below the controller never read a clock themselves. */
export type Clock = () => EpochMs;

export function toIsoUtc(moment: EpochMs): string {
  // oxlint-disable-next-line no-restricted-globals -- formats a moment given; reads no clock
  return new Date(moment).toISOString();
}

const ISO_MOMENT = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:\d{2}))?$/;
const DAY_CHARS = 10;

/** A day (its start in UTC), or a moment with its offset: never a local time whose zone is anyone's guess. */
export function parseMoment(text: string): EpochMs | undefined {
  if (!ISO_MOMENT.test(text)) return undefined;
  const moment = parsed(text);
  // 2026-02-30 would pass for the second of March.
  const day = text.slice(0, DAY_CHARS);
  const dayAt = parsed(day);
  return Number.isNaN(moment) || Number.isNaN(dayAt) || !toIsoUtc(toEpochMs(dayAt)).startsWith(day)
    ? undefined
    : toEpochMs(moment);
}

function parsed(text: string): number {
  // oxlint-disable-next-line no-restricted-globals -- reads a moment that is written; reads no clock
  return Date.parse(text);
}
