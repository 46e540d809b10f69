import type { PriceTerms } from '../../src/rating/price.ts';

/** One leg as a plain list of what happened to it. `paidPulses` is 0 until it is held. */
export type NaiveLeg = {
  readonly key: string;
  readonly terms: PriceTerms;
  answeredAt: number | undefined;
  paidPulses: number;
  endsAt: number | undefined;
};

type Talk = { readonly billedSeconds: number; readonly talkMs: number };

/**
 * DESIGN 5 and 6 once more, as slowly and plainly as they read: every pulse is a list entry, time passes pulse by
 * pulse, and nothing is shared with `src/credit`. What the clever code says is held against this.
 */
export class NaiveWallet {
  readonly legs = new Map<string, NaiveLeg>();
  balance: bigint;
  credit: bigint;
  policy: 'unpaid' | 'all';
  now: number;
  charged = 0n;

  constructor(opening: { balance: bigint; credit: bigint; policy: 'unpaid' | 'all'; now: number }) {
    this.balance = opening.balance;
    this.credit = opening.credit;
    this.policy = opening.policy;
    this.now = opening.now;
  }

  get funds(): bigint {
    return this.balance + this.credit;
  }

  get committed(): bigint {
    let sum = 0n;
    for (const leg of this.legs.values()) sum += naiveCommitment(leg.terms, leg.paidPulses);
    return sum;
  }

  get ended(): readonly NaiveLeg[] {
    return [...this.legs.values()].filter((leg) => leg.endsAt !== undefined);
  }

  /** Lets time pass: the earliest pulse first, then the leg answered first, then the lower key. */
  advance(to: number): void {
    for (;;) {
      const next = [...this.legs.values()]
        .filter((leg) => leg.answeredAt !== undefined && leg.endsAt === undefined)
        .map((leg) => ({ leg, at: nextPulseAt(leg) }))
        .filter(({ at }) => at <= to)
        .toSorted(
          (a, b) => a.at - b.at || answered(a.leg) - answered(b.leg) || (a.leg.key < b.leg.key ? -1 : 1),
        )[0];
      if (next === undefined) break;
      if (this.#payNextPulse(next.leg)) continue;
      if (this.policy === 'all') this.#endAll(next.at);
      else next.leg.endsAt = next.at;
    }
    this.now = Math.max(this.now, to);
  }

  /** The legs that run dry next, all at one instant, were nothing else to happen; sorted by key. */
  nextToEnd(horizon: number): readonly (readonly [string, number])[] {
    const copy = new NaiveWallet(this);
    for (const leg of this.legs.values()) copy.legs.set(leg.key, { ...leg });
    copy.advance(horizon);
    const ends = copy.ended
      .filter(({ key }) => this.legs.get(key)?.endsAt === undefined)
      .map(({ key, endsAt = Infinity }) => [key, endsAt] as const);
    const first = Math.min(...ends.map(([, endsAt]) => endsAt));
    return ends.filter(([, endsAt]) => endsAt === first).toSorted(([a], [b]) => (a < b ? -1 : 1));
  }

  hold(key: string, terms: PriceTerms): { available: bigint; needed: bigint } | undefined {
    const needed = naiveCommitment(terms, 1);
    const available = this.funds - this.committed;
    if (needed > 0n && needed > available) return { available, needed };
    this.legs.set(key, { key, terms, answeredAt: undefined, paidPulses: 1, endsAt: undefined });
    return undefined;
  }

  answer(key: string, answeredAt: number): void {
    const leg = this.legs.get(key);
    if (leg === undefined || leg.answeredAt !== undefined) return;
    leg.answeredAt = answeredAt;
    if (this.#catchUp(leg, this.now) || this.policy === 'unpaid') return;
    // Under `all` a leg that is found unable to pay takes the others with it, now that it is known.
    for (const other of this.legs.values()) {
      if (other.answeredAt !== undefined && other.endsAt === undefined) other.endsAt = this.now;
    }
  }

  /** Returns the billed seconds; undefined for a leg it does not have. */
  settle(key: string, talk: Talk): number | undefined {
    if (!this.legs.has(key)) return undefined;
    const billed = this.payable(key, talk);
    this.charge(key, billed);
    return billed;
  }

  /** How much of the talk the leg can pay for. Nothing leaves the wallet yet. */
  payable(key: string, talk: Talk): number {
    const leg = this.legs.get(key);
    if (leg === undefined) return talk.billedSeconds;
    if (leg.endsAt !== undefined) return Math.min(talk.billedSeconds, paidSecondsOf(leg));
    if (talk.talkMs === 0 && talk.billedSeconds === 0) return 0;
    if (naiveCharge(leg.terms, talk.billedSeconds) <= naiveCommitment(leg.terms, leg.paidPulses)) {
      return talk.billedSeconds;
    }
    leg.answeredAt ??= this.now - talk.talkMs;
    const paid = this.#catchUp(leg, Math.max(this.now, leg.answeredAt + talk.talkMs));
    return paid ? talk.billedSeconds : Math.min(talk.billedSeconds, paidSecondsOf(leg));
  }

  /** The price replaces the commitment. */
  charge(key: string, billed: number): bigint {
    const leg = this.legs.get(key);
    if (leg === undefined) return 0n;
    this.legs.delete(key);
    const price = naiveCharge(leg.terms, billed);
    this.balance -= price;
    this.charged += price;
    return price;
  }

  /** Pays the pulses of one leg that began by then; false when one could not be paid and the leg ended there. */
  #catchUp(leg: NaiveLeg, until: number): boolean {
    while (nextPulseAt(leg) <= until) {
      if (this.#payNextPulse(leg)) continue;
      leg.endsAt = nextPulseAt(leg);
      return false;
    }
    return true;
  }

  #payNextPulse(leg: NaiveLeg): boolean {
    const { terms, paidPulses } = leg;
    const step = naiveCommitment(terms, paidPulses + 1) - naiveCommitment(terms, paidPulses);
    if (step > 0n && this.committed + step > this.funds) return false;
    leg.paidPulses += 1;
    return true;
  }

  #endAll(at: number): void {
    for (const leg of this.legs.values()) {
      if (leg.answeredAt === undefined || leg.endsAt !== undefined) continue;
      // A pulse that began at this very instant is not granted.
      while (
        leg.paidPulses > 1 &&
        leg.answeredAt + naivePaidSeconds(leg.terms, leg.paidPulses - 1) * 1000 >= at
      ) {
        leg.paidPulses -= 1;
      }
      leg.endsAt = at;
    }
  }
}

