import { Redis } from 'ioredis';
import { afterAll, inject, type TestContext } from 'vitest';

const opened = new Set<Redis>();

// Registered when a test file imports this: nothing it opened outlives it.
afterAll(() => {
  for (const redis of opened) redis.disconnect();
  opened.clear();
});

/** The address of this worker's own database. Files that run at once never share one; published messages do cross. */
export function redisUrl(): string {
  return `${inject('redisUrl')}/${process.env['VITEST_POOL_ID'] ?? '1'}`;
}

/** A connection to this worker's database, closed when the file ends. */
export function connectTestRedis(): Redis {
  const redis = new Redis(redisUrl(), { maxRetriesPerRequest: null });
  opened.add(redis);
  return redis;
}

/** A connection to this worker's database, emptied first: call it at the start of each test. */
export async function freshRedis(): Promise<Redis> {
  const redis = connectTestRedis();
  await redis.flushdb();
  return redis;
}

/** False where only the embedded Redis could be had: for `describe.skipIf`. */
export function hasRealRedis(): boolean {
  return inject('redisKind') !== 'embedded';
}

/** Skips, with its reason, a test of crash, persistence or speed where only the embedded Redis could be had. */
export function needRealRedis(context: TestContext): void {
  if (!hasRealRedis()) context.skip('needs a real Redis server; this run has the embedded one');
}
