import { afterEach, describe, expect, it } from 'vitest';
import type { LiveStore } from '../../src/admission/live-store.ts';
import { connectRedis } from '../../src/redis/connection.ts';
import { createLiveStore } from '../../src/live-store/live-store.ts';
import { askRedis } from '../../src/servers/redis-question.ts';
import { startRedis, type StartedRedis } from '../../src/servers/redis-server.ts';
import { toEpochMs } from '../../src/units/time.ts';
import { needRealRedis } from '../support/redis.ts';
import { ACME, micros, sampleLeg, termsOf } from './samples.ts';

const LEGS = 1_000;
const WATCHED_MS = 300;

let server: StartedRedis | undefined;
afterEach(async () => {
  await server?.stop();
  server = undefined;
});

describe('a thousand live legs on one wallet', () => {
  it('cost Redis no command between events, and an event costs as many as with one leg', async (context) => {
    needRealRedis(context);
    // Commands are counted for the whole server, so it must be nobody else's.
    server = await startRedis({ ownServer: true });
    const redis = connectRedis(server.url, { commandTimeoutMs: 10_000 });
    await new Promise((resolve) => redis.once('ready', resolve));
    const store = createLiveStore(redis, {
      clock: () => toEpochMs(Date.now()),
      lostPools: async () => [],
      onDue: () => undefined,
      loadWallet: async () => ({ balance: micros('1000000'), credit: micros('0'), policy: 'unpaid' }),
    });

    await startCall(store, 'standing');
    await liveOneCall(store, 'first');
    const withOne = await commandsOf(() => liveOneCall(store, 'second'));
    await Promise.all(Array.from({ length: LEGS - 1 }, (_, n) => startCall(store, n)));
    expect(await store.liveLegs(ACME)).toHaveLength(LEGS);
    const withMany = await commandsOf(() => liveOneCall(store, 'third'));
    expect(withMany).toEqual(withOne);

    const watchedFrom = performance.now();
    const idle = await commandsOf(async () => {
      while (performance.now() - watchedFrom < WATCHED_MS)
        await new Promise((resolve) => setTimeout(resolve, 20));
    });
    expect(idle).toEqual({});
    redis.disconnect();
  });

  /** What the server counted meanwhile, by command; those of the scripts included, the questions left out. */
  async function commandsOf(act: () => Promise<unknown>): Promise<Record<string, number>> {
    const url = server?.url ?? '';
    await askRedis(url, ['CONFIG', 'RESETSTAT']);
    await act();
    const stats = await askRedis(url, ['INFO', 'commandstats']);
    const counted = [...stats.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)].map(([, name = '', calls]) => [
      name,
      Number(calls),
    ]);
    return Object.fromEntries(counted.filter(([name]) => !/^(?:config|info)/.test(String(name)))) as Record<
      string,
      number
    >;
  }
});

async function startCall(store: LiveStore, name: string | number): Promise<ReturnType<typeof sampleLeg>> {
  const leg = sampleLeg(name, {
    takes: [
      {
        holder: { kind: 'account', path: ACME },
        counts: [{ counter: 'calls', bound: undefined }],
        perSecond: undefined,
      },
    ],
    holds: [{ wallet: ACME, terms: termsOf(60) }],
  });
  await store.take(leg.plan, leg.record);
  await store.answer(leg.record, store.now());
  return leg;
}

async function liveOneCall(store: LiveStore, name: string): Promise<void> {
  const { record } = await startCall(store, name);
  await store.settle(record, { billedSeconds: 1, talkMs: 1_000 }, () => '{}');
}
