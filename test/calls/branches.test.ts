import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { branchName, dialStringOf, parseBranches, type Branch } from '../../src/calls/branches.ts';
import { toToken } from '../../src/freeswitch/tokens.ts';

const DEFAULTS = { callee: 'acme/desk', routes: ['carrier'], destination: '4930123' };
const parse = (bridge: string | undefined) => parseBranches(bridge, DEFAULTS);

describe('what tollgate_bridge says', () => {
  it.each([undefined, '', '   '])('%j leaves the dialling to the dialplan', (bridge) => {
    expect(parse(bridge)).toEqual([{ name: 'b1', dial: undefined, ...DEFAULTS }]);
  });

  it.each([
    'sofia/gateway/carrier/4930123',
    'user/1001@example.com,user/1002@example.com',
    'sofia/gateway/a/4930123|sofia/gateway/b/4930123',
    '{ignore_early_media=true}[leg_timeout=10]sofia/gateway/a/4930123',
    '[leg_timeout=10]user/1001',
  ])('%s is one branch, dialled as it stands', (dial) => {
    expect(parse(`  ${dial} `)).toEqual([{ name: 'b1', dial, ...DEFAULTS }]);
  });

  it('is a list of branches, each with its own callee, routes and destination', () => {
    const list = [
      { dial: 'user/1001@example.com', callee: 'acme/1001' },
      { dial: 'sofia/gateway/carrier/49151', route: 'carrier, rule', destination: '49151' },
    ];
    expect(parse(JSON.stringify(list))).toEqual([
      { name: 'b1', dial: 'user/1001@example.com', callee: 'acme/1001', routes: [], destination: undefined },
      {
        name: 'b2',
        dial: 'sofia/gateway/carrier/49151',
        callee: undefined,
        routes: ['carrier', 'rule'],
        destination: '49151',
      },
    ]);
  });

  it.each([
    ['an expansion', 'user/${system(reboot)}'],
    ['a single quote', `user/10'01`],
    ['a double quote', 'user/10"01'],
    ['a backslash', 'user/10\\01'],
    ['a caret', '^^:user/1001'],
    ['a line feed', 'user/1001\n\napi x'],
    ['a letter of no command', 'user/müller'],
    ['8,193 characters', `user/${'1'.repeat(8188)}`],
    ['JSON without an end', '[{"dial":"user/1001"'],
    ['a list with nothing that dials', '[{}]'],
    ['a word nobody knows', '[{"dial":"user/1001","Callee":"acme"}]'],
    ['a callee that is no text', '[{"dial":"user/1001","callee":1}]'],
    ['a branch that forks', '[{"dial":"user/1001,user/1002"}]'],
    ['a branch that fails over', '[{"dial":"user/1001|user/1002"}]'],
    ['a branch with another enterprise', '[{"dial":"user/1001:_:user/1002"}]'],
    ['an expansion in one of two branches', '[{"dial":"user/1001"},{"dial":"user/${x}"}]'],
    ['33 branches', JSON.stringify(Array.from({ length: 33 }, () => ({ dial: 'user/1001' })))],
    [
      'branches too long together',
      JSON.stringify(Array.from({ length: 32 }, () => ({ dial: `user/${'1'.repeat(300)}` }))),
    ],
  ])('with %s is none of that', (_, bridge) => {
    expect(parse(bridge)).toBeUndefined();
  });

  it('is never taken where the wire would refuse it', () => {
    const piece = fc.constantFrom(
      'user/',
      '1001',
      ',',
      '|',
      ' ',
      '[',
      ']',
      '{',
      '}',
      '$',
      "'",
      '"',
      '\\',
      ';',
      '^',
      '\n',
      'ü',
      '%0a',
      '<',
      '@',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), fc.boolean(), (pieces, isList) => {
        const dial = pieces.join('');
        const branches = parse(isList ? JSON.stringify([{ dial }, { dial: 'user/1002' }]) : dial) ?? [];
        const text = dialStringOf(branches, branches.length);
        expect(text === undefined ? '' : toToken('dial string', text)).toBe(text ?? '');
      }),
    );
  });
});

describe('the dial string of admitted branches', () => {
  const branch = (name: string, dial: string | undefined): Branch => ({ name, dial, ...DEFAULTS });

  it('names each branch, so that a leg says which it is', () => {
    const admitted = [branch('b1', 'user/1001'), branch('b3', 'user/1003')];
    expect(dialStringOf(admitted, 3)).toBe('[tollgate_branch=b1]user/1001,[tollgate_branch=b3]user/1003');
  });

  it('needs no name for the only one', () => {
    expect(dialStringOf([branch('b1', 'user/1001|user/1002')], 1)).toBe('user/1001|user/1002');
  });

  it('names the one that is left of several', () => {
    expect(dialStringOf([branch('b2', 'user/1002')], 2)).toBe('[tollgate_branch=b2]user/1002');
  });

  it('is none where the dialplan dials, or nobody is left', () => {
    expect(dialStringOf([branch('b1', undefined)], 1)).toBeUndefined();
    expect(dialStringOf([], 2)).toBeUndefined();
  });

  it('has at most 32 names', () => {
    expect([0, 31].map((index) => branchName(index))).toEqual(['b1', 'b32']);
    expect(() => branchName(32)).toThrow('32');
  });
});
