import type { Redis } from 'ioredis';
import { guardStore } from './connection.ts';
import { KEY_LAYOUT_VERSION, LAYOUT_KEY } from './keys.ts';

/** This Redis holds the live state of another release, in keys that this one would misread. Nothing was changed. */
export class KeyLayoutError extends Error {
  override readonly name = 'KeyLayoutError';
}

/** Marks an empty Redis with the layout of this release; refuses one that is in another. */
export async function claimLayout(redis: Redis): Promise<void> {
  const mine = `${KEY_LAYOUT_VERSION}`;
  await guardStore(() => redis.setnx(LAYOUT_KEY, mine));
  const found = await guardStore(() => redis.get(LAYOUT_KEY));
  if (found !== mine) {
    const what = `the live state in this Redis has key layout ${found ?? '(none)'}, and this release needs ${mine}`;
    throw new KeyLayoutError(what);
  }
}
