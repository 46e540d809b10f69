import { assert, assertNever } from '../units/assert.ts';
import { divCeil, divFloor, toMicros, ZERO_MICROS, type Micros } from '../units/money.ts';

/** How a price is rounded, once, at the end (DESIGN 5). `decimals` is 0 to 6. */
export type Rounding = { readonly mode: 'up' | 'down' | 'half_up'; readonly decimals: number };

export const DEFAULT_ROUNDING: Rounding = { mode: 'up', decimals: 6 };

/**
 * All that the price of one leg for one payer depends on, fixed at admission. Seconds are whole. Normalised by
 * `toPriceTerms`: `minimumSeconds` may be 0 (the first pulse is then an increment, ruling 9) and
 * `incrementSeconds` is never 0.
 */
export type PriceTerms = {
  readonly surcharge: Micros;
  readonly perMinute: Micros;
  readonly minimumSeconds: number;
  readonly incrementSeconds: number;
  readonly graceSeconds: number;
  /** Millionths off the whole price, surcharge included: 10 % is 100_000. */
  readonly discountPpm: number;
  readonly rounding: Rounding;
  /** Where another rate takes over, after so many pulses of this one. Each part is priced, and rounded, by itself. */
  readonly next?: { readonly afterPulses: number; readonly terms: PriceTerms };
};

/** How talk is counted in pulses, whether they cost money or seconds of an allotment. */
export type PulseSeconds = Pick<PriceTerms, 'minimumSeconds' | 'incrementSeconds' | 'graceSeconds'>;

type Pulses = PulseSeconds & { readonly next?: { readonly afterPulses: number; readonly terms: Pulses } };

const DEFAULT_PULSE_SECONDS = 60;
const PPM = 1_000_000;
const SECONDS_PER_MINUTE = 60n;
const SECONDS_PER_MINUTE_PPM = SECONDS_PER_MINUTE * BigInt(PPM);
/** In micros, by the number of decimals. */
const ROUNDING_UNITS = [1_000_000n, 100_000n, 10_000n, 1_000n, 100n, 10n, 1n];

/** Fills in what a rate leaves out: no minimum is 60 s, no increment or 0 is 60 s, no grace or discount is none. */
export function toPriceTerms(rate: {
  readonly perMinute: Micros;
  readonly surcharge?: Micros | undefined;
  readonly minimumSeconds?: number | undefined;
  readonly incrementSeconds?: number | undefined;
  readonly graceSeconds?: number | undefined;
  readonly discountPpm?: number | undefined;
  readonly rounding?: Rounding | undefined;
}): PriceTerms {
  const discountPpm = rate.discountPpm ?? 0;
  assert(isWhole(discountPpm) && discountPpm <= PPM, 'a discount is 0 to 100 %');
  const surcharge = rate.surcharge ?? ZERO_MICROS;
  assert(rate.perMinute >= 0n && surcharge >= 0n, 'a price is not negative');
  const minimumSeconds = rate.minimumSeconds ?? DEFAULT_PULSE_SECONDS;
  const incrementSeconds = rate.incrementSeconds ?? 0;
  const graceSeconds = rate.graceSeconds ?? 0;
  assert(
    isWhole(minimumSeconds) && isWhole(incrementSeconds) && isWhole(graceSeconds),
    'pulses and grace are whole seconds',
  );
  return {
    surcharge,
    perMinute: rate.perMinute,
    minimumSeconds,
    incrementSeconds: incrementSeconds === 0 ? DEFAULT_PULSE_SECONDS : incrementSeconds,
    graceSeconds,
    discountPpm,
    rounding: rate.rounding ?? DEFAULT_ROUNDING,
  };
}

