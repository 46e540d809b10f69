import { describe, expect, it } from 'vitest';
import { chosenParts, fundingOf, withFunded } from '../../src/admission/funded.ts';
import { decide } from '../../src/admission/decide.ts';
import { fund, type FundingPolicy } from '../../src/admission/funding.ts';
import type { FundingOption } from '../../src/admission/plan.ts';
import type { AccountPath } from '../../src/units/ids.ts';
import { accountsOf, questionOf, tariffOf } from '../controller/world.ts';

const PAID = { wallet: 'USD', tariff: 'retail' };
const ACCOUNTS = accountsOf(
  [
    { account: 'acme', ...PAID, operator: { trunks: { twoway: 2, inbound: 1, burst: 3 } } },
    { account: 'acme/child' },
    { account: 'acme/shop', wallet: 'USD' },
    { account: 'rented', operator: { trunks: { outbound: 4 } } },
    { account: 'endless', operator: { trunks: { twoway: 'unlimited', burst: 2 } } },
    {
      account: 'late',
      ...PAID,
      operator: { trunks: { twoway: 1 }, fundingOrder: ['per_minute', 'flat_rate'] },
    },
    { account: 'only', ...PAID, operator: { trunks: { twoway: 1 }, fundingOrder: ['flat_rate'] } },
    { account: 'metered', ...PAID, operator: { trunks: { twoway: 1 }, fundingOrder: ['per_minute'] } },
    { account: 'someday', ...PAID, operator: { fundingOrder: ['allotment'] } },
    { account: 'poor', tariff: 'retail', operator: { trunks: { twoway: 1 } } },
    { account: 'house', ...PAID },
    { account: 'house/desk', operator: { trunks: { twoway: 1 } } },
    { account: 'abroad', wallet: 'EUR', tariff: 'retail', operator: { trunks: { twoway: 1 } } },
    { account: 'bare', tariff: 'retail' },
    {
      account: 'berlin',
      operator: {
        trunks: { twoway: 1 },
        flatRate: { whitelist: [String.raw`^\+4930`], blacklist: ['^.49300'] },
      },
    },
  ],
  [{ route: 'carrier' }],
);
const TARIFFS = tariffOf(
  'retail',
  [
    { prefix: '1', rate: '0.60' },
    { prefix: '1800', rate: '0' },
  ],
  'USD',
);
const STRICT: FundingPolicy = {
  unrated: 'refuse',
  unratedInbound: 'allow',
  unfunded: 'refuse',
  customerCurrency: 'EUR',
};

/** `flat_rate out 0/2/unlimited`: direction, its own trunks in and out, and what both share. */
function wayOf({ take, part }: FundingOption): string {
  if (take === undefined) return part === undefined ? 'unpaid' : 'free';
  if (take.kind === 'holds') return part?.way ?? 'per_minute';
  const { counter, inbound, outbound, shared } = take.trunk;
  const bounds = [inbound, outbound, shared].map((bound) => bound ?? 'unlimited').join('/');
  return `${part?.way} ${counter === 'inboundCalls' ? 'in' : 'out'} ${bounds}`;
}

function ways(asked: Parameters<typeof questionOf>[1], policy: Partial<FundingPolicy> = {}): unknown {
  const found = fund(questionOf(ACCOUNTS, { destination: '14158867900', ...asked }), TARIFFS, {
    ...STRICT,
    ...policy,
  });
  if (found.kind === 'refused') return `${found.refusal.reason} of ${found.refusal.holder}`;
  const all = found.holds.map(({ wallet }) => `${wallet}: per_minute`);
  return [...all, ...found.firstOf.map(({ payer, options }) => `${payer}: ${options.map(wayOf).join(', ')}`)];
}

const INBOUND = { routes: ['carrier'] };
const TRUNKS_OUT = 'flat_rate out 1/0/2, flat_rate_burst out 1/0/5';

