import type { TestProject } from 'vitest/node';
import { askRedis } from '../../src/servers/redis-question.ts';
import { startRedis } from '../../src/servers/redis-server.ts';

declare module 'vitest' {
  interface ProvidedContext {
    redisUrl: string;
    redisKind: 'given' | 'server' | 'embedded';
  }
}

/** One database per vitest worker, numbered from 1; the others are left alone. */
const DATABASES = 64;

/** Starts one Redis for the whole run and hands its address to the test files. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const redis = await startRedis({ databases: DATABASES });
  if (redis.kind === 'given' && (await askRedis(redis.url, ['INFO', 'keyspace'])).includes('keys=')) {
    throw new Error('REDIS_URL names a Redis with data in it, and tests flush it: name an empty one');
  }
  project.provide('redisUrl', redis.url);
  project.provide('redisKind', redis.kind);
  process.stderr.write(`Redis ${redis.version} (${redis.kind}) at ${redis.url}\n`);
  return async () => {
    if (redis.kind === 'given') await askRedis(redis.url, ['FLUSHALL']);
    await redis.stop();
  };
}
