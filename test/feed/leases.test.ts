import type { Redis } from 'ioredis';
import { beforeEach, describe, expect, it } from 'vitest';
import { StoreUnavailableError } from '../../src/admission/live-store.ts';
import type { Leases } from '../../src/calls/lease.ts';
import { createLeases } from '../../src/redis/leases.ts';
import { connectTestRedis, freshRedis } from '../support/redis.ts';
import { until } from './until.ts';

const LEASE_MS = 150;

let redis: Redis;
let one: Leases;
let two: Leases;

beforeEach(async () => {
  redis = await freshRedis();
  one = createLeases(redis, { owner: 'one', leaseMs: LEASE_MS });
  two = createLeases(connectTestRedis(), { owner: 'two', leaseMs: LEASE_MS });
});

describe('a lease', () => {
  it('has one owner, who renews it for as long as it likes', async () => {
    expect(await one.hold('drain')).toBe(true);
    const endsAt = performance.now() + 2 * LEASE_MS;
    while (performance.now() < endsAt) {
      expect(await one.hold('drain')).toBe(true);
      expect(await two.hold('drain')).toBe(false);
    }
    expect(await two.hold('node:fs1')).toBe(true);
    expect(await one.hold('node:fs1')).toBe(false);
  });

  it('passes to another once its owner is silent for its time, and not back', async () => {
    await one.hold('drain');
    const silentSince = performance.now();
    await until(() => two.hold('drain'), 'the other to take over');
    expect(performance.now() - silentSince).toBeGreaterThanOrEqual(LEASE_MS - 20);
    expect(await one.hold('drain')).toBe(false);
  });

  it('is given up by its owner alone', async () => {
    await one.hold('drain');
    await two.giveUp('drain');
    expect(await two.hold('drain')).toBe(false);
    await one.giveUp('drain');
    expect(await two.hold('drain')).toBe(true);
    await one.giveUp('drain');
    expect(await one.hold('drain')).toBe(false);
  });

  it('has one winner when many ask at once', async () => {
    const asked = Array.from({ length: 20 }, (_, n) =>
      createLeases(redis, { owner: `c${n}`, leaseMs: 5000 }).hold('drain'),
    );
    expect((await Promise.all(asked)).filter(Boolean)).toHaveLength(1);
  });

  it('does not forget its end: the key expires by itself', async () => {
    await one.hold('drain');
    const leftMs = await redis.pttl('tollgate:lease:drain');
    expect(leftMs).toBeGreaterThan(0);
    expect(leftMs).toBeLessThanOrEqual(LEASE_MS);
  });

  it('cannot be told when the store is down', async () => {
    const gone = connectTestRedis();
    gone.disconnect();
    await expect(createLeases(gone, { owner: 'x', leaseMs: 100 }).hold('drain')).rejects.toThrow(
      StoreUnavailableError,
    );
  });
});
