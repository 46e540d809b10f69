import { COMMON_FLAGS, usageOf } from './command-line.ts';
import type { Command } from './command.ts';

export function helpOfAll(commands: readonly Command[]): readonly string[] {
  return [
    'Tollgate admits, meters, cuts and charges the calls of FreeSWITCH.',
    '',
    'usage: tollgate COMMAND [arguments] [flags]',
    '',
    ...columns(commands.map((command) => [[command.name, ...command.operands].join(' '), command.summary])),
    '',
    ...columns(flagRows(COMMON_FLAGS)),
    '',
    'Results go to standard output, all else to standard error. Exit code 0: done, 1: failed, 2: bad input.',
  ];
}

export function helpOf(command: Command): readonly string[] {
  return [
    `tollgate ${command.name}: ${command.summary}`,
    '',
    `usage: tollgate ${usageOf(command)}`,
    '',
    ...columns(flagRows({ ...command.flags, ...COMMON_FLAGS })),
    ...(command.notes === undefined ? [] : ['', ...command.notes]),
  ];
}

function flagRows(flags: Command['flags']): readonly (readonly [string, string])[] {
  return Object.entries(flags).map(([name, { value, doc }]) => [
    value === undefined ? `--${name}` : `--${name} ${value}`,
    doc,
  ]);
}

/** Rows with their columns under one another, two spaces apart and indented. */
export function columns(rows: readonly (readonly string[])[]): readonly string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [index, cell] of row.entries()) widths[index] = Math.max(widths[index] ?? 0, cell.length);
  }
  return rows.map((row) =>
    `  ${row.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join('  ')}`.trimEnd(),
  );
}
