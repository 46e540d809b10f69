/** Text arithmetic for eighty columns. Knows nothing of calls or terminals. */

export type Alignment = 'left' | 'right';

const GAP = '  ';

/** Rows under one another; a column is as wide as its widest cell. */
export function table(
  rows: readonly (readonly string[])[],
  alignments: readonly Alignment[] = [],
): readonly string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [index, cell] of row.entries()) widths[index] = Math.max(widths[index] ?? 0, cell.length);
  }
  return rows.map((row) => {
    const cells = row.map((cell, index) => {
      const width = widths[index] ?? 0;
      return alignments[index] === 'right' ? cell.padStart(width) : cell.padEnd(width);
    });
    return cells.join(GAP).trimEnd();
  });
}

/** `width` marks of which each part takes its share of the whole, rounded down; what is left is dots. */
export function bar(
  parts: readonly { readonly mark: string; readonly share: number }[],
  width: number,
): string {
  let drawn = '';
  let until = 0;
  for (const { mark, share } of parts) {
    until += Math.min(1, Math.max(0, share)) * width;
    // A hair is added, because a sum of shares that should be whole may fall short of it.
    drawn += mark.repeat(Math.max(0, Math.min(width, Math.floor(until + 1e-9)) - drawn.length));
  }
  return `[${drawn.padEnd(width, '·')}]`;
}

/** Cells of equal width, so many to a row. */
export function grid(cells: readonly string[], perRow: number, width: number): readonly string[] {
  const rows: string[] = [];
  for (let from = 0; from < cells.length; from += perRow) {
    const row = cells.slice(from, from + perRow).map((cell) => cell.padEnd(width));
    rows.push(row.join('').trimEnd());
  }
  return rows;
}

/** At spaces, and only where it is too long: a table's gaps stay as they are. */
export function wrapped(text: string, width: number): readonly string[] {
  if (text.length <= width) return [text];
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (longer.length <= width || line === '') {
      line = longer;
      continue;
    }
    lines.push(line);
    line = word;
  }
  return [...lines, line];
}

export function cropped(line: string, width: number): string {
  return line.length <= width ? line : line.slice(0, width);
}
