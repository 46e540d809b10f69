/** A line of a text file and its number, from 1. */
export type TextLine = { readonly number: number; readonly text: string };

/**
 * The only value of a line that was too long to be one; the file is not read past it. Without this bound a
 * file that has no line ends at all would be taken into memory whole.
 */
export const LINE_CHARS_MAX = 10_000;

const LINE_END = /\r\n|\n|\r/;

/**
 * The lines of a UTF-8 file as they arrive, a byte order mark left out and empty ones too, whatever the
 * system that ended them. Bytes that are not UTF-8 become U+FFFD, so that the reader can name every such line.
 */
export async function* textLines(
  bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<readonly TextLine[]> {
  const decoder = new TextDecoder('utf-8');
  let rest = '';
  let number = 0;
  const numbered = (texts: readonly string[]): readonly TextLine[] => {
    const lines: TextLine[] = [];
    for (const text of texts) {
      number += 1;
      if (text.trim() !== '') lines.push({ number, text });
    }
    return lines;
  };
  for await (const chunk of bytes) {
    const text = rest + decoder.decode(chunk, { stream: true });
    // A carriage return at the very end may be half of a line end.
    const whole = text.endsWith('\r') ? text.slice(0, -1) : text;
    const texts = whole.split(LINE_END);
    rest = (texts.pop() ?? '') + text.slice(whole.length);
    yield numbered(texts);
    if (rest.length > LINE_CHARS_MAX) break;
  }
  yield numbered((rest + decoder.decode()).split(LINE_END));
}
