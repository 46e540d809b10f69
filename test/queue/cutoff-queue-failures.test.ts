import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { until } from '../feed/until.ts';
import { createMemoryLog } from '../freeswitch/support/memory-log.ts';
import { needRealRedis, redisUrl } from '../support/redis.ts';
import { ALICE, ARMABLE_MS, inSecond, secondIn, beginQueueTest } from './queue-test.ts';

describe('the cutoff queue, when something fails', () => {
  it.concurrent('tries again when a look fails, and says so once', async (context) => {
    const { handler, queueOf, looksOf } = beginQueueTest(context);
    const log = createMemoryLog();
    const queue = queueOf({ log });
    let tries = 0;
    await queue.start({
      ...handler,
      lookAt: async (roots, end) => {
        tries += 1;
        if (tries < 2) throw new Error('redis did not answer');
        await handler.lookAt(roots, end);
      },
    });
    const second = secondIn(ARMABLE_MS);
    queue.arm(ALICE, inSecond(second, 0));
    await until(() => looksOf(second).length > 0, 'the second try');
    expect(tries).toBe(2);
    expect(log.lines.filter(({ level }) => level === 'warn')).toHaveLength(1);
  });

  it.concurrent('goes on sweeping and arming when Redis has lost all it knew', async (context) => {
    const { redis, handler, queueOf, looksOf, sweeps, prefix } = beginQueueTest(context);
    const queue = queueOf({ sweepMs: 200 });
    await queue.start(handler);
    await until(() => sweeps() >= 1, 'a first sweep');
    await redis.del(await redis.keys(`${prefix}*`));
    const before = sweeps();
    await until(() => sweeps() >= before + 4, 'sweeps without their scheduler, then with it again');
    const second = secondIn(ARMABLE_MS);
    queue.arm(ALICE, inSecond(second, 0));
    await until(() => looksOf(second).length > 0, 'the look');
    expect(Date.now()).toBeLessThan(second * 1000 + 1_000);
  });

  it.concurrent('finishes what it has begun before it stops, within the limit', async (context) => {
    const { handler, queueOf } = beginQueueTest(context);
    const log = createMemoryLog();
    const queue = queueOf({ log });
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
    expect(log.lines).toEqual([]);
  });

  it('leaves a look that does not end behind at the limit, and no connection', async (context) => {
    const { redis, handler, queueOf } = beginQueueTest(context);
    const connections = (await ownClients(redis)).length;
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
    await until(async () => (await ownClients(redis)).length === connections, 'its connections to be closed');
  });

  it.concurrent('never throws into a call and never hangs when Redis cannot be reached', async (context) => {
    const { handler, queueOf } = beginQueueTest(context);
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

  it.concurrent('has another worker do what one killed at work left, within five seconds', async (context) => {
    const { looks, handler, queueOf, prefix } = beginQueueTest(context);
    needRealRedis(context);
    const program = fileURLToPath(new URL('./stuck-worker.ts', import.meta.url));
    const child = spawn(process.execPath, [program, redisUrl(), prefix], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
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
async function ownClients(redis: Redis): Promise<readonly string[]> {
  const clients = (await redis.call('CLIENT', 'LIST')) as string;
  return clients.split('\n').filter((client) => client.includes(` db=${redis.options.db} `));
}
