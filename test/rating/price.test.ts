import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  chargedSeconds,
  commitmentOf,
  paidSeconds,
  priceOf,
  pulsesBegun,
  toPriceTerms,
  type PriceTerms,
} from '../../src/rating/price.ts';
import { quote } from '../../src/rating/quote.ts';
import { BrokenPromiseError } from '../../src/units/assert.ts';
import { formatMicros, toMicros } from '../../src/units/money.ts';
import { anyTerms, money, UNITS_DOWN } from './samples.ts';

type Case = {
  readonly rate: string;
  readonly surcharge?: string;
  readonly minimum?: number;
  readonly increment?: number;
  readonly grace?: number;
  readonly discountPercent?: number;
};

function termsOfCase(terms: Case): PriceTerms {
  return toPriceTerms({
    perMinute: money(terms.rate),
    surcharge: money(terms.surcharge ?? '0'),
    minimumSeconds: terms.minimum,
    incrementSeconds: terms.increment,
    graceSeconds: terms.grace,
    discountPpm: (terms.discountPercent ?? 0) * 10_000,
    rounding: UNITS_DOWN,
  });
}

/** As mod_nibblebill has it: a rate, and the seconds it is taken by. */
type Nibble = {
  readonly perMinute: string;
  readonly minimum: number;
  readonly increment: number;
  readonly decimals?: number;
};

const hourly = { rate: '0.01', increment: 60, minimum: 60 };
const sixes = { rate: '0.10', increment: 6, minimum: 30 };
const dear = { rate: '0.015', surcharge: '0.05', increment: 6, minimum: 30 };

describe('what incumbents charge, and what they should', () => {
  test.each<readonly [string, Case, number, number, string]>([
    ['T01 a started minute', hourly, 30, 60, '0.01'],
    ['T02 a second minute', hourly, 61, 120, '0.02'],
    ['T03 increments after the minimum', sixes, 45, 48, '0.08'],
    ['T04 a surcharge', dear, 31, 36, '0.059'],
    ['T05 within the grace', { ...hourly, grace: 5 }, 5, 0, '0.00'],
    ['T05 beyond the grace', { ...hourly, grace: 5 }, 6, 60, '0.01'],
    ['T05 nothing billed', { ...hourly, grace: 5, surcharge: '0.05' }, 0, 0, '0.00'],
    ['T06 a discount', { ...sixes, discountPercent: 10 }, 45, 48, '0.072'],
    ['T06 a discount off the surcharge too', { ...dear, discountPercent: 10 }, 31, 36, '0.0531'],
    ['T07 a discount that a float gets wrong', { ...hourly, discountPercent: 29 }, 30, 60, '0.0071'],
    ['T08 a minimum that is no multiple', { rate: '0.10', increment: 60, minimum: 10 }, 15, 70, '0.1166'],
    ['T09 no increment is a minute', { rate: '0.02', increment: 0, minimum: 0 }, 61, 120, '0.04'],
    ['T09 and so is the first', { rate: '0.02', increment: 0, minimum: 0 }, 1, 60, '0.02'],
    ['T10 six and six', { rate: '0.0085', increment: 6, minimum: 6 }, 7, 12, '0.0017'],
    ['T10 towards zero', { rate: '0.0033', increment: 1, minimum: 1 }, 10, 10, '0.0005'],
    ['a price that a float truncates', { rate: '0.0005', increment: 10, minimum: 0 }, 179, 180, '0.0015'],
    ['exactly the minimum is one pulse', sixes, 30, 30, '0.05'],
  ])('%s', (_, terms, billedSeconds, charged, price) => {
    const quoted = quote(termsOfCase(terms), billedSeconds);
    expect(quoted.chargedSeconds).toBe(charged);
    expect(formatMicros(quoted.price)).toBe(price);
  });

  test.each([
    ['T34 by the second', { perMinute: '0.60', minimum: 1, increment: 1 }, 90, '0.90'],
    ['T34 by the minute', { perMinute: '0.60', minimum: 60, increment: 60 }, 61, '1.20'],
    ['T34 by six seconds, of 61.5', { perMinute: '0.60', minimum: 6, increment: 6 }, 62, '0.66'],
    ['T35 rounded up to cents', { perMinute: '0.5999', minimum: 1, increment: 1, decimals: 2 }, 90, '0.90'],
    ['T35 and never down', { perMinute: '0.60222', minimum: 1, increment: 1, decimals: 2 }, 90, '0.91'],
  ])('%s', (_, { perMinute, minimum, increment, decimals = 6 }: Nibble, billedSeconds, price) => {
    const terms = toPriceTerms({
      perMinute: money(perMinute),
      minimumSeconds: minimum,
      incrementSeconds: increment,
      rounding: { mode: 'up', decimals },
    });
    expect(formatMicros(quote(terms, billedSeconds).price)).toBe(price);
  });

  test('the example of the documentation: 45 seconds are 48, and cost 0.117', () => {
    const terms = toPriceTerms({
      perMinute: money('0.10'),
      surcharge: money('0.05'),
      minimumSeconds: 30,
      incrementSeconds: 6,
      discountPpm: 100_000,
    });
    expect(quote(terms, 45)).toEqual({ chargedSeconds: 48, pulses: 4, price: money('0.117') });
  });

  test('T20 what is committed: the pulse that has begun, and no more', () => {
    const terms = toPriceTerms({
      perMinute: money('30'),
      surcharge: money('3'),
      minimumSeconds: 60,
      incrementSeconds: 1,
    });
    const committedAt = (seconds: number): string =>
      formatMicros(commitmentOf(terms, pulsesBegun(terms, seconds * 1000 - 1)));
    expect([5, 60, 61, 90].map(committedAt)).toEqual(['33.00', '33.00', '33.50', '48.00']);
  });

  test('what a rate leaves out is a minute, a minute and nothing', () => {
    expect(toPriceTerms({ perMinute: money('1') })).toMatchObject({
      minimumSeconds: 60,
      incrementSeconds: 60,
      graceSeconds: 0,
      surcharge: 0n,
      rounding: { mode: 'up', decimals: 6 },
    });
  });

  test.each([
    ['a negative price', { perMinute: money('-1') }],
    ['a negative surcharge', { perMinute: money('1'), surcharge: money('-1') }],
    ['half a second', { perMinute: money('1'), minimumSeconds: 1.5 }],
    ['a negative increment', { perMinute: money('1'), incrementSeconds: -6 }],
    ['no number', { perMinute: money('1'), graceSeconds: Number.NaN }],
    ['more than everything off', { perMinute: money('1'), discountPpm: 1_000_001 }],
  ])('%s in the terms is a broken promise', (_, fields) => {
    expect(() => toPriceTerms(fields)).toThrow(BrokenPromiseError);
  });
});

