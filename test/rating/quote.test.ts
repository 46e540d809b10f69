import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { commitmentOf, paidSeconds, toPriceTerms, type PriceTerms } from '../../src/rating/price.ts';
import { billedSecondsOf, fundedSeconds } from '../../src/rating/quote.ts';
import { parseDiscountPpm, termsOf } from '../../src/rating/terms.ts';
import { toMicros, type Micros } from '../../src/units/money.ts';
import { anyTerms, money, rateOf, versionOf } from './samples.ts';

const STEPS_MAX = 400;

/** The oracle: one pulse after the other until one does not fit. Undefined: it did not end. */
function steppedSeconds(terms: PriceTerms, available: Micros): number | undefined {
  let seconds = 0;
  for (let pulses = 1; pulses <= STEPS_MAX; pulses++) {
    const commitment = commitmentOf(terms, pulses);
    if (commitment > 0n && commitment > available) return seconds;
    seconds = paidSeconds(terms, pulses);
  }
  return undefined;
}

describe('what money alone could keep going', () => {
  test('T19 a credit of 50 lasts ninety seconds and costs 48', () => {
    const terms = toPriceTerms({
      perMinute: money('30'),
      surcharge: money('3'),
      minimumSeconds: 30,
      incrementSeconds: 6,
    });
    expect(fundedSeconds(terms, money('50'))).toBe(90);
    expect(commitmentOf(terms, 11)).toBe(money('48'));
    expect(fundedSeconds(terms, money('18'))).toBe(30);
    expect(fundedSeconds(terms, money('17.999999'))).toBe(0);
  });

  test('it is what stepping from pulse to pulse finds', () => {
    fc.assert(
      fc.property(anyTerms, fc.bigInt({ min: -1_000_000n, max: 60_000_000n }), (terms, amount) => {
        const available = toMicros(amount);
        const funded = fundedSeconds(terms, available);
        const stepped = steppedSeconds(terms, available);
        const isAsStepped =
          stepped === undefined
            ? funded === 'unlimited' || funded >= paidSeconds(terms, STEPS_MAX)
            : funded === stepped;
        expect({ isAsStepped, funded, stepped }).toMatchObject({ isAsStepped: true });
      }),
      { numRuns: 500 },
    );
  });

  test('it is exact at the last micro before and at each commitment', () => {
    fc.assert(
      fc.property(anyTerms, fc.integer({ min: 2, max: 300 }), (terms, pulses) => {
        const needed = commitmentOf(terms, pulses);
        fc.pre(needed > commitmentOf(terms, pulses - 1));
        expect(fundedSeconds(terms, toMicros(needed - 1n))).toBe(paidSeconds(terms, pulses - 1));
        const atNeeded = fundedSeconds(terms, needed);
        expect(atNeeded === 'unlimited' || atNeeded >= paidSeconds(terms, pulses)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  test('a price on the very edge of rounding goes the way its mode says', () => {
    // The exact price grows by half a cent a pulse.
    const halves = { perMinute: money('0.01'), minimumSeconds: 30, incrementSeconds: 30 };
    const funded = (mode: 'up' | 'down' | 'half_up', available: string): number | 'unlimited' =>
      fundedSeconds(toPriceTerms({ ...halves, rounding: { mode, decimals: 2 } }), money(available));
    expect([funded('up', '0.01'), funded('half_up', '0.01'), funded('down', '0.01')]).toEqual([60, 60, 90]);
    expect([funded('up', '0'), funded('half_up', '0'), funded('down', '0')]).toEqual([0, 0, 30]);
    expect([funded('up', '0.019'), funded('half_up', '0.019'), funded('down', '0.019')]).toEqual([
      60, 60, 90,
    ]);
  });

  test('more money never funds less', () => {
    const amount = fc.bigInt({ min: 0n, max: 9_000_000_000_000_000n });
    const length = (funded: number | 'unlimited'): number => (funded === 'unlimited' ? Infinity : funded);
    fc.assert(
      fc.property(anyTerms, amount, amount, (terms, one, other) => {
        const [less, more] = one < other ? [one, other] : [other, one];
        const shorter = length(fundedSeconds(terms, toMicros(less)));
        expect(shorter).toBeLessThanOrEqual(length(fundedSeconds(terms, toMicros(more))));
      }),
    );
  });

  test('a price that never grows is unlimited once its first pulse is paid', () => {
    const flat = toPriceTerms({ perMinute: money('0'), surcharge: money('0.20') });
    expect(fundedSeconds(flat, money('0.19'))).toBe(0);
    expect(fundedSeconds(flat, money('0.20'))).toBe('unlimited');
  });

  test('a free call goes on below zero', () => {
    const free = toPriceTerms({ perMinute: money('0') });
    const given = toPriceTerms({ perMinute: money('5'), discountPpm: 1_000_000 });
    expect(fundedSeconds(free, money('-3'))).toBe('unlimited');
    expect(fundedSeconds(given, money('-3'))).toBe('unlimited');
  });

  test('money beyond any call is unlimited, and overflows nothing', () => {
    const terms = toPriceTerms({ perMinute: money('0.000001'), minimumSeconds: 1, incrementSeconds: 1 });
    expect(fundedSeconds(terms, toMicros(BigInt(Number.MAX_SAFE_INTEGER)))).toBe('unlimited');
  });
});

describe('the seconds that are billed', () => {
  test.each([
    [0, 0, 0, 0],
    [1, 1, 0, 0],
    [499_999, 1, 0, 0],
    [500_000, 1, 0, 1],
    [999_999, 1, 0, 1],
    [1_000_000, 1, 1, 1],
    [1_000_001, 2, 1, 1],
    [61_500_000, 62, 61, 62],
    // As a quotient of floats this rounds to a whole number of seconds.
    [9_007_199_254_000_001, 9_007_199_255, 9_007_199_254, 9_007_199_254],
    [-5, 0, 0, 0],
  ])('%i microseconds are %i up, %i down, %i nearest', (microseconds, up, down, nearest) => {
    expect(billedSecondsOf(microseconds, 'up')).toBe(up);
    expect(billedSecondsOf(microseconds, 'down')).toBe(down);
    expect(billedSecondsOf(microseconds, 'nearest')).toBe(nearest);
  });

  test('a duration that is no whole number is a broken promise', () => {
    expect(() => billedSecondsOf(Number.NaN, 'up')).toThrow('microseconds');
    expect(() => billedSecondsOf(1.5, 'up')).toThrow('microseconds');
  });
});

describe('the terms of a leg', () => {
  test('are the rate, the rounding of its version and the discount', () => {
    const rate = rateOf({ id: 1, prefix: '49', minimumSeconds: 0, incrementSeconds: 6 });
    const version = versionOf([rate], { rounding: { mode: 'half_up', decimals: 4 } });
    expect(termsOf(version, rate, 100_000)).toEqual({
      surcharge: 0n,
      perMinute: money('0.01'),
      minimumSeconds: 0,
      incrementSeconds: 6,
      graceSeconds: 0,
      discountPpm: 100_000,
      rounding: { mode: 'half_up', decimals: 4 },
    });
  });

  test.each([
    ['10', 100_000],
    ['0', 0],
    ['100', 1_000_000],
    ['12.5', 125_000],
    ['0.0001', 1],
    ['0.00001', undefined],
    ['100.0001', undefined],
    ['-1', undefined],
    ['ten', undefined],
    ['', undefined],
  ])('a discount of %s percent is %s millionths', (text, ppm) => {
    expect(parseDiscountPpm(text)).toBe(ppm);
  });
});
