import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAccount, toAccountDocument } from '../../src/accounts/account-document.ts';
import { parseOperatorLimits } from '../../src/accounts/limits-document.ts';
import { parseMicros } from '../../src/units/money.ts';

/** What is to come is read as if it held already. */

function problemsOf(operator: unknown): readonly string[] {
  const parsed = parseOperatorLimits(operator);
  if (parsed.kind === 'ok') return [];
  return parsed.problems.map(({ field, value, expected }) => `${field}: ${value} → ${expected}`);
}

const FULL = {
  perNumber: [
    { pattern: String.raw`^\+4930`, calls: 2 },
    { pattern: '^.', calls: 'unlimited' },
  ],
  trunks: { twoway: 5, inbound: 'unlimited', outbound: 0, burst: 2 },
  maxCallSeconds: 3600,
  maxCallCost: '12.50',
  maxSpend: { hour: '5.00', day: '20.00', month: 'unlimited' },
  softLimitInbound: true,
  softLimitOutbound: false,
  allotments: {
    did_us: {
      seconds: 6000,
      cycle: 'monthly',
      minimum: 60,
      increment: 6,
      grace: 5,
      groups: ['inbound_did_us'],
    },
    inbound_did_us: { seconds: 600, cycle: 'hourly', minimum: 0, increment: 1, grace: 0, groups: [] },
  },
  fundingOrder: ['allotment', 'per_minute'],
  timeZone: 'Europe/Berlin',
  flatRate: { whitelist: [String.raw`^\+49`], blacklist: [String.raw`^\+49900`] },
  discounts: { did_us: '12.5', international: '100' },
};

describe('limits of every kind', () => {
  it('are read and written', () => {
    const parsed = parseAccount({ account: 'acme', operator: FULL, customer: {} });
    expect(parsed).toMatchObject({
      kind: 'ok',
      value: {
        operator: {
          maxCallCost: parseMicros('12.50'),
          discounts: { did_us: 125_000, international: 1_000_000 },
          maxSpend: { hour: parseMicros('5.00'), month: 'unlimited' },
        },
      },
    });
    expect(parsed.kind === 'ok' ? toAccountDocument(parsed.value) : parsed).toEqual({
      account: 'acme',
      operator: FULL,
      customer: {},
    });
  });

  it('have the defaults of a table where parts are left out', () => {
    expect(parseOperatorLimits({ allotments: { did_us: { seconds: 60, cycle: 'daily' } } })).toMatchObject({
      value: { allotments: { did_us: { minimum: 0, increment: 1, grace: 0, groups: [] } } },
    });
    expect(parseOperatorLimits({ discounts: { did_us: 10 } })).toMatchObject({
      value: { discounts: { did_us: 100_000 } },
    });
  });

  it('are the same however their parts are ordered, so that saving them again changes nothing', () => {
    const allotment = { seconds: 60, cycle: 'daily' };
    const parse = (document: unknown) => JSON.stringify(parseOperatorLimits(document));
    expect(
      parse({
        allotments: { did_us: allotment, caribbean: allotment },
        discounts: { toll_us: 1, did_us: 2 },
      }),
    ).toBe(
      parse({
        discounts: { did_us: 2, toll_us: 1 },
        allotments: { caribbean: allotment, did_us: allotment },
      }),
    );
  });
});

const SECONDS = { seconds: 60, cycle: 'daily' };

