import { describe, expect, it } from 'vitest';
import { byteLines, LINE_BYTES_MAX, type ByteLine } from '../../src/cdrfiles/byte-lines.ts';

const START = { offset: 0, number: 1 };

async function linesOf(chunks: Iterable<Uint8Array>): Promise<readonly ByteLine[]> {
  return (await Array.fromAsync(byteLines(chunks, START))).flat();
}

describe('the lines of a file', () => {
  it('go on behind one of a gigabyte, of which nothing is kept', async () => {
    const megabyte = Buffer.alloc(2 ** 20, 'x');
    function* chunks(): Generator<Uint8Array> {
      yield Buffer.from('first\n');
      for (let count = 0; count < 1024; count += 1) yield megabyte;
      yield Buffer.from('\nlast');
    }
    const before = process.memoryUsage();
    const lines = await linesOf(chunks());
    expect(lines.map(({ number, text, ended }) => [number, text, ended])).toEqual([
      [1, 'first', true],
      [2, undefined, true],
      [3, 'last', false],
    ]);
    expect(lines.map(({ endsAt }) => endsAt)).toEqual([6, 6 + 2 ** 30 + 1, 6 + 2 ** 30 + 5]);
    expect(process.memoryUsage().rss - before.rss).toBeLessThan(100 * 2 ** 20);
  });

  it('are as long as they may be, and no byte longer, in whatever pieces they come', async () => {
    for (const size of [1, 1000, LINE_BYTES_MAX, LINE_BYTES_MAX * 3]) {
      const content = `${'a'.repeat(LINE_BYTES_MAX)}\n${'b'.repeat(LINE_BYTES_MAX + 1)}\nc\n`;
      const bytes = Buffer.from(content);
      const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) =>
        bytes.subarray(at * size, (at + 1) * size),
      );
      const lines = await linesOf(pieces);
      expect(lines.map(({ text }) => text?.length)).toEqual([LINE_BYTES_MAX, undefined, 1]);
      expect(lines.at(-1)?.endsAt).toBe(bytes.length);
    }
  });
});
