import { describe, expect, it } from 'vitest';
import { parseAccount } from '../../src/accounts/account-document.ts';
import type { Case, Limits } from './cases.ts';
import { runCases } from './run-cases.ts';

/** Kazoo's reseller and its customer account. The numbers Txx are those of the list of wanted results. */
const ROUTES = { carrier: {}, answers: {} };
const OUT = 'acme/shop → carrier';

function shop(title: string, limits: Limits, steps: Case['steps']): Case {
  return { title, accounts: { acme: {}, 'acme/shop': limits }, routes: ROUTES, steps };
}

const PAYS = { wallet: 'EUR', tariff: 'standard' };
/** Half a euro, thirty cents, a euro a minute in whole minutes; nothing; no rate. */
const [HALF, THIRTY, WHOLE, FREE, UNRATED] = ['4950123', '4930123', '4940123', '800123', '33123'];

/**
 * Kazoo keeps a reserve beside the balance and asks for more than that. Here the reserve is what the call itself
 * needs to begin, its surcharge and first pulse, and the last cent may be spent.
 */
const credit: readonly Case[] = [
  shop('T13 prepaid 0.50 pays a first minute of 0.50, and nothing after it', { ...PAYS, balance: '0.50' }, [
    [`${OUT} at ${HALF}`, 'rings'],
    [`${OUT} at ${HALF}`, '402 no_credit of acme/shop'],
  ]),
  shop('T13 prepaid 0.499999 does not', { ...PAYS, balance: '0.499999' }, [
    [`${OUT} at ${HALF}`, '402 no_credit of acme/shop'],
    { pay: 'acme/shop', amount: '0.000001' },
    [`${OUT} at ${HALF}`, 'rings'],
  ]),
  ...(
    [
      ['-4.00', 'rings'],
      ['-4.50', 'rings'],
      ['-4.500001', '402 no_credit of acme/shop'],
      ['-5.00', '402 no_credit of acme/shop'],
    ] as const
  ).map(([balance, verdict]) =>
    shop(
      `T14 postpaid down to -5.00: at ${balance} a minute of 0.50 ${verdict === 'rings' ? 'is paid' : 'is not'}`,
      { ...PAYS, allowPostpay: true, maxPostpay: '5.00', balance },
      [[`${OUT} at ${HALF}`, verdict]],
    ),
  ),
  shop(
    'T14 neither prepaid nor postpaid: 100.00 buys nothing',
    { ...PAYS, allowPrepay: false, balance: '100.00' },
    [[`${OUT} at ${HALF}`, '402 allowPrepay of acme/shop']],
  ),
  shop(
    'a customer may forbid prepaid calls himself',
    { ...PAYS, balance: '100.00', customer: { allowPrepay: false } },
    [[`${OUT} at ${HALF}`, '402 allowPrepay of acme/shop']],
  ),
  shop('maxPostpay without allowPostpay is worth nothing', { ...PAYS, maxPostpay: '5.00' }, [
    [`${OUT} at ${HALF}`, '402 no_credit of acme/shop'],
  ]),
  shop(
    'T15 a leg that rings and a leg that talks both hold their first minute',
    { ...PAYS, balance: '0.89' },
    [
      [`${OUT} at ${THIRTY}`, 'rings'],
      [`acme/shop → answers at ${THIRTY}`, 'rings'],
      [`${OUT} at ${THIRTY}`, '402 no_credit of acme/shop'],
      { pay: 'acme/shop', amount: '0.01' },
      [`${OUT} at ${THIRTY}`, 'rings'],
      [`${OUT} at ${THIRTY}`, '402 no_credit of acme/shop'],
    ],
  ),
  shop('what only rang is paid back whole', { ...PAYS, balance: '0.30' }, [
    [`${OUT} at ${THIRTY}`, 'rings'],
    { hangUp: 1 },
    [`${OUT} at ${THIRTY}`, 'rings'],
  ]),
  shop('T17 thirty callers at once on 1.00, a euro a minute: one is admitted', { ...PAYS, balance: '1.00' }, [
    {
      together: Array.from({ length: 30 }, () => `${OUT} at ${WHOLE}`),
      verdicts: { rings: 1, '402 no_credit of acme/shop': 29 },
    },
  ]),
  shop('T18 a free number is let through at 0, and below', { ...PAYS }, [
    [`${OUT} at ${FREE}`, 'rings'],
    { pay: 'acme/shop', amount: '-1.00' },
    [`${OUT} at ${FREE}`, 'rings'],
  ]),
  shop('T18 a number without a rate is refused, whatever the balance', { ...PAYS, balance: '100.00' }, [
    [`${OUT} at ${UNRATED}`, '403 no_rate of acme/shop'],
  ]),
];

