import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { effectiveLimits } from '../../src/accounts/effective-limits.ts';
import { parseAccount } from '../../src/accounts/account-document.ts';
import { NumberText, plainDecimal } from '../../src/imports/kazoo-json.ts';
import { importKazooLimits, type KazooLimits } from '../../src/imports/kazoo-limits.ts';
import type { KazooMoney } from '../../src/imports/kazoo-reader.ts';
import { DEFAULT_CLASSIFIERS } from '../../src/rating/classify.ts';
import { formatMicros } from '../../src/units/money.ts';

const CLASSIFICATIONS = DEFAULT_CLASSIFIERS.map(({ name }) => name);

function read(text: string, money?: KazooMoney) {
  return importKazooLimits(text, { money, classifications: CLASSIFICATIONS });
}

function limitsOf(text: string, money?: KazooMoney): KazooLimits {
  const imported = read(text, money);
  if (imported.kind === 'ok') return imported;
  throw new Error(JSON.stringify(imported.problems));
}

function problemsOf(text: string, money?: KazooMoney): readonly string[] {
  const imported = read(text, money);
  if (imported.kind === 'ok') return [];
  return imported.problems.map(({ field, value, expected }) => `${field}: ${value} → ${expected}`);
}

function effectiveOf(text: string) {
  const { operator, customer } = limitsOf(text);
  const parsed = parseAccount({ account: 'a', operator, customer });
  if (parsed.kind === 'bad') throw new Error(JSON.stringify(parsed.problems));
  return effectiveLimits({ ...parsed.value, rootDefaults: undefined, serviceDefaults: {} });
}

/** Every field of Kazoo's own description, as it stands there. */
const PAGE = `{
  "twoway_trunks": 0, "inbound_trunks": 0, "resource_consuming_calls": -1, "calls": -1, "allow_prepay": true,
  "pvt_type": "limits", "pvt_vsn": "1", "pvt_account_id": "d75312345678901234567890",
  "pvt_account_db": "account%2Fd7%2F53%12345678901234567890", "pvt_created": 63518278682, "pvt_modified": 63518278682,
  "pvt_soft_limit_outbound": false, "pvt_soft_limit_inbound": true, "pvt_allow_prepay": true,
  "pvt_allow_postpay": true, "pvt_max_postpay_amount": 100,
  "pvt_allotments": { "did_us": { "amount": 120, "cycle": "hourly" } },
  "pvt_discounts": { "did_us": { "percentage": 10 } },
  "pvt_enabeld": true
}`;