describe('a bad limit is refused with field, value and expectation', () => {
  it.each<readonly [string, unknown, string]>([
    ['negative', { maxCallSeconds: -1 }, 'maxCallSeconds: -1 → a whole number from 0'],
    ['fractional', { trunks: { twoway: 1.5 } }, 'trunks.twoway: 1.5 → a whole number from 0'],
    ['huge', { maxCallSeconds: 1e10 }, 'maxCallSeconds: 10000000000 → a whole number from 0'],
    ['not a number', { trunks: { burst: '5' } }, 'trunks.burst: "5" → a whole number'],
    ['unknown part', { trunks: { two_way: 5 } }, 'trunks.two_way: 5 → no such field; did you mean "twoway"?'],
    ['not a part', { trunks: 5 }, 'trunks: 5 → fields and values'],
    [
      'bare money',
      { maxCallCost: 5 },
      'maxCallCost: 5 → a decimal string such as "10.00", or "unlimited": a bare',
    ],
    ['negative money', { maxSpend: { day: '-1.00' } }, 'maxSpend.day: "-1.00" → a decimal string'],
    [
      'huge money',
      { maxPostpay: '10000000000.00' },
      'maxPostpay: "10000000000.00" → a decimal string such as "10.00", from 0 to 9007199254.740991',
    ],
    [
      'a part outside of its whole',
      { twoway: 2 },
      'twoway: 2 → no such field; did you mean "trunks.twoway"?',
    ],
    ['unknown window', { maxSpend: { week: '1.00' } }, 'maxSpend.week: "1.00" → no such field'],
    ['no list', { perNumber: { pattern: '1', calls: 1 } }, 'perNumber: {"pattern":"1","calls":1} → a list'],
    ['no pattern', { perNumber: [{ calls: 1 }] }, 'perNumber[0].pattern: nothing → the numbers it is for'],
    ['no bound', { perNumber: [{ pattern: '1' }] }, 'perNumber[0].calls: nothing → how many'],
    [
      'bad regex',
      { perNumber: [{ pattern: '(1', calls: 1 }] },
      'perNumber[0].pattern: "(1" → a ")" for every "("',
    ],
    [
      'catastrophe',
      { perNumber: [{ pattern: '(1+)+', calls: 1 }] },
      'pattern: "(1+)+" → "*" and "+" behind one',
    ],
    [
      'no number ever',
      { perNumber: [{ pattern: '^4930', calls: 1 }] },
      String.raw`perNumber[0].pattern: "^4930" → a pattern that some number matches: numbers are written with their plus here, as in '^\+4930'`,
    ],
    [
      'no number ever goes over a trunk',
      { flatRate: { whitelist: ['^1'] } },
      'flatRate.whitelist[0]: "^1" → a pattern that some number matches',
    ],
    [
      'regex no text',
      { flatRate: { whitelist: [49] } },
      'flatRate.whitelist[0]: 49 → a regular expression, in quotes',
    ],
    ['no whitelist', { flatRate: { blacklist: ['^1'] } }, 'flatRate.whitelist: nothing → a list of patterns'],
    ['time zone', { timeZone: 'Europe/Bonn' }, 'timeZone: "Europe/Bonn" → the name of a time zone such as'],
    ['offset', { timeZone: '+01:00' }, 'timeZone: "+01:00" → the name of a time zone'],
    [
      'funding',
      { fundingOrder: ['free'] },
      'fundingOrder[0]: "free" → "flat_rate" or "allotment" or "per_minute"',
    ],
    ['funding twice', { fundingOrder: ['allotment', 'allotment'] }, 'each way to pay once'],
    ['no funding', { fundingOrder: [] }, 'fundingOrder: [] → at least one way'],
    ['discount', { discounts: { did_us: 101 } }, 'discounts.did_us: 101 → a percentage from 0 to 100'],
    ['float discount', { discounts: { did_us: 12.5 } }, 'discounts.did_us: 12.5 → a percentage'],
    ['negative discount', { discounts: { did_us: -1 } }, 'discounts.did_us: -1 → a percentage'],
    [
      'classification',
      { discounts: { did_uk: 1 } },
      'discounts.did_uk: 1 → a classification; did you mean "did_us"?',
    ],
    [
      'prototype',
      { discounts: { constructor: 1 } },
      'discounts.constructor: 1 → a classification: tollfree_us,',
    ],
    [
      'allotment of',
      { allotments: { mars: SECONDS } },
      'allotments.mars: {"seconds":60,"cycle":"daily"} → a class',
    ],
    ['allotment no part', { allotments: { did_us: 60 } }, 'allotments.did_us: 60 → fields and values'],
    [
      'cycle',
      { allotments: { did_us: { ...SECONDS, cycle: 'dayly' } } },
      'did_us.cycle: "dayly" → "minutely" or',
    ],
    ['no cycle', { allotments: { did_us: { seconds: 1 } } }, 'did_us.cycle: nothing → "minutely"'],
    ['no seconds', { allotments: { did_us: { cycle: 'daily' } } }, 'did_us.seconds: nothing → how many'],
    [
      'unlimited',
      { allotments: { did_us: { ...SECONDS, seconds: 'unlimited' } } },
      'seconds: "unlimited" → a whole',
    ],
    [
      'negative seconds',
      { allotments: { did_us: { ...SECONDS, seconds: -60 } } },
      'did_us.seconds: -60 → a whole',
    ],
    [
      'no increment',
      { allotments: { did_us: { ...SECONDS, increment: 0 } } },
      'increment: 0 → a whole number from 1',
    ],
    [
      'group',
      { allotments: { did_us: { ...SECONDS, groups: ['did_uk'] } } },
      'groups[0]: "did_uk" → the name of an',
    ],
    [
      'own group',
      { allotments: { did_us: { ...SECONDS, groups: ['did_us'] } } },
      'groups[0]: "did_us" → the name of',
    ],
  ])('%s', (_, operator, problem) => {
    expect(problemsOf(operator)).toContainEqual(expect.stringContaining(problem));
  });

  it('groups that go round in a circle, naming it', () => {
    const of = (...groups: readonly string[]) => ({ ...SECONDS, groups });
    expect(
      problemsOf({
        allotments: {
          did_us: of('toll_us'),
          toll_us: of('caribbean'),
          caribbean: of('did_us'),
          international: of(),
        },
      }),
    ).toEqual([expect.stringContaining('caribbean → did_us → toll_us → caribbean')]);
    expect(
      problemsOf({
        allotments: { did_us: of('toll_us', 'caribbean'), toll_us: of('caribbean'), caribbean: of() },
      }),
    ).toEqual([]);
  });

  it('all that is wrong at once, and never by throwing', () => {
    expect(problemsOf({ maxCallSeconds: -1, timeZone: 7, allotments: [], perNumber: [3] })).toHaveLength(6);
    const fields = fc.dictionary(fc.constantFrom(...Object.keys(FULL)), fc.jsonValue());
    const nested = fc.dictionary(
      fc.constantFrom('allotments', 'discounts', 'trunks'),
      fc.dictionary(fc.constantFrom('did_us', '__proto__', 'twoway'), fc.jsonValue()),
    );
    fc.assert(
      fc.property(fc.oneof(fields, nested), (document) => {
        expect(['ok', 'bad']).toContain(parseOperatorLimits(document).kind);
      }),
    );
  });
});
