import { capInTheEnd } from '../admission/cap.ts';
import type { LegCap, LegRecord } from '../admission/leg-record.ts';
import type { CloseSettlement } from '../admission/live-store.ts';
import { meaningOf } from '../credit/pools.ts';
import type { CutReason } from '../records/records.ts';
import type { Ending } from './settlement.ts';

/** What ends a leg is what it draws on. */
const CUTS = { money: 'credit', allotment: 'allotment', spend: 'max_spend', time: 'max_time' } as const;

/** Why Tollgate ended a leg, if it did: nothing was left to draw on, or it had lasted as long as it might. */
export function cutReasonOf(
  record: LegRecord,
  ending: Ending,
  final: Parameters<CloseSettlement>[0],
): CutReason | undefined {
  if (final.endedBy !== undefined) return CUTS[meaningOf(final.endedBy).kind];
  return ending.cut ?? capReached(capInTheEnd(record, final), ending);
}

/** Which limit ended a call that lasted as long as it may: the kill lands in its last second, or later. */
function capReached(
  cap: LegCap | undefined,
  { cause, billMicroseconds }: Ending,
): LegCap['reason'] | undefined {
  if (cap === undefined || billMicroseconds <= (cap.seconds - 1) * 1_000_000) return undefined;
  const isOver = billMicroseconds > cap.seconds * 1_000_000;
  return isOver || cause === 'ALLOTTED_TIMEOUT' ? cap.reason : undefined;
}
