import type { Redis } from 'ioredis';
import type { Leases } from '../calls/lease.ts';
import { guardStore } from './connection.ts';
import { leaseKey } from './keys.ts';

// KEYS 1 the lease. ARGV owner, ms. Reply 1 it is ours now, 0 somebody else has it. Replayed: renewed again.
const HOLD = `
local owner = redis.call('GET', KEYS[1])
if owner and owner ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1`;

// KEYS 1 the lease. ARGV owner. Reply 1 given up, 0 it was not ours. Replayed: 0.
const GIVE_UP = `
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0`;

/**
 * Leases as expiring keys that say who owns them. A lease lost with Redis, or outlived by a process that stood
 * still, may have two owners for a moment: what it guards is idempotent all the same.
 */
export function createLeases(
  redis: Redis,
  options: {
    /** Unique among the controllers that share this Redis. */
    readonly owner: string;
    readonly leaseMs: number;
  },
): Leases {
  const { owner, leaseMs } = options;
  return {
    async hold(name) {
      return (await guardStore(() => redis.eval(HOLD, 1, leaseKey(name), owner, leaseMs))) === 1;
    },
    async giveUp(name) {
      await guardStore(() => redis.eval(GIVE_UP, 1, leaseKey(name), owner));
    },
  };
}
