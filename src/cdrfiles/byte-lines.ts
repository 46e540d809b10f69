/** One line of a file that may be of any length and still be growing. */
export type ByteLine = {
  /** From 1. */
  readonly number: number;
  /** Undefined: too long to be a line; none of it is kept. */
  readonly text: string | undefined;
  /** Where in the file the next line begins. */
  readonly endsAt: number;
  /** False for the last line of a file that does not end in a line end: it may be half written. */
  readonly ended: boolean;
};

/** A CDR is under 10,000 bytes; without a bound a file without line ends would be taken into memory whole. */
export const LINE_BYTES_MAX = 65_536;

const LINE_FEED = 0x0a;

/** Where reading begins: at the start of a line, whose number is known. */
export type LineStart = { readonly offset: number; readonly number: number };

/** The lines of a file from a place on, as its bytes arrive. Bytes that are no UTF-8 become U+FFFD. */
export async function* byteLines(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  start: LineStart,
): AsyncGenerator<readonly ByteLine[]> {
  let { offset, number } = start;
  let pieces: Uint8Array[] = [];
  let kept = 0;
  let dropped = 0;
  const keep = (piece: Uint8Array): void => {
    if (dropped > 0 || kept + piece.length > LINE_BYTES_MAX) {
      dropped += kept + piece.length;
      kept = 0;
      pieces = [];
    } else {
      pieces.push(piece);
      kept += piece.length;
    }
  };
  const take = (ended: boolean): ByteLine => {
    offset += kept + dropped + (ended ? 1 : 0);
    const text = dropped > 0 ? undefined : decodeLine(pieces, number === 1);
    const line = { number, text, endsAt: offset, ended };
    number += 1;
    pieces = [];
    kept = 0;
    dropped = 0;
    return line;
  };
  for await (const chunk of chunks) {
    const lines: ByteLine[] = [];
    let from = 0;
    for (let at = chunk.indexOf(LINE_FEED); at !== -1; at = chunk.indexOf(LINE_FEED, from)) {
      keep(chunk.subarray(from, at));
      lines.push(take(true));
      from = at + 1;
    }
    keep(chunk.subarray(from));
    yield lines;
  }
  if (kept + dropped > 0) yield [take(false)];
}

function decodeLine(pieces: readonly Uint8Array[], isFirst: boolean): string {
  const text = new TextDecoder('utf-8', { ignoreBOM: !isFirst }).decode(Buffer.concat(pieces));
  return text.endsWith('\r') ? text.slice(0, -1) : text;
}
