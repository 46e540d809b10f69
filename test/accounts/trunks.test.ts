import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { effectiveLimits } from '../../src/accounts/effective-limits.ts';
import type { Bound, EffectiveTrunks } from '../../src/accounts/limits.ts';
import { isFlatRateNumber, trunkFor, trunksBeyond } from '../../src/accounts/trunks.ts';

const NONE: EffectiveTrunks = { twoway: 0, inbound: 0, outbound: 0, burst: 0 };

describe('a call finds a trunk', () => {
  it.each([
    [{}, [0, 0], 'inbound', 'full'],
    [{ twoway: 1 }, [0, 0], 'inbound', 'flat_rate'],
    [{ twoway: 1 }, [0, 0], 'outbound', 'flat_rate'],
    [{ twoway: 1 }, [1, 0], 'outbound', 'full'],
    [{ twoway: 1, burst: 1 }, [1, 0], 'outbound', 'flat_rate_burst'],
    [{ twoway: 1, burst: 1 }, [1, 1], 'outbound', 'full'],
    [{ inbound: 2, twoway: 1 }, [2, 0], 'inbound', 'flat_rate'],
    [{ inbound: 2, twoway: 1 }, [3, 0], 'inbound', 'full'],
    // Idle inbound trunks are no outbound ones.
    [{ inbound: 2, twoway: 1 }, [0, 1], 'outbound', 'full'],
    [{ inbound: 2, outbound: 1, twoway: 1 }, [2, 1], 'outbound', 'flat_rate'],
    [{ inbound: 2, outbound: 1, twoway: 1 }, [3, 1], 'outbound', 'full'],
    [{ inbound: 'unlimited' }, [1000, 0], 'inbound', 'flat_rate'],
    [{ inbound: 'unlimited' }, [1000, 0], 'outbound', 'full'],
    [{ twoway: 'unlimited' }, [9, 9], 'outbound', 'flat_rate'],
    [{ burst: 'unlimited' }, [9, 9], 'outbound', 'flat_rate_burst'],
    [{ outbound: 1, burst: 2 }, [0, 2], 'outbound', 'flat_rate_burst'],
    [{ outbound: 1, burst: 2 }, [0, 3], 'outbound', 'full'],
  ] as const)('of %j with %j in use, %s: %s', (trunks, [inbound, outbound], direction, verdict) => {
    expect(trunkFor({ ...NONE, ...trunks }, { inbound, outbound }, direction)).toBe(verdict);
  });

  it('so that no order of calls and ends has more on trunks than there are', () => {
    const bound = fc.nat(3);
    const trunks = fc.record({ twoway: bound, inbound: bound, outbound: bound, burst: bound });
    const step = fc.tuple(fc.constantFrom('inbound' as const, 'outbound' as const), fc.boolean());
    fc.assert(
      fc.property(trunks, fc.array(step, { maxLength: 40 }), (grant, steps) => {
        const used = { inbound: 0, outbound: 0 };
        for (const [direction, begins] of steps) {
          if (!begins) used[direction] = Math.max(0, used[direction] - 1);
          else if (trunkFor(grant, used, direction) !== 'full') used[direction] += 1;
          expect(trunksBeyond(grant, used)).toBeLessThanOrEqual(grant.burst);
          const all = grant.twoway + grant.inbound + grant.outbound + grant.burst;
          expect(used.inbound + used.outbound).toBeLessThanOrEqual(all);
        }
      }),
    );
  });

  it('the more there are of any kind, the sooner', () => {
    const order = ['full', 'flat_rate_burst', 'flat_rate'];
    const bound = fc.oneof(fc.nat(4), fc.constant<Bound>('unlimited'));
    const trunks = fc.record({ twoway: bound, inbound: bound, outbound: bound, burst: bound });
    const kind = fc.constantFrom(
      'twoway' as const,
      'inbound' as const,
      'outbound' as const,
      'burst' as const,
    );
    const used = fc.record({ inbound: fc.nat(6), outbound: fc.nat(6) });
    fc.assert(
      fc.property(trunks, used, kind, (grant, use, more) => {
        const had = grant[more];
        const richer = { ...grant, [more]: had === 'unlimited' ? had : had + 1 };
        const verdicts = [grant, richer].map((each) => order.indexOf(trunkFor(each, use, 'inbound')));
        expect(verdicts[1]).toBeGreaterThanOrEqual(verdicts[0] ?? 0);
      }),
    );
  });
});

describe('a number may go over a trunk', () => {
  const limits = (flatRate?: { whitelist: readonly string[]; blacklist: readonly string[] }) =>
    effectiveLimits({ operator: { flatRate }, customer: {}, rootDefaults: undefined, serviceDefaults: {} })
      .flatRate;

  it.each([
    ['14158867900', true],
    ['18005551234', false],
    ['12425551234', false],
    ['442071234567', false],
    ['18335551234', false],
    ['18225551234', false],
    ['19005551234', false],
    ['1415886790', false],
  ])('T28 %s: %s', (e164, expected) => {
    expect(isFlatRateNumber(limits(), e164)).toBe(expected);
  });

  it('by lists of its own', () => {
    const germany = limits({
      whitelist: [String.raw`^\+49[1-9]`],
      blacklist: [String.raw`^\+49(?:900|180)`],
    });
    expect(isFlatRateNumber(germany, '4930123456')).toBe(true);
    expect(isFlatRateNumber(germany, '49900123456')).toBe(false);
    expect(isFlatRateNumber(germany, '14158867900')).toBe(false);
    expect(isFlatRateNumber(limits({ whitelist: [], blacklist: [] }), '4930123456')).toBe(false);
  });
});
