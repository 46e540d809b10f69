import type { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Leases } from '../../src/calls/lease.ts';
import type { Database } from '../../src/database/database.ts';
import type { RecordBatch, RecordWriter } from '../../src/records/record-store.ts';
import type { Decision, Settlement } from '../../src/records/records.ts';
import { createLeases } from '../../src/redis/leases.ts';
import { createSettlementFeed, type RedisSettlementFeed } from '../../src/redis/settlement-feed.ts';
import { formatSettlement } from '../../src/redis/settlement-text.ts';
import type { Timers } from '../../src/state/timers.ts';
import { toEpochMs } from '../../src/units/time.ts';
import { createRecordDrain, type RecordDrain } from '../../src/upkeep/record-drain.ts';
import { SQLITE } from '../database/databases.ts';
import { until } from '../feed/until.ts';
import { createMemoryLog, type MemoryLog } from '../freeswitch/support/memory-log.ts';
import { account, leg, NOON, settlementOf } from '../records/samples.ts';
import { connectTestRedis, freshRedis } from '../support/redis.ts';

const ACME = account('acme');
const ACME_STREAM = 'tollgate:{acme}:settlements';
const timers: Timers = {
  after: (delayMs, callback) => {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
  every: (intervalMs, callback) => {
    const timer = setInterval(callback, intervalMs);
    return () => clearInterval(timer);
  },
};

let redis: Redis;
let feed: RedisSettlementFeed;
let database: Database;
let drains: RecordDrain[];
let log: MemoryLog;

beforeEach(async () => {
  redis = await freshRedis();
  log = createMemoryLog();
  feed = createSettlementFeed(redis, { log });
  database = await SQLITE.openRecord();
  drains = [];
});
afterEach(async () => {
  await Promise.all(drains.map((drain) => drain.stop(1000)));
  feed.close();
});

function drainOf(parts: {
  readonly records?: Pick<RecordWriter, 'writeBatch'>;
  readonly leases?: Leases;
  readonly owner?: string;
}): RecordDrain {
  const owner = parts.owner ?? 'one';
  const drain = createRecordDrain({
    feed,
    records: parts.records ?? database.records,
    leases: parts.leases ?? createLeases(redis, { owner, leaseMs: 3000 }),
    roots: () => [ACME],
    clock: () => toEpochMs(Date.now()),
    timers,
    log,
  });
  drains.push(drain);
  return drain;
}

/** The record, with every batch it is given seen first: what it throws fails the batch. */
function watched(see: (batch: RecordBatch) => void): Pick<RecordWriter, 'writeBatch'> {
  return {
    writeBatch: async (batch) => {
      see(batch);
      return database.records.writeBatch(batch);
    },
  };
}

function named(name: string, message: string): Error {
  return Object.assign(new Error(message), { name });
}

async function settle(...settlements: readonly Settlement[]): Promise<void> {
  await Promise.all(
    settlements.map((settlement) => redis.xadd(ACME_STREAM, '*', 'settlement', formatSettlement(settlement))),
  );
}

const many = (count: number, prefix = 'b'): readonly Settlement[] =>
  Array.from({ length: count }, (_, n) => settlementOf({ leg: `${prefix}-${n}` }));
const cdrs = async (): Promise<number> => (await database.records.counts()).cdrs;
const logged = (level: string): readonly string[] =>
  log.lines.filter((line) => line.level === level).map(({ message }) => message);

const decision: Decision = {
  id: 'd-1',
  at: NOON,
  kind: 'refusal',
  verdict: 'refused',
  aLeg: leg('a-1'),
  legUuid: undefined,
  account: ACME,
  reason: 'credit',
  inputs: {},
};

describe('the drain', () => {
  it('takes settlements and decisions into SQL, and only then out of the streams', async () => {
    const sizes: number[] = [];
    const drain = drainOf({
      records: watched(({ settlements }) => sizes.push(settlements.length)),
    });
    await settle(...many(1200));
    await feed.decide(decision);
    expect(await drain.status()).toMatchObject({ state: 'idle', undrained: 1201 });
    expect(await drain.drainNow()).toEqual({ kind: 'drained', written: 1201, setAside: 0 });
    expect(await database.records.counts()).toEqual({
      cdrs: 1200,
      charges: 1200,
      transfers: 1200,
      decisions: 1,
    });
    expect(Math.max(...sizes)).toBeLessThanOrEqual(500);
    expect(await redis.xlen(ACME_STREAM)).toBe(0);
    expect(await drain.status()).toMatchObject({ state: 'idle', undrained: 0, lagMs: 0 });
    expect(await drain.drainNow()).toMatchObject({ written: 0 });
  });

  it('wakes when something settles, and once for what settles together', async () => {
    let batches = 0;
    const drain = drainOf({
      records: watched(() => void (batches += 1)),
    });
    drain.start();
    await settle(settlementOf({ leg: 'first' }));
    await until(async () => (await cdrs()) === 1, 'the first look');
    batches = 0;
    const startedAt = performance.now();
    for (const settlement of many(100)) {
      await settle(settlement);
      feed.announce(ACME);
    }
    const settledMs = performance.now() - startedAt;
    await until(async () => (await cdrs()) === 101, 'all of them');
    expect(batches).toBeLessThanOrEqual(3 + settledMs / 50);
    expect(await redis.xlen(ACME_STREAM)).toBe(0);
  });

  it('finds by itself what nobody told it of', async () => {
    drainOf({}).start();
    await settle(...many(1));
    await until(async () => (await cdrs()) === 1, 'the next look at everything');
    expect(await redis.xlen(ACME_STREAM)).toBe(0);
  });

  it('loses nothing while SQL is down, and says so once', async () => {
    let down = true;
    let tries = 0;
    const drain = drainOf({
      records: watched(() => {
        tries += 1;
        if (down) throw named('DatabaseUnwritableError', 'disk full');
      }),
    });
    await settle(...many(3));
    drain.start();
    await until(() => tries >= 2, 'two tries');
    expect(await drain.status()).toMatchObject({ state: 'sql-down', undrained: 3, setAside: 0 });
    expect(await cdrs()).toBe(0);
    expect(logged('warn')).toEqual(['draining interrupted, the streams keep the records']);
    expect(logged('error')).toEqual([]);
    down = false;
    await until(async () => (await redis.xlen(ACME_STREAM)) === 0, 'SQL to be back');
    expect(await cdrs()).toBe(3);
    expect(logged('info')).toEqual(['draining resumed']);
  });

  it('goes on around records that SQL refuses, however it says so, and leaves them where they are', async () => {
    const drain = drainOf({
      records: watched(({ settlements }) => {
        const bad = settlements.find(({ cdr }) => ['b-7', 'b-8', 'b-49'].includes(cdr.legUuid));
        if (bad !== undefined) throw new Error('CHECK constraint failed');
      }),
    });
    // One that the real store refuses by name: the charge is of another leg.
    await settle(settlementOf({ leg: 'mixed', charge: { legUuid: leg('stranger') } }));
    await settle(...many(50));
    expect(await drain.drainNow()).toEqual({ kind: 'drained', written: 47, setAside: 4 });
    expect(await cdrs()).toBe(47);
    expect(await redis.xlen(ACME_STREAM)).toBe(4);
    expect(logged('error')).toHaveLength(4);
    // It is told once, and newer records pass.
    await settle(...many(10, 'c'));
    expect(await drain.drainNow()).toEqual({ kind: 'drained', written: 10, setAside: 4 });
    expect(logged('error')).toHaveLength(4);
    expect(await drain.status()).toMatchObject({ state: 'idle', undrained: 4, setAside: 4 });
  });

  it('goes on around more refused records than fit one batch', async () => {
    const drain = drainOf({
      records: watched(({ settlements }) => {
        if (settlements.some(({ cdr }) => cdr.legUuid.startsWith('bad'))) throw new Error('refused');
      }),
    });
    await settle(...many(600, 'bad'), ...many(20));
    expect(await drain.drainNow()).toEqual({ kind: 'drained', written: 20, setAside: 600 });
    expect(await cdrs()).toBe(20);
  });

  it('goes on around what nobody can read, and reports it once', async () => {
    const drain = drainOf({});
    await settle(...many(2));
    await redis.xadd(ACME_STREAM, '*', 'settlement', '{"v":99}');
    await settle(...many(2, 'c'));
    expect(await drain.drainNow()).toMatchObject({ kind: 'drained', written: 4 });
    expect(await drain.drainNow()).toMatchObject({ kind: 'drained', written: 0 });
    expect(logged('error')).toHaveLength(1);
    expect(await drain.status()).toMatchObject({ undrained: 1, unreadable: 1 });
  });

  it('reports a conflict, in which SQL wins', async () => {
    const drain = drainOf({});
    await settle(settlementOf({ leg: 'b-1' }));
    await drain.drainNow();
    await settle(settlementOf({ leg: 'b-1', cdr: { cause: 'USER_BUSY' } }), settlementOf({ leg: 'b-2' }));
    expect(await drain.drainNow()).toMatchObject({ kind: 'drained', written: 2 });
    expect((await database.records.cdr(leg('b-1')))?.cause).toBe('NORMAL_CLEARING');
    expect(logged('error')).toEqual(['sql holds another record in its place, and keeps it']);
    expect(await redis.xlen(ACME_STREAM)).toBe(0);
  });

  it('writes again what was written before its entry could be removed, and charges nobody twice', async () => {
    const failing: RedisSettlementFeed = {
      ...feed,
      remove: () => Promise.reject(named('StoreUnavailableError', 'redis did not answer')),
    };
    const drain = createRecordDrain({
      feed: failing,
      records: database.records,
      leases: createLeases(redis, { owner: 'one', leaseMs: 3000 }),
      roots: () => [ACME],
      clock: () => toEpochMs(Date.now()),
      timers,
      log,
    });
    await settle(...many(5));
    expect(await drain.drainNow()).toMatchObject({ kind: 'redis-down' });
    await drain.stop(1000);
    expect(await cdrs()).toBe(5);
    expect(await drainOf({}).drainNow()).toMatchObject({ kind: 'drained', written: 5 });
    expect(await database.records.counts()).toMatchObject({ cdrs: 5, charges: 5, transfers: 5 });
    expect(logged('error')).toEqual([]);
  });

  it('is one controller’s work at a time, and another’s when it stops', async () => {
    const one = drainOf({ owner: 'one' });
    const two = drainOf({ owner: 'two' });
    await settle(...many(1));
    await one.drainNow();
    await settle(...many(2, 'c'));
    expect(await two.drainNow()).toEqual({ kind: 'elsewhere' });
    expect((await two.status()).state).toBe('elsewhere');
    two.start();
    await one.stop(1000);
    expect(await one.drainNow()).toEqual({ kind: 'stopped' });
    await until(async () => (await cdrs()) === 3, 'the other to take over');
  });

  it('finishes the batch it has begun before it stops', async () => {
    const drain = drainOf({
      records: {
        writeBatch: async (batch) => {
          await new Promise((resolve) => setTimeout(resolve, 100));
          return database.records.writeBatch(batch);
        },
      },
    });
    await settle(...many(600));
    const draining = drain.drainNow();
    await new Promise((resolve) => setTimeout(resolve, 30));
    await drain.stop(5000);
    expect(await draining).toEqual({ kind: 'stopped' });
    expect(await cdrs()).toBe(500);
    expect(await redis.xlen(ACME_STREAM)).toBe(100);
    expect(await redis.exists('tollgate:lease:drain')).toBe(0);
  });

  it('waits for Redis as for SQL', async () => {
    const gone = connectTestRedis();
    gone.disconnect();
    const drain = drainOf({ leases: createLeases(gone, { owner: 'one', leaseMs: 1000 }) });
    expect(await drain.drainNow()).toMatchObject({ kind: 'redis-down' });
    expect((await drain.status()).state).toBe('redis-down');
  });
});
