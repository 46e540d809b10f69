import { moneyJson } from '../cli-accounts/account-view.ts';
import { columns } from '../command-line/help.ts';
import { formatMicros, subtractMicros, type Micros } from '../units/money.ts';

/** Tables of sums before and after a change. A person reads some rows; a program reads the CSV. */
export const ROWS_MAX = 1_000;
const ROWS_SHOWN_MAX = 20;

export type ChangedSum = { readonly before: Micros; readonly after: Micros; readonly currency: string };

/** `more` rows there are beyond these; `rest` says what the CSV has, where it has them. */
export function changeTable(
  title: string,
  rows: readonly (readonly string[])[],
  { more = 0, rest }: { readonly more?: number; readonly rest?: string } = {},
): readonly string[] {
  const left = rows.length - ROWS_SHOWN_MAX + more;
  const where = rest === undefined ? '--json has them' : `--json has ${ROWS_MAX}, --csv ${rest}`;
  return [
    title,
    ...columns(rows.slice(0, ROWS_SHOWN_MAX)),
    ...(left > 0 ? [`  and ${left} more: ${where}`] : []),
  ];
}

/** `1.00 → 2.00 EUR`. */
export function changeText({ before, after, currency }: ChangedSum): string {
  return `${formatMicros(before)} → ${formatMicros(after)} ${currency}`.trimEnd();
}

/** `+1.00`. */
export function differenceText({ before, after }: ChangedSum): string {
  const difference = subtractMicros(after, before);
  return `${difference > 0n ? '+' : ''}${formatMicros(difference)}`;
}

export function differenceJson({ before, after, currency }: ChangedSum): ReturnType<typeof moneyJson> {
  return moneyJson(subtractMicros(after, before), currency);
}
