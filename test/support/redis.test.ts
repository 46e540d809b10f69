import { describe, expect, it } from 'vitest';
import { connectTestRedis, freshRedis } from './redis.ts';

describe('the Redis of the tests', () => {
  it('is empty for each test that asks', async () => {
    const first = await freshRedis();
    await first.set('left', 'behind');
    await freshRedis();
    expect(await connectTestRedis().get('left')).toBeNull();
  });
});
