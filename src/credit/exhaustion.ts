import { paidSeconds, pulsesBegun } from '../rating/price.ts';
import { assert } from '../units/assert.ts';
import type { LegKey } from '../units/ids.ts';
import { toEpochMs, type EpochMs } from '../units/time.ts';
import { createPulseQueue } from './pulse-queue.ts';
import { refilled } from './refill.ts';
import { committedAt, fundsOf, totalCommittedAt, type PayerLeg, type Wallet } from './wallet.ts';

/** A leg that ended for want of money, the instant it ends, and the seconds it has paid for. */
export type Exhausted = { readonly legKey: LegKey; readonly endsAt: EpochMs; readonly paidSeconds: number };

export type Advanced = {
  /** The wallet at `until`, its exhausted legs ended. */
  readonly wallet: Wallet;
  readonly exhausted: readonly Exhausted[];
};

/** Steps taken pulse by pulse after an overrun, per leg, before bisecting again: most legs of a wallet fail close together. */
const STEPS_PER_LEG = 4;
const STEPS_PER_LEG_AT_FIRST = 1;
/** No call lasts longer than this; a wallet that outlives it has no cutoff worth a timer. */
const HORIZON_MS = 366 * 86_400_000;

/**
 * Lets time pass: every pulse that begins up to and including `until` is paid in order of its start, then answer
 * time, then key (ruling 10), or its leg ends there. With nothing due this is one sum.
 */
export function advance(start: Wallet, until: EpochMs): Advanced {
  let wallet = start;
  const exhausted: Exhausted[] = [];
  for (let { refill } = wallet; refill !== undefined && refill.endsAt <= until; { refill } = wallet) {
    const old = run(wallet, toEpochMs(refill.endsAt - 1), 'all-due');
    exhausted.push(...old.exhausted);
    wallet = refilled(old.wallet, refill, until);
  }
  const last = run(wallet, until, 'all-due');
  return { wallet: last.wallet, exhausted: [...exhausted, ...last.exhausted] };
}

/** The first instant after `wallet.at` at which a leg cannot pay its pulse; undefined when none fails within a year, or before the wallet is refilled. */
export function nextCutoff(wallet: Wallet): EpochMs | undefined {
  return nextToEnd(wallet)[0]?.endsAt;
}

/** The legs that end at that instant; none when no leg fails by then. */
export function nextToEnd(wallet: Wallet): readonly Exhausted[] {
  const refilledAt = wallet.refill?.endsAt ?? Number.POSITIVE_INFINITY;
  return run(wallet, toEpochMs(Math.min(wallet.at + HORIZON_MS, refilledAt - 1)), 'first').exhausted;
}

function run(start: Wallet, until: EpochMs, extent: 'first' | 'all-due'): Advanced {
  const funds = fundsOf(start);
  const legs = new Map(start.legs.map((leg) => [leg.legKey, leg]));
  const exhausted: Exhausted[] = [];
  const at = until > start.at ? until : start.at;
  const nothingDue = extent === 'all-due' && isWithin(start.legs, funds, until);
  const canEnd = (): boolean => [...legs.values()].some(isEndable);
  let from: EpochMs | undefined = nothingDue ? undefined : start.at;
  // Whoever asks exactly is usually near the end: a short walk finds it in less time than a bisection.
  let stepsPerLeg = STEPS_PER_LEG_AT_FIRST;
  while (from !== undefined && from < until && canEnd()) {
    const stretch = { funds, from, until, policy: start.policy, extent, stepsPerLeg };
    const reached = payPulses(legs, stretch, exhausted);
    if (extent === 'first' && exhausted.length > 0) break;
    const overrun = firstOverrun([...legs.values()], funds, reached, until);
    from = overrun === undefined ? undefined : toEpochMs(overrun - 1);
    stepsPerLeg = STEPS_PER_LEG;
  }
  return { wallet: { ...start, at, legs: [...legs.values()] }, exhausted };
}

/** A leg that is only counted runs on, however far it overdraws. */
function isEndable({ state, isForced }: PayerLeg): boolean {
  return state.kind === 'running' && isForced !== true;
}

