import { divFloor, parseMicros } from '../units/money.ts';
import { toPriceTerms, type PriceTerms } from './price.ts';
import type { Rate, TariffVersion } from './rate.ts';

const PPM_MAX = 1_000_000n;
const MICROS_OF_PERCENT_PER_PPM = 100n;

/** What a leg is priced by: the rate, the rounding of its tariff's version, and the account's discount. */
export function termsOf(
  version: Pick<TariffVersion, 'rounding'>,
  rate: Rate,
  discountPpm: number,
): PriceTerms {
  return toPriceTerms({ ...rate, discountPpm, rounding: version.rounding });
}

/** Reads a percentage such as `"10"` or `"12.5"`, 0 to 100 with at most four decimals, as millionths. */
export function parseDiscountPpm(text: string): number | undefined {
  const percent = parseMicros(text);
  if (percent === undefined || percent < 0n || percent % MICROS_OF_PERCENT_PER_PPM !== 0n) return undefined;
  const ppm = divFloor(percent, MICROS_OF_PERCENT_PER_PPM);
  return ppm <= PPM_MAX ? Number(ppm) : undefined;
}
