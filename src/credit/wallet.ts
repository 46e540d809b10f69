import {
  commitmentOf,
  firstPulseSeconds,
  paidSeconds,
  pulsesBegun,
  pulsesPaid,
  roundingUnit,
} from '../rating/price.ts';
import type { PriceTerms } from '../rating/price.ts';
import type { LegKey, PoolId } from '../units/ids.ts';
import { divCeil, toMicros, ZERO_MICROS, type Micros } from '../units/money.ts';
import type { EpochMs } from '../units/time.ts';

/** What one leg owes one wallet. Answer times are of Redis's clock. */
export type PayerLeg = {
  readonly legKey: LegKey;
  readonly terms: PriceTerms;
  readonly state: PayerLegState;
  /** What it had used when its wallet was refilled: that counts in an earlier cycle. */
  readonly usedBefore?: Micros;
  /** Counted here and never refused or ended here: what pays for it is another allotment, which this one counts too. */
  readonly isForced?: true;
};

/**
 * held → running at the answer → ended when the next pulse could not be paid. An ended leg is charged at most
 * `paidSeconds`, however late its hang-up lands; any of these leaves the wallet at its settlement. It is to be
 * hung up at `endsAt`: where the paid seconds end, or before, where the wallet's policy ended all its legs. `passed`:
 * it ended here and goes on by another wallet.
 */
export type PayerLegState =
  /** `amount`: where more must be there to admit it than its first pulse takes. */
  | { readonly kind: 'held'; readonly amount?: Micros }
  | { readonly kind: 'running'; readonly answeredAt: EpochMs }
  | {
      readonly kind: 'ended' | 'passed';
      readonly answeredAt: EpochMs;
      readonly paidSeconds: number;
      readonly endsAt: EpochMs;
    };

/** What happens to the other paid legs when one cannot pay its next pulse (DESIGN 2, `onExhaustion`). */
export type ExhaustionPolicy = 'unpaid' | 'all';

/**
 * A wallet and every leg that spends it, as read at one instant. Invariant: all pulses begun by `at` are paid. What is
 * left of an allotment or of a spend window is a wallet too: of seconds, a million micros each, or of money.
 */
export type Wallet = {
  readonly account: PoolId;
  readonly balance: Micros;
  /** How far below zero the balance may go: the allowed postpay, not negative. */
  readonly credit: Micros;
  readonly policy: ExhaustionPolicy;
  readonly at: EpochMs;
  readonly legs: readonly PayerLeg[];
  /** Undefined: money, which stays. */
  readonly refill?: Refill;
  /** It is there only while calls draw on it. */
  readonly opened?: Opened;
};

/** A customer's pool: opened by the first of his calls, raised by later ones, closed by the end of the last (ruling 23). */
export type Opened = {
  /** All that ever came in. */
  readonly amount: Micros;
  /** Unlike that of any other pool, of this name or another. */
  readonly serial: string;
};

/** An allotment or a spend window is filled anew when its cycle ends; what was left of the old one is gone. */
export type Refill = {
  /** What it was filled with. */
  readonly amount: Micros;
  readonly endsAt: EpochMs;
  /** Seconds count in the cycle in which they are spoken, money in the one in which its pulse starts (ruling 22). */
  readonly counts: 'seconds' | 'pulses';
  /** The cycle of a moment, as the account's limits have it now. */
  readonly cycleAt: (at: EpochMs) => RefillCycle;
};

export type RefillCycle = { readonly amount: Micros; readonly startsAt: EpochMs; readonly endsAt: EpochMs };

/** What a leg commits at a moment: a function of time, never a write (ruling 6). */
export function committedAt(leg: PayerLeg, at: EpochMs): Micros {
  switch (leg.state.kind) {
    case 'held':
      return heldAmount(leg);
    case 'running':
      return inThisCycle(leg, commitmentOf(leg.terms, pulsesBegun(leg.terms, at - leg.state.answeredAt)));
    case 'ended':
    case 'passed':
      return inThisCycle(leg, commitmentOf(leg.terms, pulsesPaid(leg.terms, leg.state.paidSeconds)));
  }
}

/** What must be there for the leg to be admitted: its first pulse, or more. */
export function heldAmount({ terms, state }: PayerLeg): Micros {
  const first = commitmentOf(terms, 1);
  return state.kind === 'held' && state.amount !== undefined && state.amount > first ? state.amount : first;
}

/** What of a leg's whole use counts in the wallet's present cycle. */
export function inThisCycle({ usedBefore }: PayerLeg, used: Micros): Micros {
  if (usedBefore === undefined) return used;
  return used > usedBefore ? toMicros(used - usedBefore) : ZERO_MICROS;
}

export function totalCommittedAt(legs: readonly PayerLeg[], at: EpochMs): Micros {
  let sum = 0n;
  for (const leg of legs) sum += committedAt(leg, at);
  return toMicros(sum);
}

/** Balance + allowed postpay: what commitments may add up to. */
export function fundsOf(wallet: Pick<Wallet, 'balance' | 'credit'>): Micros {
  return toMicros(wallet.balance + wallet.credit);
}

/** Ruling 26: available = balance + postpay − committed. */
export function availableAt(wallet: Wallet, at: EpochMs): Micros {
  return toMicros(fundsOf(wallet) - totalCommittedAt(wallet.legs, at));
}

/** When the pulse after the `pulses`-th begins: the end of what those pulses paid for. */
export function paidUntil(terms: PriceTerms, answeredAt: EpochMs, pulses: number): EpochMs {
  return (answeredAt + paidSeconds(terms, pulses) * 1000) as EpochMs;
}

/**
 * A straight line that a leg's commitment never exceeds: `intercept + perMinute · elapsed`, elapsed from the
 * answer. It lets a script test a whole wallet in constant time; only the exact sum may refuse (ruling 6).
 */
export type LinearBound = { readonly intercept: Micros; readonly perMinute: Micros };

export function upperBound(terms: PriceTerms): LinearBound {
  let perMinute = 0n;
  let fixed = 0n;
  let longestSeconds = 0;
  for (let part: PriceTerms | undefined = terms; part !== undefined; part = part.next?.terms) {
    const keptPpm = 1_000_000n - BigInt(part.discountPpm);
    const kept = divCeil(part.perMinute * keptPpm, 1_000_000n);
    if (kept > perMinute) perMinute = kept;
    // Rounding adds less than one unit, for each rate.
    fixed += divCeil(part.surcharge * keptPpm, 1_000_000n) + roundingUnit(part.rounding);
    longestSeconds = Math.max(longestSeconds, firstPulseSeconds(part), part.incrementSeconds);
  }
  // After e seconds at most e + the longest pulse is paid for.
  const ahead = divCeil(perMinute * BigInt(longestSeconds), 60n);
  return { intercept: toMicros(fixed + ahead), perMinute: toMicros(perMinute) };
}
