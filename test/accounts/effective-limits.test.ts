import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  boundForNumber,
  effectiveLimits,
  serviceDefaultsOf,
  tighter,
} from '../../src/accounts/effective-limits.ts';
import type { Bound, OperatorLimits } from '../../src/accounts/limits.ts';
import { parseMicros } from '../../src/units/money.ts';

const bound = fc.oneof(fc.nat(100), fc.constant<Bound>('unlimited'));
const maybeBound = fc.option(bound, { nil: undefined });

function callsOf(words: {
  readonly operator?: Bound | undefined;
  readonly customer?: Bound | undefined;
  readonly root?: Bound | undefined;
  readonly service?: Bound | undefined;
}): Bound {
  return effectiveLimits({
    operator: { calls: words.operator },
    customer: { calls: words.customer },
    rootDefaults: { calls: words.root },
    serviceDefaults: { calls: words.service },
  }).calls;
}

/** How many simultaneous calls a bound admits. */
function admits(limit: Bound): number {
  return limit === 'unlimited' ? Infinity : limit;
}

describe('an effective limit', () => {
  it.each([
    [{ operator: 5 }, 5],
    [{ operator: 5, customer: 'unlimited' }, 5],
    [{ operator: 'unlimited', customer: 5 }, 5],
    [{ operator: 5, customer: 3 }, 3],
    [{ operator: 5, customer: 8 }, 5],
    [{ operator: 5, customer: 0 }, 0],
    [{ operator: 0, customer: 'unlimited' }, 0],
    [{}, 'unlimited'],
    [{ root: 7, service: 3 }, 7],
    [{ service: 3 }, 3],
    [{ operator: 'unlimited', root: 7 }, 'unlimited'],
    [{ root: 7, customer: 9 }, 7],
    [{ root: 7, customer: 2 }, 2],
  ] as const)('of %o is %s', (words, expected) => {
    expect(callsOf(words)).toBe(expected);
  });

  it('never admits more than the operator, the customer or the governing default would', () => {
    fc.assert(
      fc.property(maybeBound, maybeBound, maybeBound, maybeBound, (operator, customer, root, service) => {
        const limit = admits(callsOf({ operator, customer, root, service }));
        const governing = operator ?? root ?? service ?? 'unlimited';
        expect(limit).toBe(Math.min(admits(governing), admits(customer ?? 'unlimited')));
      }),
    );
  });

  it('does not depend on who is asked first', () => {
    fc.assert(
      fc.property(bound, bound, bound, (a, b, c) => {
        expect(tighter(a, b)).toBe(tighter(b, a));
        expect(tighter(tighter(a, b), c)).toBe(tighter(a, tighter(b, c)));
        expect(tighter(a, a)).toBe(a);
      }),
    );
  });

  it('lets a customer forgo the prepaid balance but never regain it', () => {
    const words = { customer: {}, rootDefaults: undefined, serviceDefaults: {} };
    expect(effectiveLimits({ ...words, operator: {} }).allowPrepay).toBe(true);
    expect(effectiveLimits({ ...words, operator: {}, customer: { allowPrepay: false } }).allowPrepay).toBe(
      false,
    );
    expect(effectiveLimits({ ...words, operator: { allowPrepay: false } }).allowPrepay).toBe(false);
  });

  it('falls back to the table where nobody set anything', () => {
    expect(
      effectiveLimits({ operator: {}, customer: {}, rootDefaults: undefined, serviceDefaults: {} }),
    ).toEqual({
      calls: 'unlimited',
      inboundCalls: 'unlimited',
      outboundCalls: 'unlimited',
      resourceConsumingCalls: 'unlimited',
      publicCalls: 'unlimited',
      internalCalls: 'unlimited',
      callsPerSecond: 'unlimited',
      enabled: true,
      allowPrepay: true,
      allowPostpay: false,
      maxPostpay: parseMicros('0.00'),
      enforcement: 'enforce',
      onStoreDown: 'refuse',
      onExhaustion: 'unpaid',
      perNumber: [],
      trunks: { twoway: 0, inbound: 0, outbound: 0, burst: 0 },
      maxCallSeconds: 'unlimited',
      maxCallCost: 'unlimited',
      maxSpend: { hour: 'unlimited', day: 'unlimited', month: 'unlimited' },
      softLimitInbound: false,
      softLimitOutbound: false,
      allotments: {},
      discounts: {},
      fundingOrder: ['flat_rate', 'allotment', 'per_minute'],
      timeZone: 'UTC',
      flatRate: expect.anything(),
    });
  });

  it.each([
    [{}, 0],
    [{ operator: 5 }, 5],
    [{ operator: 5, customer: 'unlimited' }, 5],
    [{ operator: 3, customer: 5 }, 3],
    [{ operator: 7, customer: 5 }, 5],
    [{ operator: 0, customer: 5 }, 0],
    [{ operator: 'unlimited', customer: 5 }, 5],
    // Nothing was granted: asking does not make a trunk.
    [{ customer: 5 }, 0],
    [{ root: 4, customer: 5 }, 4],
  ] as const)('of trunks %o is %s', (words, expected) => {
    const said: { operator?: Bound; customer?: Bound; root?: Bound } = words;
    const limits = effectiveLimits({
      operator: { trunks: { inbound: 1, twoway: said.operator } },
      customer: { trunks: { twoway: said.customer } },
      rootDefaults: { trunks: { twoway: said.root, burst: 9 } },
      serviceDefaults: {},
    });
    expect(limits.trunks).toEqual({ inbound: 1, outbound: 0, twoway: expected, burst: 9 });
  });

  it('of money is the lower of both', () => {
    const [one, two] = [parseMicros('1.00'), parseMicros('2.00')];
    const limits = effectiveLimits({
      operator: { maxCallCost: two, maxSpend: { hour: one }, maxCallSeconds: 60 },
      customer: { maxCallCost: one, maxSpend: { hour: two, day: two }, maxCallSeconds: 90 },
      rootDefaults: { maxSpend: { day: one, month: one } },
      serviceDefaults: { maxSpend: { month: two } },
    });
    expect(limits).toMatchObject({
      maxCallCost: one,
      maxCallSeconds: 60,
      maxSpend: { hour: one, day: one, month: one },
    });
  });

  it('for a number is the tighter of what the first rule of each side says', () => {
    const limits = effectiveLimits({
      operator: {
        perNumber: [
          { pattern: String.raw`^\+4930`, calls: 2 },
          { pattern: String.raw`^\+49`, calls: 'unlimited' },
        ],
      },
      customer: { perNumber: [{ pattern: '1$', calls: 1 }] },
      rootDefaults: { perNumber: [{ pattern: '', calls: 0 }] },
      serviceDefaults: {},
    });
    expect(boundForNumber(limits.perNumber, '49301')).toBe(1);
    expect(boundForNumber(limits.perNumber, '49302')).toBe(2);
    expect(boundForNumber(limits.perNumber, '49892')).toBe('unlimited');
    expect(boundForNumber(limits.perNumber, '442')).toBe('unlimited');
    expect(boundForNumber([], '442')).toBe('unlimited');
  });

  it("inherits the service's answer while the store is down, unless its defaults say otherwise", () => {
    const words = { operator: {}, customer: {}, rootDefaults: undefined };
    const answer = (defaults: OperatorLimits) =>
      effectiveLimits({ ...words, serviceDefaults: serviceDefaultsOf({ defaults, onStoreDown: 'allow' }) })
        .onStoreDown;
    expect(answer({})).toBe('allow');
    expect(answer({ onStoreDown: undefined })).toBe('allow');
    expect(answer({ onStoreDown: 'refuse' })).toBe('refuse');
  });
});
