import { describe } from 'vitest';
import { times, type AccountSpec, type Case } from './cases.ts';
import { runCases } from './run-cases.ts';

/** Kazoo's flat-rate trunks, soft limits and what a customer may spend. Without money only a trunk lets a call through. */
const ROUTES = { carrier: {}, trunk: {} };
const AMERICA = { country: '1', internationalPrefix: '011', trunkPrefix: '1' };
const PAYS = { wallet: 'EUR', tariff: 'american' };
const OUT = 'acme/shop → carrier at 4158867900';
const IN = 'trunk → acme/shop at 4158867900';
const FULL = '402 no_credit of acme/shop';

function shop(title: string, spec: AccountSpec, steps: Case['steps']): Case {
  return { title, accounts: { acme: { numbering: AMERICA }, 'acme/shop': spec }, routes: ROUTES, steps };
}

const granted = (
  [
    [undefined, 5, 0],
    [3, 5, 3],
    [7, 5, 5],
    [0, 5, 0],
    ['unlimited', 5, 5],
    [5, undefined, 5],
    [5, 'unlimited', 5],
  ] as const
).map(([operator, customer, holds]) =>
  shop(
    `T26 trunks: operator ${operator ?? 'unset'}, customer ${customer ?? 'unset'} is ${holds}`,
    {
      ...PAYS,
      ...(operator === undefined ? {} : { trunks: { twoway: operator } }),
      ...(customer === undefined ? {} : { customer: { trunks: { twoway: customer } } }),
    },
    [
      {
        together: Array.from({ length: 6 }, () => OUT),
        verdicts: { ...(holds === 0 ? {} : { rings: holds }), [FULL]: 6 - holds },
      },
    ],
  ),
);

const numbers = (
  [
    ['4158867900', 'rings'],
    // Toll-free ones are no flat-rate numbers, and are paid for by nobody.
    ['8005551234', 'rings'],
    ['2425551234', FULL],
    ['9005551234', FULL],
    ['011442071234567', '403 no_rate of acme/shop'],
  ] as const
).map(([number, verdict]) =>
  shop(
    `T28 ${number} by trunk ${verdict === 'rings' ? 'rings' : 'is refused'}`,
    { ...PAYS, trunks: { twoway: 1 } },
    [[`acme/shop → carrier at ${number}`, verdict]],
  ),
);

const directions: readonly Case[] = [
  shop(
    'inbound trunks are for inbound calls, then two-way ones',
    { ...PAYS, trunks: { inbound: 1, twoway: 1 } },
    [[IN, 'rings'], [IN, 'rings'], [OUT, FULL], { hangUp: 1 }, [OUT, 'rings'], [OUT, FULL]],
  ),
  shop('a two-way trunk is for whoever comes first', { ...PAYS, trunks: { twoway: 2 } }, [
    [IN, 'rings'],
    [OUT, 'rings'],
    [OUT, FULL],
    { hangUp: 2 },
    [IN, 'rings'],
    [OUT, FULL],
  ]),
  shop('burst trunks come after all others', { ...PAYS, trunks: { outbound: 1, twoway: 1, burst: 1 } }, [
    ...times(3, [OUT, 'rings']),
    [OUT, FULL],
  ]),
  shop(
    'trunks pay for a call whose limits refuse it no more than money does',
    { ...PAYS, calls: 1, trunks: { twoway: 9 } },
    [
      [OUT, 'rings'],
      [OUT, '503 calls of acme/shop'],
    ],
  ),
];

const prepaid: readonly Case[] = [
  shop(
    'who may not spend the balance relies on his trunks alone',
    { ...PAYS, balance: '100.00', trunks: { outbound: 1 }, customer: { allowPrepay: false } },
    [
      [OUT, 'rings'],
      [OUT, '402 trunks of acme/shop'],
    ],
  ),
  shop(
    'postpaid alone spends what there is, too',
    { ...PAYS, allowPrepay: false, allowPostpay: true, balance: '0.30' },
    [
      [OUT, 'rings'],
      [OUT, FULL],
    ],
  ),
  shop(
    'postpaid alone goes as far below zero as it may',
    { ...PAYS, allowPrepay: false, allowPostpay: true, maxPostpay: '0.30' },
    [
      [OUT, 'rings'],
      [OUT, FULL],
    ],
  ),
  {
    title: "a reseller's trunks pay for himself, and his customer pays by the minute",
    accounts: {
      acme: { ...PAYS, numbering: AMERICA, trunks: { twoway: 1 } },
      'acme/shop': { ...PAYS, balance: '0.60' },
    },
    routes: ROUTES,
    steps: [
      [OUT, 'rings'],
      [OUT, '402 no_credit of acme'],
      { pay: 'acme', amount: '0.30' },
      [OUT, 'rings'],
      { pay: 'acme', amount: '0.30' },
      [OUT, FULL],
    ],
  },
];

const soft: readonly Case[] = [
  shop('a soft limit is one for its direction', { calls: 1, softLimitOutbound: true }, [
    [OUT, 'rings'],
    [OUT, 'rings'],
    { decision: 'soft', of: 2 },
    [IN, '486 calls of acme/shop'],
  ]),
  shop('a soft inbound limit lets calls in', { calls: 0, softLimitInbound: true }, [
    [IN, 'rings'],
    { decision: 'soft', of: 1 },
    [OUT, '503 calls of acme/shop'],
  ]),
  shop('a soft call goes on without money', { ...PAYS, softLimitOutbound: true }, [
    [OUT, 'rings'],
    { decision: 'soft', of: 1 },
  ]),
  {
    title: "a customer's soft limit is none of his reseller's",
    accounts: {
      acme: { numbering: AMERICA, outboundCalls: 1 },
      'acme/shop': { calls: 0, softLimitOutbound: true },
    },
    routes: ROUTES,
    steps: [
      [OUT, 'rings'],
      [OUT, '503 outboundCalls of acme'],
    ],
  },
];

describe('trunks as Kazoo has them', () => {
  runCases([...granted, ...numbers, ...directions, ...prepaid, ...soft]);
});
