import type { Row, Target } from './row.ts';
import type { Reading } from './statistics.ts';

const HEAD = ['', 'measured', 'baseline', 'ratio', 'target', ''];

/** The rows as people read them: medians with [least-most], and which target was reached. */
export function formatRows(rows: readonly Row[]): string {
  const lines = rows.map((row) => [
    row.what + (row.note === undefined ? '' : ` (${row.note})`),
    `${spread(row.measured)} ${row.unit}`,
    `${spread(row.baseline)} ${row.unit}: ${row.baseline.what}`,
    `${spread(row.ratio)} x`,
    row.target === undefined ? '' : targetText(row.target, row.unit),
    row.reached === undefined ? '' : row.reached ? 'reached' : 'MISSED',
  ]);
  const all = [HEAD, ...lines];
  const widths = HEAD.map((_, column) => Math.max(...all.map((line) => line[column]?.length ?? 0)));
  return all
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function targetText({ of, is, value }: Target, unit: string): string {
  const sign = is === 'at most' ? '≤' : '≥';
  return of === 'ratio' ? `${sign} ${value} x` : `${sign} ${figure(value)} ${unit}`;
}

function spread({ median, min, max }: Reading): string {
  return min === max ? figure(median) : `${figure(median)} [${figure(min)}-${figure(max)}]`;
}

/** Three digits that mean something, thousands set apart. */
function figure(value: number): string {
  if (!Number.isFinite(value)) return '?';
  const size = Math.abs(value);
  if (size >= 1_000) return Math.round(value).toLocaleString('en');
  if (size >= 100) return value.toFixed(0);
  if (size >= 10) return value.toFixed(1);
  return value.toFixed(size >= 0.1 || size === 0 ? 2 : 4);
}
