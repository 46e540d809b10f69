import { describe, expect, it } from 'vitest';
import {
  lostClassifications,
  parseAccount,
  parseAccounts,
  toAccountDocument,
} from '../../src/accounts/account-document.ts';
import { createAccountLookup, payersAt } from '../../src/accounts/account-tree.ts';
import { parseOperatorLimits } from '../../src/accounts/limits-document.ts';
import { ALWAYS } from '../../src/units/time.ts';

/** What is to come is read as if it held already. */
const SECONDS = { seconds: 60, cycle: 'daily' };
const SHARED = {
  perNumber: [{ pattern: String.raw`^\+4930`, calls: 2 }],
  trunks: { twoway: 5 },
  maxCallSeconds: 3600,
  maxCallCost: '12.50',
  maxSpend: { day: '20.00' },
};
const OPERATOR_ONLY = {
  softLimitInbound: true,
  softLimitOutbound: false,
  allotments: { did_us: SECONDS },
  fundingOrder: ['allotment'],
  timeZone: 'Europe/Berlin',
  flatRate: { whitelist: [], blacklist: [] },
  discounts: { did_us: 10 },
};

describe('who may set it', () => {
  it('a customer only what restricts; all else is refused by name', () => {
    expect(parseAccount({ account: 'acme', customer: SHARED })).toMatchObject({ kind: 'ok' });
    const parsed = parseAccount({ account: 'acme', customer: OPERATOR_ONLY });
    const problems = parsed.kind === 'bad' ? parsed.problems : [];
    expect(problems.map(({ field }) => field).toSorted()).toEqual(
      Object.keys(OPERATOR_ONLY)
        .map((name) => `customer.${name}`)
        .toSorted(),
    );
    expect(problems.every(({ expected }) => expected.includes('only the operator may set it'))).toBe(true);
  });

  it('in the defaults of a root for its whole tree, and of the service for all', () => {
    const parsed = parseAccounts([
      { account: 'acme', defaults: { timeZone: 'Europe/Berlin', trunks: { twoway: 2 } } },
      { account: 'acme/x', operator: { trunks: { inbound: 1 } } },
      { account: 'other' },
    ]);
    const service = parseOperatorLimits({ timeZone: 'Asia/Kolkata', fundingOrder: ['per_minute'] });
    const tree = { revision: 1, accounts: parsed.kind === 'ok' ? parsed.value : [], routes: [] };
    const lookup = createAccountLookup(tree, service.kind === 'ok' ? service.value : {});
    const shown = lookup.nodes.map(({ path, limits }) => [
      path,
      limits.timeZone,
      limits.trunks.twoway,
      limits.trunks.inbound,
    ]);
    expect(shown).toEqual([
      ['acme', 'Europe/Berlin', 2, 0],
      ['other', 'Asia/Kolkata', 0, 0],
      ['acme/x', 'Europe/Berlin', 2, 1],
    ]);
    expect(lookup.nodes.map(({ limits }) => limits.fundingOrder.join())).toEqual([
      'per_minute',
      'per_minute',
      'per_minute',
    ]);
    // Trunks pay for calls, so who has them is a payer (ruling 14).
    expect(lookup.nodes.map((node) => payersAt(node, ALWAYS).length)).toEqual([1, 0, 2]);
  });
});

