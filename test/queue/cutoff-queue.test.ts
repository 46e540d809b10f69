import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CutoffHandler } from '../../src/credit/cutoff-schedule.ts';
import {
  createCutoffQueue,
  type CutoffQueue,
  type CutoffQueueOptions,
} from '../../src/queue/cutoff-queue.ts';
import { toEpochMs, type EpochMs } from '../../src/units/time.ts';
import { until } from '../feed/until.ts';
import { createMemoryLog } from '../freeswitch/support/memory-log.ts';
import { account } from '../records/samples.ts';
import { freshRedis, needRealRedis, redisUrl } from '../support/redis.ts';
import { testBucketKey, TEST_PREFIX } from './bucket.ts';

const ALICE = account('acme/alice');
const BOB = account('acme/bob');
const ZOE = account('zeta/zoe');
const EARLY_MS = 300;
/** Beyond what the queue itself looks at because its job might be at work already. */
const ARMABLE_MS = EARLY_MS + 600;

type Look = { readonly roots: readonly string[]; readonly until: EpochMs; readonly at: number };
let redis: Redis;
let queues: CutoffQueue[];
let looks: Look[];
let sweeps: number;

beforeEach(async () => {
  redis = await freshRedis();
  queues = [];
  looks = [];
  sweeps = 0;
});
afterEach(async () => {
  await Promise.all(queues.map((queue) => queue.stop(1000)));
});

function queueOf(options: Partial<CutoffQueueOptions> = {}): CutoffQueue {
  const queue = createCutoffQueue({
    url: redisUrl(),
    prefix: TEST_PREFIX,
    controllerId: 'one',
    bucketKey: testBucketKey,
    clock: () => toEpochMs(Date.now()),
    dueWithin: async () => [],
    log: createMemoryLog(),
    earlyMs: EARLY_MS,
    ...options,
  });
  queues.push(queue);
  return queue;
}

const handler: CutoffHandler = {
  lookAt: async (roots, until) => void looks.push({ roots, until, at: Date.now() }),
  sweep: async () => void (sweeps += 1),
};

/** The start of a second that can still be armed, at least so far away. */
const secondIn = (ms: number): number => Math.ceil((Date.now() + ms) / 1000);
const inSecond = (second: number, ms: number): EpochMs => toEpochMs(second * 1000 + ms);
const looksOf = (second: number): readonly Look[] =>
  looks.filter((look) => Math.floor(look.until / 1000) === second);

