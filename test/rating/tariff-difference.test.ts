import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { rateIdentity, type Rate } from '../../src/rating/rate.ts';
import { risePercentHundredths, tariffDifference } from '../../src/rating/tariff-difference.ts';
import { money, period, rateOf } from './samples.ts';

const anyRates = fc
  .uniqueArray(
    fc.record({
      prefix: fc.constantFrom('4', '49', '490', '5'),
      direction: fc.constantFrom(undefined, 'outbound' as const, 'inbound' as const),
      routes: fc.constantFrom<readonly string[]>([], ['gold', 'tin'], ['tin', 'gold']),
      weight: fc.constantFrom(undefined, 100, 1),
      period: fc.constantFrom(undefined, period('sat,sun')),
      perMinute: fc.constantFrom(money('0.10'), money('0.20')),
      minimumSeconds: fc.constantFrom(undefined, 60, 1),
    }),
    { maxLength: 12, selector: (fields) => rateIdentity(rateOf({ id: 1, ...fields })) },
  )
  .map((rows) => rows.map((row, index) => rateOf({ id: index + 1, ...row })));

/** Rates by what they are chosen by and what they cost. */
function meanings(rates: Iterable<Rate>): readonly string[] {
  return [...rates]
    .map((rate) => `${rateIdentity(rate)}: ${rate.perMinute} ${rate.minimumSeconds ?? 60}`)
    .toSorted();
}

test('a difference makes the one tariff of the other, and is in order', () => {
  fc.assert(
    fc.property(anyRates, anyRates, (before, after) => {
      const { changes, counts } = tariffDifference(before, after);
      const made = new Map(before.map((rate) => [rateIdentity(rate), rate]));
      for (const change of changes) {
        if (change.kind !== 'added') made.delete(rateIdentity(change.before));
        if (change.kind !== 'removed') made.set(rateIdentity(change.after), change.after);
      }
      expect(meanings(made.values())).toEqual(meanings(after));
      const prefixes = changes.map(
        (change) => (change.kind === 'removed' ? change.before : change.after).prefix,
      );
      expect(prefixes).toEqual(prefixes.toSorted());
      expect(counts.removed + counts.changed + counts.unchanged).toBe(before.length);
      expect(counts.added + counts.changed + counts.unchanged).toBe(after.length);
      expect(changes).toHaveLength(counts.added + counts.removed + counts.changed);
    }),
  );
});

test('a tariff differs in nothing from itself, its order and its defaults apart', () => {
  fc.assert(
    fc.property(anyRates, (rates) => {
      const written = rates
        .map((rate) => ({ ...rate, minimumSeconds: rate.minimumSeconds ?? 60 }))
        .toReversed();
      expect(tariffDifference(rates, written).changes).toEqual([]);
    }),
  );
});

test('of 200,000 rates every one is told', () => {
  const rates = Array.from({ length: 200_000 }, (_, index) =>
    rateOf({ id: index + 1, prefix: String(index) }),
  );
  const dearer = rates.map((rate) => ({ ...rate, perMinute: money('0.02') }));
  expect(tariffDifference(rates, dearer).counts).toMatchObject({
    changed: 200_000,
    dearer: 200_000,
    unchanged: 0,
  });
});

test.each([
  ['0.10', '0.125', 2_500n],
  ['0.30', '0.20', -3_333n],
  ['0.10', '0', -10_000n],
  ['1', '1', 0n],
  ['0', '1', undefined],
])('from %s to %s it rises by %s hundredths of a percent', (before, after, percent) => {
  expect(risePercentHundredths(money(before), money(after))).toBe(percent);
});
