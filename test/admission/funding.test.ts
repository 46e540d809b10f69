import { describe, expect, it } from 'vitest';
import { fundingOf } from '../../src/admission/funded.ts';
import { fund, type FundingPolicy } from '../../src/admission/funding.ts';
import { toEpochMs } from '../../src/units/time.ts';
import { accountsOf, mergedTariffs, questionOf, tariffOf } from '../controller/world.ts';
import { period } from '../rating/samples.ts';

const ACCOUNTS = accountsOf(
  [
    { account: 'acme', wallet: 'EUR', tariff: 'wholesale' },
    { account: 'acme/shop', wallet: 'EUR', tariff: 'retail' },
    { account: 'acme/shop/till' },
    { account: 'acme/heir', wallet: 'EUR' },
    { account: 'acme/dry', wallet: 'EUR', tariff: 'retail', operator: { enforcement: 'dry_run' } },
    { account: 'acme/off', wallet: 'EUR', tariff: 'retail', operator: { enabled: false } },
    { account: 'poor', tariff: 'retail' },
    { account: 'dollars', wallet: 'USD', tariff: 'retail' },
    { account: 'barred', wallet: 'EUR', tariff: 'retail', operator: { allowPrepay: false } },
    {
      account: 'postpaid',
      wallet: 'EUR',
      tariff: 'retail',
      operator: { allowPrepay: false, allowPostpay: true, maxPostpay: '5.00' },
    },
    { account: 'nobody' },
    { account: 'bare', wallet: 'EUR' },
    {
      account: 'cheap',
      wallet: 'EUR',
      tariff: 'retail',
      operator: { discounts: { international: '12.5', tollfree_us: 100 } },
    },
    { account: 'cheap/less', wallet: 'EUR', operator: { discounts: { international: 0 } } },
    { account: 'cheap/gift', tariff: 'retail', operator: { discounts: { international: 100 } } },
    { account: 'cheap/none', wallet: 'EUR' },
  ],
  [{ route: 'carrier' }],
);
const TARIFFS = mergedTariffs(
  tariffOf('wholesale', [{ prefix: '49', rate: '0.10' }]),
  tariffOf('retail', [
    { prefix: '49', rate: '1.00' },
    { prefix: '49800', rate: '0' },
    { prefix: '4930', rate: '0.50', direction: 'inbound' },
    { prefix: '33', rate: '0.20', routes: ['carrier'] },
    { prefix: '77', rate: '0.20', options: ['fax'] },
    { prefix: '7', rate: '0.30' },
    { prefix: '44', rate: '0.20', period: period('thu 08:00-18:00') },
    { prefix: '44', rate: '0.10', period: period('thu 18:00-08:00') },
  ]),
);
const STRICT: FundingPolicy = {
  unrated: 'refuse',
  unratedInbound: 'allow',
  unfunded: 'refuse',
  customerCurrency: 'EUR',
};

function funding(asked: Parameters<typeof questionOf>[1], policy: Partial<FundingPolicy> = {}): object {
  const result = fund(questionOf(ACCOUNTS, asked), TARIFFS, { ...STRICT, ...policy });
  if (result.kind === 'refused') {
    const { reason, cause, holder } = result.refusal;
    return { refused: reason, cause, holder };
  }
  return {
    funding: fundingOf({ payers: result.payers, trunks: [], allotments: result.allotments }),
    payers: result.payers.map(({ account, tariff, rateId }) => `${account} ${tariff} ${rateId}`),
    holds: result.holds.map(({ wallet }) => wallet),
  };
}

const BOTH = {
  funding: 'per_minute',
  payers: ['acme wholesale 1', 'acme/shop retail 1'],
  holds: ['acme', 'acme/shop'],
};
const UNPAID = { funding: 'none', payers: [], holds: [] };

