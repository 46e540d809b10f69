import type { Cdr, Decision, Transfer } from '../records/records.ts';
import { UnwritableRecordError } from '../records/record-store.ts';
import { parseLegUuid } from '../units/ids.ts';
import { toMicros } from '../units/money.ts';
import {
  flagCell,
  idCell,
  integerCell,
  jsonCell,
  momentOf,
  numberOf,
  optionalIntegerCell,
  textCell,
  UnstorableValueError,
  valueOfJson,
} from '../sql/cell.ts';
import type { CdrRow, DecisionRow, TransferRow } from '../sql/schema.ts';

/** A leg key is `<A-leg>.<pass>:<branch>`. */
const LEG_KEY = /^(.+)\.\d+:[^:]+$/s;

export function toCdrRow(cdr: Cdr): CdrRow {
  return named(`cdr ${cdr.legUuid}`, () => ({
    leg_uuid: idCell(cdr.legUuid),
    leg_key: idCell(cdr.legKey),
    a_leg: parseLegUuid(LEG_KEY.exec(cdr.legKey)?.[1] ?? '') ?? cdr.legUuid,
    node: cdr.node,
    core_uuid: textCell(cdr.coreUuid),
    account: idCell(cdr.account),
    callee: cdr.callee === undefined ? null : idCell(cdr.callee),
    forwarded: flagCell(cdr.forwarded === true),
    soft: cdr.soft === undefined ? null : jsonCell(cdr.soft),
    direction: cdr.direction,
    caller_number: textCell(cdr.callerNumber),
    dialled: textCell(cdr.dialled),
    destination: textCell(cdr.destination),
    routes: jsonCell(cdr.routes),
    options: jsonCell(cdr.options),
    admitted_at: integerCell(cdr.admittedAt),
    answered_at: optionalIntegerCell(cdr.answeredAt),
    ended_at: integerCell(cdr.endedAt),
    bill_microseconds: integerCell(cdr.billMicroseconds),
    billsec: integerCell(cdr.billsec),
    billed_seconds: integerCell(cdr.billedSeconds),
    cause: textCell(cdr.cause),
    cut: cdr.cut ?? null,
    decision: cdr.decision,
    funding: cdr.funding,
    estimated: flagCell(cdr.estimated),
  }));
}

export function toCdr(row: CdrRow): Cdr {
  return {
    legUuid: row.leg_uuid,
    legKey: row.leg_key,
    node: row.node,
    coreUuid: row.core_uuid,
    account: row.account,
    callee: row.callee ?? undefined,
    forwarded: row.forwarded === 1n ? true : undefined,
    soft: row.soft === null ? undefined : valueOfJson(row.soft),
    direction: row.direction,
    callerNumber: row.caller_number,
    dialled: row.dialled,
    destination: row.destination,
    routes: valueOfJson(row.routes),
    options: valueOfJson(row.options),
    admittedAt: momentOf(row.admitted_at),
    answeredAt: row.answered_at === null ? undefined : momentOf(row.answered_at),
    endedAt: momentOf(row.ended_at),
    billMicroseconds: numberOf(row.bill_microseconds),
    billsec: numberOf(row.billsec),
    billedSeconds: numberOf(row.billed_seconds),
    cause: row.cause,
    cut: row.cut ?? undefined,
    decision: row.decision,
    funding: row.funding,
    estimated: row.estimated === 1n,
  };
}

export function toTransferRow(transfer: Transfer): TransferRow {
  return named(`transfer ${transfer.id}`, () => {
    if (transfer.amount <= 0n) throw new UnstorableValueError('its amount is not positive');
    if (transfer.debit === transfer.credit)
      throw new UnstorableValueError('both its sides are the same ledger');
    return {
      id: idCell(transfer.id),
      kind: transfer.kind,
      debit: idCell(transfer.debit),
      credit: idCell(transfer.credit),
      amount: transfer.amount,
      currency: textCell(transfer.currency),
      at: integerCell(transfer.at),
      reference: textCell(transfer.reference),
    };
  });
}

export function toTransfer(row: TransferRow): Transfer {
  return {
    id: row.id,
    kind: row.kind,
    debit: row.debit,
    credit: row.credit,
    amount: toMicros(row.amount),
    currency: row.currency,
    at: momentOf(row.at),
    reference: row.reference,
  };
}

export function toDecisionRow(decision: Decision): DecisionRow {
  return named(`decision ${decision.id}`, () => ({
    id: idCell(decision.id),
    at: integerCell(decision.at),
    kind: decision.kind,
    verdict: decision.verdict,
    a_leg: idCell(decision.aLeg),
    leg_uuid: decision.legUuid ?? null,
    account: decision.account ?? null,
    reason: textCell(decision.reason),
    inputs: jsonCell(decision.inputs),
  }));
}

export function toDecision(row: DecisionRow): Decision {
  return {
    id: row.id,
    at: momentOf(row.at),
    kind: row.kind,
    verdict: row.verdict,
    aLeg: row.a_leg,
    legUuid: row.leg_uuid ?? undefined,
    account: row.account ?? undefined,
    reason: row.reason,
    inputs: valueOfJson(row.inputs),
  };
}

/** Says which record it was: the writer of a batch must be able to set that one aside. */
export function named<Row>(record: string, build: () => Row): Row {
  try {
    return build();
  } catch (error) {
    if (error instanceof UnstorableValueError) throw new UnwritableRecordError(record, error.message);
    throw error;
  }
}
