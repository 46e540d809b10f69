import { divCeil, toMicros, ZERO_MICROS, type Micros } from '../units/money.ts';
import { toEpochMs } from '../units/time.ts';
import { committedAt, upperBound, type PayerLeg, type Wallet } from './wallet.ts';

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
/** For what does not change with time. */
const NO_MOMENT = toEpochMs(0);

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
        const bound = legFiguresOf(leg);
        // An answer may lie a little ahead of the wallet's clock; the line begins at the answer, not below it.
        const elapsedMs = BigInt(Math.max(0, wallet.at - leg.state.answeredAt));
        base += bound.intercept + divCeil(bound.perMinute * elapsedMs, MS_PER_MINUTE);
        burn += bound.perMinute;
        break;
      }
      case 'ended':
      case 'passed':
        base += fixedCommitment(leg);
        break;
    }
  }
  return { held: toMicros(held), base: toMicros(base), burnPerMinute: toMicros(burn) };
}

/** What the script keeps of one leg: enough to move it between held, running and gone without knowing its price. */
export type LegFigures = {
  /** What is held, first; the final commitment once ended. */
  readonly amount: Micros;
  /** Below zero where much was used in an earlier cycle. */
  readonly intercept: Micros;
  readonly perMinute: Micros;
};

export function legFiguresOf(leg: PayerLeg): LegFigures {
  const bound = upperBound(leg.terms);
  const amount = fixedCommitment(leg);
  const intercept = toMicros(bound.intercept - (leg.usedBefore ?? 0n));
  return { amount, intercept, perMinute: bound.perMinute };
}

/** A commitment that time does not move: a hold, or what an ended leg had paid for. */
function fixedCommitment(leg: PayerLeg): Micros {
  return leg.state.kind === 'running' ? ZERO_MICROS : committedAt(leg, NO_MOMENT);
}
