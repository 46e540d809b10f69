import * as fc from 'fast-check';
import { toPriceTerms, type PriceTerms, type Rounding } from '../../src/rating/price.ts';
import { parseClock, parseDays, type RatePeriod } from '../../src/rating/rate-period.ts';
import { rateIdentity, type Rate, type TariffVersion } from '../../src/rating/rate.ts';
import { parseTariffName, type TariffName } from '../../src/units/ids.ts';
import { parseMicros, toMicros, type Micros } from '../../src/units/money.ts';
import { toEpochMs } from '../../src/units/time.ts';

export function money(text: string): Micros {
  const amount = parseMicros(text);
  if (amount === undefined) throw new Error(`not money: ${text}`);
  return amount;
}

export function tariffName(text: string): TariffName {
  const name = parseTariffName(text);
  if (name === undefined) throw new Error(`not a tariff: ${text}`);
  return name;
}

/** Rounds towards zero at a ten-thousandth, as a system does whose money is units of $0.0001. */
export const UNITS_DOWN: Rounding = { mode: 'down', decimals: 4 };

const NOTHING_MORE = {
  description: '',
  surcharge: undefined,
  minimumSeconds: undefined,
  incrementSeconds: undefined,
  graceSeconds: undefined,
  direction: undefined,
  routes: [],
  options: [],
  weight: undefined,
  period: undefined,
} as const;

export function rateOf(fields: Partial<Rate> & Pick<Rate, 'id' | 'prefix'>): Rate {
  return { perMinute: money('0.01'), ...NOTHING_MORE, ...fields };
}

/** As it is spoken: `mon-fri 08:00-18:00`, `sat,sun`, `22:00-06:00`. */
export function period(text: string): RatePeriod {
  const [, days, from, until] = /^([a-z,-]+)? ?(?:(\d\d:\d\d)-(\d\d:\d\d))?$/.exec(text) ?? [];
  return {
    days: (days === undefined ? 127 : parseDays(days)) ?? 0,
    fromMinute: (from === undefined ? 0 : parseClock(from)) ?? 0,
    untilMinute: (until === undefined ? 1440 : parseClock(until)) ?? 0,
  };
}

export function versionOf(rates: readonly Rate[], fields: Partial<TariffVersion> = {}): TariffVersion {
  return {
    tariff: tariffName('retail'),
    version: 1,
    currency: 'EUR',
    rounding: { mode: 'up', decimals: 6 },
    startsAt: toEpochMs(0),
    zone: 'UTC',
    rates,
    ...fields,
  };
}

export const anyRounding: fc.Arbitrary<Rounding> = fc.record({
  mode: fc.constantFrom('up', 'down', 'half_up'),
  decimals: fc.integer({ min: 0, max: 6 }),
});

function anyMicros(max: bigint): fc.Arbitrary<Micros> {
  return fc
    .oneof(fc.constant(0n), fc.bigInt({ min: 1n, max: 50n }), fc.bigInt({ min: 0n, max }))
    .map(toMicros);
}

export const anyTerms: fc.Arbitrary<PriceTerms> = fc
  .record({
    perMinute: anyMicros(5_000_000n),
    surcharge: anyMicros(2_000_000n),
    minimumSeconds: fc.oneof(fc.constant(undefined), fc.integer({ min: 0, max: 120 })),
    incrementSeconds: fc.oneof(fc.constant(undefined), fc.integer({ min: 0, max: 90 })),
    graceSeconds: fc.integer({ min: 0, max: 10 }),
    discountPpm: fc.oneof(fc.constantFrom(0, 100_000, 1_000_000), fc.integer({ min: 0, max: 1_000_000 })),
    rounding: anyRounding,
  })
  .map(toPriceTerms);

/** Every period but the whole week, which is none. */
export const anyPeriod: fc.Arbitrary<RatePeriod> = fc
  .record({
    days: fc.integer({ min: 1, max: 127 }),
    fromMinute: fc.nat({ max: 1439 }),
    untilMinute: fc.integer({ min: 1, max: 1440 }),
  })
  .filter(
    ({ days, fromMinute, untilMinute }) =>
      fromMinute !== untilMinute && (days !== 127 || fromMinute !== 0 || untilMinute !== 1440),
  );

const anyPrice = fc.bigInt({ min: 0n, max: 1_000_000_000_000n }).map(toMicros);
const anySeconds = fc.option(fc.nat({ max: 86_400 }), { nil: undefined });

/** The rates of a tariff as a file may have them: no two are chosen alike. */
export const anyTariffRates: fc.Arbitrary<readonly Rate[]> = fc
  .uniqueArray(
    fc.record({
      id: fc.constant(0),
      prefix: fc.oneof(fc.constantFrom('49', '44'), fc.stringMatching(/^\d{1,12}$/)),
      description: fc
        .string({ unit: 'grapheme', maxLength: 20 })
        .filter((text) => !/\p{Cc}|\u{FFFD}/u.test(text) && text.isWellFormed()),
      perMinute: anyPrice,
      surcharge: fc.option(anyPrice, { nil: undefined }),
      minimumSeconds: anySeconds,
      incrementSeconds: anySeconds,
      graceSeconds: anySeconds,
      direction: fc.constantFrom(undefined, 'inbound', 'outbound', 'both'),
      routes: fc.subarray(['gold', 'silver', 'tin']),
      options: fc.subarray(['fax', 'clip']),
      weight: fc.option(fc.nat({ max: 10_000 }), { nil: undefined }),
      period: fc.option(anyPeriod, { nil: undefined }),
    }),
    { minLength: 1, maxLength: 20, selector: rateIdentity },
  )
  .map((rows) => rows.map((row, index) => ({ ...row, id: index + 1 })));
