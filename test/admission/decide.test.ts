import { describe, expect, it } from 'vitest';
import { decide, fundedTime, type Decided } from '../../src/admission/decide.ts';
import { explainTakeRefusal } from '../../src/admission/refusal.ts';
import type { AccountPath, RouteName } from '../../src/units/ids.ts';
import { A_LEG, accountsOf, LEG_KEY, money, questionOf, tariffOf } from '../controller/world.ts';

const ACCOUNTS = accountsOf(
  [
    { account: 'acme', wallet: 'EUR', tariff: 'retail' },
    { account: 'acme/alice' },
    { account: 'acme/dry', operator: { enforcement: 'dry_run' } },
    { account: 'acme/off', operator: { enabled: false } },
    { account: 'acme/both', operator: { enabled: false, enforcement: 'dry_run' } },
    { account: 'umbrella' },
  ],
  [{ route: 'carrier' }],
);
const TARIFFS = tariffOf('retail', [
  { prefix: '49', rate: '0.60' },
  { prefix: '49', rate: '0.30', direction: 'inbound' },
]);
const POLICY = {
  unrated: 'refuse',
  unratedInbound: 'allow',
  unfunded: 'refuse',
  customerCurrency: 'EUR',
} as const;

function decided(asked: Parameters<typeof questionOf>[1]): Extract<Decided, { readonly kind: 'plan' }> {
  const found = decide(questionOf(ACCOUNTS, asked), TARIFFS, POLICY);
  if (found.kind === 'refused') throw new Error(found.refusal.words);
  return found;
}

describe('a plan', () => {
  it('has its home with the payer, holds there alone, and takes elsewhere after it (ruling 5)', () => {
    const { plan, record } = decided({ caller: 'acme/alice', callee: 'umbrella', routes: ['carrier'] });
    expect(plan.home).toMatchObject({ slot: { kind: 'root', root: 'acme' }, legKey: LEG_KEY });
    expect(plan.home.holds.map(({ wallet }) => wallet)).toEqual(['acme']);
    expect(plan.others.map(({ slot }) => slot)).toEqual([
      { kind: 'route', route: 'carrier' },
      { kind: 'root', root: 'umbrella' },
    ]);
    expect(plan.others.flatMap(({ holds }) => holds)).toEqual([]);
    expect(record.taken.map(({ slot }) => slot)).toEqual([plan.home, ...plan.others].map(({ slot }) => slot));
  });

  it('has its home with the callee for a call from a route, whose takes come first in order and not in rank', () => {
    const { plan } = decided({ callee: 'acme/alice', routes: ['carrier'] });
    expect(plan.home.slot).toEqual({ kind: 'root', root: 'acme' });
    expect(plan.others.map(({ slot }) => slot)).toEqual([{ kind: 'route', route: 'carrier' }]);
  });

  it('is refused for a call between two strangers', () => {
    const found = decide(questionOf(ACCOUNTS, { routes: ['carrier'] }), TARIFFS, POLICY);
    expect(found).toMatchObject({ kind: 'refused', refusal: { reason: 'no_account', cause: 'barred' } });
  });

  it.each([
    ['a call from a route, on its A-leg', { callee: 'acme/alice', routes: ['carrier'] }, A_LEG],
    [
      'a call from a route that rings several, on each branch',
      { callee: 'acme/alice', routes: ['carrier'], siblings: ['b1', 'b2'] },
      undefined,
    ],
    [
      'a call to a route, on the leg that will be placed',
      { caller: 'acme/alice', routes: ['carrier'] },
      undefined,
    ],
    [
      'a call between accounts, on the leg that will be placed',
      { caller: 'acme/alice', callee: 'umbrella' },
      undefined,
    ],
  ])('meters %s', (_, asked, uuid) => {
    expect(decided(asked).record.uuid).toBe(uuid);
  });

  it.each([
    ['admitted', { caller: 'acme/alice' }],
    ['emergency', { caller: 'acme/alice', emergency: true }],
    ['dry_run', { caller: 'acme/dry' }],
    ['unrestricted', { caller: 'acme/off' }],
    ['unrestricted', { caller: 'acme/both' }],
    ['dry_run', { callee: 'acme/dry', routes: ['carrier'] }],
  ])('is called %s', (decision, asked) => {
    expect(decided(asked).record.decision).toBe(decision);
  });

  it.each([
    ['outbound', { caller: 'acme/alice' }],
    ['inbound', { callee: 'acme/alice', routes: ['carrier'] }],
    ['internal', { caller: 'acme/alice', callee: 'umbrella' }],
    ['outbound', { caller: 'acme/alice', callee: 'umbrella', routes: ['carrier'] }],
  ])('is %s', (direction, asked) => {
    expect(decided(asked).record.direction).toBe(direction);
  });
});

