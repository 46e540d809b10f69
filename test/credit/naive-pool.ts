import { commitmentOf, priceOf, type PriceTerms } from '../../src/rating/price.ts';
import { naivePaidSeconds } from './naive-wallet.ts';

type Talk = {
  readonly terms: PriceTerms;
  readonly isForced: boolean;
  /** Undefined: it rings, and holds its first pulse. */
  answeredAt: number | undefined;
  pulses: number;
  endsAt: number | undefined;
};

/**
 * An allotment or a spend window in the plainest way: at every pulse of every leg, one after the other in time, all that
 * was used in the cycle of that moment is summed up anew.
 */
export class NaivePool {
  readonly legs = new Map<string, Talk>();
  amount: bigint;
  readonly cycleMs: number;
  readonly counts: 'seconds' | 'pulses';
  now: number;
  #settledNow = 0n;

  constructor(start: number, options: Pick<NaivePool, 'amount' | 'cycleMs' | 'counts'>) {
    this.now = start;
    this.amount = options.amount;
    this.cycleMs = options.cycleMs;
    this.counts = options.counts;
  }

  available(): bigint {
    return this.amount - this.#used();
  }

  hold(key: string, terms: PriceTerms, isForced: boolean): void {
    const leg: Talk = { terms, isForced, answeredAt: undefined, pulses: 1, endsAt: undefined };
    const needed = commitmentOf(terms, 1);
    // What costs nothing is never refused.
    if (isForced || needed === 0n || needed <= this.available()) this.legs.set(key, leg);
  }

  /** When each leg that could not pay ended. */
  ends(): ReadonlyMap<string, number> {
    return new Map(
      [...this.legs].flatMap(([key, { endsAt }]) => (endsAt === undefined ? [] : [[key, endsAt] as const])),
    );
  }

  answer(key: string): void {
    const leg = this.legs.get(key);
    if (leg !== undefined) leg.answeredAt ??= this.now;
  }

  /** What the leg leaves behind in the present cycle. */
  settle(key: string, billedSeconds: number): bigint {
    const leg = this.legs.get(key);
    if (leg === undefined) return 0n;
    const price = leg.answeredAt === undefined ? 0n : this.#inCycle(leg, priceOf(leg.terms, billedSeconds));
    this.legs.delete(key);
    this.#settledNow += price;
    return price;
  }

  paidSeconds(key: string): number | undefined {
    const leg = this.legs.get(key);
    if (leg === undefined) return undefined;
    return naivePaidSeconds(leg.terms, leg.pulses);
  }

  advance(until: number): void {
    for (;;) {
      const next = this.#nextPulse();
      if (next === undefined || next.at > until) break;
      this.#goTo(next.at);
      const before = this.#used();
      next.leg.pulses += 1;
      if (next.leg.isForced || this.#used() <= this.amount || this.#used() <= before) continue;
      next.leg.pulses -= 1;
      next.leg.endsAt = next.at;
    }
    this.#goTo(until);
  }

  #goTo(at: number): void {
    if (this.#cycleStart(at) !== this.#cycleStart(this.now)) this.#settledNow = 0n;
    this.now = Math.max(this.now, at);
  }

  #nextPulse(): { readonly leg: Talk; readonly at: number } | undefined {
    const due = [...this.legs].flatMap(([key, leg]) => {
      if (leg.answeredAt === undefined || leg.endsAt !== undefined) return [];
      const paid = naivePaidSeconds(leg.terms, leg.pulses);
      return [{ key, leg, answeredAt: leg.answeredAt, at: leg.answeredAt + paid * 1000 }];
    });
    due.sort((a, b) => a.at - b.at || a.answeredAt - b.answeredAt || (a.key < b.key ? -1 : 1));
    return due[0];
  }

  #used(): bigint {
    let used = this.#settledNow;
    for (const leg of this.legs.values()) used += this.#inCycle(leg, commitmentOf(leg.terms, leg.pulses));
    return used;
  }

  #inCycle({ terms, answeredAt }: Talk, total: bigint): bigint {
    const start = this.#cycleStart(this.now);
    if (answeredAt === undefined || answeredAt >= start) return total;
    // Pulses that began before the cycle did.
    let begun = 1;
    while (answeredAt + naivePaidSeconds(terms, begun) * 1000 < start) begun += 1;
    const committed = commitmentOf(terms, begun);
    const spoken = BigInt(Math.ceil((start - answeredAt) / 1000)) * 1_000_000n;
    const before = this.counts === 'seconds' && spoken < committed ? spoken : committed;
    return total > before ? total - before : 0n;
  }

  #cycleStart(at: number): number {
    return Math.floor(at / this.cycleMs) * this.cycleMs;
  }
}
