import { assert } from './assert.ts';

/**
 * An amount in millionths of the currency unit. Never a number and never a float. The range is that of an
 * exactly representable double, because Redis scripts compare amounts as doubles.
 */
export type Micros = bigint & { readonly __brand: 'Micros' };

const MICROS_PER_UNIT = 1_000_000n;
const MICROS_MAX = BigInt(Number.MAX_SAFE_INTEGER);
const DECIMAL = /^(-?)(\d{1,12})(?:\.(\d{1,6}))?$/;

/** Brands an integer of millionths; asserts that a double can hold it exactly. */
export function toMicros(value: bigint): Micros {
  assert(value <= MICROS_MAX && value >= -MICROS_MAX, `amount ${value} is out of range`);
  return value as Micros;
}

export const ZERO_MICROS: Micros = toMicros(0n);

/**
 * Reads a decimal string such as `"100.00"` or `"-0.015"`, at most six decimals.
 * Returns undefined for anything else, so that the caller can name the field in its own error.
 */
export function parseMicros(text: string): Micros | undefined {
  const match = DECIMAL.exec(text);
  if (match === null) return undefined;
  const [, sign, whole = '0', fraction = ''] = match;
  const magnitude = BigInt(whole) * MICROS_PER_UNIT + BigInt(fraction.padEnd(6, '0'));
  if (magnitude > MICROS_MAX) return undefined;
  return toMicros(sign === '-' ? -magnitude : magnitude);
}

/** A decimal string with trailing zeros trimmed to at least two decimals: `1.5` → `"1.50"`, `0.117` → `"0.117"`. */
export function formatMicros(amount: Micros): string {
  const magnitude = amount < 0n ? 0n - amount : amount;
  const whole = magnitude / MICROS_PER_UNIT;
  const fraction = (magnitude % MICROS_PER_UNIT).toString().padStart(6, '0');
  const trimmed = fraction.slice(0, 2) + fraction.slice(2).replace(/0+$/, '');
  return `${amount < 0n ? '-' : ''}${whole}.${trimmed}`;
}

export function addMicros(...amounts: readonly Micros[]): Micros {
  let sum = 0n;
  for (const amount of amounts) sum += amount;
  return toMicros(sum);
}

export function subtractMicros(from: Micros, amount: Micros): Micros {
  return toMicros(from - amount);
}

export function negateMicros(amount: Micros): Micros {
  return toMicros(0n - amount);
}

/** The quotient rounded towards +∞. The divisor is positive. */
export function divCeil(dividend: bigint, divisor: bigint): bigint {
  assert(divisor > 0n, 'divCeil wants a positive divisor');
  const quotient = dividend / divisor;
  return dividend % divisor > 0n ? quotient + 1n : quotient;
}

/** The quotient rounded towards −∞. The divisor is positive. */
export function divFloor(dividend: bigint, divisor: bigint): bigint {
  assert(divisor > 0n, 'divFloor wants a positive divisor');
  const quotient = dividend / divisor;
  return dividend % divisor < 0n ? quotient - 1n : quotient;
}
