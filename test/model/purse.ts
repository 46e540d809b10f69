import type { PriceTerms } from '../../src/rating/price.ts';
import { naivePrice } from '../credit/naive-wallet.ts';

/** What one leg draws from one purse. */
export type Draw = {
  readonly key: string;
  readonly terms: PriceTerms;
  /** So much must be there to let it through, where its first pulse is less; and is kept for it until the answer. */
  readonly atLeast: bigint;
  /** Counted, and never refused or ended here. */
  readonly isForced: boolean;
  /** Undefined: it rings. */
  answeredAt: number | undefined;
  pulses: number;
  /** When its next pulse could not be paid. */
  endedAt: number | undefined;
};

/** A second of an allotment, in the millionths that all is counted in. */
export const SECOND = 1_000_000n;

/**
 * Something that is used up pulse by pulse (DESIGN 6 and 7): the money of a wallet, which stays; the seconds of an
 * allotment and what may be spent in a window, which are given anew in each cycle. What is used is summed up anew at
 * every question.
 */
export class Purse {
  readonly draws = new Map<string, Draw>();
  /** Money: balance and allowed postpay. Otherwise: what a cycle gives. */
  amount: bigint;
  policy: 'unpaid' | 'all' = 'unpaid';
  readonly #counts: 'money' | 'seconds' | 'pulses';
  readonly #cycleStart: (at: number) => number;
  /** What finished calls have used, and when they were settled. */
  #finished: { readonly at: number; readonly amount: bigint }[] = [];

  constructor(
    amount: bigint,
    counts: 'money' | 'seconds' | 'pulses',
    cycleStart: (at: number) => number = () => -Infinity,
  ) {
    this.amount = amount;
    this.#counts = counts;
    this.#cycleStart = cycleStart;
  }

  /** What nobody has used or been promised in the cycle of that moment. */
  left(now: number): bigint {
    const start = this.#cycleStart(now);
    let used = 0n;
    for (const { at, amount } of this.#finished) if (at >= start) used += amount;
    for (const draw of this.draws.values()) used += this.#since(start, draw, committed(draw));
    return this.amount - used;
  }

  /** What all its draws have been promised. */
  promised(): bigint {
    let sum = 0n;
    for (const draw of this.draws.values()) sum += committed(draw);
    return sum;
  }

  /** What costs nothing is never refused. */
  hasFor(terms: PriceTerms, atLeast: bigint, now: number): boolean {
    const needed = larger(naivePrice(terms, firstPulse(terms)), atLeast);
    return needed === 0n || needed <= this.left(now);
  }

  hold(key: string, terms: PriceTerms, { atLeast = 0n, isForced = false } = {}): void {
    const state = { answeredAt: undefined, pulses: 1, endedAt: undefined };
    this.draws.set(key, { key, terms, atLeast, isForced, ...state });
  }

  /** The next pulse that begins. Of two at one instant: the talk that was answered first, then the lower key. */
  next(): { readonly draw: Draw; readonly at: number } | undefined {
    let first: { draw: Draw; at: number } | undefined;
    for (const draw of this.draws.values()) {
      if (draw.answeredAt === undefined || draw.endedAt !== undefined) continue;
      const at = draw.answeredAt + paidSeconds(draw) * 1000;
      if (first === undefined || at < first.at || (at === first.at && isBefore(draw, first.draw))) {
        first = { draw, at };
      }
    }
    return first;
  }

  /** Pays the pulse that begins now; or ends the draw there, and with it what the policy says. */
  pay(draw: Draw, now: number): void {
    const before = this.left(now);
    draw.pulses += 1;
    const after = this.left(now);
    if (draw.isForced || after >= 0n || after >= before) return;
    draw.pulses -= 1;
    for (const each of this.policy === 'all' ? this.draws.values() : [draw]) {
      if (each.answeredAt !== undefined) each.endedAt ??= now;
    }
  }

  /** The price of so many seconds takes the place of what was promised. */
  settle(key: string, billedSeconds: number, now: number): bigint {
    const draw = this.draws.get(key);
    if (draw === undefined) return 0n;
    const price = priceFor(draw.terms, billedSeconds);
    this.draws.delete(key);
    if (this.#counts === 'money') this.amount -= price;
    else this.#finished.push({ at: now, amount: this.#since(this.#cycleStart(now), draw, price) });
    return price;
  }

  /**
   * The part of a use that belongs to the cycle that began then (ruling 22): money counts where its pulse starts, and
   * seconds where they are spoken, so that those paid for and not yet spoken come along.
   */
  #since(start: number, draw: Draw, total: bigint): bigint {
    const { answeredAt, terms } = draw;
    if (answeredAt === undefined || answeredAt >= start) return total;
    let begun = 1;
    while (begun < draw.pulses && answeredAt + secondsOf(terms, begun) * 1000 < start) begun += 1;
    const paid = naivePrice(terms, secondsOf(terms, begun));
    const spoken = BigInt(Math.ceil((start - answeredAt) / 1000)) * SECOND;
    const before = this.#counts === 'seconds' && spoken < paid ? spoken : paid;
    return total > before ? total - before : 0n;
  }
}

/** The seconds that its pulses have paid for. */
export function paidSeconds({ terms, pulses }: Draw): number {
  return secondsOf(terms, pulses);
}

/** The minimum, or an increment where there is none (ruling 9). */
export function firstPulse({ minimumSeconds, incrementSeconds }: PriceTerms): number {
  return minimumSeconds === 0 ? incrementSeconds : minimumSeconds;
}

/** What so many seconds are charged as: nothing within the grace, else whole pulses. */
export function chargedFor(terms: PriceTerms, billedSeconds: number): number {
  if (billedSeconds === 0 || billedSeconds <= terms.graceSeconds) return 0;
  let pulses = 1;
  while (secondsOf(terms, pulses) < billedSeconds) pulses += 1;
  return secondsOf(terms, pulses);
}

export function priceFor(terms: PriceTerms, billedSeconds: number): bigint {
  return naivePrice(terms, chargedFor(terms, billedSeconds));
}

function secondsOf(terms: PriceTerms, pulses: number): number {
  return firstPulse(terms) + (pulses - 1) * terms.incrementSeconds;
}

function committed(draw: Draw): bigint {
  const paid = naivePrice(draw.terms, paidSeconds(draw));
  return draw.answeredAt === undefined ? larger(paid, draw.atLeast) : paid;
}

function isBefore(one: Draw, other: Draw): boolean {
  const [first = 0, second = 0] = [one.answeredAt, other.answeredAt];
  return first < second || (first === second && one.key < other.key);
}

function larger(one: bigint, other: bigint): bigint {
  return one > other ? one : other;
}
