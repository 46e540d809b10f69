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

/** Now, as an argument: rooms below the controller never read a clock themselves. */
export type Clock = () => EpochMs;

export function toIsoUtc(moment: EpochMs): string {
  // oxlint-disable-next-line no-restricted-globals -- formats a moment given; reads no clock
  return new Date(moment).toISOString();
}
