import { assert } from '../units/assert.ts';
import { toMicros } from '../units/money.ts';
import type { PriceTerms, Rounding } from './price.ts';

const MODES: readonly Rounding['mode'][] = ['up', 'down', 'half_up'];

const AMOUNT = /^-?\d{1,16}$/;

/**
 * Price terms as one short text, for Redis and SQL: surcharge, per-minute price (both in micros), minimum,
 * increment, grace (seconds), discount (ppm), rounding mode and decimals, separated by commas; and where another rate
 * takes over, a semicolon, the pulses before it, and its terms behind another.
 */
export function formatTerms(terms: PriceTerms): string {
  const { rounding, next } = terms;
  const own = [
    terms.surcharge,
    terms.perMinute,
    terms.minimumSeconds,
    terms.incrementSeconds,
    terms.graceSeconds,
    terms.discountPpm,
    rounding.mode,
    rounding.decimals,
  ].join(',');
  return next === undefined ? own : `${own};${next.afterPulses};${formatTerms(next.terms)}`;
}

/** Reads back what `formatTerms` wrote; anything else is a broken promise of our own stores. */
export function parseTerms(text: string): PriceTerms {
  const [own = '', afterPulses, ...later] = text.split(';');
  const [surcharge, perMinute, minimum, increment, grace, discount, mode, decimals] = own.split(',');
  const roundingMode = MODES.find((known) => known === mode);
  assert(
    AMOUNT.test(surcharge ?? '') && AMOUNT.test(perMinute ?? '') && roundingMode !== undefined,
    `price terms read "${text}"`,
  );
  return {
    surcharge: toMicros(BigInt(surcharge ?? '')),
    perMinute: toMicros(BigInt(perMinute ?? '')),
    minimumSeconds: toCount(minimum),
    incrementSeconds: toCount(increment),
    graceSeconds: toCount(grace),
    discountPpm: toCount(discount),
    rounding: { mode: roundingMode, decimals: toCount(decimals) },
    ...(afterPulses === undefined
      ? {}
      : { next: { afterPulses: toCount(afterPulses), terms: parseTerms(later.join(';')) } }),
  };
}

function toCount(text: string | undefined): number {
  const count = Number.parseInt(text ?? '', 10);
  assert(Number.isSafeInteger(count) && count >= 0, `a count in price terms reads "${text}"`);
  return count;
}