describe('who pays', () => {
  it.each([
    ['every paying account of the chain, each by its own tariff', { caller: 'acme/shop' }, BOTH],
    ['a child of theirs that has nothing', { caller: 'acme/shop/till' }, BOTH],
    [
      "a wallet without a tariff, by its nearest ancestor's (ruling 14)",
      { caller: 'acme/heir' },
      {
        funding: 'per_minute',
        payers: ['acme wholesale 1', 'acme/heir wholesale 1'],
        holds: ['acme', 'acme/heir'],
      },
    ],
    [
      'nobody, for a call between two accounts (ruling 15)',
      { caller: 'acme/shop', callee: 'nobody' },
      UNPAID,
    ],
    ['nobody, for an emergency (ruling 16)', { caller: 'acme/shop', emergency: true }, UNPAID],
    [
      'the caller alone, for wholesale (ruling 19)',
      { caller: 'postpaid', callee: 'acme', routes: ['carrier'] },
      {
        funding: 'per_minute',
        payers: ['postpaid retail 1'],
        holds: ['postpaid'],
      },
    ],
    [
      'an account that may not spend its balance and may go below zero',
      { caller: 'postpaid' },
      {
        funding: 'per_minute',
        payers: ['postpaid retail 1'],
        holds: ['postpaid'],
      },
    ],
    [
      'its ancestors, where an account only tries (ruling 16)',
      { caller: 'acme/dry' },
      {
        funding: 'per_minute',
        payers: ['acme wholesale 1'],
        holds: ['acme'],
      },
    ],
    [
      'its ancestors, where an account is unrestricted (ruling 16)',
      { caller: 'acme/off' },
      {
        funding: 'per_minute',
        payers: ['acme wholesale 1'],
        holds: ['acme'],
      },
    ],
    [
      'the callee, for being called where its tariff says so (ruling 15)',
      {
        callee: 'postpaid',
        routes: ['carrier'],
      },
      { funding: 'per_minute', payers: ['postpaid retail 3'], holds: ['postpaid'] },
    ],
    [
      'nobody, for being called where no tariff says so',
      {
        callee: 'postpaid',
        routes: ['carrier'],
        destination: '49891',
      },
      UNPAID,
    ],
    ['nobody, for being called where nobody has a wallet', { callee: 'nobody', routes: ['carrier'] }, UNPAID],
  ])('%s', (_, asked, expected) => {
    expect(funding(asked)).toEqual(expected);
  });

  it.each([
    ['a discount of its classification', 'cheap', { cheap: 125_000 }],
    ['each payer its own, none included', 'cheap/less', { cheap: 125_000, 'cheap/less': 0 }],
    ["and not its parent's", 'cheap/none', { cheap: 125_000, 'cheap/none': 0 }],
  ])('has %s', (_, caller, expected) => {
    const result = fund(questionOf(ACCOUNTS, { caller }), TARIFFS, STRICT);
    const payers = result.kind === 'funded' ? result.payers : [];
    expect(Object.fromEntries(payers.map(({ account, terms }) => [account, terms.discountPpm]))).toEqual(
      expected,
    );
  });

  it('a discount of everything holds nothing and needs no wallet', () => {
    expect(funding({ caller: 'cheap/gift' })).toEqual({
      funding: 'per_minute',
      payers: ['cheap retail 1', 'cheap/gift retail 1'],
      holds: ['cheap'],
    });
  });

  it('has no discount of another classification', () => {
    const result = fund(
      questionOf(ACCOUNTS, { caller: 'cheap', callee: 'nobody', routes: ['carrier'], destination: '4989x' }),
      TARIFFS,
      { ...STRICT, unrated: 'allow' },
    );
    expect(result).toMatchObject({ payers: [{ terms: { discountPpm: 0 } }] });
  });

  it('a rate of zero holds nothing and needs no wallet', () => {
    expect(funding({ caller: 'poor', destination: '498001' })).toEqual({
      funding: 'free',
      payers: ['poor retail 2'],
      holds: [],
    });
  });

  it.each([
    ['no_payer', 'credit', 'nobody', { caller: 'nobody' }],
    ['no_wallet', 'credit', 'poor', { caller: 'poor' }],
    ['currency_differs', 'barred', 'dollars', { caller: 'dollars' }],
    ['no_credit', 'credit', 'barred', { caller: 'barred' }],
    ['no_rate', 'barred', 'acme', { caller: 'acme/shop', destination: '1' }],
    ['no_rate', 'barred', 'bare', { caller: 'bare' }],
    ['no_rate', 'barred', 'postpaid', { caller: 'postpaid', destination: '331' }],
  ])('refuses with %s (%s) by %s', (refused, cause, holder, asked) => {
    expect(funding(asked)).toEqual({ refused, cause, holder });
  });

  it('takes a rate that is for a route where the call goes by that route', () => {
    const asked = { caller: 'postpaid', destination: '331', routes: ['carrier'] };
    expect(funding(asked)).toMatchObject({ payers: ['postpaid retail 4'] });
  });

  it('takes a rate with options only where the call asks for nothing else', () => {
    const asking = (...options: readonly string[]) =>
      funding({ caller: 'postpaid', destination: '771', options });
    expect(asking('fax')).toMatchObject({ payers: ['postpaid retail 5'] });
    expect(asking()).toMatchObject({ payers: ['postpaid retail 5'] });
    expect(asking('fax', 'video')).toMatchObject({ payers: ['postpaid retail 6'] });
  });

  it('takes the rate that holds when the call is admitted', () => {
    const at = (text: string) => {
      const asked = { caller: 'postpaid', destination: '441', at: toEpochMs(Date.parse(text)) };
      return funding(asked);
    };
    expect(at('2026-03-05T17:59:59.999Z')).toMatchObject({ payers: ['postpaid retail 7'] });
    expect(at('2026-03-05T18:00Z')).toMatchObject({ payers: ['postpaid retail 8'] });
    expect(at('2026-03-06T08:00Z')).toMatchObject({ refused: 'no_rate' });
  });

  it.each([
    ['unfunded', { caller: 'nobody' }],
    ['unrated', { caller: 'postpaid', destination: '1' }],
  ] as const)('lets pass, unpaid, what %s allows', (key, asked) => {
    expect(funding(asked, { [key]: 'allow' })).toEqual(UNPAID);
  });

  it('refuses being called without a rate where the operator says so', () => {
    const asked = { callee: 'postpaid', routes: ['carrier'], destination: '49891' };
    expect(funding(asked, { unratedInbound: 'refuse' })).toEqual({
      refused: 'no_rate',
      cause: 'barred',
      holder: 'postpaid',
    });
  });
});