describe('a limits document of Kazoo', () => {
  it('becomes limits of ours', () => {
    expect(limitsOf(PAGE, 'units')).toEqual({
      kind: 'ok',
      operator: {
        trunks: { twoway: 0, inbound: 0 },
        softLimitInbound: true,
        softLimitOutbound: false,
        allowPrepay: true,
        allowPostpay: true,
        maxPostpay: '0.01',
        allotments: { did_us: { seconds: 120, cycle: 'hourly', groups: [] } },
        discounts: { did_us: '10' },
        fundingOrder: ['allotment', 'flat_rate', 'per_minute'],
      },
      customer: {},
      notes: [
        'pvt_allotments: their cycles begin by the time zone of the account, in Kazoo by UTC',
        'pvt_enabeld: left out: nothing that Kazoo obeys; it obeys pvt_enabled',
      ],
    });
  });

  it.each([
    ['{"pvt_calls":-1,"calls":4}', 4],
    ['{"pvt_calls":10}', 10],
    ['{}', 'unlimited'],
    ['{"pvt_calls":10,"calls":5}', 5],
    ['{"pvt_calls":5,"calls":10}', 5],
    ['{"pvt_calls":3,"calls":-1}', 3],
    ['{"pvt_calls":0,"calls":5}', 0],
  ])('T25 %s: %s calls at once', (text, calls) => {
    expect(effectiveOf(text).calls).toBe(calls);
    expect(effectiveOf(text.replaceAll('calls', 'resource_consuming_calls')).resourceConsumingCalls).toBe(
      calls,
    );
  });

  it.each([
    ['{"twoway_trunks":5}', 5, 0],
    ['{"pvt_twoway_trunks":3,"twoway_trunks":5}', 3, 0],
    ['{"pvt_twoway_trunks":7,"twoway_trunks":5}', 5, 0],
    ['{"pvt_twoway_trunks":0,"twoway_trunks":5}', 0, 0],
    ['{"pvt_twoway_trunks":-1,"twoway_trunks":5}', 5, 0],
    ['{"pvt_twoway_trunks":5}', 5, 1],
    ['{"pvt_twoway_trunks":5,"twoway_trunks":-1}', 5, 1],
    ['{"twoway_trunks":-1}', 'unlimited', 0],
  ])('T26 %s: %s trunks', (text, twoway, notes) => {
    expect(effectiveOf(text).trunks.twoway).toBe(twoway);
    expect(limitsOf(text).notes).toHaveLength(notes);
  });

  it.each([
    ['100', 'units', '0.01'],
    ['100', 'dollars', '100.00'],
    ['100.0', undefined, '100.00'],
    ['100.0', 'units', '100.00'],
    ['-2.5', undefined, '2.50'],
    ['1.25e1', undefined, '12.50'],
    ['5', 'units', '0.0005'],
  ] as const)('T16 an amount of %s with --money %s is %s', (amount, money, expected) => {
    const { operator, customer } = limitsOf(`{"pvt_max_postpay_amount": ${amount}}`, money);
    const parsed = parseAccount({ account: 'a', operator, customer });
    expect(parsed.kind === 'ok' && formatMicros(parsed.value.operator.maxPostpay ?? (0n as never))).toBe(
      expected,
    );
  });

  it('takes no bare integer of money without being told what it means', () => {
    expect(problemsOf('{"pvt_max_postpay_amount": 100}')).toEqual([
      expect.stringContaining('pvt_max_postpay_amount: 100 → --money units or --money dollars to say which'),
    ]);
  });

  it('takes over rules for numbers, in their order', () => {
    const { operator } = limitsOf(
      String.raw`{"pvt_inbound_channels_per_did_rules": {"^\\+1415": 2, "^\\+1": -1}}`,
    );
    expect(operator['perNumber']).toEqual([
      { pattern: String.raw`^\+1415`, calls: 2 },
      { pattern: String.raw`^\+1`, calls: 'unlimited' },
    ]);
  });

  it('takes over allotments that use each other up as far as that is possible, and says how far', () => {
    const text = JSON.stringify({
      pvt_allotments: {
        inbound_did_us: {
          amount: 600,
          cycle: 'monthly',
          increment: 6,
          minimum: 30,
          no_consume_time: 5,
          group_consume: ['did_us', 'gone'],
        },
        did_us: { amount: 60, cycle: 'yearly', group_consume: ['inbound_did_us'] },
        did_mars: { amount: 1, cycle: 'daily' },
      },
    });
    const { operator, notes } = limitsOf(text);
    expect(operator['allotments']).toEqual({
      inbound_did_us: { seconds: 600, cycle: 'monthly', increment: 6, minimum: 30, grace: 5, groups: [] },
      did_us: { seconds: 60, cycle: 'yearly', groups: ['inbound_did_us'] },
    });
    expect(notes.slice(0, 3)).toEqual([
      expect.stringContaining('pvt_allotments.did_mars: left out: no numbers are called so here'),
      expect.stringContaining(
        'pvt_allotments.inbound_did_us: its group did_us is left out: that one counts it',
      ),
      expect.stringContaining('pvt_allotments.inbound_did_us: its group gone is left out: there is no such'),
    ]);
  });

  it.each([
    ['{"allow_prepay": false}', { customer: { allowPrepay: false } }, undefined],
    [
      '{"allow_prepay": false, "pvt_allow_prepay": true}',
      { operator: { allowPrepay: true } },
      'overrides it',
    ],
    ['{"enabled": false}', {}, 'enabled: left out: Kazoo obeys only pvt_enabled'],
    ['{"pvt_enabled": false}', { operator: { enabled: false } }, undefined],
    ['{"pvt_reserve_amount": 5000}', {}, 'what a call holds here'],
    ['{"authz_resource_types": ["sms"]}', {}, 'resources are not told apart'],
    ['{"pvt_bundled_twoway_trunks": "device"}', {}, 'not counted from other documents'],
    ['{"max_postpay_ammount": 5.0}', {}, 'nothing that Kazoo obeys; it obeys pvt_max_postpay_amount'],
    ['{"calls": null}', {}, undefined],
    ['{"allotments": {"did_us": {"amount": 1, "cycle": "daily"}}}', {}, 'their cycles begin'],
  ])('%s', (text, expected, note) => {
    const { operator, customer, notes } = limitsOf(text);
    expect({ operator, customer }).toMatchObject({ operator: {}, customer: {}, ...expected });
    expect(notes.join('\n')).toContain(note ?? '');
    expect(notes).toHaveLength(note === undefined ? 0 : 1);
  });

  it.each([
    ['[1]', 'document: [1] → a limits document as JSON'],
    ['{', 'line 1: this → a limits document as JSON: '],
    ['7', 'document: 7 → a limits document'],
    ['{"pvt_type": "account"}', 'pvt_type: "account" → "limits"'],
    ['{"calls": 1.5}', 'calls: 1.5 → a whole number, -1 for no bound'],
    ['{"calls": "5"}', 'calls: "5" → a whole number'],
    ['{"pvt_enabled": "yes"}', 'pvt_enabled: "yes" → true or false'],
    ['{"pvt_max_postpay_amount": "5"}', 'pvt_max_postpay_amount: "5" → an amount, as a number'],
    ['{"pvt_max_postpay_amount": 0.00000001}', 'pvt_max_postpay_amount: "0.00000001" → a decimal string'],
    [
      '{"pvt_allotments": {"did_us": {"amount": -5, "cycle": "daily"}}}',
      'pvt_allotments.did_us.amount: -5 → a whole',
    ],
    [
      '{"allotments": {"did_us": {"amount": -5, "cycle": "daily"}}}',
      'allotments.did_us.amount: -5 → a whole',
    ],
    [
      '{"pvt_allotments": {"did_us": {"amount": 5, "cycle": "daily", "no_consume_time": -1}}}',
      'pvt_allotments.did_us.no_consume_time: -1 → a whole',
    ],
    [
      '{"pvt_allotments": {"did_us": {"amount": 5, "cycle": "fortnightly"}}}',
      'pvt_allotments.did_us.cycle: "fortnightly"',
    ],
    ['{"pvt_allotments": {"did_us": 5}}', 'pvt_allotments.did_us: 5 → fields and values'],
    ['{"pvt_discounts": {"did_us": {"percentage": 101}}}', 'pvt_discounts.did_us: "101" → a percentage'],
    [
      '{"pvt_inbound_channels_per_did_rules": {"(1+)+": 2}}',
      'pvt_inbound_channels_per_did_rules[0].pattern: "(1+)+" →',
    ],
  ])('%s is refused with field, value and expectation', (text, problem) => {
    expect(problemsOf(text)).toContainEqual(expect.stringContaining(problem));
  });

  it('reads what is below -1 as no bound, as Kazoo does, and says so', () => {
    const imported = read('{"pvt_calls": -5, "calls": -1}');
    expect(imported).toMatchObject({
      operator: { calls: 'unlimited' },
      notes: ['pvt_calls: -5 is no bound, as in Kazoo'],
    });
  });

  it('throws at nothing a stranger can write', () => {
    const key = fc.constantFrom(
      'pvt_allotments',
      'did_us',
      'amount',
      'cycle',
      'group_consume',
      'calls',
      'pvt_discounts',
      'percentage',
      'pvt_type',
      '__proto__',
      'pvt_max_postpay_amount',
    );
    const { node } = fc.letrec((tie) => ({
      node: fc.oneof(
        { maxDepth: 5 },
        fc.constantFrom('limits', 'did_us', 7, -1.5, 1e30, null, true),
        fc.array(tie('node'), { maxLength: 2 }),
        fc.dictionary(key, tie('node'), { maxKeys: 4 }),
      ),
    }));
    fc.assert(
      fc.property(node, (document) => {
        expect(['ok', 'bad']).toContain(read(JSON.stringify(document)).kind);
      }),
      { numRuns: 500 },
    );
  });
});

describe('a number as it was written', () => {
  it.each([
    ['100', '100'],
    ['100.0', '100'],
    ['1.5e3', '1500'],
    ['15E-4', '0.0015'],
    ['-0.50', '-0.5'],
    ['0.0', '0'],
    ['1e-3', '0.001'],
    ['0.00465', '0.00465'],
    ['-0', '0'],
  ])('%s is %s', (text, plain) => expect(plainDecimal(new NumberText(text))).toBe(plain));

  it('keeps its value', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, min: -1e12, max: 1e12 }), (value) => {
        const plain = plainDecimal(new NumberText(JSON.stringify(value)));
        expect(plain === undefined ? Math.abs(value) < 1e-90 : Number(plain) === value).toBe(true);
      }),
    );
  });
});
