import { afterEach, describe, expect, it } from 'vitest';
import { startRedis, type StartedRedis } from '../../src/servers/redis-server.ts';
import { times, type Case, type Limits } from './cases.ts';
import { openExchange, type Exchange } from './exchange.ts';
import { runCases } from './run-cases.ts';

/** Kazoo's reseller and its customer account. The numbers Txx are those of the list of wanted results. */
const ROUTES = { carrier: {}, trunk: {} };
const OUT = 'acme/shop → carrier';
const IN = 'trunk → acme/shop';
const FORWARDED = `${IN}, forwarded to carrier`;

function shop(title: string, limits: Limits, steps: Case['steps']): Case {
  return { title, accounts: { acme: {}, 'acme/shop': limits }, routes: ROUTES, steps };
}

const PAYS = { wallet: 'EUR', tariff: 'standard' };
const counting: readonly Case[] = [
  shop('T24 calls 2: the first and the second are admitted, the third is refused', { calls: 2 }, [
    ...times(2, [OUT, 'rings']),
    [OUT, '503 calls of acme/shop'],
    [IN, '486 calls of acme/shop'],
  ]),
  shop('T24 calls 0 refuses all', { calls: 0 }, [
    [OUT, '503 calls of acme/shop'],
    [IN, '486 calls of acme/shop'],
  ]),
  shop('T24 calls unlimited refuses none', { calls: 'unlimited' }, times(4, [OUT, 'rings'])),
  shop('T24 resourceConsumingCalls 2: the third is refused', { resourceConsumingCalls: 2 }, [
    [OUT, 'rings'],
    [IN, 'rings'],
    [OUT, '503 resourceConsumingCalls of acme/shop'],
    [IN, '486 resourceConsumingCalls of acme/shop'],
  ]),
  shop('T24 an inbound call that is forwarded out is one resource-consuming call and two calls', {}, [
    [FORWARDED, 'rings'],
    {
      use: 'acme/shop',
      is: { calls: 2, resourceConsumingCalls: 1, inboundCalls: 1, outboundCalls: 1, publicCalls: 2 },
    },
    { use: 'trunk', is: { calls: 1, inboundCalls: 1 } },
    { use: 'carrier', is: { calls: 1, outboundCalls: 1 } },
  ]),
  shop('T24 a call within the house that is forwarded out is one resource-consuming call as well', {}, [
    [`acme → acme/shop, forwarded to carrier`, 'rings'],
    {
      use: 'acme/shop',
      is: {
        calls: 2,
        resourceConsumingCalls: 1,
        inboundCalls: 1,
        outboundCalls: 1,
        publicCalls: 1,
        internalCalls: 1,
      },
    },
  ]),
  shop(
    'resourceConsumingCalls 1 lets a forwarded call through, and no second one',
    { resourceConsumingCalls: 1 },
    [
      [FORWARDED, 'rings'],
      [FORWARDED, '486 resourceConsumingCalls of acme/shop'],
    ],
  ),
  shop('calls 1 lets the incoming call in and refuses to forward it', { calls: 1 }, [
    [FORWARDED, '503 calls of acme/shop'],
    { use: 'acme/shop', is: {} },
  ]),
  shop('internal calls consume no resource', { resourceConsumingCalls: 0 }, [['acme/shop → acme', 'rings']]),
];

const merged = (
  [
    ['unlimited', 4, 4],
    [4, undefined, 4],
    [undefined, undefined, 'unlimited'],
    [4, 2, 2],
    [2, 4, 2],
    [3, 'unlimited', 3],
    [0, 2, 0],
  ] as const
).flatMap(([operator, customer, holds]): readonly Case[] =>
  ['calls', 'resourceConsumingCalls'].map((limit) =>
    shop(
      `T25 ${limit}: operator ${operator ?? 'unset'}, customer ${customer ?? 'unset'} is ${holds}`,
      {
        ...(operator === undefined ? {} : { [limit]: operator }),
        ...(customer === undefined ? {} : { customer: { [limit]: customer } }),
      },
      [
        {
          together: Array.from({ length: 5 }, () => OUT),
          verdicts:
            holds === 'unlimited'
              ? { rings: 5 }
              : {
                  ...(holds === 0 ? {} : { rings: holds }),
                  [`503 ${limit} of acme/shop`]: 5 - holds,
                },
        },
      ],
    ),
  ),
);