export function paidSecondsOf(leg: NaiveLeg): number {
  return naivePaidSeconds(leg.terms, leg.paidPulses);
}

/** How long so many pulses are, each rate's by itself: the seconds of one after the other. */
function secondsByRate(terms: PriceTerms, pulses: number): readonly (readonly [PriceTerms, number])[] {
  const byRate: [PriceTerms, number][] = [];
  let rate = terms;
  let ofRate = 0;
  for (let pulse = 1; pulse <= pulses; pulse += 1) {
    if (rate.next?.afterPulses === ofRate) [rate, ofRate] = [rate.next.terms, 0];
    const seconds = ofRate === 0 ? firstSeconds(rate) : rate.incrementSeconds;
    ofRate += 1;
    const last = byRate.at(-1);
    if (last?.[0] === rate) last[1] += seconds;
    else byRate.push([rate, seconds]);
  }
  return byRate;
}

export function naivePaidSeconds(terms: PriceTerms, pulses: number): number {
  return secondsByRate(terms, pulses).reduce((sum, [, seconds]) => sum + seconds, 0);
}

export function naiveCommitment(terms: PriceTerms, pulses: number): bigint {
  return secondsByRate(terms, pulses).reduce((sum, [rate, seconds]) => sum + naivePrice(rate, seconds), 0n);
}

/** The price formula of DESIGN 5 on fractions: numerator over 60 · 1,000,000, rounded once. */
export function naivePrice(terms: PriceTerms, charged: number): bigint {
  if (charged === 0) return 0n;
  const numerator =
    (60n * terms.surcharge + terms.perMinute * BigInt(charged)) * BigInt(1_000_000 - terms.discountPpm);
  const unit = 10n ** BigInt(6 - terms.rounding.decimals);
  const denominator = 60_000_000n * unit;
  const whole = numerator / denominator;
  const rest = numerator % denominator;
  const up =
    terms.rounding.mode === 'up'
      ? rest > 0n
      : terms.rounding.mode === 'half_up'
        ? 2n * rest >= denominator
        : false;
  return (up ? whole + 1n : whole) * unit;
}

function naiveCharge(terms: PriceTerms, billed: number): bigint {
  return billed <= terms.graceSeconds ? 0n : naiveCommitment(terms, pulsesFor(terms, billed));
}

function pulsesFor(terms: PriceTerms, billed: number): number {
  if (billed === 0) return 0;
  let pulses = 1;
  while (naivePaidSeconds(terms, pulses) < billed) pulses += 1;
  return pulses;
}

function firstSeconds(terms: PriceTerms): number {
  return terms.minimumSeconds === 0 ? terms.incrementSeconds : terms.minimumSeconds;
}

function answered(leg: NaiveLeg): number {
  return leg.answeredAt ?? Infinity;
}

function nextPulseAt(leg: NaiveLeg): number {
  return answered(leg) + paidSecondsOf(leg) * 1000;
}
