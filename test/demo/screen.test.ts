import { describe, expect, it } from 'vitest';
import { claim } from '../../src/demo/claims.ts';
import { createScreen, type Screen } from '../../src/demo/screen.ts';

function shown(on: { readonly isTTY: boolean; readonly terminal?: string; readonly columns?: number }): {
  readonly screen: Screen;
  readonly text: () => string;
  readonly pass: (ms: number) => void;
} {
  let text = '';
  let nowMs = 0;
  const write = (more: string): void => void (text += more);
  const output = { write, isTTY: on.isTTY, ...(on.columns === undefined ? {} : { columns: on.columns }) };
  const screen = createScreen(output, { terminal: on.terminal ?? 'xterm', now: () => nowMs });
  return { screen, text: () => text, pass: (ms) => void (nowMs += ms) };
}

const view = (name: string) => ({ lines: [`${name} one`, `${name} two`], progress: `at ${name}` });

describe('on a pipe or a dumb terminal', () => {
  it.each([
    { isTTY: false, terminal: 'xterm' },
    { isTTY: true, terminal: 'dumb' },
  ])('nothing steers the cursor or colours: $terminal', (on) => {
    const { screen, text } = shown(on);
    screen.title('Title');
    screen.show(view('a'));
    screen.show(view('b'));
    screen.claim(claim('It holds', true, '1'));
    screen.claim(claim('It does not', false, '2'));
    expect(text()).toBe('\nTitle\n  at a\n  at b\n  ✓ It holds: 1\n  ✗ It does not: 2\n');
  });

  it('progress is told once a second, and the last of it always', () => {
    const { screen, text, pass } = shown({ isTTY: false });
    for (const name of ['a', 'b', 'c', 'd']) {
      screen.show(view(name));
      pass(400);
    }
    screen.show(view('e'));
    screen.settle();
    expect(text()).toBe('  at a\n  at d\n  at e\n');
  });
});

describe('on a terminal', () => {
  it('a view is drawn over the one before', () => {
    const { screen, text } = shown({ isTTY: true });
    screen.show(view('a'));
    const first = text();
    screen.show(view('b'));
    expect(text().slice(first.length)).toBe('\u001B[1A\u001B[2K\u001B[1A\u001B[2K  b one\n  b two\n');
  });

  it('a view that was followed by something else stays', () => {
    const { screen, text } = shown({ isTTY: true });
    screen.show(view('a'));
    screen.print(['between']);
    screen.show(view('b'));
    expect(text()).toBe('  a one\n  a two\n  between\n  b one\n  b two\n');
  });

  it('no drawn line is long enough to wrap', () => {
    const { screen, text } = shown({ isTTY: true, columns: 10 });
    screen.show({ lines: ['a line that is too long'], progress: '' });
    expect(text()).toBe('  a line \n');
  });

  it('a long line goes on below itself', () => {
    const { screen, text } = shown({ isTTY: true, columns: 20 });
    screen.print(['a line that is too long']);
    expect(text()).toBe('  a line that is\n    too long\n');
  });
});

it('a muted screen shows nothing more', () => {
  const { screen, text } = shown({ isTTY: false });
  screen.mute();
  screen.title('Title');
  screen.show(view('a'));
  expect(text()).toBe('');
});