function isWhole(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

/** The length of the pulse paid for at answer: the minimum, or an increment where the minimum is 0 (ruling 9). */
export function firstPulseSeconds(terms: PulseSeconds): number {
  return terms.minimumSeconds === 0 ? terms.incrementSeconds : terms.minimumSeconds;
}

/** The seconds that are paid for when `pulses` pulses have begun; `pulses` ≥ 1. */
export function paidSeconds(terms: Pulses, pulses: number): number {
  const { next } = terms;
  if (next !== undefined && pulses > next.afterPulses) {
    return secondsBeforeNext(terms) + paidSeconds(next.terms, pulses - next.afterPulses);
  }
  return firstPulseSeconds(terms) + (pulses - 1) * terms.incrementSeconds;
}

/** The inverse of `paidSeconds(terms, pulses)`. */
export function pulsesPaid(terms: Pulses, seconds: number): number {
  const { next } = terms;
  if (next !== undefined && seconds > secondsBeforeNext(terms)) {
    return next.afterPulses + pulsesPaid(next.terms, seconds - secondsBeforeNext(terms));
  }
  return 1 + Math.round((seconds - firstPulseSeconds(terms)) / terms.incrementSeconds);
}

/** How many seconds of the talk have these terms' own rate. */
export function secondsBeforeNext(terms: Pulses): number {
  if (terms.next === undefined) return Number.POSITIVE_INFINITY;
  return firstPulseSeconds(terms) + (terms.next.afterPulses - 1) * terms.incrementSeconds;
}

/** How many pulses have begun after `elapsedMs` of talk. A pulse begins at the instant the one before it ends. */
export function pulsesBegun(terms: Pulses, elapsedMs: number): number {
  const { next } = terms;
  if (next !== undefined && elapsedMs >= secondsBeforeNext(terms) * 1000) {
    return next.afterPulses + pulsesBegun(next.terms, elapsedMs - secondsBeforeNext(terms) * 1000);
  }
  const firstMs = firstPulseSeconds(terms) * 1000;
  if (elapsedMs < firstMs) return 1;
  return 2 + Math.floor((elapsedMs - firstMs) / (terms.incrementSeconds * 1000));
}

/** The seconds charged for `billedSeconds` of talk: 0 within the grace, else whole pulses. */
export function chargedSeconds(terms: Pulses, billedSeconds: number): number {
  if (billedSeconds <= 0 || billedSeconds <= terms.graceSeconds) return 0;
  if (terms.next !== undefined && billedSeconds > secondsBeforeNext(terms)) {
    const before = secondsBeforeNext(terms);
    return before + chargedSeconds(terms.next.terms, billedSeconds - before);
  }
  const first = firstPulseSeconds(terms);
  if (billedSeconds <= first) return first;
  return first + Math.ceil((billedSeconds - first) / terms.incrementSeconds) * terms.incrementSeconds;
}

/** The price of so many charged seconds, rounded once for each rate. Zero seconds cost nothing, the surcharge included. */
export function priceOfCharged(terms: PriceTerms, charged: number): Micros {
  if (charged === 0) return ZERO_MICROS;
  if (terms.next !== undefined && charged > secondsBeforeNext(terms)) {
    const before = secondsBeforeNext(terms);
    return toMicros(priceOfCharged(terms, before) + priceOfCharged(terms.next.terms, charged - before));
  }
  const { surcharge, perMinute, discountPpm, rounding } = terms;
  const exact = surcharge * SECONDS_PER_MINUTE + perMinute * BigInt(charged);
  // Without a discount the numbers are smaller, and most prices are without one.
  if (discountPpm === 0) return roundQuotient(exact, SECONDS_PER_MINUTE, rounding);
  return roundQuotient(exact * BigInt(PPM - discountPpm), SECONDS_PER_MINUTE_PPM, rounding);
}

/** DESIGN 5, whole: the price of `billedSeconds` of talk. */
export function priceOf(terms: PriceTerms, billedSeconds: number): Micros {
  return priceOfCharged(terms, chargedSeconds(terms, billedSeconds));
}

/** What a leg commits when `pulses` pulses have begun (ruling 6): the price at that many pulses, rounding included. */
export function commitmentOf(terms: PriceTerms, pulses: number): Micros {
  return priceOfCharged(terms, paidSeconds(terms, pulses));
}

/** What a call that was paid for otherwise goes on by in its middle: it has begun, so no surcharge, minimum or grace. */
export function continuationOf(terms: PriceTerms): PriceTerms {
  return { ...terms, surcharge: ZERO_MICROS, minimumSeconds: 0, graceSeconds: 0 };
}

/** Whether they make the same price of every call. */
export function areSameTerms(one: PriceTerms, other: PriceTerms): boolean {
  return (
    one.surcharge === other.surcharge &&
    one.perMinute === other.perMinute &&
    one.minimumSeconds === other.minimumSeconds &&
    one.incrementSeconds === other.incrementSeconds &&
    one.graceSeconds === other.graceSeconds &&
    one.discountPpm === other.discountPpm &&
    one.rounding.mode === other.rounding.mode &&
    one.rounding.decimals === other.rounding.decimals
  );
}

/** The smallest amount the rounding can tell apart. */
export function roundingUnit(rounding: Rounding): bigint {
  const unit = ROUNDING_UNITS[rounding.decimals];
  assert(unit !== undefined, 'money has 0 to 6 decimals');
  return unit;
}

function roundQuotient(dividend: bigint, divisor: bigint, rounding: Rounding): Micros {
  const unit = roundingUnit(rounding);
  const scaled = divisor * unit;
  switch (rounding.mode) {
    case 'up':
      return toMicros(divCeil(dividend, scaled) * unit);
    case 'down':
      return toMicros(divFloor(dividend, scaled) * unit);
    case 'half_up':
      return toMicros(divFloor(2n * dividend + scaled, 2n * scaled) * unit);
    default:
      return assertNever(rounding.mode, 'rounding');
  }
}
