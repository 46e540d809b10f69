import { styleText } from 'node:util';
import type { Claim } from './claims.ts';
import { cropped, wrapped } from './layout.ts';

/** A moment of a scene: lines for a terminal, which are drawn over one another, and one line for a pipe. */
export type View = { readonly lines: readonly string[]; readonly progress: string };

/** Where the demonstration is seen. Nothing else writes to standard output. */
export type Screen = {
  /** A terminal whose lines can be drawn again. */
  readonly isLive: boolean;
  title(text: string): void;
  /** Prose, wrapped. */
  tell(text: string): void;
  /** Lines as they are, indented; one that is too long goes on below itself. */
  print(lines: readonly string[]): void;
  claim(claim: Claim): void;
  /** Draws over the last view; a pipe gets a line of progress now and then instead. */
  show(view: View): void;
  /** The last view stays as it is. */
  settle(): void;
  /** Nothing more is shown: what still runs is being ended. */
  mute(): void;
};

export type Output = {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
};

export type ScreenOptions = { readonly terminal: string; readonly now: () => number };

const WIDTH_MAX = 80;
const PROGRESS_MS = 1_000;
const INDENT = '  ';
const LINE_UP_AND_CLEAR = '\u001B[1A\u001B[2K';

function indented(line: string): string {
  return `${INDENT}${line}`.trimEnd();
}

export function createScreen(output: Output, options: ScreenOptions): Screen {
  const isLive = output.isTTY === true && options.terminal !== 'dumb' && options.terminal !== '';
  let drawn = 0;
  let last: View | undefined;
  let progressAt = Number.NEGATIVE_INFINITY;
  let muted = false;

  // One column less than there are, because a full line may wrap by itself.
  const width = (): number => Math.min(WIDTH_MAX, output.columns ?? WIDTH_MAX) - 1;
  const write = (text: string): void => {
    if (!muted) output.write(text);
  };
  // Its second argument would hold back colours by the real standard output, which a test does not have.
  const styled = (style: Parameters<typeof styleText>[0], text: string): string =>
    isLive && process.env['NO_COLOR'] === undefined
      ? styleText(style, text, { validateStream: false })
      : text;
  const settle = (): void => {
    if (!isLive && last !== undefined) write(`${INDENT}${last.progress}\n`);
    drawn = 0;
    last = undefined;
    progressAt = Number.NEGATIVE_INFINITY;
  };

  return {
    isLive,
    title(text) {
      settle();
      write(`\n${styled('bold', text)}\n`);
    },
    tell(text) {
      settle();
      write(`${wrapped(text, width()).join('\n')}\n`);
    },
    print(lines) {
      settle();
      for (const line of lines) {
        const [first = '', ...more] = wrapped(line, width() - INDENT.length);
        write(`${[first, ...more.map((each) => `${INDENT}${each}`)].map(indented).join('\n')}\n`);
      }
    },
    claim({ says, holds, figures }) {
      settle();
      const mark = holds ? styled('green', '✓') : styled('red', '✗');
      const lines = wrapped(`${says}: ${figures}`, width() - 4);
      for (const [index, line] of lines.entries()) write(`${INDENT}${index === 0 ? mark : ' '} ${line}\n`);
    },
    show(view) {
      if (!isLive) {
        const now = options.now();
        const isDue = now - progressAt >= PROGRESS_MS && view.progress !== last?.progress;
        last = isDue ? undefined : view;
        if (!isDue) return;
        progressAt = now;
        write(`${INDENT}${view.progress}\n`);
        return;
      }
      const lines = view.lines.map((line) => cropped(`${INDENT}${line}`, width()));
      write(`${LINE_UP_AND_CLEAR.repeat(drawn)}${lines.map((line) => `${line}\n`).join('')}`);
      drawn = lines.length;
      last = view;
    },
    settle,
    mute() {
      muted = true;
    },
  };
}