const billed = fc.integer({ min: 0, max: 4000 });

describe('of any rate', () => {
  test('a longer call never costs less', () => {
    fc.assert(
      fc.property(anyTerms, billed, billed, (terms, one, other) => {
        const [short, long] = one < other ? [one, other] : [other, one];
        expect(priceOf(terms, short)).toBeLessThanOrEqual(priceOf(terms, long));
      }),
    );
  });

  test('the price at exactly the end of a pulse is what was committed for it', () => {
    fc.assert(
      fc.property(anyTerms, fc.integer({ min: 1, max: 500 }), (terms, pulses) => {
        const end = paidSeconds(terms, pulses);
        const isFree = end <= terms.graceSeconds;
        expect(priceOf(terms, end)).toBe(isFree ? 0n : commitmentOf(terms, pulses));
        expect(quote(terms, end).pulses).toBe(isFree ? 0 : pulses);
      }),
    );
  });

  test('a call is charged to the end of the pulse it ends in, at every second', () => {
    fc.assert(
      fc.property(anyTerms, fc.integer({ min: 1, max: 4000 }), (terms, seconds) => {
        fc.pre(seconds > terms.graceSeconds);
        const pulses = pulsesBegun(terms, seconds * 1000 - 1);
        expect(chargedSeconds(terms, seconds)).toBe(paidSeconds(terms, pulses));
        expect(chargedSeconds(terms, seconds)).toBeGreaterThanOrEqual(seconds);
        expect(quote(terms, seconds)).toEqual({
          chargedSeconds: paidSeconds(terms, pulses),
          pulses,
          price: commitmentOf(terms, pulses),
        });
      }),
    );
  });

  test('the next pulse begins at the instant the one before it ends', () => {
    fc.assert(
      fc.property(anyTerms, fc.integer({ min: 1, max: 500 }), (terms, pulses) => {
        const endMs = paidSeconds(terms, pulses) * 1000;
        expect(pulsesBegun(terms, endMs - 1)).toBe(pulses);
        expect(pulsesBegun(terms, endMs)).toBe(pulses + 1);
      }),
    );
  });

  test('a further pulse never lowers the commitment', () => {
    fc.assert(
      fc.property(anyTerms, fc.integer({ min: 1, max: 500 }), (terms, pulses) => {
        expect(commitmentOf(terms, pulses)).toBeLessThanOrEqual(commitmentOf(terms, pulses + 1));
      }),
    );
  });

  test('a larger discount never costs more', () => {
    const discounts = fc.tuple(fc.integer({ min: 0, max: 1e6 }), fc.integer({ min: 0, max: 1e6 }));
    fc.assert(
      fc.property(anyTerms, billed, discounts, (terms, seconds, [one, other]) => {
        const small = priceOf({ ...terms, discountPpm: Math.min(one, other) }, seconds);
        const large = priceOf({ ...terms, discountPpm: Math.max(one, other) }, seconds);
        expect(large).toBeLessThanOrEqual(small);
      }),
    );
  });

  test('down, half up and up bracket the exact price within one unit', () => {
    fc.assert(
      fc.property(anyTerms, fc.integer({ min: 1, max: 4000 }), (terms, seconds) => {
        const rounded = (mode: 'up' | 'down' | 'half_up'): bigint =>
          priceOf({ ...terms, rounding: { mode, decimals: terms.rounding.decimals } }, seconds);
        const unit = 10n ** BigInt(6 - terms.rounding.decimals);
        const scale = 60n * 1_000_000n;
        const charged = BigInt(chargedSeconds(terms, seconds));
        const exact =
          charged === 0n
            ? 0n
            : (terms.surcharge * 60n + terms.perMinute * charged) * BigInt(1_000_000 - terms.discountPpm);
        const [down, half, up] = [rounded('down'), rounded('half_up'), rounded('up')];
        expect(down * scale <= exact && exact <= up * scale).toBe(true);
        expect(up - down === (exact === down * scale ? 0n : unit)).toBe(true);
        // Half up: the nearer one, the upper of equals.
        expect(half).toBe(2n * (exact - down * scale) >= unit * scale ? down + unit : down);
        expect([down % unit, half % unit, up % unit]).toEqual([0n, 0n, 0n]);
      }),
    );
  });

  test('the dearest rate for the longest life of a call is still an amount', () => {
    const terms = toPriceTerms({ perMinute: money('1000000'), surcharge: money('1000000') });
    expect(priceOf(terms, 6 * 86_400)).toBe(toMicros(8_641_000_000n * 1_000_000n));
  });
});
