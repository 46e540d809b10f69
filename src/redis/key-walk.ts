import type { Redis } from 'ioredis';
import { guardStore } from './connection.ts';

/** Keys looked at by one command: a millisecond of Redis's time. */
const SCANNED_AT_ONCE = 1_000;

/** Walks over all keys that there are. */
export async function keysLike(redis: Redis, pattern: string): Promise<readonly string[]> {
  const keys = new Set<string>();
  let cursor = '0';
  do {
    const from = cursor;
    const [next, found] = await guardStore(() =>
      redis.scan(from, 'MATCH', pattern, 'COUNT', SCANNED_AT_ONCE),
    );
    for (const key of found) keys.add(key);
    cursor = next;
  } while (cursor !== '0');
  return [...keys];
}
