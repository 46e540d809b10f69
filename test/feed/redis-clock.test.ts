import { afterEach, describe, expect, it } from 'vitest';
import { createRedisClock, type RedisClock } from '../../src/redis/redis-clock.ts';
import { freshRedis } from '../support/redis.ts';
import { until } from './until.ts';

let clock: RedisClock | undefined;
afterEach(() => clock?.stop());

/** A Redis whose clock and round trips the test sets; the monotonic clock moves only by them. */
function scripted(start: { readonly aheadMs: number }) {
  const world = {
    monotonic: 10_000,
    ahead: start.aheadMs,
    wayThereMs: 1,
    wayBackMs: 1,
    asked: 0,
    down: false,
  };
  const redis = {
    time: async () => {
      if (world.down) throw new Error('redis is down');
      world.monotonic += world.wayThereMs;
      const at = world.monotonic + world.ahead;
      world.monotonic += world.wayBackMs;
      world.asked += 1;
      return [Math.floor(at / 1000), Math.round((at % 1000) * 1000)] as [number, number];
    },
  };
  clock = createRedisClock(redis, { monotonicMs: () => world.monotonic, sampleMs: 1 });
  const sampled = async (times = 1): Promise<void> => {
    const wanted = world.asked + times;
    await until(() => world.asked >= wanted, 'samples');
  };
  return { world, clock, sampled };
}

const EPOCH = 1_800_000_000_000;

describe("the estimate of Redis's clock", () => {
  it('is as good as half the best round trip, and keeps to the best sample', async () => {
    const { world, clock, sampled } = scripted({ aheadMs: EPOCH });
    await clock.ready();
    expect(clock.now() - (world.monotonic + EPOCH)).toBeLessThanOrEqual(1);
    expect(clock.errorMs()).toBeCloseTo(1, 1);
    world.wayThereMs = 0;
    world.wayBackMs = 400;
    await sampled(3);
    expect(Math.abs(clock.now() - (world.monotonic + EPOCH))).toBeLessThanOrEqual(3);
  });

  it('never goes back for an error of its own', async () => {
    const { world, clock, sampled } = scripted({ aheadMs: EPOCH });
    await clock.ready();
    let last = clock.now();
    for (let n = 0; n < 60; n += 1) {
      world.wayThereMs = (n * 7) % 11;
      world.wayBackMs = (n * 5) % 13;
      await sampled();
      const now = clock.now();
      expect(now).toBeGreaterThanOrEqual(last);
      expect(Math.abs(now - (world.monotonic + EPOCH))).toBeLessThanOrEqual(14);
      last = now;
    }
  });

  it('follows a Redis whose clock was set, back or forth', async () => {
    const { world, clock, sampled } = scripted({ aheadMs: EPOCH });
    await clock.ready();
    for (const step of [-3_600_000, 7_200_000]) {
      world.ahead += step;
      await sampled(2);
      expect(Math.abs(clock.now() - (world.monotonic + world.ahead))).toBeLessThanOrEqual(2);
    }
  });

  it('goes on by the monotonic clock while Redis is down', async () => {
    const { world, clock, sampled } = scripted({ aheadMs: EPOCH });
    await sampled(2);
    world.down = true;
    world.monotonic += 60_000;
    expect(Math.abs(clock.now() - (world.monotonic + EPOCH))).toBeLessThanOrEqual(2);
    world.down = false;
    await sampled(2);
    expect(Math.abs(clock.now() - (world.monotonic + EPOCH))).toBeLessThanOrEqual(2);
  });

  it("is this host's time until Redis has answered once", () => {
    clock = createRedisClock({ time: () => new Promise<never>(() => undefined) });
    expect(Math.abs(clock.now() - Date.now())).toBeLessThan(50);
    expect(clock.errorMs()).toBe(Infinity);
  });

  it('agrees with a real Redis to a few milliseconds', async () => {
    const redis = await freshRedis();
    clock = createRedisClock(redis);
    await clock.ready();
    const before = clock.now();
    const [seconds, microseconds] = await redis.time();
    const at = Number(seconds) * 1000 + Number(microseconds) / 1000;
    expect(at).toBeGreaterThanOrEqual(before - clock.errorMs() - 2);
    expect(at).toBeLessThanOrEqual(clock.now() + clock.errorMs() + 2);
  });
});