describe('classifiers', () => {
  const plan = { country: '49', internationalPrefix: '00', trunkPrefix: '0' };
  const classifiers = [
    { name: 'mobile', pattern: String.raw`^\+491[567]` },
    { name: 'unknown', pattern: '.*' },
  ];
  const allotments = { outbound_mobile: SECONDS };

  it('of a root name what allotments of its tree may be for', () => {
    const root = { account: 'acme', numbering: { ...plan, classifiers }, operator: { allotments } };
    const rules = { classificationsOf: () => ['mobile'] };
    const parsed = parseAccount(root);
    expect(parsed.kind === 'ok' ? toAccountDocument(parsed.value)['numbering'] : parsed).toEqual(
      root.numbering,
    );
    expect(parseAccount({ account: 'acme/x', operator: { allotments } }, rules)).toMatchObject({
      kind: 'ok',
    });
    expect(parseAccount({ account: 'acme/x', operator: { allotments } })).toMatchObject({
      problems: [{ field: 'operator.allotments.outbound_mobile' }],
    });
    const tree = { revision: 1, accounts: parsed.kind === 'ok' ? [parsed.value] : [], routes: [] };
    expect(createAccountLookup(tree, {}).nodes[0]?.classifiers.map(({ name }) => name)).toEqual([
      'mobile',
      'unknown',
    ]);
  });

  it('say which numbers are emergencies and which are toll-free', () => {
    const own = [
      { name: 'emergency', pattern: '^112$' },
      { name: 'police', pattern: '^110$', emergency: true },
      { name: 'freecall', pattern: String.raw`^\+49800`, tollFree: true },
      { name: 'mobile', pattern: String.raw`^\+491`, emergency: false, tollFree: false },
    ];
    const parsed = parseAccount({ account: 'acme', numbering: { ...plan, classifiers: own } });
    if (parsed.kind === 'bad') throw new Error(JSON.stringify(parsed.problems));
    expect(toAccountDocument(parsed.value)['numbering']).toEqual({ ...plan, classifiers: own });
    const lookup = createAccountLookup({ revision: 1, accounts: [parsed.value], routes: [] }, {});
    expect(lookup.nodes[0]?.classifiers.map(({ treatment }) => treatment)).toEqual([
      'emergency',
      'emergency',
      'toll_free',
      undefined,
    ]);
  });

  it('on record may not lose what the tree has discounts or allotments for', () => {
    const read = (document: object) => {
      const parsed = parseAccount(document, { classificationsOf: () => ['mobile'] });
      if (parsed.kind === 'bad') throw new Error(JSON.stringify(parsed.problems));
      return parsed.value;
    };
    const root = read({ account: 'acme', numbering: { ...plan, classifiers } });
    const other = read({
      account: 'acme',
      numbering: { ...plan, classifiers: [{ name: 'fixed', pattern: '^1' }] },
    });
    const child = read({ account: 'acme/x', operator: { discounts: { mobile: 10 } } });
    expect(lostClassifications([root, child], [root])).toEqual([]);
    expect(lostClassifications([root, child], [other])).toEqual([
      {
        field: 'acme: numbering.classifiers',
        value: 'fixed',
        expected: 'one that discounts of acme/x can be for: "mobile"',
      },
    ]);
    expect(lostClassifications([root, child], [other, read({ account: 'acme/x' })])).toEqual([]);
    const grandchild = read({ account: 'acme/y', operator: { allotments } });
    expect(lostClassifications([root, grandchild], [other])).toHaveLength(1);
  });

  it('are refused when they are wrong', () => {
    const wrong = {
      ...plan,
      classifiers: [{ name: 'Mobile', pattern: '(' }, { name: 'unknown', pattern: '' }, classifiers[0]],
    };
    const parsed = parseAccount({ account: 'acme', numbering: wrong });
    expect(parsed.kind === 'bad' && parsed.problems.map(({ field }) => field)).toEqual([
      'numbering.classifiers[0].name',
      'numbering.classifiers[0].pattern',
      'numbering.classifiers',
    ]);
  });

  it.each([
    [
      [{ name: 'emergency', pattern: '^112$', emergency: false }],
      'classifiers[0].emergency',
      'true or nothing',
    ],
    [
      [{ name: 'help', pattern: '^112$', emergency: true, tollFree: true }],
      'classifiers[0].tollFree',
      'nothing beside emergency',
    ],
    [[{ name: 'help', pattern: '^112$', free: true }], 'classifiers[0].free', 'no such field'],
    [[{ name: 'loop', pattern: '(a+)+$' }], 'classifiers[0].pattern', 'never behind a group'],
    [
      Array.from({ length: 1001 }, (_, index) => ({ name: `n${index}`, pattern: '^1' })),
      'classifiers',
      'a list of at most 1000',
    ],
    [
      Array.from({ length: 60 }, (_, index) => ({ name: `n${index}`, pattern: '(?:[0-9]{0,64}){6}' })),
      'classifiers',
      'patterns of at most 20000 steps together',
    ],
  ])('are refused where they mean nothing or take too long: %#', (own, field, expected) => {
    const parsed = parseAccount({ account: 'acme', numbering: { ...plan, classifiers: own } });
    expect(parsed).toMatchObject({
      problems: [{ field: `numbering.${field}`, expected: expect.stringContaining(expected) }],
    });
  });
});
