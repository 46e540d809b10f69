import type { Transfer } from './records.ts';

/** Of one moment: what comes in before what it pays for, and what is left goes out last. */
const STAGES: Readonly<Record<Transfer['kind'], number>> = {
  opening: 0,
  topup: 0,
  adjustment: 0,
  reversal: 1,
  charge: 1,
  closing: 2,
};

/**
 * What a ledger moved in one moment, as people read it: call by call, and of each call what is taken back before what
 * is charged anew. A run of re-rating moves hundreds of charges in a moment, and their ids know nothing of an order.
 */
export function inReadingOrder(transfers: readonly Transfer[]): readonly Transfer[] {
  return transfers.toSorted(
    (a, b) =>
      STAGES[a.kind] - STAGES[b.kind] ||
      byText(a.reference, b.reference) ||
      turnOf(a) - turnOf(b) ||
      byText(a.id, b.id),
  );
}

function turnOf({ kind }: Transfer): number {
  return kind === 'reversal' ? 0 : 1;
}

function byText(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}
