import type { LegUuid, RerateRunId } from '../units/ids.ts';
import { chargeTransferId, type Charge } from './records.ts';

// A reversal is called like the transfer that it takes back, its kind changed, with the run that made it at the end.
const CHARGE = 'charge:';
const REVERSAL = 'reversal:';

/** A run takes a charge back once: a charge that was put in force again is one of a further version. */
export function reversalTransferId(charge: Charge, run: RerateRunId): string {
  return `${reversalIdPrefix(chargeTransferId(charge))}${run}`;
}

/** The transfer that a reversal takes back, by the reversal's id; undefined for an id that is none. */
export function reversedTransferId(id: string): string | undefined {
  const end = id.lastIndexOf(':');
  return id.startsWith(REVERSAL) && end >= REVERSAL.length
    ? `${CHARGE}${id.slice(REVERSAL.length, end)}`
    : undefined;
}

/** The ids of all reversals of a charge begin so. */
export function reversalIdPrefix(transferId: string): string {
  return `${REVERSAL}${transferId.slice(CHARGE.length)}:`;
}

/** The run that made a reversal. */
export function runOfReversal(id: string): string {
  return id.slice(id.lastIndexOf(':') + 1);
}

/** What the ids of all transfers of a leg's charges begin with, and of their reversals. */
export function legTransferPrefixes(leg: LegUuid): readonly string[] {
  return [`${CHARGE}${leg}:`, `${REVERSAL}${leg}:`];
}
