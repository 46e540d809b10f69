import { afterEach, expect, it } from 'vitest';
import { useKey } from '../../src/redis/keys.ts';
import type { Holder, Slot } from '../../src/admission/plan.ts';
import type { AccountPath, RouteName } from '../../src/units/ids.ts';
import { connectTestRedis, freshRedis, redisUrl } from '../support/redis.ts';
import { allEnded, furnish, placeCalls, useGates } from './acts.ts';
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
