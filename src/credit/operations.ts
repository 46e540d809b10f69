import { commitmentOf, priceOf, pulsesBegun, type PriceTerms } from '../rating/price.ts';
import type { LegKey } from '../units/ids.ts';
import { toMicros, type Micros } from '../units/money.ts';
import { toEpochMs, type EpochMs } from '../units/time.ts';
import { advance, endTogether, type Exhausted } from './exhaustion.ts';
import { inCycle } from './refill.ts';
import {
  availableAt,
  fundsOf,
  heldAmount,
  inThisCycle,
  totalCommittedAt,
  type PayerLeg,
  type Wallet,
} from './wallet.ts';

/** One change to a wallet at `wallet.at`, after time has been let pass up to it. */
export type WalletOperation =
  /** A leg asks for its surcharge and first pulse. */
  | { readonly kind: 'hold'; readonly leg: PayerLeg }
  /** The leg was answered at that moment, which may lie in the past (a late event, a leg adopted after a gap). */
  | {
      readonly kind: 'answer';
      readonly legKey: LegKey;
      readonly answeredAt: EpochMs;
      /** Where the answer tells of rates that take over; the first pulse is as it was held. */
      readonly terms?: PriceTerms;
    }
  /** A leg that was paid for otherwise goes on by this wallet from that moment. */
  | { readonly kind: 'join'; readonly leg: PayerLeg; readonly from: EpochMs }
  /** The leg is gone: the price of its talk replaces its commitments. `talkMs` is FreeSWITCH's exact duration. */
  | {
      readonly kind: 'settle';
      readonly legKey: LegKey;
      readonly billedSeconds: number;
      readonly talkMs: number;
    }
  /** Money comes or goes, or the allowed postpay and policy change. */
  | {
      readonly kind: 'fund';
      readonly amount: Micros;
      readonly credit: Micros;
      readonly policy: Wallet['policy'];
      /** What an allotment or a spend window has in each cycle, from now on: the present one is set right. */
      readonly refillAmount?: Micros | undefined;
    }
  /** Nothing but the passing of time. */
  | { readonly kind: 'wait' };

export type Operated =
  | { readonly kind: 'done'; readonly wallet: Wallet; readonly exhausted: readonly Exhausted[] }
  | {
      readonly kind: 'settled';
      readonly wallet: Wallet;
      readonly exhausted: readonly Exhausted[];
      readonly billedSeconds: number;
      readonly price: Micros;
    }
  | { readonly kind: 'unaffordable'; readonly available: Micros; readonly needed: Micros }
  | { readonly kind: 'unknown-leg' };

/** The exact rules, for whenever the script's constant-time bound cannot decide. */
export function operate(before: Wallet, operation: WalletOperation, at: EpochMs): Operated {
  const { wallet, exhausted } = advance(before, at);
  switch (operation.kind) {
    case 'wait':
      return { kind: 'done', wallet, exhausted };
    case 'hold':
      return hold(wallet, operation.leg, exhausted);
    case 'answer':
      return answer(wallet, operation, exhausted);
    case 'join': {
      const held = hold(wallet, operation.leg, exhausted);
      if (held.kind !== 'done') return held;
      const { legKey } = operation.leg;
      return answer(held.wallet, { legKey, answeredAt: operation.from }, exhausted);
    }
    case 'settle':
      return settle(wallet, operation, exhausted);
    case 'fund':
      return { kind: 'done', wallet: fund(wallet, operation), exhausted };
  }
}

function fund(
  wallet: Wallet,
  { amount, credit, policy, refillAmount }: Extract<WalletOperation, { readonly kind: 'fund' }>,
): Wallet {
  const { refill, opened } = wallet;
  const funded = {
    ...wallet,
    balance: toMicros(wallet.balance + amount),
    credit,
    policy,
    ...(opened && { opened: { ...opened, amount: toMicros(opened.amount + amount) } }),
  };
  if (refill === undefined || refillAmount === undefined) return funded;
  const balance = toMicros(funded.balance + refillAmount - refill.amount);
  return { ...funded, balance, refill: { ...refill, amount: refillAmount } };
}

function hold(wallet: Wallet, leg: PayerLeg, exhausted: readonly Exhausted[]): Operated {
  const needed = heldAmount(leg);
  const available = availableAt(wallet, wallet.at);
  // What costs nothing is never refused, even where an operator took away money already committed.
  if (leg.isForced !== true && needed > 0n && needed > available)
    return { kind: 'unaffordable', available, needed };
  return { kind: 'done', wallet: { ...wallet, legs: [...wallet.legs, leg] }, exhausted };
}

