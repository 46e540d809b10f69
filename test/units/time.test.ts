import { expect, test } from 'vitest';
import { BrokenPromiseError } from '../../src/units/assert.ts';
import { addMs, toDurationMs, toEpochMs, toIsoUtc } from '../../src/units/time.ts';

test('a moment is whole milliseconds, rounded down', () => {
  expect(toEpochMs(1.9)).toBe(1);
  expect(toEpochMs(-0.1)).toBe(-1);
  expect(addMs(toEpochMs(1000), 0.5)).toBe(1000);
  expect(addMs(toEpochMs(1000), -1)).toBe(999);
});

test('what is no number is a broken promise', () => {
  expect(() => toEpochMs(Number.NaN)).toThrow(BrokenPromiseError);
  expect(() => addMs(toEpochMs(0), Infinity)).toThrow(BrokenPromiseError);
  expect(() => toDurationMs(Number.NaN)).toThrow(BrokenPromiseError);
});

test('a moment is written in UTC', () => {
  expect(toIsoUtc(toEpochMs(1_772_323_200_123))).toBe('2026-03-01T00:00:00.123Z');
});
