import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  canMatchInternational,
  matches,
  parsePattern,
  type NumberPattern,
} from '../../src/rating/patterns.ts';

function pattern(text: string): NumberPattern {
  const parsed = parsePattern(text);
  if (parsed.kind === 'bad') throw new Error(`${text}: expected ${parsed.expected}`);
  return parsed;
}

describe('a pattern', () => {
  it.each([
    [String.raw`^\+1(?:800|888|877)\d{7}$`, '+18005551234', true],
    [String.raw`^\+1(?:800|888|877)\d{7}$`, '+180055512345', false],
    [String.raw`^\+1(?:800|888|877)\d{7}$`, '+18015551234', false],
    [String.raw`^(911|922)$`, '911', true],
    [String.raw`^(911|922)$`, '9111', false],
    ['555', '+14155551234', true],
    ['^$', '', true],
    ['^$', '1', false],
    ['', 'anything', true],
    [String.raw`^\+?[2-9]\d*$`, '442071234567', true],
    [String.raw`^\+?[2-9]\d*$`, '+1', false],
    ['^[^0-4]+$', '5678', true],
    ['^[^0-4]+$', '45678', false],
    ['^0{2,3}4', '00049', true],
    ['^0{2,3}4', '000049', false],
    ['^1{2,}$', '1111', true],
    [String.raw`^00(\d+)?$`, '00', true],
    ['^a|b$', 'xb', true],
    [String.raw`^[\d*#-]+$`, '*21#', true],
    [String.raw`^\*\d\d$`, '*21', true],
    ['.', '\n', true],
  ])('%s on %j: %s', (text, number, expected) => {
    expect(matches(pattern(text), number)).toBe(expected);
  });

  it.each([
    [String.raw`^\+4930`, true],
    ['^4930', false],
    ['^.4930', true],
    ['4930', true],
    ['^[^+]', false],
    [String.raw`^\+?4930$`, true],
    [String.raw`^\+$`, false],
    ['^$', false],
    ['', true],
    ['^110$|555', true],
    ['bob', false],
    [String.raw`\d\+`, false],
    [String.raw`^(00|\+)49`, true],
  ])('%s can match an international number: %s', (text, expected) => {
    expect(canMatchInternational(pattern(text))).toBe(expected);
  });

  it.each([
    ['(a+)+', 'never behind a group'],
    ['(a|a)*', 'never behind a group'],
    ['(a|ab)*$', 'never behind a group'],
    ['(a*)*', 'never behind a group'],
    ['(a?){1,}', 'never behind a group'],
    [String.raw`(\d+){2,9}`, 'no "*" or "+" inside what is repeated'],
    [String.raw`((\d{64}){64}){64}`, 'fewer repeats'],
    ['a**', 'no repeat of a repeat'],
    ['a+?', 'no repeat of a repeat'],
    ['^*', 'no repeat of an anchor'],
    [String.raw`(a)\1`, 'no back references'],
    ['(?=a)', 'no lookaround'],
    ['(?<!a)b', 'no lookaround'],
    ['(?<name>a)', 'no lookaround'],
    ['(a', 'a ")" for every "("'],
    ['a)', 'a "(" for every ")"'],
    ['[a', 'a "]" for every "["'],
    ['[]', 'something between [ and ]'],
    ['[9-2]', 'a range from lower to higher'],
    [String.raw`[\d-9]`, 'a range from lower to higher'],
    ['+49', 'a backslash before a "+"'],
    ['a{,3}', '{n}, {n,} or {n,m}'],
    ['a{3,2}', 'm not less than n'],
    ['a{65}', 'at most 64'],
    ['a]', 'a backslash before a "]"'],
    [String.raw`\w+`, String.raw`\d or a punctuation character`],
    ['\\', String.raw`\d or a punctuation character`],
    ['ä', 'printable ASCII'],
    [`${'('.repeat(9)}a${')'.repeat(9)}`, 'at most 8 deep'],
    ['1'.repeat(1001), 'at most 1000 characters'],
  ])('is not %s', (text, expected) => {
    const parsed = parsePattern(text);
    expect(parsed).toMatchObject({ kind: 'bad', expected: expect.stringContaining(expected) });
  });

  it('takes time that grows with the number and not faster, at its worst', () => {
    const worst = pattern(String.raw`^${String.raw`\d?`.repeat(60)}${String.raw`\d*`.repeat(40)}[1]$`);
    const startedAt = performance.now();
    expect(matches(worst, `${'1'.repeat(2000)}2`)).toBe(false);
    expect(performance.now() - startedAt).toBeLessThan(2000);
  });

  it('throws at nothing a stranger can write', () => {
    const noise = fc.oneof(
      fc.string(),
      fc.string({ unit: fc.constantFrom(...Array.from('()[]{}|*+?^$\\d01a,-.:=<!')) }),
    );
    fc.assert(
      fc.property(noise, (text) => {
        expect(['pattern', 'bad']).toContain(parsePattern(text).kind);
      }),
      { numRuns: 3000 },
    );
  });
});

const character = fc.constantFrom(
  '0',
  '1',
  '2',
  'a',
  '.',
  String.raw`\d`,
  String.raw`\+`,
  '[01]',
  '[^1a]',
  '[0-2]',
);
const range = fc.constantFrom('?', '{2}', '{0,2}', '{1,3}');
const endless = fc.constantFrom('*', '+', '{2,}', '');

/** Patterns that `parsePattern` accepts, by the rules it states. */
const { safe } = fc.letrec<{ safe: string; sequence: string; piece: string; finite: string; inner: string }>(
  (tie) => ({
    safe: fc.oneof(
      { weight: 3, arbitrary: tie('sequence') },
      { weight: 1, arbitrary: fc.tuple(tie('sequence'), tie('sequence')).map(([a, b]) => `${a}|${b}`) },
    ),
    sequence: fc.array(tie('piece'), { maxLength: 4, depthIdentifier: 'p' }).map((parts) => parts.join('')),
    piece: fc.oneof(
      { depthSize: 'small', depthIdentifier: 'p' },
      fc.tuple(character, endless).map((parts) => parts.join('')),
      fc.tuple(character, range).map((parts) => parts.join('')),
      fc.constantFrom('^', '$'),
      tie('safe').map((inner) => `(${inner})`),
      tie('finite'),
    ),
    finite: fc.tuple(tie('inner'), range).map(([inner, repeat]) => `(?:${inner})${repeat}`),
    inner: fc
      .array(
        fc.oneof({ depthSize: 'small', depthIdentifier: 'p' }, character, fc.constant('|1'), tie('finite')),
        {
          minLength: 2,
          maxLength: 3,
          depthIdentifier: 'p',
        },
      )
      .map((parts) => `0${parts.join('')}`),
  }),
);
const anyNumber = fc.string({ unit: fc.constantFrom('0', '1', '2', 'a', '+'), maxLength: 8 });

describe('matching', () => {
  it('is what regular expressions mean', () => {
    let compared = 0;
    fc.assert(
      fc.property(safe, fc.array(anyNumber, { minLength: 5, maxLength: 5 }), (text, numbers) => {
        const parsed = parsePattern(text);
        // Only too deep or too long, for the rules of the syntax are kept.
        if (parsed.kind === 'bad') return;
        compared += 1;
        const oracle = new RegExp(text, 's');
        for (const number of numbers) {
          expect({ text, number, found: matches(parsed, number) }).toEqual({
            text,
            number,
            found: oracle.test(number),
          });
        }
      }),
      { numRuns: 2000 },
    );
    expect(compared).toBeGreaterThan(1800);
  });
});
