import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { COUNTERS, holderName, type Holder } from '../../src/admission/plan.ts';
import { toEpochMs } from '../../src/units/time.ts';
import { createPeakMeter, type UseOfCall } from '../../src/whatif/peaks.ts';
import { account } from '../records/samples.ts';

const HOLDERS: readonly Holder[] = [
  { kind: 'account', path: account('acme') },
  { kind: 'account', path: account('acme/shop') },
  { kind: 'number', path: account('acme/shop'), number: '4930' },
];
const anyUse: fc.Arbitrary<UseOfCall> = fc
  .record({
    from: fc.integer({ min: 0, max: 50 }),
    length: fc.integer({ min: 0, max: 20 }),
    holders: fc.uniqueArray(fc.constantFrom(...HOLDERS), { minLength: 1 }),
    counters: fc.uniqueArray(fc.constantFrom(...COUNTERS), { minLength: 1 }),
  })
  .map(({ from, length, holders, counters }) => ({
    from: toEpochMs(from),
    until: toEpochMs(from + length),
    counted: holders.map((holder) => ({ holder, counters })),
  }));

/** Of each call as it comes: how many of those before it are still up, and itself. */
function plainPeaks(
  uses: readonly UseOfCall[],
  from: number,
): ReadonlyMap<string, readonly [number, number]> {
  const peaks = new Map<string, readonly [number, number]>();
  const look = (up: readonly UseOfCall[], at: number): void => {
    const keys = up.flatMap(({ counted }) =>
      counted.flatMap(({ holder, counters }) => counters.map((each) => `${holderName(holder)} ${each}`)),
    );
    for (const [key, calls] of Map.groupBy(keys, (each) => each)) {
      if (calls.length > (peaks.get(key)?.[0] ?? 0)) peaks.set(key, [calls.length, at]);
    }
  };
  const before = uses.filter((use) => use.from < from && use.until > from);
  look(before, from);
  for (const [index, use] of uses.entries()) {
    if (use.from < from) continue;
    look([...uses.slice(0, index).filter(({ until }) => until > use.from), use], use.from);
  }
  return peaks;
}

describe('the most calls at once', () => {
  it('are what counting them anew at each of them finds', () => {
    fc.assert(
      fc.property(fc.array(anyUse), fc.integer({ min: 0, max: 60 }), (some, from) => {
        const uses = some.toSorted((a, b) => a.from - b.from);
        const meter = createPeakMeter(toEpochMs(from));
        for (const use of uses) meter.add(use);
        const found = meter
          .report()
          .map(
            ({ holder, counter, calls, at }) => [`${holderName(holder)} ${counter}`, [calls, at]] as const,
          );
        expect(new Map(found)).toEqual(plainPeaks(uses, from));
      }),
      { numRuns: 500 },
    );
  });
});
