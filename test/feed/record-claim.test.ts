import { beforeEach, describe, expect, it } from 'vitest';
import type { RecordClaim } from '../../src/calls/record-claim.ts';
import { createRecordClaim } from '../../src/redis/record-claim.ts';
import { connectTestRedis, freshRedis } from '../support/redis.ts';
import { until } from './until.ts';

const LEASE_MS = 150;
const HERE = { identity: 'sqlite:1:alpha', words: 'SQLite on host alpha' };
const THERE = { identity: 'sqlite:1:alphabet', words: 'SQLite on host beta' };

let one: RecordClaim;
let two: RecordClaim;

beforeEach(async () => {
  const redis = await freshRedis();
  one = createRecordClaim(redis, { leaseMs: LEASE_MS });
  two = createRecordClaim(connectTestRedis(), { leaseMs: LEASE_MS });
});

describe('the claim of a record', () => {
  it('is held by all who share the record, whatever they call it', async () => {
    expect(await one.hold(HERE)).toBeUndefined();
    expect(await two.hold({ ...HERE, words: 'SQLite in container 7' })).toBeUndefined();
    expect(await one.holder()).toEqual({ ...HERE, words: 'SQLite in container 7' });
  });

  it('tells whose it is to those with another record, until nobody renews it', async () => {
    expect(await one.holder()).toBeUndefined();
    await one.hold(HERE);
    expect(await two.hold(THERE)).toEqual(HERE);
    await until(async () => (await two.hold(THERE)) === undefined, 'the claim to end');
    expect(await one.hold(HERE)).toEqual(THERE);
  });
});
