import { describe, expect, test } from 'vitest';
import {
  admissionIdOf,
  chainOf,
  legKeyOf,
  parseAccountPath,
  parseAdmissionId,
  parseLegUuid,
  parseNodeId,
  parseRouteName,
  parseTariffName,
  rootOf,
  type AccountPath,
  type LegUuid,
} from '../../src/units/ids.ts';

function path(text: string): AccountPath {
  const parsed = parseAccountPath(text);
  if (parsed === undefined) throw new Error(`not a path: ${text}`);
  return parsed;
}

function uuid(text: string): LegUuid {
  const parsed = parseLegUuid(text);
  if (parsed === undefined) throw new Error(`not a uuid: ${text}`);
  return parsed;
}

describe('an account path', () => {
  test.each([
    ['acme', 'acme'],
    ['Acme/Retail/ALICE', 'acme/retail/alice'],
    ['acme/+1', undefined],
    ['acme/0800.1_a-b', 'acme/0800.1_a-b'],
    ['a/b/c/d/e/f/g/h', 'a/b/c/d/e/f/g/h'],
    ['a/b/c/d/e/f/g/h/i', undefined],
    ['', undefined],
    ['/acme', undefined],
    ['acme/', undefined],
    ['acme//alice', undefined],
    ['acme/.hidden', undefined],
    ['acme/al ice', undefined],
    ['acme/{alice}', undefined],
    ['acme/alice\n', undefined],
    ['acme/\u00e4', undefined],
    ['x'.repeat(64), 'x'.repeat(64)],
    ['x'.repeat(65), undefined],
  ])('%j is %j', (text, expected) => {
    expect(parseAccountPath(text)).toBe(expected);
  });

  test('its chain is itself and its ancestors, root first', () => {
    expect(chainOf(path('acme/retail/alice'))).toEqual(['acme', 'acme/retail', 'acme/retail/alice']);
    expect(chainOf(path('acme'))).toEqual(['acme']);
    expect(rootOf(path('acme/retail/alice'))).toBe('acme');
    expect(rootOf(path('acme'))).toBe('acme');
  });
});

describe('names', () => {
  test('of routes and tariffs are lower case, and of nodes as they are', () => {
    expect(parseRouteName('Carrier-A')).toBe('carrier-a');
    expect(parseTariffName('Retail_2026')).toBe('retail_2026');
    expect(parseNodeId('fs1')).toBe('fs1');
    expect(parseNodeId('FS1')).toBeUndefined();
  });

  test.each(['', 'a/b', 'a b', '-a', 'a:b', 'a\n', 'a{b}', 'x'.repeat(65)])('%j names nothing', (text) => {
    expect(parseRouteName(text)).toBeUndefined();
    expect(parseTariffName(text)).toBeUndefined();
    expect(parseNodeId(text)).toBeUndefined();
  });
});

describe('legs and admissions', () => {
  test.each(['', '-a', 'a b', 'a:b', 'a{b}', 'a\n', 'x'.repeat(129)])('%j is no uuid of a leg', (text) => {
    expect(parseLegUuid(text)).toBeUndefined();
  });

  test('an admission is an A-leg and its pass, and reads back', () => {
    const admission = admissionIdOf(uuid('5e2a-91'), 2);
    expect(admission).toBe('5e2a-91.2');
    expect(parseAdmissionId(admission)).toBe(admission);
    expect(parseAdmissionId('5e2a-91')).toBeUndefined();
    expect(parseAdmissionId('.2')).toBeUndefined();
  });

  test('a branch may not break out of the key', () => {
    const admission = admissionIdOf(uuid('5e2a'), 1);
    expect(legKeyOf(admission, 'b1')).toBe('5e2a.1:b1');
    expect(legKeyOf(admission, 'b:1')).toBeUndefined();
    expect(legKeyOf(admission, '')).toBeUndefined();
  });
});
