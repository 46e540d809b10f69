import { commitmentOf, pulsesBegun, type PriceTerms } from '../rating/price.ts';
import { createHeap } from '../units/heap.ts';
import type { EpochMs } from '../units/time.ts';
import { paidUntil, type PayerLeg } from './wallet.ts';

/** A pulse that costs something, and what. Pulses in between that rounding makes free are passed over. */
export type Pulse = {
  readonly leg: PayerLeg;
  readonly answeredAt: EpochMs;
  readonly number: number;
  readonly startsAt: EpochMs;
  readonly step: bigint;
};

export type PulseQueue = {
  /** The earliest pulse; of one instant the leg answered first, then the lower key (ruling 10). */
  peek(): Pulse | undefined;
  pop(): void;
  /** Puts in the leg's next costly pulse after its `pulses`-th. */
  push(leg: PayerLeg, answeredAt: EpochMs, pulses: number): void;
};

/** No leg pays so many pulses for nothing within any horizon of ours: 2³² one-second pulses are 136 years. */
const FREE_PULSES_MAX = 2 ** 32;

/** Each running leg's next costly pulse that begins after `from`. */
export function createPulseQueue(legs: readonly PayerLeg[], from: EpochMs): PulseQueue {
  const heap = createHeap(before);
  const queue: PulseQueue = {
    peek: () => heap.peek(),
    pop: () => void heap.pop(),
    push(leg, answeredAt, pulses) {
      const number = nextCostlyPulse(leg.terms, pulses);
      if (number === undefined) return;
      const step = commitmentOf(leg.terms, number) - commitmentOf(leg.terms, pulses);
      heap.push({ leg, answeredAt, number, startsAt: paidUntil(leg.terms, answeredAt, number - 1), step });
    },
  };
  for (const leg of legs) {
    if (leg.state.kind !== 'running') continue;
    const { answeredAt } = leg.state;
    queue.push(leg, answeredAt, pulsesBegun(leg.terms, from - answeredAt));
  }
  return queue;
}

/** Usually the next; galloped to and bisected where a small rate meets a coarse rounding. */
function nextCostlyPulse(terms: PriceTerms, pulses: number): number | undefined {
  if (isFreeForEver(terms)) return undefined;
  const paid = commitmentOf(terms, pulses);
  const costs = (number: number): boolean => commitmentOf(terms, number) > paid;
  if (costs(pulses + 1)) return pulses + 1;
  let ahead = 2;
  while (!costs(pulses + ahead)) {
    ahead *= 2;
    if (ahead > FREE_PULSES_MAX) return undefined;
  }
  let [free, costly] = [pulses + ahead / 2, pulses + ahead];
  while (costly - free > 1) {
    const middle = Math.floor((free + costly) / 2);
    if (costs(middle)) costly = middle;
    else free = middle;
  }
  return costly;
}

function isFreeForEver({ perMinute, next }: PriceTerms): boolean {
  return perMinute === 0n && (next === undefined || isFreeForEver(next.terms));
}

function before(a: Pulse, b: Pulse): boolean {
  if (a.startsAt !== b.startsAt) return a.startsAt < b.startsAt;
  if (a.answeredAt !== b.answeredAt) return a.answeredAt < b.answeredAt;
  return a.leg.legKey < b.leg.legKey;
}
