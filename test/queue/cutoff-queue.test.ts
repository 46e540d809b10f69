import { describe, expect, it } from 'vitest';
import { toEpochMs, type EpochMs } from '../../src/units/time.ts';
import { until } from '../feed/until.ts';
import { ALICE, ARMABLE_MS, BOB, EARLY_MS, inSecond, secondIn, beginQueueTest, ZOE } from './queue-test.ts';

describe('the cutoff queue', () => {
  it.concurrent('looks at a second before it begins, with one job for all that is due in it', async (context) => {
    const { redis, handler, queueOf, looksOf, bucketKey } = beginQueueTest(context);
    const queue = queueOf();
    await queue.start(handler);
    const second = secondIn(ARMABLE_MS);
    for (let n = 0; n < 500; n += 1) {
      queue.arm(n % 2 === 0 ? ALICE : BOB, inSecond(second, n));
      queue.arm(ZOE, inSecond(second, 999 - n));
    }
    await until(() => looksOf(second).length > 0, 'the look');
    expect(Date.now()).toBeLessThan(second * 1000 + 1_000);
    expect(queue.counts()).toMatchObject({ jobsAdded: 1, rootsAdded: 2, nearLooks: 0, known: 2 });
    expect(looksOf(second)).toHaveLength(1);
    const [look] = looksOf(second);
    expect([...(look?.roots ?? [])].toSorted()).toEqual(['acme', 'zeta']);
    expect(look?.until).toBe(second * 1000 + 999);
    expect(look?.at).toBeGreaterThanOrEqual(second * 1000 - EARLY_MS);
    await until(async () => (await redis.exists(bucketKey(second))) === 0, 'the bucket to be emptied');
  });

  it.concurrent('looks itself, at once, where a job could be too late or at work already', async (context) => {
    const { looks, handler, queueOf } = beginQueueTest(context);
    const queue = queueOf();
    await queue.start(handler);
    const due = toEpochMs(Date.now() + 100);
    queue.arm(ALICE, due);
    await until(() => looks.length > 0, 'the look');
    expect(Date.now() - due).toBeLessThan(1_000);
    expect(looks[0]?.roots).toEqual(['acme']);
    expect(looks[0]?.until).toBeGreaterThanOrEqual(due);
    queue.arm(ALICE, toEpochMs(Date.now() - 5000));
    await until(() => looks.length > 1, 'a look at what is overdue');
    expect(queue.counts().jobsAdded).toBe(0);
  });

  it.concurrent('leaves what is far away to its rounds over all wallets, which arm it when it is near', async (context) => {
    const { looks, handler, queueOf } = beginQueueTest(context);
    const due = inSecond(secondIn(1400), 500);
    const asked: EpochMs[] = [];
    const queue = queueOf({
      horizonMs: 1000,
      rebucketMs: 400,
      dueWithin: async (horizon) => {
        asked.push(horizon);
        return due <= horizon ? [{ account: ALICE, dueAt: due }] : [];
      },
    });
    await queue.start(handler);
    queue.arm(ALICE, due);
    expect(queue.counts()).toMatchObject({ known: 0, nearLooks: 0 });
    await until(() => looks.length > 0, 'the look');
    expect(Date.now()).toBeLessThan(due);
    expect(asked.length).toBeGreaterThanOrEqual(2);
  });

  it.concurrent('has each controller’s job, and looks once', async (context) => {
    const { handler, queueOf, looksOf } = beginQueueTest(context);
    const one = queueOf({ controllerId: 'one' });
    const two = queueOf({ controllerId: 'two' });
    await one.start(handler);
    await two.start(handler);
    const second = secondIn(ARMABLE_MS);
    one.arm(ALICE, inSecond(second, 1));
    two.arm(ALICE, inSecond(second, 2));
    two.arm(ZOE, inSecond(second, 3));
    await until(() => looksOf(second).length > 0 && Date.now() > second * 1000, 'the looks');
    expect(one.counts().jobsAdded + two.counts().jobsAdded).toBe(2);
    const looked = looksOf(second).flatMap(({ roots }) => roots);
    expect(new Set(looked)).toEqual(new Set(['acme', 'zeta']));
    // Both may have begun in the same millisecond; never more than each root for each controller.
    expect(looked.length).toBeLessThanOrEqual(4);
  });

  it.concurrent('does not fire early for a host whose clock is ahead of Redis’s', async (context) => {
    const { redis, handler, queueOf, looksOf, bucketKey } = beginQueueTest(context);
    const behindMs = 2500;
    const clock = () => toEpochMs(Date.now() - behindMs);
    const queue = queueOf({ clock });
    await queue.start(handler);
    const second = Math.ceil((clock() + ARMABLE_MS) / 1000);
    // As a producer on a host with the right clock would have added it.
    await redis.sadd(bucketKey(second), 'acme');
    queue.arm(ALICE, inSecond(second, 0));
    await until(() => looksOf(second).length > 0, 'the look');
    expect(clock()).toBeGreaterThanOrEqual(second * 1000 - EARLY_MS - 500);
  });

  it.concurrent('sweeps every so often, one of all controllers at a time', async (context) => {
    const { handler, queueOf, sweeps } = beginQueueTest(context);
    const one = queueOf({ sweepMs: 250 });
    const two = queueOf({ sweepMs: 250, controllerId: 'two' });
    await one.start(handler);
    await two.start(handler);
    const startedAt = performance.now();
    await until(() => sweeps() >= 4, 'four sweeps');
    const expected = (performance.now() - startedAt) / 250;
    expect(sweeps()).toBeLessThanOrEqual(expected * 2 + 3);
  });
});
