import type { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { StoreUnavailableError, type LiveStore } from '../../src/admission/live-store.ts';
import { connectRedis } from '../../src/redis/connection.ts';
import { slotKeys, useKey, walletKey, walletPartsKey } from '../../src/redis/keys.ts';
import { createLiveStore } from '../../src/live-store/live-store.ts';
import { startRedis, type StartedRedis } from '../../src/servers/redis-server.ts';
import { askRedis } from '../../src/servers/redis-question.ts';
import { BrokenPromiseError } from '../../src/units/assert.ts';
import type { AccountPath, LegUuid } from '../../src/units/ids.ts';
import { toEpochMs } from '../../src/units/time.ts';
import { freshRedis, needRealRedis, redisUrl } from '../support/redis.ts';
import { startCuttingProxy, type CuttingProxy } from './cutting-proxy.ts';
import { ACME, micros, ROOT_SLOT, sampleLeg, START, termsOf } from './samples.ts';

const HOLDER = { kind: 'account', path: ACME } as const;
const COMMAND_TIMEOUT_MS = 300;
/** What a shared machine may add to a timer. */
const SLACK_MS = 2_000;

const leg = sampleLeg(1, {
  takes: [{ holder: HOLDER, counts: [{ counter: 'calls', bound: 2 }], perSecond: 5 }],
  holds: [{ wallet: ACME, terms: termsOf(1) }],
});
const talk = { billedSeconds: 3, talkMs: 2_500 };

const open: Redis[] = [];
let clock = { now: START };
let redis: Redis;

beforeEach(async () => {
  redis = await freshRedis();
  clock = { now: START };
});
afterEach(() => {
  for (const connection of open.splice(0)) connection.disconnect();
});

async function connectedTo(url: string): Promise<Redis> {
  const connection = connectRedis(url, { commandTimeoutMs: COMMAND_TIMEOUT_MS });
  connection.on('error', () => undefined);
  open.push(connection);
  await until(() => connection.status === 'ready');
  return connection;
}

function storeOn(connection: Redis, known: AccountPath = ACME): LiveStore {
  return createLiveStore(connection, {
    clock: () => clock.now,
    clockRules: true,
    lostPools: async () => [],
    onDue: () => undefined,
    loadWallet: async (account) =>
      account === known ? { balance: micros('1.00'), credit: micros('0'), policy: 'unpaid' } : undefined,
  });
}

describe('a connection that is lost after a script has run', () => {
  let proxy: CuttingProxy;
  beforeEach(async () => {
    proxy = await startCuttingProxy(redisUrl());
  });
  afterEach(() => proxy.close());

  it('leaves every step of a call as if it had been taken once', async () => {
    const plain = await liveOneCall(
      storeOn(await connectedTo(redisUrl())),
      async (step) => void (await step()),
    );
    await redis.flushdb();
    clock.now = START;
    const connection = await connectedTo(proxy.url);
    const refusals: unknown[] = [];
    const cut = await liveOneCall(storeOn(connection), async (step) => {
      proxy.cutNextReply();
      // Told that it may or may not have happened, the caller repeats it.
      await step().catch((error: unknown) => refusals.push(error));
      await until(() => connection.status === 'ready');
      await step();
    });
    expect(proxy.cuts()).toBeGreaterThanOrEqual(7);
    expect(refusals.filter((error) => !(error instanceof StoreUnavailableError))).toEqual([]);
    expect(cut).toEqual(plain);
  });

  async function liveOneCall(
    store: LiveStore,
    take: (step: () => Promise<unknown>) => Promise<void>,
  ): Promise<readonly unknown[]> {
    const states: unknown[] = [];
    const { plan, record } = leg;
    const steps = [
      () => store.take(plan, record),
      () => store.bind(record, 'channel-1' as LegUuid),
      () => store.answer(record, START),
      () => store.fund(ACME, 'top-up-1', micros('0.50')),
      () => store.evaluate(ACME),
      () => store.release(record),
      () => store.settle(record, talk, () => '{}'),
    ];
    for (const step of steps) {
      clock.now = toEpochMs(clock.now + 400);
      await take(step);
      const view = await store.readWallet(ACME);
      states.push([
        [view?.balance, view?.committed, view?.legs.length],
        await store.usage(HOLDER),
        await store.liveLegs(ACME),
        await redis.xlen(slotKeys(ROOT_SLOT).settlements),
      ]);
    }
    return states;
  }
});

describe('a Redis that does not answer', () => {
  let server: StartedRedis | undefined;
  afterEach(async () => {
    await server?.stop();
    server = undefined;
  });

  it('is named promptly, while it is silent and when it is gone', async (context) => {
    needRealRedis(context);
    server = await startRedis({ ownServer: true });
    const connection = await connectedTo(server.url);
    const store = storeOn(connection);
    await store.openWallet(ACME, { balance: micros('1.00'), credit: micros('0'), policy: 'unpaid' });

    await askRedis(server.url, ['CLIENT', 'PAUSE', `${COMMAND_TIMEOUT_MS * 4}`, 'ALL']);
    await expectUnavailable(() => store.take(leg.plan, leg.record));
    await until(async () => (await store.readWallet(ACME).catch(() => undefined)) !== undefined);
    // Redis had the script all the while: it was late, not lost.
    expect((await store.take(leg.plan, leg.record)).kind).toBe('already');

    await server.kill9();
    await until(() => connection.status !== 'ready');
    for (const step of [
      () => store.take(leg.plan, leg.record),
      () => store.answer(leg.record, START),
      () => store.settle(leg.record, talk, () => '{}'),
      () => store.evaluate(ACME),
      () => store.liveLegs(ACME),
      () => store.find(ACME, leg.record.legKey),
      () => store.usage(HOLDER),
      () => store.dueWallets(ACME, START),
    ])
      await expectUnavailable(step);
  });

  async function expectUnavailable(step: () => Promise<unknown>): Promise<void> {
    const askedAt = performance.now();
    await expect(step()).rejects.toThrow(StoreUnavailableError);
    expect(performance.now() - askedAt).toBeLessThan(COMMAND_TIMEOUT_MS + SLACK_MS);
  }
});

describe('a Redis that has forgotten', () => {
  it('its scripts is taught them again', async () => {
    // Of its own: scripts are forgotten for all who share a server, with whatever they have under way.
    const server = await startRedis({ ownServer: true });
    try {
      const connection = await connectedTo(server.url);
      const store = storeOn(connection);
      expect((await store.take(leg.plan, leg.record)).kind).toBe('taken');
      await connection.script('FLUSH');
      expect((await store.answer(leg.record, START)).kind).toBe('running');
      await connection.script('FLUSH');
      expect((await store.settle(leg.record, talk, () => '{}')).kind).toBe('settled');
    } finally {
      await server.stop();
    }
  });

  it('a wallet gets it from the record, and refuses to serve where there is none', async () => {
    expect((await storeOn(redis).take(leg.plan, leg.record)).kind).toBe('taken');
    await redis.flushdb();
    const orphaned = storeOn(redis, 'other' as AccountPath);
    await expect(orphaned.take(leg.plan, leg.record)).rejects.toThrow('no wallet of acme');
    await expect(orphaned.take(leg.plan, leg.record)).rejects.toThrow(StoreUnavailableError);
    expect(await orphaned.fund(ACME, 'top-up-1', micros('1.00'))).toEqual({ kind: 'no-wallet' });
    expect(await orphaned.readWallet(ACME)).toBeUndefined();
    expect(await redis.keys('*')).toEqual([]);
  });
});

describe('a text that no script of ours wrote', () => {
  it.each([
    ['wallet', () => redis.set(walletKey(ACME), '1000000 0 0 0 0 nan 0 1 0')],
    ['wallet with a word missing', () => redis.set(walletKey(ACME), '1000000 0 0 0 0 0 0 1')],
    ['wallet of another kind', () => redis.rpush(walletKey(ACME), 'a list')],
    ['use', () => redis.set(useKey(ROOT_SLOT, HOLDER), '1 0 0')],
  ])('in place of a %s is a broken promise, and changes nothing', async (_, corrupt) => {
    await corrupt();
    const before = await redis.keys('*');
    await expect(storeOn(redis).take(leg.plan, leg.record)).rejects.toThrow(BrokenPromiseError);
    expect(await redis.keys('*')).toEqual(before);
  });

  it.each([
    ["leg's part", (key: string) => redis.hset(walletPartsKey(ACME), key, 'running 1 2 three 4 5 6 7')],
    ['use', () => redis.set(useKey(ROOT_SLOT, HOLDER), 'many')],
    ['wallet', () => redis.set(walletKey(ACME), '')],
  ])('in place of a %s stops the settlement whole', async (_, corrupt) => {
    const store = storeOn(redis);
    await store.take(leg.plan, leg.record);
    await store.answer(leg.record, START);
    await corrupt(leg.record.legKey);
    await expect(store.settle(leg.record, talk, () => '{}')).rejects.toThrow(BrokenPromiseError);
    expect(await store.liveLegs(ACME)).toHaveLength(1);
    expect(await redis.hlen(slotKeys(ROOT_SLOT).slots)).toBe(1);
    expect(await redis.xlen(slotKeys(ROOT_SLOT).settlements)).toBe(0);
  });
});

describe('a wallet that reads as nothing', () => {
  it('is a broken promise to whoever looks at it', async () => {
    await redis.set(walletKey(ACME), '');
    await expect(storeOn(redis).readWallet(ACME)).rejects.toThrow(BrokenPromiseError);
    await expect(storeOn(redis).evaluate(ACME)).rejects.toThrow(BrokenPromiseError);
  });
});

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 5));
}
