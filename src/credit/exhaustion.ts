import { commitmentOf, paidSeconds, pulsesBegun } from '../rating/price.ts';
import type { LegKey } from '../units/ids.ts';
import { toEpochMs, type EpochMs } from '../units/time.ts';
import { fundsOf, paidUntil, totalCommittedAt, type PayerLeg, type Wallet } from './wallet.ts';

/** A leg whose next pulse could not be paid, and the instant its paid time ends. */
export type Exhausted = { readonly legKey: LegKey; readonly endsAt: EpochMs; readonly paidSeconds: number };

export type Advanced = {
  /** The wallet at `until`, its exhausted legs ended. */
  readonly wallet: Wallet;
  readonly exhausted: readonly Exhausted[];
};

/** Steps taken pulse by pulse after an overrun, per leg, before bisecting again: most legs of a wallet fail close together. */
const STEPS_PER_LEG = 4;
/** No call lasts longer than this; a wallet that outlives it has no cutoff worth a timer. */
const HORIZON_MS = 366 * 86_400_000;

/**
 * Lets time pass: every pulse that begins up to and including `until` is paid in order of its start, then answer
 * time, then key (ruling 10), or its leg ends there. With nothing due this is one sum.
 */
export function advance(wallet: Wallet, until: EpochMs): Advanced {
  return run(wallet, until, 'all-due');
}

/** The first instant after `wallet.at` at which a leg cannot pay its pulse; undefined when none fails within a year. */
export function nextCutoff(wallet: Wallet): EpochMs | undefined {
  return run(wallet, toEpochMs(wallet.at + HORIZON_MS), 'first').exhausted[0]?.endsAt;
}

function run(start: Wallet, until: EpochMs, extent: 'first' | 'all-due'): Advanced {
  const funds = fundsOf(start);
  const legs = new Map(start.legs.map((leg) => [leg.legKey, leg]));
  const exhausted: Exhausted[] = [];
  let from = start.at;
  while (legs.size > 0) {
    const overrun = firstOverrun([...legs.values()], funds, from, until);
    if (overrun === undefined) break;
    const stretch = { funds, from: toEpochMs(overrun - 1), until, policy: start.policy, extent };
    from = payPulses(legs, stretch, exhausted);
    if (extent === 'first' && exhausted.length > 0) break;
  }
  const at = until > start.at ? until : start.at;
  return { wallet: { ...start, at, legs: [...legs.values()] }, exhausted };
}

/** The least instant in (from, until] at which the commitments exceed the funds, by bisection over whole milliseconds. */
function firstOverrun(
  legs: readonly PayerLeg[],
  funds: bigint,
  from: EpochMs,
  until: EpochMs,
): EpochMs | undefined {
  const within = (at: number): boolean => totalCommittedAt(legs, toEpochMs(at)) <= funds;
  if (until <= from) return undefined;
  // Gallop first: the overrun is usually near, and the sum over a year is no dearer than over a second.
  let low: number = from;
  let high = from + 1000;
  while (high < until && within(high)) {
    low = high;
    high = from + (high - from) * 2;
  }
  if (high >= until) {
    high = until;
    if (within(high)) return undefined;
  }
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (within(middle)) low = middle;
    else high = middle;
  }
  return toEpochMs(high);
}

type Stretch = {
  readonly funds: bigint;
  readonly from: EpochMs;
  readonly until: EpochMs;
  readonly policy: Wallet['policy'];
  readonly extent: 'first' | 'all-due';
};

