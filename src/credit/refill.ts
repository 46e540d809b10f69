import { commitmentOf, pulsesBegun, pulsesPaid } from '../rating/price.ts';
import { toMicros, type Micros } from '../units/money.ts';
import { toEpochMs, type EpochMs } from '../units/time.ts';
import type { PayerLeg, Refill, Wallet } from './wallet.ts';

const MS_PER_SECOND = 1000;
const MICROS_PER_SECOND = 1_000_000n;

/**
 * The wallet an instant before its next cycle begins, filled as that one has it: every pulse that begins with the cycle
 * is still to be paid, from the new amount. Where nobody draws on it, cycles that have passed are passed over.
 */
export function refilled(wallet: Wallet, refill: Refill, until: EpochMs): Wallet {
  const isIdle = wallet.legs.length === 0;
  const { amount, startsAt, endsAt } = refill.cycleAt(isIdle ? until : refill.endsAt);
  const at = toEpochMs(Math.max(wallet.at, startsAt - 1));
  const legs = wallet.legs.map((leg) => startedBefore(leg, refill, startsAt));
  return { ...wallet, at, balance: amount, legs, refill: { ...refill, amount, endsAt } };
}

/** The leg with what of its use lies before the wallet's present cycle, its answer being known. */
export function inCycle({ refill, at }: Wallet, leg: PayerLeg): PayerLeg {
  return refill === undefined ? leg : startedBefore(leg, refill, refill.cycleAt(at).startsAt);
}

/** The leg with what it had used by the beginning of a cycle. */
export function startedBefore(
  leg: PayerLeg,
  { counts }: Pick<Refill, 'counts'>,
  startsAt: EpochMs,
): PayerLeg {
  if (leg.state.kind === 'held' || leg.state.answeredAt >= startsAt) return leg;
  return { ...leg, usedBefore: usedUntil(leg, leg.state.answeredAt, startsAt, counts) };
}

/** A second belongs to the cycle it begins in, and what rounding adds to the last one; a pulse to where it starts. */
function usedUntil(
  { terms, state }: PayerLeg,
  answeredAt: EpochMs,
  boundary: EpochMs,
  counts: Refill['counts'],
): Micros {
  const isOver = state.kind === 'ended' || state.kind === 'passed';
  const pulses = pulsesBegun(terms, boundary - 1 - answeredAt);
  const paid = isOver ? Math.min(pulses, pulsesPaid(terms, state.paidSeconds)) : pulses;
  const spoken = BigInt(Math.ceil((boundary - answeredAt) / MS_PER_SECOND)) * MICROS_PER_SECOND;
  const committed = commitmentOf(terms, paid);
  return counts === 'seconds' && spoken < committed ? toMicros(spoken) : committed;
}
