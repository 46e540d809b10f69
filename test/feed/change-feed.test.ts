import type { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createChangeFeed, type Change, type ChangeFeed } from '../../src/redis/change-feed.ts';
import { createMemoryLog } from '../freeswitch/support/memory-log.ts';
import { account, tariffName } from '../records/samples.ts';
import { connectTestRedis, freshRedis } from '../support/redis.ts';
import { until } from './until.ts';

let redis: Redis;
let feed: ChangeFeed;
let heard: Change[];

beforeEach(async () => {
  redis = await freshRedis();
  feed = createChangeFeed(redis, { log: createMemoryLog() });
  heard = [];
});
afterEach(() => feed.close());

describe('the feed of changes', () => {
  it('carries a change to every listening process well within a second', async () => {
    feed.onChange((change) => void heard.push(change));
    await feed.ready();
    await until(() => heard.length === 1, 'the first catching up');
    expect(heard).toEqual([{ kind: 'everything' }]);

    const teller = createChangeFeed(connectTestRedis(), { log: createMemoryLog() });
    const changes: readonly Change[] = [
      { kind: 'account', account: account('acme/alice') },
      { kind: 'tariff', tariff: tariffName('retail') },
      { kind: 'everything' },
    ];
    const startedAt = performance.now();
    for (const change of changes) expect(await teller.announce(change)).toBeGreaterThanOrEqual(1);
    await until(() => heard.length === 4, 'all three changes');
    expect(performance.now() - startedAt).toBeLessThan(500);
    expect(heard.slice(1)).toEqual(changes);
  });

  it('takes what it does not understand for a change of everything', async () => {
    feed.onChange((change) => void heard.push(change));
    await feed.ready();
    for (const message of ['', 'account', 'account ../x', 'route carrier-1', 'tariff a b c']) {
      await redis.publish('tollgate:changed', message);
    }
    await until(() => heard.length === 6, 'five messages');
    expect(heard.filter(({ kind }) => kind === 'everything')).toHaveLength(5);
    expect(heard.at(-1)).toEqual({ kind: 'tariff', tariff: 'a' });
  });

  it('says that everything may have changed after its connection was lost', async () => {
    feed.onChange((change) => void heard.push(change));
    await feed.ready();
    await until(() => heard.length === 1, 'the first catching up');
    await killSubscribers();
    await until(() => heard.length === 2, 'the second catching up');
    await feed.announce({ kind: 'account', account: account('acme') });
    // A connection that is lost once more on the way has it catch up once more, and then with this change.
    await until(() => heard.length >= 3, 'the change after it');
    expect(heard.slice(0, 2).map(({ kind }) => kind)).toEqual(['everything', 'everything']);
  });

  it('tells a listener nothing more once it has stopped listening', async () => {
    const stop = feed.onChange((change) => void heard.push(change));
    const others: Change[] = [];
    feed.onChange((change) => void others.push(change));
    await feed.ready();
    stop();
    await feed.announce({ kind: 'account', account: account('acme') });
    await until(() => others.some(({ kind }) => kind === 'account'), 'the other listener');
    expect(heard.every(({ kind }) => kind === 'everything')).toBe(true);
  });
});

/** Those of this worker's database alone: other test files listen on the same server. */
async function killSubscribers(): Promise<void> {
  const clients = (await redis.call('CLIENT', 'LIST', 'TYPE', 'pubsub')) as string;
  for (const client of clients.split('\n')) {
    const id = /^id=(\d+)/.exec(client)?.[1];
    if (id !== undefined && client.includes(` db=${redis.options.db} `)) {
      await redis.call('CLIENT', 'KILL', 'ID', id);
    }
  }
}
