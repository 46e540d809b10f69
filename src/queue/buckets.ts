import type { Redis } from 'ioredis';
import type { AccountPath } from '../units/ids.ts';
import { createKnownSeconds } from './known-seconds.ts';
import type { OutageLog } from './outage-log.ts';

/** A bucket is the set of roots that have something due in one second; a second with a bucket has a job. */
export type Buckets = {
  /** Said again it costs nothing. Written a moment later, together with what else is said by then. */
  add(second: number, root: AccountPath): void;
  rootsOf(second: number): Promise<readonly AccountPath[]>;
  remove(second: number, roots: readonly AccountPath[]): Promise<void>;
  /** What is past needs no memory. */
  forgetBefore(second: number): void;
  /** Redis may have lost what it was told. */
  forgetAll(): void;
  flush(): Promise<void>;
  counts(): { readonly rootsAdded: number; readonly known: number };
};

/**
 * One write for all that is armed meanwhile: measured at 1,000 calls a second and 200 tenants, 8 µs of Redis a call
 * instead of 52. What a dying process has not written yet is the sweep's.
 */
const FLUSH_MS = 50;
const KNOWN_PAIRS_MAX = 200_000;
/** Long after its second a bucket is of no use to anybody: the sweep has been there. */
const BUCKET_KEPT_MS = 10 * 60_000;

type Unwritten = { readonly roots: Set<AccountPath>; isNew: boolean };

export function createBuckets(options: {
  readonly redis: Redis;
  readonly bucketKey: (second: number) => string;
  /** Called when a bucket of a second that this process did not know has its first root. */
  readonly addJob: (second: number) => Promise<void>;
  readonly outage: OutageLog;
}): Buckets {
  const { redis, bucketKey, addJob, outage } = options;
  const known = createKnownSeconds(KNOWN_PAIRS_MAX);
  let unwritten = new Map<number, Unwritten>();
  let timer: NodeJS.Timeout | undefined;
  let rootsAdded = 0;

  const write = async (buckets: ReadonlyMap<number, Unwritten>): Promise<void> => {
    const pipeline = redis.pipeline();
    for (const [second, { roots }] of buckets) {
      const bucket = bucketKey(second);
      pipeline.sadd(bucket, ...roots).pexpireat(bucket, second * 1000 + BUCKET_KEPT_MS);
      rootsAdded += roots.size;
    }
    for (const [error] of (await pipeline.exec()) ?? []) if (error !== null) throw error;
    const fresh = [...buckets].flatMap(([second, { isNew }]) => (isNew ? [second] : []));
    await Promise.all(fresh.map(addJob));
  };
  const flush = async (): Promise<void> => {
    clearTimeout(timer);
    timer = undefined;
    if (unwritten.size === 0) return;
    const buckets = unwritten;
    unwritten = new Map();
    const written = await outage.attempt(() => write(buckets));
    if (!written) for (const second of buckets.keys()) known.forget(second);
  };

  return {
    add(second, root) {
      const learnt = known.learn(second, root);
      if (learnt === 'nothing') return;
      const bucket = unwritten.get(second) ?? { roots: new Set(), isNew: false };
      bucket.roots.add(root);
      bucket.isNew ||= learnt === 'second';
      unwritten.set(second, bucket);
      timer ??= setTimeout(() => void flush(), FLUSH_MS);
    },
    rootsOf: async (second) => (await redis.smembers(bucketKey(second))) as AccountPath[],
    async remove(second, roots) {
      await redis.srem(bucketKey(second), ...roots);
    },
    forgetBefore: (second) => known.forgetBefore(second),
    forgetAll: () => known.forgetAll(),
    flush,
    counts: () => ({ rootsAdded, known: known.size() }),
  };
}
