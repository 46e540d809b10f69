import type { Redis } from 'ioredis';
import type { ShadowStore } from '../admission/shadow-store.ts';
import { rootOf } from '../units/ids.ts';
import { guardStore } from '../redis/connection.ts';
import { keysLike } from '../redis/key-walk.ts';
import {
  poolOfWalletKey,
  rootSlot,
  SHADOW_POOL_KEYS,
  shadowSlotKeys,
  walletKey,
  walletPartsKey,
} from '../redis/keys.ts';
import { createLiveStore } from './live-store.ts';
import type { LiveStoreOptions } from './store-context.ts';

/** The live store's steps in a place of their own. Nobody waits for what is due there: it is looked at now and then. */
export function createShadowStore(
  redis: Redis,
  options: Omit<LiveStoreOptions, 'onDue' | 'onDeadline' | 'lostPools'>,
): ShadowStore {
  // No customer's money is taken here.
  const own = { onDue: () => undefined, lostPools: () => Promise.resolve([]) };
  const store = createLiveStore(redis, { ...options, ...own }, shadowSlotKeys);
  return {
    ...store,
    pools: async () => (await keysLike(redis, SHADOW_POOL_KEYS)).flatMap((key) => poolOfWalletKey(key) ?? []),
    forget: async (pool) => {
      const { due } = shadowSlotKeys(rootSlot(rootOf(pool)));
      await guardStore(() => redis.del(walletKey(pool), walletPartsKey(pool)));
      await guardStore(() => redis.zrem(due, pool));
    },
  };
}
