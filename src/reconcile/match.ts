import type { Cdr } from '../records/records.ts';
import type { SwitchCdr } from './switch-cdr.ts';

/** How FreeSWITCH's own CDR of a leg and ours agree. */
export type Match =
  /** `billsec` is a difference of two floored clocks: off by a second, it is explained and is no difference. */
  | { readonly kind: 'same'; readonly billsecOff: boolean }
  | { readonly kind: 'differs'; readonly field: 'duration' | 'answer' };

const MICROSECONDS_PER_SECOND = 1_000_000;

/**
 * Holds the two durations against each other: exactly, where the file has the exact one; else its `billsec` is right
 * if it can come of ours by flooring two clocks.
 */
export function matchOf(ours: Cdr, theirs: SwitchCdr): Match {
  if ((ours.answeredAt === undefined) !== (theirs.answeredAt === undefined)) {
    return { kind: 'differs', field: 'answer' };
  }
  const exact = theirs.billMicroseconds ?? ours.billMicroseconds;
  if (exact !== ours.billMicroseconds) return { kind: 'differs', field: 'duration' };
  const off = theirs.billsec * MICROSECONDS_PER_SECOND - exact;
  if (Math.abs(off) >= MICROSECONDS_PER_SECOND) return { kind: 'differs', field: 'duration' };
  return { kind: 'same', billsecOff: theirs.billsec !== Math.floor(exact / MICROSECONDS_PER_SECOND) };
}