/** The least instant in (from, until] at which the commitments exceed the funds, by bisection over whole milliseconds. */
function firstOverrun(
  legs: readonly PayerLeg[],
  funds: bigint,
  from: EpochMs,
  until: EpochMs,
): EpochMs | undefined {
  const within = (at: number): boolean => isWithin(legs, funds, toEpochMs(at));
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

/** Stops at the first leg too many: the whole sum of a year ahead may be more than money can count. */
function isWithin(legs: readonly PayerLeg[], funds: bigint, at: EpochMs): boolean {
  let sum = 0n;
  for (const leg of legs) {
    sum += committedAt(leg, at);
    if (sum > funds) return false;
  }
  return sum <= funds;
}

type Stretch = {
  readonly funds: bigint;
  readonly from: EpochMs;
  readonly until: EpochMs;
  readonly policy: Wallet['policy'];
  readonly extent: 'first' | 'all-due';
  readonly stepsPerLeg: number;
};

/** Pays pulse after pulse for a bounded number of steps. Returns how far it came: all pulses begun by then are paid. */
function payPulses(legs: Map<LegKey, PayerLeg>, stretch: Stretch, exhausted: Exhausted[]): EpochMs {
  let total: bigint = totalCommittedAt([...legs.values()], stretch.from);
  const queue = createPulseQueue([...legs.values()], stretch.from);
  let steps = legs.size * stretch.stepsPerLeg + 1;
  let reached = stretch.from;
  for (;;) {
    const pulse = queue.peek();
    if (pulse === undefined || pulse.startsAt > stretch.until) return stretch.until;
    // Pulses of one instant belong together: stop only between instants.
    const isEnough = steps <= 0 || (stretch.extent === 'first' && exhausted.length > 0);
    if (isEnough && pulse.startsAt > reached) return reached;
    steps -= 1;
    reached = pulse.startsAt;
    queue.pop();
    if (pulse.leg.isForced === true || total + pulse.step <= stretch.funds) {
      total += pulse.step;
      queue.push(pulse.leg, pulse.answeredAt, pulse.number);
    } else if (stretch.policy === 'all') {
      // None gets a pulse that begins at this instant, not even those whose turn came before.
      endAll(legs, toEpochMs(pulse.startsAt - 1), pulse.startsAt, exhausted);
      return stretch.until;
    } else {
      exhausted.push(end(legs, pulse.leg, pulse.number - 1, pulse.startsAt));
    }
  }
}

/** Ends a running leg with what so many pulses paid for; others stay as they are. */
function end(legs: Map<LegKey, PayerLeg>, leg: PayerLeg, pulses: number, endsAt: EpochMs): Exhausted {
  assert(leg.state.kind === 'running', 'only a running leg runs out of money');
  const { legKey, terms, state } = leg;
  const paid = paidSeconds(terms, pulses);
  legs.set(legKey, {
    ...leg,
    state: { kind: 'ended', answeredAt: state.answeredAt, paidSeconds: paid, endsAt },
  });
  return { legKey, endsAt, paidSeconds: paid };
}

/** cnxcc's way: at the first pulse nobody can pay, every running leg ends with the pulses that began by `paidAt`. */
function endAll(legs: Map<LegKey, PayerLeg>, paidAt: EpochMs, endsAt: EpochMs, exhausted: Exhausted[]): void {
  for (const leg of legs.values()) {
    if (leg.state.kind !== 'running' || leg.isForced === true) continue;
    exhausted.push(end(legs, leg, pulsesBegun(leg.terms, paidAt - leg.state.answeredAt), endsAt));
  }
}

/** Ends every running leg of a wallet that was found exhausted at `wallet.at`, where its policy is `all`. */
export function endTogether(wallet: Wallet): Advanced {
  const legs = new Map(wallet.legs.map((leg) => [leg.legKey, leg]));
  const exhausted: Exhausted[] = [];
  endAll(legs, wallet.at, wallet.at, exhausted);
  return { wallet: { ...wallet, legs: [...legs.values()] }, exhausted };
}