const flags: readonly Case[] = [
  shop('enabled: false is unrestricted, and still counted', { enabled: false, calls: 0, publicCalls: 0 }, [
    [OUT, 'rings'],
    { decision: 'unrestricted', of: 1 },
    { use: 'acme/shop', is: { calls: 1, resourceConsumingCalls: 1, outboundCalls: 1, publicCalls: 1 } },
  ]),
  shop('enabled: false pays nothing', { ...PAYS, enabled: false }, [[OUT, 'rings']]),
  {
    title: "enabled: false of a customer frees him from his own limits, not from his reseller's",
    accounts: { acme: { calls: 1 }, 'acme/shop': { enabled: false, calls: 0 } },
    routes: ROUTES,
    steps: [
      [OUT, 'rings'],
      [OUT, '503 calls of acme'],
    ],
  },
  shop('dry run lets pass what it would refuse, and counts it', { enforcement: 'dry_run', calls: 0 }, [
    [OUT, 'rings'],
    [IN, 'rings'],
    { decision: 'dry_run', of: 1 },
    {
      use: 'acme/shop',
      is: { calls: 2, resourceConsumingCalls: 2, inboundCalls: 1, outboundCalls: 1, publicCalls: 2 },
    },
  ]),
  {
    title: 'dry run of a customer is no dry run of his reseller',
    accounts: { acme: { outboundCalls: 1 }, 'acme/shop': { enforcement: 'dry_run', ...PAYS } },
    routes: ROUTES,
    steps: [
      [OUT, 'rings'],
      [OUT, '503 outboundCalls of acme'],
    ],
  },
  {
    title: 'T18 an emergency call is always let through, never paid for, and counted',
    accounts: { acme: { calls: 0 }, 'acme/shop': { ...PAYS, calls: 0, callsPerSecond: 0, outboundCalls: 0 } },
    routes: { carrier: { calls: 0 } },
    steps: [
      [`${OUT} at 112`, 'rings'],
      [`${OUT} at 911`, 'rings'],
      { decision: 'emergency', of: 2 },
      { use: 'acme/shop', is: { calls: 2, resourceConsumingCalls: 2, outboundCalls: 2, publicCalls: 2 } },
      { use: 'carrier', is: { calls: 2, outboundCalls: 2 } },
      [OUT, '503 calls of acme'],
    ],
  },
  shop('49112 is no emergency number, but a number like any other', { calls: 0 }, [
    [`${OUT} at 49112`, '503 calls of acme/shop'],
  ]),
];

describe('limits as Kazoo has them', () => {
  runCases([...counting, ...merged, ...flags]);
});

describe('a dry run of the whole service', () => {
  runCases(
    [
      shop('lets pass what has neither room nor money', { ...PAYS, calls: 0 }, [
        [OUT, 'rings'],
        [IN, 'rings'],
        { decision: 'dry_run', of: 1 },
      ]),
      {
        title: 'spares a root that says otherwise, not the accounts below it',
        accounts: { acme: { enforcement: 'enforce', calls: 1 }, 'acme/shop': { calls: 0 } },
        routes: ROUTES,
        steps: [
          [OUT, 'rings'],
          [OUT, '503 calls of acme'],
        ],
      },
    ],
    { TOLLGATE_ACCOUNTS_DEFAULTS: JSON.stringify({ enforcement: 'dry_run' }) },
  );
});

describe('the default action while the store is down', () => {
  let exchange: Exchange | undefined;
  let redis: StartedRedis | undefined;

  afterEach(async () => {
    await exchange?.close();
    await redis?.stop();
  });

  it.each([
    ['refuse', '503 store_down', 'rings'],
    ['allow', 'rings', '503 store_down'],
  ] as const)(
    'is to %s, except for an account that says otherwise and for emergencies',
    async (onDown, usual, otherwise) => {
      redis = await startRedis({ ownServer: true });
      const opposite = onDown === 'refuse' ? 'allow' : 'refuse';
      const accounts = { acme: {}, 'acme/other': { onStoreDown: opposite } };
      const settings = { TOLLGATE_STORE_ON_DOWN: onDown };
      exchange = await openExchange([{ accounts, routes: ROUTES }], settings, redis.url);
      exchange.useGate('socket');
      const world = exchange.enter(0);
      await redis.kill9();
      expect(await world.dial('acme → carrier')).toBe(usual);
      expect(await world.dial('acme/other → carrier')).toBe(otherwise);
      expect(await world.dial('acme/other → carrier at 112')).toBe('rings');
      expect(world.decision(3)).toBe('store_down');
    },
  );
});
