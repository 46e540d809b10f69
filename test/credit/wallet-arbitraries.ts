import * as fc from 'fast-check';
import { continuationOf, toPriceTerms, type PriceTerms } from '../../src/rating/price.ts';
import { totalCommittedAt, type PayerLeg, type Wallet } from '../../src/credit/wallet.ts';
import type { AccountPath, LegKey } from '../../src/units/ids.ts';
import { toMicros } from '../../src/units/money.ts';
import { toEpochMs, type EpochMs } from '../../src/units/time.ts';

export const START = toEpochMs(1_800_000_000_000);
/** How far the properties look ahead: enough for the longest pulse below to come round twice. */
export const HORIZON_MS = 200_000;

const micros = (max: number): fc.Arbitrary<bigint> => fc.bigInt(0n, BigInt(max));

const oneRate: fc.Arbitrary<PriceTerms> = fc
  .record({
    surcharge: fc.oneof(fc.constant(0n), micros(300_000)),
    perMinute: fc.oneof(fc.constant(0n), micros(100), micros(5_000_000)),
    minimumSeconds: fc.constantFrom(0, 1, 2, 6, 30, 60),
    incrementSeconds: fc.constantFrom(1, 2, 6, 30, 60),
    graceSeconds: fc.constantFrom(0, 0, 3, 30),
    discountPpm: fc.constantFrom(0, 0, 123_456, 500_000, 1_000_000),
    rounding: fc.record({
      mode: fc.constantFrom('up' as const, 'down' as const, 'half_up' as const),
      decimals: fc.constantFrom(0, 1, 2, 4, 6),
    }),
  })
  .map((rate) =>
    toPriceTerms({ ...rate, surcharge: toMicros(rate.surcharge), perMinute: toMicros(rate.perMinute) }),
  );

/** Mostly one rate; now and then others take over after some pulses. */
export const termsArbitrary: fc.Arbitrary<PriceTerms> = fc.oneof(
  { weight: 5, arbitrary: oneRate },
  {
    weight: 1,
    arbitrary: fc
      .tuple(oneRate, fc.integer({ min: 1, max: 4 }), oneRate, fc.integer({ min: 1, max: 4 }), oneRate)
      .map(([first, afterPulses, second, further, third]) => {
        const last = { afterPulses: further, terms: continuationOf(third) };
        return { ...first, next: { afterPulses, terms: { ...continuationOf(second), next: last } } };
      }),
  },
);

/** Answer times that often fall together, so that pulses tie. */
const answeredArbitrary = fc
  .oneof(
    fc.integer({ min: -100, max: 0 }).map((s) => s * 1000),
    fc.integer({ min: -100_000, max: 0 }),
  )
  .map((offset) => toEpochMs(START + offset));

const legArbitrary = fc.tuple(
  termsArbitrary,
  fc.oneof(
    { weight: 1, arbitrary: fc.constant({ kind: 'held' as const }) },
    {
      weight: 5,
      arbitrary: answeredArbitrary.map((answeredAt) => ({ kind: 'running' as const, answeredAt })),
    },
  ),
);

/** Wallets whose money ends somewhere within the horizon, is not enough even now, or lasts. */
export const walletArbitrary: fc.Arbitrary<Wallet> = fc
  .record({
    legs: fc.array(legArbitrary, { minLength: 1, maxLength: 7 }),
    credit: fc.oneof(fc.constant(0n), micros(2_000_000)),
    policy: fc.constantFrom('unpaid' as const, 'all' as const),
    sharePercent: fc.integer({ min: -10, max: 120 }),
    // Or exactly what is committed at some instant, of the legs up to one: then a pulse takes the very last of it.
    exactly: fc.option(fc.tuple(fc.nat(HORIZON_MS), fc.nat(6))),
  })
  .map(({ legs, credit, policy, sharePercent, exactly }) => {
    const payers = legs.map(([terms, state], index): PayerLeg => ({
      legKey: `leg-${index}.1:a` as LegKey,
      terms,
      state,
    }));
    const [now, later] = [totalCommittedAt(payers, START), totalCommittedAt(payers, after(HORIZON_MS))];
    const some = ([ms, last]: [number, number]): bigint =>
      totalCommittedAt(payers.slice(0, last), after(ms)) + totalCommittedAt(payers.slice(last), START);
    const funds = exactly === null ? now + ((later - now) * BigInt(sharePercent)) / 100n : some(exactly);
    return {
      account: 'acme' as AccountPath,
      balance: toMicros(funds - credit),
      credit: toMicros(credit),
      policy,
      at: START,
      legs: payers,
    };
  });

export function after(ms: number): EpochMs {
  return toEpochMs(START + ms);
}