describe('the cutoff queue', () => {
  it('looks at a second before it begins, with one job for all that is due in it', async () => {
    const queue = queueOf();
    await queue.start(handler);
    const second = secondIn(ARMABLE_MS);
    for (let n = 0; n < 500; n += 1) {
      queue.arm(n % 2 === 0 ? ALICE : BOB, inSecond(second, n));
      queue.arm(ZOE, inSecond(second, 999 - n));
    }
    await until(() => looksOf(second).length > 0, 'the look');
    expect(Date.now()).toBeLessThan(second * 1000 + 150);
    expect(queue.counts()).toMatchObject({ jobsAdded: 1, rootsAdded: 2, nearLooks: 0, known: 2 });
    expect(looksOf(second)).toHaveLength(1);
    const [look] = looksOf(second);
    expect([...(look?.roots ?? [])].toSorted()).toEqual(['acme', 'zeta']);
    expect(look?.until).toBe(second * 1000 + 999);
    expect(look?.at).toBeGreaterThanOrEqual(second * 1000 - EARLY_MS);
    await until(async () => (await redis.exists(testBucketKey(second))) === 0, 'the bucket to be emptied');
  });

  it('looks itself, at once, where a job could be too late or at work already', async () => {
    const queue = queueOf();
    await queue.start(handler);
    const due = toEpochMs(Date.now() + 100);
    queue.arm(ALICE, due);
    await until(() => looks.length > 0, 'the look');
    expect(Date.now() - due).toBeLessThan(50);
    expect(looks[0]?.roots).toEqual(['acme']);
    expect(looks[0]?.until).toBeGreaterThanOrEqual(due);
    queue.arm(ALICE, toEpochMs(Date.now() - 5000));
    await until(() => looks.length > 1, 'a look at what is overdue');
    expect(queue.counts().jobsAdded).toBe(0);
  });

  it('leaves what is far away to its rounds over all wallets, which arm it when it is near', async () => {
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

  it('has each controller’s job, and looks once', async () => {
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

  it('does not fire early for a host whose clock is ahead of Redis’s', async () => {
    const behindMs = 2500;
    const clock = () => toEpochMs(Date.now() - behindMs);
    const queue = queueOf({ clock });
    await queue.start(handler);
    const second = Math.ceil((clock() + ARMABLE_MS) / 1000);
    // As a producer on a host with the right clock would have added it.
    await redis.sadd(testBucketKey(second), 'acme');
    queue.arm(ALICE, inSecond(second, 0));
    await until(() => looksOf(second).length > 0, 'the look');
    expect(clock()).toBeGreaterThanOrEqual(second * 1000 - EARLY_MS - 500);
  });

  it('tries again when a look fails, and says so once', async () => {
    const log = createMemoryLog();
    const queue = queueOf({ log });
    let tries = 0;
    await queue.start({
      ...handler,
      lookAt: async (roots, end) => {
        tries += 1;
        if (tries < 3) throw new Error('redis did not answer');
        await handler.lookAt(roots, end);
      },
    });
    const second = secondIn(ARMABLE_MS);
    queue.arm(ALICE, inSecond(second, 0));
    await until(() => looksOf(second).length > 0, 'the third try');
    expect(tries).toBe(3);
    expect(log.lines.filter(({ level }) => level === 'warn')).toHaveLength(1);
  });

  it('sweeps every so often, one of all controllers at a time', async () => {
    const one = queueOf({ sweepMs: 250 });
    const two = queueOf({ sweepMs: 250, controllerId: 'two' });
    await one.start(handler);
    await two.start(handler);
    const startedAt = performance.now();
    await until(() => sweeps >= 4, 'four sweeps');
    const expected = (performance.now() - startedAt) / 250;
    expect(sweeps).toBeLessThanOrEqual(expected * 2 + 3);
  });

  it('goes on sweeping and arming when Redis has lost all it knew', async () => {
    const queue = queueOf({ sweepMs: 200 });
    await queue.start(handler);
    await until(() => sweeps >= 1, 'a first sweep');
    await redis.flushdb();
    const before = sweeps;
    await until(() => sweeps >= before + 4, 'sweeps without their scheduler, then with it again');
    const second = secondIn(ARMABLE_MS);
    queue.arm(ALICE, inSecond(second, 0));
    await until(() => looksOf(second).length > 0, 'the look');
    expect(Date.now()).toBeLessThan(second * 1000 + 150);
  });

  it('finishes what it has begun before it stops, within the limit', async () => {
    const queue = queueOf();
    let begun = false;
    let ended = false;
    await queue.start({
      ...handler,
      lookAt: async () => {
        begun = true;
        await new Promise((resolve) => setTimeout(resolve, 200));
        ended = true;
      },
    });
    queue.arm(ALICE, inSecond(secondIn(ARMABLE_MS), 0));
    await until(() => begun, 'the look to begin');
    await queue.stop(2000);
    expect(ended).toBe(true);
  });

  it('leaves a look that does not end behind at the limit, and no connection', async () => {
    const connections = (await ownClients()).length;
    const stuck = queueOf();
    let begun = false;
    await stuck.start({
      ...handler,
      lookAt: () => {
        begun = true;
        return new Promise(() => undefined);
      },
    });
    stuck.arm(ALICE, inSecond(secondIn(ARMABLE_MS), 0));
    await until(() => begun, 'the stuck look to begin');
    const stoppedAt = performance.now();
    await stuck.stop(200);
    expect(performance.now() - stoppedAt).toBeLessThan(1500);
    await until(async () => (await ownClients()).length === connections, 'its connections to be closed');
  });

  it('never throws into a call and never hangs when Redis cannot be reached', async () => {
    const log = createMemoryLog();
    const queue = queueOf({ url: 'redis://127.0.0.1:1', log });
    await queue.start(handler);
    for (let n = 0; n < 100; n += 1) queue.arm(ALICE, inSecond(secondIn(ARMABLE_MS) + n, 0));
    await until(() => log.lines.length >= 2, 'both outages to be told');
    const stoppedAt = performance.now();
    await queue.stop(300);
    expect(performance.now() - stoppedAt).toBeLessThan(2500);
    expect(log.lines.length).toBeLessThanOrEqual(4);
  });

  it('has another worker do what one killed at work left, within five seconds', async (context) => {
    needRealRedis(context);
    const program = fileURLToPath(new URL('./stuck-worker.ts', import.meta.url));
    const child = spawn(process.execPath, [program, redisUrl()], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(child.stdout, 'data');
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
    const killedAt = performance.now();
    await queueOf({ controllerId: 'two' }).start(handler);
    await until(() => looks.length > 0, 'the other worker to look', 8000);
    expect(performance.now() - killedAt).toBeLessThan(5500);
    expect(looks[0]?.roots).toEqual(['acme']);
  });
});

/** Connections to this worker's database. */
async function ownClients(): Promise<readonly string[]> {
  const clients = (await redis.call('CLIENT', 'LIST')) as string;
  return clients.split('\n').filter((client) => client.includes(` db=${redis.options.db} `));
}
