import { formatMicros, parseMicros, toMicros, type Micros } from '../units/money.ts';
import { toEpochMs, type EpochMs } from '../units/time.ts';
import type { JsonText } from './schema.ts';

/**
 * Between the values of the program and the cells of a table. Reading trusts what writing made: these are the only
 * places where a column's text becomes a branded or united type.
 */

/** A value that no column can hold. Its message is the reason an UnwritableRecordError gives. */
export class UnstorableValueError extends Error {
  override readonly name = 'UnstorableValueError';
}

export function integerCell(value: number): bigint {
  if (!Number.isSafeInteger(value)) throw new UnstorableValueError(`${value} is not a whole number`);
  return BigInt(value);
}

export function optionalIntegerCell(value: number | undefined): bigint | null {
  return value === undefined ? null : integerCell(value);
}

/**
 * Numbers and names come from strangers. PostgreSQL holds neither NUL nor a lone surrogate and SQLite does not give
 * them back as they were, so both become U+FFFD: what is read is then what was written, whichever the database.
 */
export function textCell(value: string): string {
  return value.toWellFormed().replaceAll('\0', '\u{FFFD}');
}

/** An id is never mended: two that differ must not become the same one. */
export function idCell<Id extends string>(value: Id): Id {
  if (value === '' || textCell(value) !== value) {
    throw new UnstorableValueError(
      `the id ${JSON.stringify(value)} is empty or has a character no table holds`,
    );
  }
  return value;
}

export function flagCell(value: boolean): bigint {
  return value ? 1n : 0n;
}

export function numberOf(cell: bigint): number {
  return Number(cell);
}

export function optionalNumberOf(cell: bigint | null): number | undefined {
  return cell === null ? undefined : Number(cell);
}

export function momentOf(cell: bigint): EpochMs {
  return toEpochMs(Number(cell));
}

export function optionalMicrosOf(cell: bigint | null): Micros | undefined {
  return cell === null ? undefined : toMicros(cell);
}

const MONEY_KEY = '$money';

/**
 * JSON with money as `{"$money":"100.00"}`, wherever in the value it stands, so that a new field of an account's
 * limits needs no change here. Absent fields stay absent.
 */
export function jsonCell<Value>(value: Value): JsonText<Value> {
  const text: string | undefined = JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'bigint' ? { [MONEY_KEY]: formatMicros(toMicros(part)) } : part,
  );
  if (text === undefined) throw new UnstorableValueError('it is not JSON');
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- here the brand is made
  return text as JsonText<Value>;
}

export function valueOfJson<Value>(cell: JsonText<Value>): Value {
  const value: Value = JSON.parse(cell, (_, part: unknown) => moneyOf(part) ?? part);
  return value;
}

function moneyOf(part: unknown): Micros | undefined {
  if (typeof part !== 'object' || part === null || !(MONEY_KEY in part)) return undefined;
  const text = part[MONEY_KEY];
  if (typeof text !== 'string' || Object.keys(part).length !== 1) return undefined;
  return parseMicros(text);
}

/** Whether a row offered says the same as the one that stands. Cells are compared as they are stored. */
export function sameRow<Row extends object>(offered: Row, standing: Row): boolean {
  const cells = new Map<string, unknown>(Object.entries(standing));
  return Object.entries(offered).every(([column, cell]) => cells.get(column) === cell);
}