describe('the ways to pay', () => {
  it.each([
    ['a trunk, a burst one, and then money', { caller: 'acme' }, [`acme: ${TRUNKS_OUT}, per_minute`]],
    ['for a child by its parent', { caller: 'acme/child' }, [`acme: ${TRUNKS_OUT}, per_minute`]],
    [
      'each payer by itself',
      { caller: 'acme/shop' },
      ['acme/shop: per_minute', `acme: ${TRUNKS_OUT}, per_minute`],
    ],
    ['money first where the order says so', { caller: 'late' }, ['late: per_minute, flat_rate out 0/0/1']],
    ['trunks alone', { caller: 'only' }, ['only: flat_rate out 0/0/1']],
    ['trunks that are not used', { caller: 'metered' }, ['metered: per_minute']],
    ['without a tariff', { caller: 'rented' }, ['rented: flat_rate out 0/4/0']],
    [
      'without a bound, and burst ones beyond that',
      { caller: 'endless' },
      ['endless: flat_rate out 0/0/unlimited, flat_rate_burst out 0/0/unlimited'],
    ],
    ['a trunk where there is no wallet', { caller: 'poor' }, ['poor: flat_rate out 0/0/1']],
    ['for nothing, after trunks', { caller: 'poor', destination: '18005551234' }, []],
    [
      'inbound trunks for being called',
      { callee: 'acme', ...INBOUND },
      ['acme: flat_rate in 1/0/2, flat_rate_burst in 1/0/5'],
    ],
    ['nothing for being called where only outbound trunks are', { callee: 'rented', ...INBOUND }, []],
    ['numbers of its own', { caller: 'berlin', destination: '493012' }, ['berlin: flat_rate out 0/0/1']],
    ['no trunk between accounts', { caller: 'acme', callee: 'rented' }, []],
    ['no trunk in an emergency', { caller: 'acme', emergency: true }, []],
  ])('are %s', (_, asked, expected) => {
    expect(ways(asked)).toEqual(expected);
  });

  it.each([
    ['no_trunk of berlin', { caller: 'berlin', destination: '493002' }, {}],
    ['no_trunk of only', { caller: 'only', destination: '442071234567' }, {}],
    ['no_rate of rented', { callee: 'rented', ...INBOUND }, { unratedInbound: 'refuse' }],
    ['no_credit of someday', { caller: 'someday' }, {}],
    ['no_trunk of poor', { caller: 'poor', destination: '12425551234' }, {}],
  ] as const)('are none: %s', (refusal, asked, policy) => {
    expect(ways(asked, policy)).toBe(refusal);
  });

  it('are bounded by the trunks, even where unrated calls pass', () => {
    expect(ways({ caller: 'rented' }, { unrated: 'allow' })).toEqual(['rented: flat_rate out 0/4/0']);
  });

  it('say why others are none', () => {
    const found = fund(questionOf(ACCOUNTS, { caller: 'poor', destination: '14158867900' }), TARIFFS, STRICT);
    expect(found).toMatchObject({
      firstOf: [{ others: ['poor has no wallet to pay per minute from'] }],
    });
  });

  it.each([
    [
      'has trunks and no money',
      'poor',
      '12425551234 is no flat-rate number of poor; poor has no wallet to pay per minute from',
    ],
    [
      'has trunks, and only its ancestors have a tariff and money',
      'house/desk',
      '12425551234 is no flat-rate number of house/desk; house/desk has no wallet to pay per minute from',
    ],
    [
      'has trunks and money in another currency',
      'abroad',
      'the wallet of abroad is in EUR and its tariff in USD; 12425551234 is no flat-rate number of abroad',
    ],
    ['has no trunks', 'bare', 'bare has no wallet to pay per minute from'],
  ])('that are none are all told of an account that %s', (_, caller, words) => {
    const found = fund(questionOf(ACCOUNTS, { caller, destination: '12425551234' }), TARIFFS, STRICT);
    expect(found).toMatchObject({ kind: 'refused', refusal: { words } });
  });

  // T28 of the incumbents' cases, with the toll-free numbers that one of them forgot.
  it.each([
    ['14158867900', true],
    ['18005551234', false],
    ['12425551234', false],
    ['442071234567', false],
    ['18335551234', false],
    ['18225551234', false],
    ['reception', false],
  ])('by trunk to %s: %s', (destination, isFlatRate) => {
    const found = fund(questionOf(ACCOUNTS, { caller: 'acme', destination }), TARIFFS, {
      ...STRICT,
      unrated: 'allow',
    });
    const options = found.kind === 'funded' ? found.firstOf.flatMap((payer) => payer.options) : [];
    expect(options.some(({ take }) => take?.kind === 'trunk')).toBe(isFlatRate);
  });
});

describe('the record of a leg, once it is known how it is paid', () => {
  const decided = decide(
    questionOf(ACCOUNTS, { caller: 'acme', destination: '14158867900' }),
    TARIFFS,
    STRICT,
  );
  if (decided.kind === 'refused') throw new Error(decided.refusal.words);
  const { plan, record } = decided;

  it.each([
    ['flat_rate', 0, [], ['flat_rate'], ['inboundCalls', 'outboundCalls']],
    ['flat_rate_burst', 1, [], ['flat_rate_burst'], ['inboundCalls', 'outboundCalls']],
    ['per_minute', 2, ['acme'], [], []],
  ])('says %s', (funding, option, payers, trunks, counters) => {
    const full = withFunded(record, chosenParts(plan.home, [option]));
    expect(full.funding).toBe(funding);
    expect(full.payers.map(({ wallet }) => wallet)).toEqual(payers);
    expect(full.trunks.map(({ way }) => way)).toEqual(trunks);
    const counted = full.taken
      .flatMap((slot) => slot.counted)
      .filter(({ holder }) => holder.kind === 'trunks');
    expect(counted.flatMap((each) => each.counters)).toEqual(counters.slice(1));
  });

  it('is per minute as soon as one payer is', () => {
    const [payer] = withFunded(record, chosenParts(plan.home, [2])).payers;
    const trunks = [{ account: 'acme' as AccountPath, way: 'flat_rate' as const }];
    const allotments = [] as const;
    expect(fundingOf({ payers: payer === undefined ? [] : [payer], trunks, allotments })).toBe('per_minute');
    expect(fundingOf({ payers: [], trunks, allotments })).toBe('flat_rate');
  });
});
