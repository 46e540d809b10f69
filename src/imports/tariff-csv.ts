import { parse } from 'csv-parse/sync';
import { rateIdentity, type Rate } from '../rating/rate.ts';
import { createErrorList, type ErrorList, type ImportError } from './import-error.ts';
import { parseTariffHeader, type ColumnPlaces } from './tariff-columns.ts';
import { parseTariffRow } from './tariff-row.ts';
import { LINE_CHARS_MAX, textLines, type TextLine } from './text-lines.ts';

/** All the rates of a file, or everything that is wrong with it and no rate at all. */
export type TariffReading =
  | { readonly kind: 'rates'; readonly rates: readonly Rate[] }
  | { readonly kind: 'errors'; readonly errors: readonly ImportError[]; readonly more: number };

/** A file by its name for the errors, and its bytes as they come: a read stream, or an upload. */
export type TariffFile = {
  readonly file: string;
  readonly bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
};

const CSV_OPTIONS = { trim: true, record_delimiter: '\n', relax_column_count: true } as const;
/** All rates of a tariff are in the memory of every controller. Ten times the largest that carriers hand out. */
const RATES_MAX = 2_000_000;
const NOT_UTF8 = '\u{FFFD}';

/** Reads a tariff's CSV file as it arrives. A read that fails, a missing file for one, rejects. */
export async function readTariffCsv({ file, bytes }: TariffFile): Promise<TariffReading> {
  const errors = createErrorList(file);
  const rates: Rate[] = [];
  const lineByIdentity = new Map<string, number>();
  let columns: ColumnPlaces | undefined;

  for await (const batch of textLines(bytes)) {
    let lines = batch;
    const first = batch[0];
    if (columns === undefined && first !== undefined) {
      columns = readHeader(first, errors);
      // Without a header no line can be told right from wrong.
      if (columns === undefined) break;
      lines = batch.slice(1);
    }
    if (columns === undefined) continue;
    for (const { number, fields } of readFields(soundLines(lines, errors), errors)) {
      const rate = readRate({ number, fields, columns, errors });
      if (rate === undefined) continue;
      if (isRepeated({ rate, number, lineByIdentity, errors })) continue;
      // Once anything is wrong the rates are only checked, not kept.
      if (errors.isEmpty()) rates.push({ id: rates.length + 1, ...rate });
    }
    if (lineByIdentity.size > RATES_MAX) {
      const line = lines.at(-1)?.number ?? 1;
      errors.add({ line, field: 'line', value: '', expected: `at most ${RATES_MAX} rates` });
      break;
    }
  }
  if (errors.isEmpty() && rates.length === 0) {
    errors.add({ line: 1, field: 'header', value: '', expected: 'a header line and at least one rate' });
  }
  return errors.isEmpty() ? { kind: 'rates', rates } : { kind: 'errors', ...errors.all() };
}

function readHeader(line: TextLine, errors: ErrorList): ColumnPlaces | undefined {
  const names = readFields(soundLines([line], errors), errors)[0]?.fields;
  if (names === undefined) return undefined;
  const header = parseTariffHeader(names);
  if (header.kind === 'columns') return header.columns;
  for (const fault of header.faults) errors.add({ line: line.number, ...fault });
  return undefined;
}

/** The lines that are text, and short enough to be lines; the others are reported. */
function soundLines(lines: readonly TextLine[], errors: ErrorList): readonly TextLine[] {
  return lines.filter(({ number, text }) => {
    const expected = lineExpected(text);
    if (expected !== undefined) errors.add({ line: number, field: 'line', value: text, expected });
    return expected === undefined;
  });
}

function lineExpected(text: string): string | undefined {
  if (text.includes('\0')) return 'text in UTF-8; this looks like UTF-16';
  if (text.includes(NOT_UTF8)) return 'text in UTF-8';
  return text.length > LINE_CHARS_MAX ? `at most ${LINE_CHARS_MAX} characters` : undefined;
}

type FieldsOfLine = { readonly number: number; readonly fields: readonly string[] };

/**
 * The fields of each line. A field may be quoted but never spans lines, so a stray quote spoils its own line
 * only: lines that do not come out one to one are halved until the bad one stands alone.
 */
function readFields(lines: readonly TextLine[], errors: ErrorList): readonly FieldsOfLine[] {
  if (lines.length === 0) return [];
  const records = parseRecords(lines);
  if (records?.length === lines.length) {
    return lines.map(({ number }, index) => ({ number, fields: records[index] ?? [] }));
  }
  const only = lines.length === 1 ? lines[0] : undefined;
  if (only !== undefined) {
    const expected = 'quotes around whole fields, closed on the same line, and doubled within';
    errors.add({ line: only.number, field: 'line', value: only.text, expected });
    return [];
  }
  const middle = lines.length >>> 1;
  return [...readFields(lines.slice(0, middle), errors), ...readFields(lines.slice(middle), errors)];
}

function parseRecords(lines: readonly TextLine[]): readonly (readonly string[])[] | undefined {
  try {
    return parse(lines.map((line) => line.text).join('\n'), CSV_OPTIONS);
  } catch {
    // A misplaced quote is the only thing the grammar refuses; the caller finds out whose it is.
    return undefined;
  }
}

type Row = FieldsOfLine & { readonly columns: ColumnPlaces; readonly errors: ErrorList };

function readRate({ number, fields, columns, errors }: Row): Omit<Rate, 'id'> | undefined {
  if (fields.length !== columns.count) {
    const expected = `${columns.count} columns as in the header, not ${fields.length}`;
    errors.add({ line: number, field: 'columns', value: fields.join(','), expected });
    return undefined;
  }
  return parseTariffRow(fields, columns, (field, value, expected) => {
    errors.add({ line: number, field, value, expected });
  });
}

type Repeat = {
  readonly rate: Omit<Rate, 'id'>;
  readonly number: number;
  readonly lineByIdentity: Map<string, number>;
  readonly errors: ErrorList;
};

/** Of two rates that the rate choice cannot tell apart, one is a mistake. */
function isRepeated({ rate, number, lineByIdentity, errors }: Repeat): boolean {
  const identity = rateIdentity(rate);
  const firstLine = lineByIdentity.get(identity);
  if (firstLine === undefined) {
    lineByIdentity.set(identity, number);
    return false;
  }
  const expected = `no second rate for the prefix, direction, routes, options, weight and period of line ${firstLine}`;
  errors.add({ line: number, field: 'prefix', value: rate.prefix, expected });
  return true;
}