describe('the longest a call may last', () => {
  const CAPPED = accountsOf([
    {
      account: 'acme',
      wallet: 'EUR',
      tariff: 'retail',
      operator: { maxCallSeconds: 60, maxCallCost: '0.30' },
    },
    { account: 'acme/alice', operator: { maxCallSeconds: 90 } },
    { account: 'acme/bob', operator: { maxCallSeconds: 10 } },
    { account: 'acme/dry', operator: { maxCallSeconds: 0, enforcement: 'dry_run' } },
    { account: 'acme/never', operator: { maxCallSeconds: 0 } },
    {
      account: 'acme/shop',
      wallet: 'EUR',
      tariff: 'retail',
      operator: { maxCallSeconds: 'unlimited', maxCallCost: '0.1999' },
    },
    { account: 'acme/dear', wallet: 'EUR', tariff: 'retail', operator: { maxCallCost: '0.009999' } },
  ]);
  const askedOf = (asked: Parameters<typeof questionOf>[1]): Decided =>
    decide(questionOf(CAPPED, asked), TARIFFS, POLICY);

  it.each([
    ['the cost of its payer, before its seconds', { caller: 'acme/alice' }, [30, 'max_cost', 'acme']],
    ['the least of a chain', { caller: 'acme/bob' }, [10, 'max_seconds', 'acme/bob']],
    [
      'of several payers the first that it is too dear for',
      { caller: 'acme/shop' },
      [19, 'max_cost', 'acme/shop'],
    ],
    [
      'the seconds of both chains, where nobody pays',
      { caller: 'acme/alice', callee: 'acme/bob' },
      [10, 'max_seconds', 'acme/bob'],
    ],
    ['nothing of an account that only tries', { caller: 'acme/dry' }, [30, 'max_cost', 'acme']],
    ['nothing of an emergency', { caller: 'acme/never', emergency: true }, undefined],
  ] as const)('is %s', (_, asked, expected) => {
    const found = askedOf(asked);
    const cap = found.kind === 'plan' ? found.record.cap : undefined;
    expect(cap && [cap.seconds, cap.reason, cap.account]).toEqual(expected);
  });

  it.each([
    ['maxCallSeconds', { caller: 'acme/never' }, 'acme/never'],
    ['maxCallCost', { caller: 'acme/dear' }, 'acme/dear'],
  ] as const)('is no call at all by %s', (limit, asked, holder) => {
    expect(askedOf(asked)).toMatchObject({
      kind: 'refused',
      refusal: { reason: 'limit_reached', cause: 'barred', limit, holder },
    });
  });

  it('is what is funded at most, now and ever', () => {
    const found = askedOf({ caller: 'acme/bob' });
    const record = found.kind === 'plan' ? found.record : undefined;
    const held = { wallet: 'acme' as AccountPath, funds: money('9.00'), availableAtLeast: money('0.05') };
    expect(record && fundedTime(record, [held])).toEqual({ funded: 5, ever: 10 });
    expect(record && fundedTime(record, [])).toEqual({ funded: 10, ever: 10 });
  });
});

describe('the funded time', () => {
  const { record } = decided({ caller: 'acme/alice' });
  const wallet = 'acme' as AccountPath;

  it('is what there is now, and what there could ever be', () => {
    const held = { wallet, funds: money('1.00'), availableAtLeast: money('0.10') };
    expect(fundedTime(record, [held])).toEqual({ funded: 10, ever: 100 });
  });

  it('is the earliest over payers (ruling 10)', () => {
    const two = {
      ...record,
      payers: [
        ...record.payers,
        ...record.payers.map((payer) => ({ ...payer, wallet: 'acme/x' as AccountPath })),
      ],
    };
    const wallets = [
      { wallet, funds: money('1.00'), availableAtLeast: money('0.10') },
      { wallet: 'acme/x' as AccountPath, funds: money('0.50'), availableAtLeast: money('0.20') },
    ];
    expect(fundedTime(two, wallets)).toEqual({ funded: 10, ever: 50 });
  });

  it('has no end where nobody pays', () => {
    expect(fundedTime(record, [])).toEqual({ funded: 'unlimited', ever: 'unlimited' });
  });
});

describe('a refusal of the store in words', () => {
  const acme = { kind: 'account', path: 'acme' as AccountPath } as const;
  const carrier = { kind: 'route', route: 'carrier' as RouteName } as const;
  const ours = (): boolean => false;

  it('names the limit, its bound and its use', () => {
    expect(
      explainTakeRefusal({ kind: 'count', holder: acme, counter: 'publicCalls', bound: 2, inUse: 2 }, ours),
    ).toEqual({
      reason: 'limit_reached',
      cause: 'concurrency',
      limit: 'publicCalls',
      holder: 'acme',
      words: 'acme has 2 of 2 publicCalls in use',
      figures: { bound: 2, inUse: 2 },
    });
  });

  it('is a busy callee where the limit is of the called side', () => {
    const refusal = { kind: 'count', holder: acme, counter: 'calls', bound: 1, inUse: 1 } as const;
    expect(explainTakeRefusal(refusal, (holder) => holder === 'acme')).toMatchObject({ cause: 'busy' });
  });

  it('names the account and the called number', () => {
    const holder = { kind: 'number', path: 'acme' as AccountPath, number: '4930123' } as const;
    const refusal = { kind: 'count', holder, counter: 'calls', bound: 1, inUse: 1 } as const;
    expect(explainTakeRefusal(refusal, (name) => name === 'acme')).toMatchObject({
      cause: 'busy',
      limit: 'perNumber',
      holder: 'acme',
      words: 'acme has 1 of 1 calls to 4930123 in use',
    });
  });

  it('tells calls per second from calls', () => {
    const refusal = { kind: 'rate', holder: carrier, bound: 5, inUse: 5 } as const;
    expect(explainTakeRefusal(refusal, ours)).toMatchObject({
      reason: 'too_many_calls_per_second',
      cause: 'rate',
      holder: 'route carrier',
      figures: { bound: 5, inUse: 5 },
    });
  });

  it('says in money what there is and what is needed', () => {
    const refusal = {
      kind: 'credit',
      wallet: 'acme' as AccountPath,
      available: money('0.005'),
      needed: money('0.01'),
    } as const;
    expect(explainTakeRefusal(refusal, ours)).toMatchObject({
      reason: 'no_credit',
      cause: 'credit',
      words: 'acme has 0.005 available; the call needs 0.01 to begin',
    });
  });
});
