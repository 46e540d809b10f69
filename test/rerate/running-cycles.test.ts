import { describe, expect, it } from 'vitest';
import type { AccountPath, RerateRunId } from '../../src/units/ids.ts';
import { allotmentPool } from '../../src/credit/pools.ts';
import type { Talk } from '../charging/live-calls.ts';
import { DATABASES } from '../database/databases.ts';
import { freshRedis } from '../support/redis.ts';
import { createBooksStage } from './books-stage.ts';

const RUN = 'run-1' as RerateRunId;
/** Where the stage's clock begins, in the first minute of a day. */
const START = Date.UTC(2026, 7, 1);
/** An hour a day, in steps of ten seconds, and by the minute after that. */
const MINUTES = 'acme/minutes' as AccountPath;
const POOL = allotmentPool(MINUTES, 'international');
const SECOND = 1_000_000n;

const talk = (billedSeconds: number, at = START): Talk => ({
  caller: MINUTES,
  inbound: false,
  number: '4930123456',
  routes: ['carrier'],
  at,
  billedSeconds,
  answered: true,
  soft: false,
  allotmentSeconds: undefined,
});

describe.each(DATABASES)('an allotment whose cycle runs, on $name', ({ openScratch }) => {
  it('has left in Redis what the charges in force leave of it', async () => {
    const database = await openScratch();
    const stage = await createBooksStage(database, await freshRedis());
    await stage.call(talk(1_000), 'one');
    await stage.call(talk(1_000), 'two');
    expect(await stage.left(POOL)).toBe(1_600n * SECOND);
    await stage.drain();
    // It was talked before both, and nobody heard: charged from a file as if the allotment had lasted.
    await stage.import(talk(3_000, START - 1), 'late');
    expect(await stage.left(POOL)).toBe(-1_400n * SECOND);
    await stage.plan(RUN, 'replayed');
    await stage.change(RUN, 'applying');
    const applied = await stage.left(POOL);
    // No more than there is was used, and less than a step is left.
    expect(applied).toBeGreaterThanOrEqual(0n);
    expect(applied).toBeLessThan(10n * SECOND);
    expect(await stage.findings()).toEqual([]);
    await stage.change(RUN, 'reverting');
    expect(await stage.left(POOL)).toBe(-1_400n * SECOND);
    expect(await stage.findings()).toEqual([]);
    stage.close();
    await database.close();
  }, 120_000);
});
