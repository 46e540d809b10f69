import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { TestContext } from 'vitest';
import type { CutoffHandler } from '../../src/credit/cutoff-schedule.ts';
import {
  createCutoffQueue,
  type CutoffQueue,
  type CutoffQueueOptions,
} from '../../src/queue/cutoff-queue.ts';
import { toEpochMs, type EpochMs } from '../../src/units/time.ts';
import { createMemoryLog } from '../freeswitch/support/memory-log.ts';
import { account } from '../records/samples.ts';
import { connectTestRedis, redisUrl } from '../support/redis.ts';
import { testBucketKey } from './bucket.ts';

export const ALICE = account('acme/alice');
export const BOB = account('acme/bob');
export const ZOE = account('zeta/zoe');
export const EARLY_MS = 300;
/** Beyond what the queue itself looks at because its job might be at work already. */
export const ARMABLE_MS = EARLY_MS + 600;

type Look = { readonly roots: readonly string[]; readonly until: EpochMs; readonly at: number };

/** What a test begins with. Its keys are its own, so that tests may wait for their seconds at the same time. */
type QueueTest = {
  readonly redis: Redis;
  readonly prefix: string;
  readonly bucketKey: (second: number) => string;
  readonly looks: readonly Look[];
  readonly sweeps: () => number;
  /** Keeps what it is asked to look at. */
  readonly handler: CutoffHandler;
  /** Stopped after the test. */
  readonly queueOf: (options?: Partial<CutoffQueueOptions>) => CutoffQueue;
  readonly looksOf: (second: number) => readonly Look[];
};

export function beginQueueTest(context: TestContext): QueueTest {
  const prefix = `{cutoff-test-${randomUUID()}}`;
  const bucketKey = (second: number): string => testBucketKey(prefix, second);
  const looks: Look[] = [];
  let sweeps = 0;
  return {
    redis: connectTestRedis(),
    prefix,
    bucketKey,
    looks,
    sweeps: () => sweeps,
    handler: {
      lookAt: async (roots, until) => void looks.push({ roots, until, at: Date.now() }),
      sweep: async () => void (sweeps += 1),
    },
    queueOf(options = {}) {
      const queue = createCutoffQueue({
        url: redisUrl(),
        prefix,
        controllerId: 'one',
        bucketKey,
        clock: () => toEpochMs(Date.now()),
        dueWithin: async () => [],
        log: createMemoryLog(),
        earlyMs: EARLY_MS,
        ...options,
      });
      context.onTestFinished(() => queue.stop(1000));
      return queue;
    },
    looksOf: (second) => looks.filter((look) => Math.floor(look.until / 1000) === second),
  };
}

/** The start of a second that can still be armed, at least so far away. */
export const secondIn = (ms: number): number => Math.ceil((Date.now() + ms) / 1000);
export const inSecond = (second: number, ms: number): EpochMs => toEpochMs(second * 1000 + ms);
