import type { Cdr } from '../records/records.ts';
import type { Added } from './switch-cdr-store.ts';
import type { PlacedCdr, SwitchCdr } from './switch-cdr.ts';

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

/**
 * What a CDR is to one that is known of the same leg. mod_cdr_csv writes a leg into several files, and the modules
 * may all be on: the same figures are no news. Whichever says more of the leg is kept.
 */
export function addedTo(known: PlacedCdr, offered: PlacedCdr): Added {
  if (contradicts(known.leg, offered.leg)) return { kind: 'contradicted', known };
  const { file, line } = offered.place;
  // The same line read again in another way, with other variables for the account for one.
  if (known.place.file === file && known.place.line === line) return { kind: 'completed' };
  return { kind: detailOf(offered.leg) > detailOf(known.leg) ? 'completed' : 'again' };
}

function contradicts(known: SwitchCdr, offered: SwitchCdr): boolean {
  if ((known.answeredAt === undefined) !== (offered.answeredAt === undefined)) return true;
  if (known.billMicroseconds === undefined || offered.billMicroseconds === undefined) {
    return known.billsec !== offered.billsec;
  }
  return known.billMicroseconds !== offered.billMicroseconds;
}

function detailOf({ billMicroseconds, direction, coreUuid }: SwitchCdr): number {
  return [billMicroseconds, direction, coreUuid].filter((value) => value !== undefined).length;
}
