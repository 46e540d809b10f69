import type { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createSettlementFeed, type RedisSettlementFeed } from '../../src/redis/settlement-feed.ts';
import { formatSettlement } from '../../src/redis/settlement-text.ts';
import type { Decision } from '../../src/records/records.ts';
import { account, leg, NOON, settlementOf } from '../records/samples.ts';
import { freshRedis } from '../support/redis.ts';
import { createMemoryLog } from '../freeswitch/support/memory-log.ts';
import { until } from './until.ts';

const ACME = account('acme');
const ZETA = account('zeta');
const ACME_STREAM = 'tollgate:{acme}:settlements';

let redis: Redis;
let feed: RedisSettlementFeed;

beforeEach(async () => {
  redis = await freshRedis();
  feed = createSettlementFeed(redis, { log: createMemoryLog() });
});
afterEach(() => feed.close());

const decision = (id: string): Decision => ({
  id,
  at: NOON,
  kind: 'refusal',
  verdict: 'refused',
  aLeg: leg('a-1'),
  legUuid: undefined,
  account: ACME,
  reason: 'credit',
  inputs: { balance: 5n, limits: { calls: 2 } },
});

async function settle(root: string, uuid: string): Promise<void> {
  await redis.xadd(
    `tollgate:{${root}}:settlements`,
    '*',
    'settlement',
    formatSettlement(settlementOf({ leg: uuid })),
  );
}

const legsOf = async (max: number): Promise<readonly string[]> =>
  (await feed.read([ACME, ZETA], max)).settlements.map(({ settlement }) => settlement.cdr.legUuid);

describe('the settlement feed', () => {
  it('reads the oldest of every root, never takes, and forgets only what it is told to', async () => {
    await settle('acme', 'b-1');
    await settle('acme', 'b-2');
    await settle('zeta', 'b-3');
    await feed.decide(decision('d-1'));
    const batch = await feed.read([ACME, ZETA], 10);
    expect(batch.settlements.map(({ settlement }) => settlement)).toEqual(
      ['b-1', 'b-2', 'b-3'].map((uuid) => settlementOf({ leg: uuid })),
    );
    expect(batch.decisions.map((read) => read.decision)).toEqual([decision('d-1')]);
    expect(await feed.read([ACME, ZETA], 10)).toEqual(batch);

    const entries = [...batch.settlements, ...batch.decisions].map(({ entry }) => entry);
    await feed.remove(entries.slice(1));
    await feed.remove(entries.slice(1));
    expect(await legsOf(10)).toEqual(['b-1']);
    expect((await feed.read([], 10)).decisions).toEqual([]);
    await feed.remove([]);
  });

  it('hands over at most so many, over all roots', async () => {
    for (let n = 0; n < 5; n += 1) await settle('acme', `b-${n}`);
    for (let n = 5; n < 10; n += 1) await settle('zeta', `b-${n}`);
    expect(await legsOf(3)).toEqual(['b-0', 'b-1', 'b-2']);
    expect(await legsOf(7)).toHaveLength(7);
    expect((await feed.read([ZETA], 100)).settlements).toHaveLength(5);
  });

  it('passes unreadable entries by, however many stand before the good ones', async () => {
    for (let n = 0; n < 25; n += 1) await redis.xadd(ACME_STREAM, '*', 'settlement', `{"v":${n}}`);
    await redis.xadd(ACME_STREAM, '*', 'other', 'field');
    await settle('acme', 'b-1');
    const first = await feed.read([ACME], 2);
    expect(first.unreadable.length).toBeGreaterThan(0);
    const reasons = [...first.unreadable];
    let settlements = first.settlements;
    for (let reads = 0; settlements.length === 0 && reads < 10; reads += 1) {
      const batch = await feed.read([ACME], 2);
      reasons.push(...batch.unreadable);
      settlements = batch.settlements;
    }
    expect(settlements).toHaveLength(1);
    expect(reasons).toHaveLength(26);
    expect(reasons.at(-1)?.reason).toContain('its fields are not');
    expect(await redis.xlen(ACME_STREAM)).toBe(27);
    // What was passed is not read again.
    expect((await feed.read([ACME], 2)).unreadable).toEqual([]);
  });

  it('starts over when Redis was lost and a stream has begun anew with earlier ids', async () => {
    await redis.xadd(ACME_STREAM, '99999999999999-0', 'settlement', 'spoilt');
    expect((await feed.read([ACME], 5)).unreadable).toHaveLength(1);
    await redis.del(ACME_STREAM);
    await settle('acme', 'b-1');
    expect(await legsOf(5)).toEqual(['b-1']);
  });

  it('tells every process, in one message for what settles together, that something waits', async () => {
    const heard: (string | undefined)[] = [];
    const other = createSettlementFeed(redis, { log: createMemoryLog() });
    const stop = other.onReady((root) => void heard.push(root));
    await until(() => heard.length === 1, 'the listener to be told to look when it begins to listen');
    for (let n = 0; n < 100; n += 1) feed.announce(n % 2 === 0 ? ACME : ZETA);
    await feed.decide(decision('d-1'));
    await until(() => heard.includes('zeta') && heard.includes('acme'), 'both roots');
    // A hundred announcements: a busy machine may spread them over a few turns, never over a message each.
    expect(heard.length).toBeLessThanOrEqual(20);
    expect(heard.filter((root) => root === undefined).length).toBeGreaterThanOrEqual(2);
    stop();
    other.close();
  });

  it('says how much waits and since when', async () => {
    expect(await feed.backlog([ACME, ZETA])).toEqual({ entries: 0, oldestAt: undefined });
    await redis.xadd(ACME_STREAM, '1700000000123-0', 'settlement', 'x');
    await settle('zeta', 'b-3');
    await feed.decide(decision('d-1'));
    expect(await feed.backlog([ACME, ZETA])).toEqual({ entries: 3, oldestAt: 1_700_000_000_123 });
  });
});
