import type { FileRead } from '../reconcile/switch-cdr-store.ts';
import type { PlacedCdr } from '../reconcile/switch-cdr.ts';
import {
  flagCell,
  idCell,
  integerCell,
  jsonCell,
  momentOf,
  numberOf,
  optionalIntegerCell,
  optionalNumberOf,
  textCell,
  valueOfJson,
} from '../sql/cell.ts';
import type { SwitchCdrRow, SwitchFileRow } from '../sql/switch-schema.ts';

export function toSwitchCdrRow({ leg, place }: PlacedCdr): SwitchCdrRow {
  return {
    leg_uuid: idCell(leg.uuid),
    file: textCell(place.file),
    line: integerCell(place.line),
    core_uuid: optionalText(leg.coreUuid),
    switch_name: optionalText(leg.switchName),
    direction: leg.direction ?? null,
    caller_number: textCell(leg.callerNumber),
    destination: textCell(leg.destination),
    started_at: integerCell(leg.startedAt),
    answered_at: optionalIntegerCell(leg.answeredAt),
    ended_at: integerCell(leg.endedAt),
    bill_microseconds: optionalIntegerCell(leg.billMicroseconds),
    billsec: integerCell(leg.billsec),
    cause: textCell(leg.cause),
    originator: leg.originator ?? null,
    b_leg: leg.bLeg ?? null,
    placed_legs: jsonCell(leg.placedLegs),
    loopback: flagCell(leg.loopback),
    variables: jsonCell(leg.gate),
    closed: 0n,
  };
}

export function toPlacedCdr(row: SwitchCdrRow): PlacedCdr {
  return {
    place: { file: row.file, line: numberOf(row.line) },
    leg: {
      uuid: row.leg_uuid,
      coreUuid: row.core_uuid ?? undefined,
      switchName: row.switch_name ?? undefined,
      direction: row.direction ?? undefined,
      callerNumber: row.caller_number,
      destination: row.destination,
      startedAt: momentOf(row.started_at),
      answeredAt: row.answered_at === null ? undefined : momentOf(row.answered_at),
      endedAt: momentOf(row.ended_at),
      billMicroseconds: optionalNumberOf(row.bill_microseconds),
      billsec: numberOf(row.billsec),
      cause: row.cause,
      originator: row.originator ?? undefined,
      bLeg: row.b_leg ?? undefined,
      placedLegs: valueOfJson(row.placed_legs),
      loopback: row.loopback === 1n,
      gate: valueOfJson(row.variables),
    },
  };
}

export function toFileRow(file: FileRead): SwitchFileRow {
  return {
    path: textCell(file.path),
    way: textCell(file.way),
    size: integerCell(file.size),
    modified_at: integerCell(file.modifiedAt),
    bytes: integerCell(file.bytes),
    lines: integerCell(file.lines),
    fingerprint: file.fingerprint,
    legs: integerCell(file.legs),
    faults: integerCell(file.faults),
  };
}

export function toFileRead(row: SwitchFileRow): FileRead {
  return {
    path: row.path,
    way: row.way,
    size: numberOf(row.size),
    modifiedAt: momentOf(row.modified_at),
    bytes: numberOf(row.bytes),
    lines: numberOf(row.lines),
    fingerprint: row.fingerprint,
    legs: numberOf(row.legs),
    faults: numberOf(row.faults),
  };
}

function optionalText(value: string | undefined): string | null {
  return value === undefined ? null : textCell(value);
}
