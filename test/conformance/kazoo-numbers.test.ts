import { describe } from 'vitest';
import type { AccountSpec, Case, Limits } from './cases.ts';
import { runCases } from './run-cases.ts';

/** What Kazoo does by the classification of a number: emergencies, toll-free numbers, and names of one's own. */
const ROUTES = { carrier: {}, trunk: {} };
const OUT = 'acme/shop → carrier';
const AMERICA = { country: '1', internationalPrefix: '011', trunkPrefix: '1' };
const GERMANY = { country: '49', internationalPrefix: '00', trunkPrefix: '0' };
const PAYS = { wallet: 'EUR', tariff: 'standard' };
const TOLL_FREE = '18005551234';

function tree(title: string, root: AccountSpec, shop: Limits, steps: Case['steps']): Case {
  return { title, accounts: { acme: root, 'acme/shop': shop }, routes: ROUTES, steps };
}

const emergencies: readonly Case[] = (['911', '933', '811', '999'] as const).map((number) =>
  tree(
    `${number} is an emergency in North America, whatever the limits and the money`,
    { numbering: AMERICA, calls: 0, ...PAYS },
    { calls: 0, callsPerSecond: 0 },
    [
      [`${OUT} at ${number}`, 'rings'],
      { decision: 'emergency', of: 1 },
      { use: 'acme/shop', is: { calls: 1, resourceConsumingCalls: 1, outboundCalls: 1, publicCalls: 1 } },
      ['trunk → acme/shop at 4158867900', '486 calls of acme'],
    ],
  ),
);

const elsewhere: readonly Case[] = [
  tree('999 is no emergency in Germany', { numbering: GERMANY, calls: 0 }, {}, [
    [`${OUT} at 999`, '503 calls of acme'],
    [`${OUT} at 112`, 'rings'],
    { decision: 'emergency', of: 2 },
  ]),
  tree(
    'a tree may name its own emergencies, and tests them as they are dialled',
    {
      numbering: {
        ...GERMANY,
        classifiers: [
          { name: 'german', pattern: String.raw`^\+49` },
          { name: 'police', pattern: '^110$', emergency: true },
        ],
      },
      calls: 0,
    },
    {},
    [
      [`${OUT} at 110`, 'rings'],
      { decision: 'emergency', of: 1 },
      [`${OUT} at 49110`, '503 calls of acme'],
      [`${OUT} at 1100`, '503 calls of acme'],
    ],
  ),
  tree(
    'an emergency of one tree is none of another',
    { numbering: { ...GERMANY, classifiers: [{ name: 'police', pattern: '^110$', emergency: true }] } },
    {},
    [['other → carrier at 110', '503 calls of other']],
  ),
];

const tollFree: readonly Case[] = [
  tree(
    'a toll-free call needs neither credit nor a rate',
    { numbering: AMERICA, ...PAYS },
    { ...PAYS, allowPrepay: false },
    [
      [`${OUT} at ${TOLL_FREE}`, 'rings'],
      [`${OUT} at 8335551234`, 'rings'],
      { decision: 'admitted', of: 2 },
      [`${OUT} at 4158867900`, '403 no_rate of acme'],
    ],
  ),
  tree(
    'a toll-free call counts, and the limits of calls hold for it',
    { numbering: AMERICA },
    { ...PAYS, calls: 1 },
    [
      [`${OUT} at ${TOLL_FREE}`, 'rings'],
      [`${OUT} at ${TOLL_FREE}`, '503 calls of acme/shop'],
    ],
  ),
  tree(
    "a toll-free call is paid for by nobody, so the reseller's money does not matter either",
    { numbering: AMERICA, ...PAYS },
    {},
    [[`${OUT} at ${TOLL_FREE}`, 'rings']],
  ),
  tree(
    'who is called at a toll-free number pays for it',
    { numbering: AMERICA },
    { wallet: 'EUR', tariff: 'tollfree' },
    [[`trunk → acme/shop at ${TOLL_FREE}`, '402 no_credit of acme/shop']],
  ),
  tree('abroad an American toll-free number has its price', { numbering: GERMANY }, PAYS, [
    [`${OUT} at 0018005551234`, '403 no_rate of acme/shop'],
  ]),
  tree(
    'a tree may name its own toll-free numbers',
    {
      numbering: {
        ...GERMANY,
        classifiers: [{ name: 'freecall', pattern: String.raw`^\+49800`, tollFree: true }],
      },
    },
    PAYS,
    [
      [`${OUT} at 0800123`, 'rings'],
      [`${OUT} at 0900123`, '402 no_credit of acme/shop'],
    ],
  ),
  tree('numbers without numbering have no country, and nothing is free', {}, PAYS, [
    [`${OUT} at ${TOLL_FREE}`, '403 no_rate of acme/shop'],
  ]),
];

const named: readonly Case[] = [
  tree(
    'a discount is for the first classification that matches',
    {
      numbering: {
        ...GERMANY,
        classifiers: [
          { name: 'berlin', pattern: String.raw`^\+4930` },
          { name: 'german', pattern: String.raw`^\+49` },
        ],
      },
    },
    { ...PAYS, discounts: { berlin: 50, german: 0 }, balance: '0.30' },
    [
      // Half of 0.30 each: two first minutes.
      [`${OUT} at 030123`, 'rings'],
      [`${OUT} at 030123`, 'rings'],
      [`${OUT} at 030123`, '402 no_credit of acme/shop'],
    ],
  ),
];

describe('numbers as Kazoo classifies them', () => {
  const OTHER = { other: { calls: 0 } };
  const cases = [...emergencies, ...elsewhere, ...tollFree, ...named];
  runCases(cases.map((each) => ({ ...each, accounts: { ...OTHER, ...each.accounts } })));
});
