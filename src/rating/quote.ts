import { assert, assertNever } from '../units/assert.ts';
import { divCeil, divFloor, toMicros, type Micros } from '../units/money.ts';
import {
  chargedSeconds,
  commitmentOf,
  firstPulseSeconds,
  paidSeconds,
  priceOfCharged,
  pulsesPaid,
  roundingUnit,
  secondsBeforeNext,
  type PriceTerms,
} from './price.ts';

/** What so many seconds of talk cost, and how that comes about. */
export type Quote = { readonly chargedSeconds: number; readonly pulses: number; readonly price: Micros };

export type SecondsMode = 'up' | 'down' | 'nearest';

const MICROSECONDS_PER_SECOND = 1_000_000;
const HALF_SECOND_MICROSECONDS = 500_000;
const SECONDS_PER_MINUTE = 60n;
const PPM = 1_000_000n;

/** Thirty-one years: no call lasts longer, and a switch's 32-bit timers still hold it. */
const FUNDED_SECONDS_MAX = 1_000_000_000n;

export function quote(terms: PriceTerms, billedSeconds: number): Quote {
  const charged = chargedSeconds(terms, billedSeconds);
  const pulses = charged === 0 ? 0 : pulsesPaid(terms, charged);
  return { chargedSeconds: charged, pulses, price: priceOfCharged(terms, charged) };
}

/**
 * The seconds so much money alone could ever keep this leg going: the end of the last pulse whose commitment
 * fits, 0 where not even the first one does. A pulse that costs nothing needs nothing, even of an account
 * below zero. `unlimited` where the price never grows, or not within any call's life.
 */
export function fundedSeconds(terms: PriceTerms, available: Micros): number | 'unlimited' {
  const spendable = available > 0n ? available : 0n;
  if (commitmentOf(terms, 1) > spendable) return 0;
  if (terms.next !== undefined) return fundedOverNext(terms, terms.next, toMicros(spendable));
  const paidPpm = PPM - BigInt(terms.discountPpm);
  if (terms.perMinute === 0n || paidPpm === 0n) return 'unlimited';

  // Solve (60·surcharge + perMinute·seconds) · paidPpm ≤ exactMax for seconds, then take whole pulses.
  const sum = divFloor(exactMax(terms, spendable), paidPpm);
  const seconds = divFloor(sum - SECONDS_PER_MINUTE * terms.surcharge, terms.perMinute);
  const furtherSeconds = seconds - BigInt(firstPulseSeconds(terms));
  const furtherPulses = divFloor(furtherSeconds, BigInt(terms.incrementSeconds));
  if (seconds > FUNDED_SECONDS_MAX) return 'unlimited';
  return paidSeconds(terms, 1 + Number(furtherPulses));
}

/** By the first rate to where the next one takes over, if it comes so far, and then by that. */
function fundedOverNext(
  terms: PriceTerms,
  next: NonNullable<PriceTerms['next']>,
  spendable: Micros,
): number | 'unlimited' {
  const before = secondsBeforeNext(terms);
  const left = toMicros(spendable - commitmentOf(terms, next.afterPulses));
  if (left >= commitmentOf(next.terms, 1)) {
    const further = fundedSeconds(next.terms, left);
    return further === 'unlimited' ? further : before + further;
  }
  const { next: _, ...own } = terms;
  const seconds = fundedSeconds(own, spendable);
  return seconds === 'unlimited' ? before : Math.min(before, seconds);
}

/** The largest unrounded price, in micros × 60 × a million, that still rounds to no more than `spendable`. */
function exactMax(terms: PriceTerms, spendable: bigint): bigint {
  const unit = roundingUnit(terms.rounding);
  const wholeUnits = divFloor(spendable, unit) * unit;
  const scale = SECONDS_PER_MINUTE * PPM;
  switch (terms.rounding.mode) {
    case 'up':
      return wholeUnits * scale;
    case 'down':
      return (wholeUnits + unit) * scale - 1n;
    case 'half_up':
      return divCeil((2n * wholeUnits + unit) * scale, 2n) - 1n;
    default:
      return assertNever(terms.rounding.mode, 'rounding');
  }
}

/** FreeSWITCH's exact duration in the whole seconds that are charged (DESIGN 5). */
export function billedSecondsOf(billMicroseconds: number, mode: SecondsMode): number {
  assert(Number.isSafeInteger(billMicroseconds), 'a duration is a whole number of microseconds');
  if (billMicroseconds <= 0) return 0;
  // The remainder first: a quotient of large numbers could round up to the second by itself.
  const remainder = billMicroseconds % MICROSECONDS_PER_SECOND;
  const whole = (billMicroseconds - remainder) / MICROSECONDS_PER_SECOND;
  switch (mode) {
    case 'up':
      return remainder > 0 ? whole + 1 : whole;
    case 'down':
      return whole;
    case 'nearest':
      return remainder >= HALF_SECOND_MICROSECONDS ? whole + 1 : whole;
    default:
      return assertNever(mode, 'mode of seconds');
  }
}