/** Pays pulse after pulse from just before an overrun, for a bounded number of steps. Returns how far it came. */
function payPulses(legs: Map<LegKey, PayerLeg>, stretch: Stretch, exhausted: Exhausted[]): EpochMs {
  let total: bigint = totalCommittedAt([...legs.values()], stretch.from);
  const queue = createPulseQueue([...legs.values()], stretch.from);
  let steps = legs.size * STEPS_PER_LEG + 1;
  let reached = stretch.from;
  for (;;) {
    const pulse = queue.peek();
    if (pulse === undefined || pulse.startsAt > stretch.until) return stretch.until;
    // Pulses of one instant belong together: stop only between instants.
    if (steps <= 0 && pulse.startsAt > reached) return reached;
    steps -= 1;
    reached = pulse.startsAt;
    queue.pop();
    const { terms } = pulse.leg;
    const step = commitmentOf(terms, pulse.number) - commitmentOf(terms, pulse.number - 1);
    // A pulse that costs nothing is never refused, even where an operator took away money already committed.
    if (step === 0n || total + step <= stretch.funds) {
      total += step;
      queue.push(nextPulse(pulse.leg, pulse.answeredAt, pulse.number));
    } else if (stretch.policy === 'all') {
      endAll(legs, pulse.startsAt, exhausted);
      return stretch.until;
    } else {
      end(legs, pulse.leg, pulse.answeredAt, paidSeconds(terms, pulse.number - 1), pulse.startsAt, exhausted);
      if (stretch.extent === 'first') return stretch.until;
    }
  }
}

function end(
  legs: Map<LegKey, PayerLeg>,
  leg: PayerLeg,
  answeredAt: EpochMs,
  paid: number,
  endsAt: EpochMs,
  exhausted: Exhausted[],
): void {
  legs.set(leg.legKey, { ...leg, state: { kind: 'ended', answeredAt, paidSeconds: paid } });
  exhausted.push({ legKey: leg.legKey, endsAt, paidSeconds: paid });
}

/** cnxcc's way: at the first pulse nobody can pay, every running leg ends, and none gets a pulse that begins then. */
function endAll(legs: Map<LegKey, PayerLeg>, at: EpochMs, exhausted: Exhausted[]): void {
  for (const leg of legs.values()) {
    if (leg.state.kind !== 'running') continue;
    const { answeredAt } = leg.state;
    const pulses = pulsesBegun(leg.terms, at - 1 - answeredAt);
    end(legs, leg, answeredAt, paidSeconds(leg.terms, pulses), at, exhausted);
  }
}

type Pulse = {
  readonly leg: PayerLeg;
  readonly answeredAt: EpochMs;
  readonly number: number;
  readonly startsAt: EpochMs;
};

function nextPulse(leg: PayerLeg, answeredAt: EpochMs, pulsesPaid: number): Pulse {
  return { leg, answeredAt, number: pulsesPaid + 1, startsAt: paidUntil(leg.terms, answeredAt, pulsesPaid) };
}

function before(a: Pulse, b: Pulse): boolean {
  if (a.startsAt !== b.startsAt) return a.startsAt < b.startsAt;
  if (a.answeredAt !== b.answeredAt) return a.answeredAt < b.answeredAt;
  return a.leg.legKey < b.leg.legKey;
}

type PulseQueue = {
  peek(): Pulse | undefined;
  pop(): void;
  push(pulse: Pulse): void;
};

/** A binary heap of each running leg's next pulse that begins after `from`; a leg whose price never grows has none. */
function createPulseQueue(legs: readonly PayerLeg[], from: EpochMs): PulseQueue {
  const heap: Pulse[] = [];
  const at = (index: number): Pulse => heap[index] as Pulse;
  const swap = (i: number, j: number): void => {
    const kept = at(i);
    heap[i] = at(j);
    heap[j] = kept;
  };
  const queue: PulseQueue = {
    peek: () => heap[0],
    push(pulse) {
      heap.push(pulse);
      let child = heap.length - 1;
      while (child > 0) {
        const parent = (child - 1) >> 1;
        if (!before(at(child), at(parent))) return;
        swap(child, parent);
        child = parent;
      }
    },
    pop() {
      const last = heap.pop();
      if (last === undefined || heap.length === 0) return;
      heap[0] = last;
      for (let parent = 0; ;) {
        const left = 2 * parent + 1;
        if (left >= heap.length) return;
        const child = left + 1 < heap.length && before(at(left + 1), at(left)) ? left + 1 : left;
        if (!before(at(child), at(parent))) return;
        swap(child, parent);
        parent = child;
      }
    },
  };
  for (const leg of legs) {
    if (leg.state.kind !== 'running' || leg.terms.perMinute === 0n) continue;
    const { answeredAt } = leg.state;
    queue.push(nextPulse(leg, answeredAt, pulsesBegun(leg.terms, from - answeredAt)));
  }
  return queue;
}
