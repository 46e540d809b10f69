import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BrokenPromiseError } from '../../src/units/assert.ts';
import {
  addMicros,
  divCeil,
  divFloor,
  formatMicros,
  negateMicros,
  parseMicros,
  subtractMicros,
  toMicros,
} from '../../src/units/money.ts';

const MAX = BigInt(Number.MAX_SAFE_INTEGER);
const anyAmount = fc.bigInt({ min: -MAX, max: MAX }).map(toMicros);
const anyInteger = fc.bigInt({ min: -(10n ** 24n), max: 10n ** 24n });

describe('money as text', () => {
  test.each([
    ['100.00', 100_000_000n],
    ['100', 100_000_000n],
    ['-0.015', -15_000n],
    ['0.000001', 1n],
    ['007', 7_000_000n],
    ['9007199254.740991', MAX],
  ])('%s is read exactly', (text, micros) => {
    expect(parseMicros(text)).toBe(micros);
  });

  test.each([
    '',
    ' 1',
    '1 ',
    '1\n',
    '+1',
    '--1',
    '.5',
    '5.',
    '1e3',
    '0x10',
    '1,000',
    '1,5',
    '$1',
    '0.0000001',
    '9007199254.740992',
    '1234567890123',
    'NaN',
    '\u0661',
  ])('%j is no money', (text) => {
    expect(parseMicros(text)).toBeUndefined();
  });

  test.each([
    [0n, '0.00'],
    [1_500_000n, '1.50'],
    [117_000n, '0.117'],
    [1n, '0.000001'],
    [-15_000n, '-0.015'],
    [100_000_000n, '100.00'],
  ])('%s millionths are written %s', (micros, text) => {
    expect(formatMicros(toMicros(micros))).toBe(text);
  });

  test('every amount reads back as it was written', () => {
    fc.assert(
      fc.property(anyAmount, (amount) => {
        expect(parseMicros(formatMicros(amount))).toBe(amount);
      }),
    );
  });
});

describe('arithmetic', () => {
  test('an amount that a double cannot hold is a broken promise', () => {
    expect(() => toMicros(MAX + 1n)).toThrow(BrokenPromiseError);
    expect(() => toMicros(-MAX - 1n)).toThrow(BrokenPromiseError);
    expect(() => addMicros(toMicros(MAX), toMicros(1n))).toThrow(BrokenPromiseError);
    expect(() => subtractMicros(toMicros(-MAX), toMicros(1n))).toThrow(BrokenPromiseError);
  });

  test('sums and differences', () => {
    expect(addMicros()).toBe(0n);
    expect(addMicros(toMicros(1n), toMicros(-3n), toMicros(5n))).toBe(3n);
    expect(subtractMicros(toMicros(1n), toMicros(3n))).toBe(-2n);
    expect(negateMicros(toMicros(3n))).toBe(-3n);
  });

  test('a quotient is rounded up and down to the integers around it', () => {
    fc.assert(
      fc.property(anyInteger, fc.bigInt({ min: 1n, max: 10n ** 12n }), (dividend, divisor) => {
        const [floor, ceil] = [divFloor(dividend, divisor), divCeil(dividend, divisor)];
        expect(floor * divisor <= dividend && dividend < (floor + 1n) * divisor).toBe(true);
        expect((ceil - 1n) * divisor < dividend && dividend <= ceil * divisor).toBe(true);
      }),
    );
  });

  test('a divisor that is not positive is a broken promise', () => {
    expect(() => divCeil(1n, 0n)).toThrow(BrokenPromiseError);
    expect(() => divFloor(1n, -1n)).toThrow(BrokenPromiseError);
  });
});