function answer(
  wallet: Wallet,
  operation: { readonly legKey: LegKey; readonly answeredAt: EpochMs; readonly terms?: PriceTerms },
  exhausted: readonly Exhausted[],
): Operated {
  const leg = wallet.legs.find((candidate) => candidate.legKey === operation.legKey);
  if (leg === undefined) return { kind: 'unknown-leg' };
  if (leg.state.kind !== 'held') return { kind: 'done', wallet, exhausted };
  const { answeredAt, terms = leg.terms } = operation;
  const caught = catchUp(wallet, { ...leg, terms }, { answeredAt, paidAt: answeredAt, until: wallet.at });
  const ended = [...exhausted, ...caught.exhausted];
  if (caught.exhausted.length === 0 || wallet.policy === 'unpaid') {
    return { kind: 'done', wallet: caught.wallet, exhausted: ended };
  }
  const together = endTogether(caught.wallet);
  return { kind: 'done', wallet: together.wallet, exhausted: [...ended, ...together.exhausted] };
}

/**
 * Pays the pulses of one leg that began after `paidAt`. Only this leg's pulses can be due, all others are paid up
 * to `wallet.at`, so the walk stops at the first one the rest of the money cannot buy. What began by `paidAt` is
 * paid for and stays so, even where an operator has taken the money away since.
 */
function catchUp(
  wallet: Wallet,
  leg: PayerLeg,
  { answeredAt, paidAt, until }: Record<'answeredAt' | 'paidAt' | 'until', EpochMs>,
): { readonly wallet: Wallet; readonly exhausted: readonly Exhausted[] } {
  const others = wallet.legs.filter((other) => other.legKey !== leg.legKey);
  const room = toMicros(fundsOf(wallet) - totalCommittedAt(others, wallet.at));
  // What began in an earlier cycle was paid from what that one had.
  const cycle = wallet.refill?.cycleAt(wallet.at);
  const from = toEpochMs(Math.max(paidAt, (cycle?.startsAt ?? paidAt + 1) - 1));
  const alone: Wallet = {
    account: wallet.account,
    balance: room,
    credit: toMicros(0n),
    policy: 'unpaid',
    at: from,
    legs: [inCycle(wallet, { ...leg, state: { kind: 'running', answeredAt } })],
  };
  const { wallet: after, exhausted } = advance(alone, until);
  return { wallet: { ...wallet, legs: [...others, ...after.legs] }, exhausted };
}

function settle(
  wallet: Wallet,
  operation: { readonly legKey: LegKey; readonly billedSeconds: number; readonly talkMs: number },
  exhausted: readonly Exhausted[],
): Operated {
  const leg = wallet.legs.find((candidate) => candidate.legKey === operation.legKey);
  if (leg === undefined) return { kind: 'unknown-leg' };
  const { state } = leg;
  let { billedSeconds } = operation;
  let used = leg;
  if (state.kind === 'ended' || state.kind === 'passed') {
    billedSeconds = Math.min(billedSeconds, state.paidSeconds);
  } else if (operation.talkMs > 0 || billedSeconds > 0) {
    // A talk whose answer nobody told us of began as long ago as it lasted.
    const running = state.kind === 'running';
    const answeredAt = running ? state.answeredAt : toEpochMs(wallet.at - operation.talkMs);
    if (!running) used = inCycle(wallet, { ...leg, state: { kind: 'running', answeredAt } });
    // FreeSWITCH may have measured a pulse more than our clock saw begin; it is paid only if the money is there.
    const talkedUntil = toEpochMs(answeredAt + operation.talkMs);
    const until = talkedUntil > wallet.at ? talkedUntil : wallet.at;
    // A talk whose price is paid for already, one within its grace above all, needs no further pulse.
    const begun = running ? pulsesBegun(leg.terms, wallet.at - answeredAt) : 1;
    if (priceOf(leg.terms, billedSeconds) > commitmentOf(leg.terms, begun)) {
      const caught = catchUp(wallet, leg, { answeredAt, paidAt: running ? wallet.at : answeredAt, until });
      const short = caught.exhausted[0];
      if (short !== undefined) billedSeconds = Math.min(billedSeconds, short.paidSeconds);
    }
  }
  const price = inThisCycle(used, priceOf(leg.terms, billedSeconds));
  const legs = wallet.legs.filter((other) => other.legKey !== operation.legKey);
  const settled = { ...wallet, legs, balance: toMicros(wallet.balance - price) };
  return { kind: 'settled', wallet: settled, exhausted, billedSeconds, price };
}
