import type { Added } from './switch-cdr-store.ts';
import type { PlacedCdr, SwitchCdr } from './switch-cdr.ts';

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
