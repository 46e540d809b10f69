import { describe } from 'vitest';
import { times, type AccountSpec, type Case, type Limits } from './cases.ts';
import { runCases } from './run-cases.ts';

/** JeraSoft's levels: reseller, client, account; a routing rule beside them. */
const RESELLER = 'acme';
const CLIENT = 'acme/client';
const ACCOUNT = 'acme/client/account';
const LEVELS = [RESELLER, CLIENT, ACCOUNT];

const ORIGINATES = `${ACCOUNT} → rule`;
const TERMINATES = `rule → ${ACCOUNT}`;

function billing(
  limits: Readonly<Record<string, AccountSpec>>,
  rule: Limits = {},
): Pick<Case, 'accounts' | 'routes'> {
  const paths = [...LEVELS, 'acme/client/second', 'acme/rival', 'acme/rival/account'];
  return {
    accounts: Object.fromEntries(paths.map((path) => [path, limits[path] ?? {}])),
    routes: { rule, 'second-rule': {} },
  };
}

const apart = LEVELS.map((level): Case => ({
  title: `originating and terminating capacity of ${level} are apart`,
  ...billing({ [level]: { outboundCalls: 2, inboundCalls: 1 } }),
  steps: [
    ...times(2, [ORIGINATES, 'rings']),
    [ORIGINATES, `503 outboundCalls of ${level}`],
    [TERMINATES, 'rings'],
    [TERMINATES, `486 inboundCalls of ${level}`],
    { hangUp: 1 },
    [TERMINATES, `486 inboundCalls of ${level}`],
    [ORIGINATES, 'rings'],
  ],
}));

const others: readonly Case[] = [
  {
    title: 'the capacity of a routing rule is apart in both directions too',
    ...billing({}, { outboundCalls: 1, inboundCalls: 2 }),
    steps: [
      [ORIGINATES, 'rings'],
      [ORIGINATES, '503 outboundCalls of rule'],
      ...times(2, [TERMINATES, 'rings']),
      [TERMINATES, '503 inboundCalls of rule'],
      [`${ACCOUNT} → second-rule`, 'rings'],
    ],
  },
  {
    title: 'an account of 4 under a client of 2: the client is the tighter one, and is named',
    ...billing({ [ACCOUNT]: { calls: 4 }, [CLIENT]: { calls: 2 } }),
    steps: [...times(2, [ORIGINATES, 'rings']), [ORIGINATES, `503 calls of ${CLIENT}`]],
  },
  {
    title: 'where all levels are full it is the highest that is named',
    ...billing({ [RESELLER]: { calls: 1 }, [CLIENT]: { calls: 1 }, [ACCOUNT]: { calls: 1 } }, { calls: 1 }),
    steps: [
      [ORIGINATES, 'rings'],
      [ORIGINATES, `503 calls of ${RESELLER}`],
      [TERMINATES, `486 calls of ${RESELLER}`],
    ],
  },
  {
    title: 'the capacity of a client is the sum over its accounts',
    ...billing({ [CLIENT]: { outboundCalls: 2 } }),
    steps: [
      [ORIGINATES, 'rings'],
      ['acme/client/second → rule', 'rings'],
      [ORIGINATES, `503 outboundCalls of ${CLIENT}`],
      ['acme/rival/account → rule', 'rings'],
    ],
  },
  {
    title: 'the capacity of a reseller is the sum over its clients',
    ...billing({ [RESELLER]: { outboundCalls: 2 } }),
    steps: [
      [ORIGINATES, 'rings'],
      ['acme/rival/account → rule', 'rings'],
      [ORIGINATES, `503 outboundCalls of ${RESELLER}`],
      ['acme/rival/account → rule', `503 outboundCalls of ${RESELLER}`],
    ],
  },
  {
    title: 'a routing rule is shared by all who use it',
    ...billing({}, { calls: 2 }),
    steps: [
      [ORIGINATES, 'rings'],
      ['acme/rival/account → rule', 'rings'],
      [ORIGINATES, '503 calls of rule'],
      // The refusal by the rule, which is asked last, left nothing taken above it.
      { use: RESELLER, is: { calls: 2, resourceConsumingCalls: 2, outboundCalls: 2, publicCalls: 2 } },
    ],
  },
  {
    title: 'two starts are two calls',
    ...billing({}),
    steps: [
      ...times(2, [ORIGINATES, 'rings']),
      { use: CLIENT, is: { calls: 2, resourceConsumingCalls: 2, outboundCalls: 2, publicCalls: 2 } },
      { hangUp: 1 },
      { use: CLIENT, is: { calls: 1, resourceConsumingCalls: 1, outboundCalls: 1, publicCalls: 1 } },
    ],
  },
  {
    title:
      'a vendor who terminates for a client is counted as well: a call in and out again by two of its accounts',
    ...billing({ 'acme/rival': { inboundCalls: 1 } }),
    steps: [
      [`${ACCOUNT} → acme/rival/account by rule`, 'rings'],
      { use: ACCOUNT, is: { calls: 1, resourceConsumingCalls: 1, outboundCalls: 1, publicCalls: 1 } },
      { use: 'acme/rival', is: { calls: 1, resourceConsumingCalls: 1, inboundCalls: 1, publicCalls: 1 } },
      { use: 'rule', is: { calls: 1, outboundCalls: 1 } },
      [`${ACCOUNT} → acme/rival/account by rule`, '486 inboundCalls of acme/rival'],
    ],
  },
];

describe('capacity as JeraSoft has it', () => {
  runCases([...apart, ...others]);
});
