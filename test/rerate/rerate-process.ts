import { once } from 'node:events';
import { Redis } from 'ioredis';
import type { RerateClaim } from '../../src/charging/rerate-store.ts';
import type { RerateRunId } from '../../src/units/ids.ts';
import { live } from './mortal-rerate.ts';

/**
 * Waits for one line that says what to do, so that it is up before it is needed, and carries out a run until it is
 * done or killed: says `begun` at its first step, and what became of it.
 */
export type RerateOrder = {
  readonly path: string;
  readonly redisUrl: string;
  readonly run: RerateRunId;
  readonly wanted: RerateClaim['wanted'];
  readonly number: number;
};

const [line] = (await once(process.stdin.setEncoding('utf8'), 'data')) as [string];
const { redisUrl, ...order } = JSON.parse(line) as RerateOrder;
const redis = new Redis(redisUrl);
await once(redis, 'ready');
process.stdout.write('begun\n');
const outcome = await live({ ...order, redis, diesAt: Number.POSITIVE_INFINITY });
process.stdout.write(`${outcome?.kind}\n`);
redis.disconnect();
process.stdin.destroy();
