import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { freshRedis, redisUrl } from '../support/redis.ts';
import { allEnded, furnish, placeCalls, settled, useGates } from './acts.ts';
import { createStage, micros, type Stage } from './stage.ts';

let stage: Stage;

beforeEach(async () => {
  await freshRedis();
  stage = await createStage(redisUrl());
});

afterEach(async () => {
  await stage.close();
});

describe('a discount of a classification', () => {
  it.each([
    ['none', '1.00', {}, 33_334n],
    ['a tenth', '1.00', { international: 10 }, 30_000n],
    ['of another classification', '1.00', { did_us: 50 }, 33_334n],
    ['all of it, for an account without money', '0', { international: 100 }, 0n],
  ])('%s', async (_, balance, discounts, price) => {
    await furnish(stage, { balance, operator: { discounts } });
    useGates(stage.sim, 'socket', [await stage.startController()]);
    const calls = placeCalls(stage, 1, () => ({ hangsUpAfterAnswerMs: 1500 }));
    await allEnded(calls);
    const [cdr] = await settled(stage, 1);
    expect(cdr).toMatchObject({ billedSeconds: 2, funding: price === 0n ? 'free' : 'per_minute' });
    expect(await stage.balance('acme')).toBe(micros(balance) - price);
    expect(await stage.findings()).toEqual([]);
  });
});
