import { afterEach, expect, it } from 'vitest';
import { allotmentPool, spendPool } from '../../src/credit/pools.ts';
import { useKey, walletKey } from '../../src/redis/keys.ts';
import type { Holder, Slot } from '../../src/admission/plan.ts';
import type { AccountPath, PoolId, RouteName } from '../../src/units/ids.ts';
import { connectTestRedis, freshRedis, redisUrl } from '../support/redis.ts';
import { allEnded, furnish, placeCalls, SECONDS_TARIFF, useGates } from './acts.ts';
import { createStage, eventually, type Stage } from './stage.ts';

let stage: Stage;

afterEach(async () => {
  await stage.close();
});

const path = 'acme' as AccountPath;
const ROOT: Slot = { kind: 'root', root: path };
const ROUTE: Slot = { kind: 'route', route: 'trunk' as RouteName };
const HOLDERS: readonly (readonly [string, Slot, Holder])[] = [
  ['acme', ROOT, { kind: 'account', path }],
  ['acme#4930123', ROOT, { kind: 'number', path, number: '4930123' }],
  ['acme#trunks', ROOT, { kind: 'trunks', path }],
  ['route trunk', ROUTE, { kind: 'route', route: 'trunk' as RouteName }],
];

it('counters of accounts, numbers, trunks and routes are held against the calls that are up', async () => {
  await freshRedis();
  stage = await createStage(redisUrl());
  await furnish(stage, {
    balance: '10.00',
    operator: {
      perNumber: [{ pattern: String.raw`^\+4930`, calls: 5 }],
      trunks: { inbound: 5 },
      flatRate: { whitelist: ['.*'] },
    },
  });
  await stage.route({ route: 'trunk', calls: 5 });
  useGates(stage.sim, 'socket', [await stage.startController()], () => [
    ['answer', ''],
    ['park', ''],
  ]);
  const redis = connectTestRedis();
  const variables = { tollgate_callee: 'acme', tollgate_route: 'trunk' };
  const calls = placeCalls(stage, 2, () => ({ variables }));
  await eventually(
    async () => await (await stage.live()).calls(undefined),
    (live) => live.filter(({ state }) => state === 'answered').length === 2,
  );
  expect(await stage.findings()).toEqual([]);

  const texts = new Map<string, string>();
  for (const [name, slot, holder] of HOLDERS) {
    const text = (await redis.get(useKey(slot, holder))) ?? '';
    const [, ...others] = text.split(' ');
    texts.set(name, ['9', ...others].join(' '));
    await redis.set(useKey(slot, holder), texts.get(name) ?? '');
    const held = holder.kind === 'trunks' ? 0 : 2;
    expect(await stage.findings()).toEqual([`${name} counts 9 calls and ${held} calls hold one`]);
    await redis.set(useKey(slot, holder), text);
  }
  for (const call of calls) call.hangup();
  await allEnded(calls);
  expect(
    await eventually(
      () => stage.findings(),
      (found) => found.length === 0,
    ),
  ).toEqual([]);

  // What is left of calls that are all gone.
  for (const [name, slot, holder] of HOLDERS) await redis.set(useKey(slot, holder), texts.get(name) ?? '');
  const found = await stage.findings();
  expect(
    HOLDERS.map(([name]) => found.filter((each) => each.startsWith(`${name} counts`)).length > 0),
  ).toEqual(HOLDERS.map(() => true));
});

it('allotments and spend windows are held against what was charged in their cycle, and put right', async () => {
  await freshRedis();
  stage = await createStage(redisUrl());
  const yearly = { seconds: 600, cycle: 'yearly', minimum: 1, increment: 1 };
  const allotments = { international: yearly, did_us: { ...yearly, seconds: 900 } };
  await stage.tariff('standard', SECONDS_TARIFF);
  await stage.account({
    account: 'beta',
    wallet: 'EUR',
    tariff: 'standard',
    operator: { maxSpend: { month: '5.00' } },
  });
  await furnish(stage, {
    balance: '10.00',
    operator: { allotments, fundingOrder: ['allotment', 'per_minute'] },
  });
  await stage.topUp('beta', '10.00');
  useGates(stage.sim, 'socket', [await stage.startController()]);
  const redis = connectTestRedis();
  const variables = (account: string) => ({ tollgate_account: account, tollgate_route: 'carrier' });
  const talks = [
    ...placeCalls(stage, 2, () => ({ variables: variables('acme'), hangsUpAfterAnswerMs: 600 })),
    ...placeCalls(stage, 1, () => ({ variables: variables('beta'), hangsUpAfterAnswerMs: 600 })),
  ];
  await allEnded(talks);
  // One talks on: what runs is no part of what finished calls have used.
  const [running] = placeCalls(stage, 1, () => ({ variables: variables('acme') }));
  await eventually(
    () => stage.cdrs('acme'),
    (cdrs) => cdrs.length === 2,
  );
  await eventually(
    () => stage.findings(),
    (found) => found.length === 0,
  );
  const proof = await (await stage.live()).proveLive({ fix: false });
  expect(proof).toMatchObject({ poolsChecked: 2, findings: [] });

  const pools = [allotmentPool(path, 'international'), spendPool('beta' as AccountPath, 'month')];
  const corrupt = async (pool: PoolId, by: number): Promise<void> => {
    const [balance, ...others] = ((await redis.get(walletKey(pool))) ?? '').split(' ');
    await redis.set(walletKey(pool), [`${Number(balance) + by}`, ...others].join(' '));
  };
  await corrupt(pools[0] as PoolId, 30_000_000);
  await corrupt(pools[1] as PoolId, -1_000_000);
  const off = [
    'the allotment international of acme counts -28 s used in this cycle, and calls were charged for 2 s',
    'maxSpend month of beta counts 1.016667 used in this cycle, and calls were charged for 0.016667',
  ];
  expect(await stage.findings()).toEqual(off);
  expect(await (await stage.live()).proveLive({ fix: true })).toMatchObject({
    findings: [],
    fixed: [
      'the allotment international of acme: supplied what 2 s used leave of it',
      'maxSpend month of beta: supplied what 0.016667 used leave of it',
    ],
  });
  expect(await stage.findings()).toEqual([]);
  running?.hangup();
  await eventually(
    () => stage.cdrs('acme'),
    (cdrs) => cdrs.length === 3,
  );
  expect(
    await eventually(
      () => stage.findings(),
      (found) => found.length === 0,
    ),
  ).toEqual([]);
});
