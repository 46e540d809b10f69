import { firstPulseSeconds, type PriceTerms } from '../rating/price.ts';
import type { Quote } from '../rating/quote.ts';
import { formatMicros, type Micros } from '../units/money.ts';

export function termsJson(terms: PriceTerms): Readonly<Record<string, unknown>> {
  return {
    perMinute: formatMicros(terms.perMinute),
    surcharge: formatMicros(terms.surcharge),
    minimumSeconds: terms.minimumSeconds,
    incrementSeconds: terms.incrementSeconds,
    graceSeconds: terms.graceSeconds,
    discountPercent: percent(terms),
    rounding: terms.rounding,
  };
}

/** How talk comes to be charged: `48 s for 45 s: 4 pulses (30 s + 3 × 6 s)`. */
export function chargedInWords(
  terms: PriceTerms,
  { billedSeconds, chargedSeconds, pulses }: Omit<Quote, 'price'> & { readonly billedSeconds: number },
): string {
  if (pulses === 0) return `nothing: ${billedSeconds} s is within the grace of ${terms.graceSeconds} s`;
  const further = pulses === 1 ? '' : ` + ${pulses - 1} × ${terms.incrementSeconds} s`;
  const word = pulses === 1 ? 'pulse' : 'pulses';
  return `${chargedSeconds} s for ${billedSeconds} s: ${pulses} ${word} (${firstPulseSeconds(terms)} s${further})`;
}

/** The whole calculation, so that anybody can do it again. */
export function sumInWords(terms: PriceTerms, chargedSeconds: number, price: Micros): string {
  const { surcharge, perMinute, discountPpm, rounding } = terms;
  const discount = discountPpm === 0 ? '' : ` × (1 − ${percent(terms)} %)`;
  const sum = `(${formatMicros(surcharge)} + ${formatMicros(perMinute)} × ${chargedSeconds} / 60)${discount}`;
  return `${chargedSeconds === 0 ? 'no pulse' : sum} = ${formatMicros(price)}, rounded ${rounding.mode} to ${rounding.decimals} decimals`;
}

/** Millionths as the percentage that was typed: 125000 is 12.5. */
function percent({ discountPpm }: PriceTerms): string {
  return `${discountPpm / 10_000}`;
}
