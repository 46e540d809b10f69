import { expect, it } from 'vitest';
import { claimLayout, KeyLayoutError } from '../../src/redis/layout.ts';
import { freshRedis } from '../support/redis.ts';

it('marks an empty Redis with its layout and finds it again', async () => {
  const redis = await freshRedis();
  await claimLayout(redis);
  await claimLayout(redis);
  expect(await redis.get('tollgate:layout')).toBe('1');
});

it('refuses a Redis in another layout, and changes nothing there', async () => {
  const redis = await freshRedis();
  await redis.set('tollgate:layout', '7');
  await expect(claimLayout(redis)).rejects.toThrow(KeyLayoutError);
  expect(await redis.get('tollgate:layout')).toBe('7');
});
