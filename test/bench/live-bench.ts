import type { Redis } from 'ioredis';
import type { LiveStore } from '../../src/admission/live-store.ts';
import { connectRedis } from '../../src/redis/connection.ts';
import { createLiveStore } from '../../src/live-store/live-store.ts';
import { toEpochMs } from '../../src/units/time.ts';
import { amount } from './sample-legs.ts';

/** The service's own live store on the service's own kind of connection, corked once a turn. */
export type LiveBench = { readonly redis: Redis; readonly store: LiveStore; close(): void };

/** A shared machine may stall longer than a service would wait. */
const COMMAND_MS_MAX = 60_000;
/** Far from any cutoff, and its micros far below 2⁵³. */
export const PLENTY = amount('1000000000.00');

export async function openLiveBench(url: string): Promise<LiveBench> {
  const redis = connectRedis(url, { commandTimeoutMs: COMMAND_MS_MAX });
  await new Promise((resolve, reject) => {
    redis.once('ready', resolve);
    redis.once('error', reject);
  });
  const store = createLiveStore(redis, {
    clock: () => toEpochMs(Date.now()),
    lostPools: async () => [],
    onDue: () => undefined,
    loadWallet: async () => ({ balance: PLENTY, credit: amount('0'), policy: 'unpaid' }),
  });
  return { redis, store, close: () => redis.disconnect() };
}