/** What a call of one minute may cost, and what is off its price. */
const price: readonly Case[] = [
  shop(
    'a discount of 10 % on a classification is off the first minute too',
    {
      ...PAYS,
      balance: '0.45',
      discounts: { international: '10' },
    },
    [
      [`${OUT} at ${HALF}`, 'rings'],
      { hangUp: 1 },
      { pay: 'acme/shop', amount: '-0.000001' },
      [`${OUT} at ${HALF}`, '402 no_credit of acme/shop'],
    ],
  ),
  shop(
    'a discount on another classification is none',
    {
      ...PAYS,
      balance: '0.45',
      discounts: { did_us: '10' },
    },
    [[`${OUT} at ${HALF}`, '402 no_credit of acme/shop']],
  ),
  shop('a discount of 100 % needs no money', { ...PAYS, discounts: { international: '100' } }, [
    [`${OUT} at ${HALF}`, 'rings'],
  ]),
  shop(
    'maxCallCost of exactly the first minute admits, one millionth less refuses',
    {
      ...PAYS,
      balance: '10.00',
      maxCallCost: '0.50',
    },
    [
      [`${OUT} at ${HALF}`, 'rings'],
      { set: 'acme/shop', to: { ...PAYS, maxCallCost: '0.499999' } },
      [`${OUT} at ${HALF}`, '403 maxCallCost of acme/shop'],
      [`${OUT} at ${THIRTY}`, 'rings'],
      { set: 'acme/shop', to: { ...PAYS, maxCallCost: '0.00' } },
      [`${OUT} at ${THIRTY}`, '403 maxCallCost of acme/shop'],
      [`${OUT} at ${FREE}`, 'rings'],
      { set: 'acme/shop', to: { ...PAYS, maxCallCost: 'unlimited' } },
      [`${OUT} at ${HALF}`, 'rings'],
    ],
  ),
];

const together: readonly Case[] = [
  {
    title: 'customer and reseller must both be able to pay: each is named when it cannot',
    accounts: { acme: { ...PAYS, balance: '1.00' }, 'acme/shop': { ...PAYS, balance: '1.50' } },
    routes: ROUTES,
    steps: [
      [`${OUT} at ${HALF}`, 'rings'],
      [`${OUT} at ${HALF}`, 'rings'],
      [`${OUT} at ${HALF}`, '402 no_credit of acme'],
      { pay: 'acme', amount: '10.00' },
      [`${OUT} at ${HALF}`, 'rings'],
      [`${OUT} at ${HALF}`, '402 no_credit of acme/shop'],
    ],
  },
  {
    title: 'customer and reseller must both have room, and the reseller is asked first',
    accounts: { acme: { calls: 2 }, 'acme/shop': { calls: 1 }, 'acme/other': {} },
    routes: ROUTES,
    steps: [
      [OUT, 'rings'],
      [OUT, '503 calls of acme/shop'],
      ['acme/other → carrier', 'rings'],
      [OUT, '503 calls of acme'],
    ],
  },
  {
    title: 'a limit refuses before anybody is asked for money, and holds none',
    accounts: { acme: {}, 'acme/shop': { ...PAYS, balance: '0.50', outboundCalls: 0 } },
    routes: ROUTES,
    steps: [
      [`${OUT} at ${HALF}`, '503 outboundCalls of acme/shop'],
      { set: 'acme/shop', to: PAYS },
      [`${OUT} at ${HALF}`, 'rings'],
    ],
  },
];

describe('credit as Kazoo has it', () => {
  runCases([...credit, ...price, ...together]);
});

describe('an account document', () => {
  it.each([
    ['T16 postpay as a bare number, which could be units or dollars', { maxPostpay: 100 }, 'maxPostpay'],
    ['T16 postpay as a fraction', { maxPostpay: 100.5 }, 'maxPostpay'],
    ['T16 postpay with a sign', { maxPostpay: '-100.00' }, 'maxPostpay'],
    ['T24 -1 for unlimited', { calls: -1 }, 'calls'],
    ['a fraction of a call', { calls: 1.5 }, 'calls'],
  ])('is refused for %s', (_, operator, field) => {
    const parsed = parseAccount({ account: 'acme', operator });
    expect(parsed).toMatchObject({ kind: 'bad', problems: [{ field: `operator.${field}` }] });
  });

  it('T16 takes postpay as a decimal text in the currency of the wallet', () => {
    const parsed = parseAccount({ account: 'acme', operator: { maxPostpay: '100.00' } });
    expect(parsed).toMatchObject({ kind: 'ok', value: { operator: { maxPostpay: 100_000_000n } } });
  });
});
