import { describe, expect, it } from 'vitest';
import { cdrTable, statement } from '../../src/demo/books.ts';
import { bar, cropped, grid, table, wrapped } from '../../src/demo/layout.ts';
import { clockView } from '../../src/demo/talk-clock.ts';
import { account, money } from '../records/samples.ts';
import { chargedCall, walletOf } from './samples.ts';

const WIDTH = 77;

describe('layout', () => {
  it('puts columns under one another, numbers to the right', () => {
    const rows = [['a', '1.00'], ['longer', '10.00'], ['b']];
    expect(table(rows, ['left', 'right'])).toEqual(['a        1.00', 'longer  10.00', 'b']);
  });

  it('draws parts of a whole, never more than the whole', () => {
    expect(bar([{ mark: '#', share: 0.5 }], 4)).toBe('[##··]');
    expect(
      bar(
        [
          { mark: '#', share: 0.5 },
          { mark: '=', share: 0.5 },
        ],
        4,
      ),
    ).toBe('[##==]');
    expect(
      bar(
        [
          { mark: '#', share: 2 },
          { mark: '=', share: -1 },
        ],
        4,
      ),
    ).toBe('[####]');
    expect(
      bar(
        [
          { mark: '#', share: 0.1 },
          { mark: '=', share: 0.2 },
        ],
        10,
      ),
    ).toBe('[#==·······]');
  });

  it('fills rows with cells', () => {
    expect(grid(['a', 'b', 'c'], 2, 3)).toEqual(['a  b', 'c']);
  });

  it('wraps at spaces, and crops where a line must not wrap', () => {
    expect(wrapped('one two three', 8)).toEqual(['one two', 'three']);
    expect(wrapped('a  gap', 8)).toEqual(['a  gap']);
    expect(wrapped('unbreakable word', 4)).toEqual(['unbreakable', 'word']);
    expect(cropped('12345', 3)).toBe('123');
  });
});

describe('the books on paper', () => {
  const calls = Array.from({ length: 30 }, (_, index) =>
    chargedCall(`call-${index}`, { perMinute: '1.00', seconds: 2, cut: true }),
  );

  it('shows a few of many calls and says how many more there are', () => {
    const lines = cdrTable([calls, calls.slice(0, 1)]);
    expect(lines.filter((line) => line.includes('tollgate'))).toHaveLength(4);
    expect(lines).toContainEqual(expect.stringContaining('and 27 more'));
  });

  it('sums many charges into one line and ends at the balance', () => {
    const lines = statement([walletOf('acme/alice', { topUp: '10.00', calls })]);
    expect(lines).toHaveLength(4);
    expect(lines.at(-1)).toMatch(/30 charges +to revenue:acme +-1.00002 +8.99998$/);
  });

  it('fits a terminal of eighty columns', () => {
    const wallet = walletOf('reseller/client', { topUp: '10.00', calls: calls.slice(0, 2) });
    const ofClient = calls.slice(0, 1).map(({ cdr, charges }) => ({
      cdr: { ...cdr, account: account('reseller/client/101'), dialled: '49304101' },
      charges: charges.map((charge) => ({ ...charge, payer: account('reseller/client') })),
    }));
    const ofMany = calls.map(({ cdr, charges }) => ({ cdr: { ...cdr, dialled: '49301001' }, charges }));
    const lines = [...cdrTable([ofMany, ofClient]), ...statement([wallet])];
    expect(lines.filter((line) => line.length > WIDTH)).toEqual([]);
  });
});

describe('the clock beside a call', () => {
  it('fits a terminal of eighty columns, whatever it shows', () => {
    const talking = { committed: [{ payer: 'bob' as never, amount: money('0.05'), currency: 'USD' }] };
    const views = [
      clockView({ live: undefined, funded: undefined, talkedMs: 0, barSeconds: 5 }),
      clockView({ live: talking, funded: 12, talkedMs: 11_999, barSeconds: 12 }),
    ];
    const lines = views.flatMap((view) => [...view.lines, view.progress]);
    expect(lines.filter((line) => line.length > WIDTH)).toEqual([]);
    expect(views[0]?.progress).toContain('dialling');
    expect(views[1]?.progress).toContain('committed 0.05');
  });
});
