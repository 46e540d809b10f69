import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { nearestName } from '../../src/units/nearest-name.ts';

const NAMES = ['prefix', 'rate', 'surcharge', 'minimum', 'increment', 'calls', 'inboundCalls'];

test.each([
  ['prefx', 'prefix'],
  ['perfix', 'prefix'],
  ['PREFIX', 'prefix'],
  ['rates', 'rate'],
  ['sucharge', 'surcharge'],
  ['incremnet', 'increment'],
  ['cals', 'calls'],
  ['inboundcalls', 'inboundCalls'],
  ['zone', undefined],
  ['', undefined],
  ['x'.repeat(65), undefined],
])('who wrote %s meant %s', (wrong, expected) => {
  expect(nearestName(wrong, NAMES)).toBe(expected);
});

test('of two as near, the first is named', () => {
  expect(nearestName('cat', ['bat', 'car'])).toBe('bat');
  expect(nearestName('cat', [])).toBeUndefined();
});

test('one slip of the pen in a name of some length is always recognised', () => {
  const slip = fc.record({ place: fc.nat({ max: 8 }), kind: fc.constantFrom('leave', 'double', 'swap') });
  fc.assert(
    fc.property(slip, ({ place, kind }) => {
      const name = 'surcharge';
      const [before, letter, after] = [name.slice(0, place), name[place] ?? '', name.slice(place + 1)];
      const wrong = {
        leave: before + after,
        double: before + letter + letter + after,
        swap: before + after.slice(0, 1) + letter + after.slice(1),
      }[kind];
      expect(nearestName(wrong, NAMES)).toBe(name);
    }),
  );
});
