import { divCeil, toMicros, ZERO_MICROS, type Micros } from '../units/money.ts';
import { commitmentOf } from '../rating/price.ts';
import { pulsesPaid, upperBound, type PayerLeg, type Wallet } from './wallet.ts';

/**
 * The constant-time view of a wallet that its script keeps: at any later moment t the commitments are at most
 * `held + base + burnPerMinute · (t − at)`. Worked out here whenever the script could not decide by itself.
 */
export type WalletFigures = {
  readonly held: Micros;
  readonly base: Micros;
  readonly burnPerMinute: Micros;
};

const MS_PER_MINUTE = 60_000n;

export function figuresOf(wallet: Wallet): WalletFigures {
  let held = 0n;
  let base = 0n;
  let burn = 0n;
  for (const leg of wallet.legs) {
    switch (leg.state.kind) {
      case 'held':
        held += fixedCommitment(leg);
        break;
      case 'running': {
        const bound = upperBound(leg.terms);
        // An answer may lie a little ahead of the wallet's clock; the line begins at the answer, not below it.
        const elapsedMs = BigInt(Math.max(0, wallet.at - leg.state.answeredAt));
        base += bound.intercept + divCeil(bound.perMinute * elapsedMs, MS_PER_MINUTE);
        burn += bound.perMinute;
        break;
      }
      case 'ended':
        base += fixedCommitment(leg);
        break;
    }
  }
  return { held: toMicros(held), base: toMicros(base), burnPerMinute: toMicros(burn) };
}

/** What the script keeps of one leg: enough to move it between held, running and gone without knowing its price. */
export type LegFigures = {
  /** First-pulse price while held, final commitment once ended. */
  readonly amount: Micros;
  readonly intercept: Micros;
  readonly perMinute: Micros;
};

export function legFiguresOf(leg: PayerLeg): LegFigures {
  const bound = upperBound(leg.terms);
  const amount = fixedCommitment(leg);
  return { amount, intercept: bound.intercept, perMinute: bound.perMinute };
}

/** A commitment that time does not move: a hold, or what an ended leg had paid for. */
function fixedCommitment(leg: PayerLeg): Micros {
  switch (leg.state.kind) {
    case 'held':
      return commitmentOf(leg.terms, 1);
    case 'running':
      return ZERO_MICROS;
    case 'ended':
      return commitmentOf(leg.terms, pulsesPaid(leg.terms, leg.state.paidSeconds));
  }
}
