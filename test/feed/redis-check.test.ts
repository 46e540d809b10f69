import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { StoreUnavailableError } from '../../src/admission/live-store.ts';
import { checkRedis } from '../../src/redis/redis-check.ts';
import { startRedis, type StartedRedis } from '../../src/servers/redis-server.ts';
import { hasRealRedis } from '../support/redis.ts';

describe.skipIf(!hasRealRedis())('the look at a Redis’s settings', () => {
  let server: StartedRedis;
  let redis: Redis;

  beforeAll(async () => {
    server = await startRedis({ ownServer: true, appendonly: true });
    redis = new Redis(server.url);
  });
  afterAll(async () => {
    redis.disconnect();
    await server.stop();
  });

  const kinds = async (): Promise<readonly string[]> => (await checkRedis(redis)).map(({ kind }) => kind);

  it('finds nothing to say of one that is set up as it should be', async () => {
    expect(await kinds()).toEqual([]);
  });

  it.each([
    ['hz', '10', '100', 'hz', '100 ms late'],
    ['maxmemory-policy', 'allkeys-lru', 'noeviction', 'eviction', 'noeviction'],
    ['appendonly', 'no', 'yes', 'persistence', 'all live state'],
  ])('warns of %s %s and says what to set', async (name, bad, good, kind, said) => {
    await redis.config('SET', name, bad);
    const warnings = await checkRedis(redis);
    expect(warnings.map((warning) => warning.kind)).toEqual([kind]);
    expect(warnings[0]?.message).toContain(said);
    await redis.config('SET', name, good);
  });

  it('says that it could not look where CONFIG is forbidden', async () => {
    await redis.acl('SETUSER', 'guest', 'on', '>secret', '~*', '+@all', '-config');
    const guest = new Redis(server.url, { username: 'guest', password: 'secret' });
    expect((await checkRedis(guest)).map(({ kind }) => kind)).toEqual(['config-unreadable']);
    guest.disconnect();
  });

  it('rejects when Redis does not answer at all', async () => {
    const gone = new Redis(server.url);
    gone.disconnect();
    await expect(checkRedis(gone)).rejects.toThrow(StoreUnavailableError);
  });
});

it('warns of a Redis that is too old, whatever it calls itself', async () => {
  const ofVersion = (info: string): Redis =>
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- an old server is not to be had
    ({ info: async () => info, config: async () => [] }) as unknown as Redis;
  expect((await checkRedis(ofVersion('redis_version:6.2.7\r\n'))).map(({ kind }) => kind)).toEqual([
    'version',
  ]);
  expect(await checkRedis(ofVersion('redis_version:7.2.4\r\nvalkey_version:8.0.1\r\n'))).toEqual([]);
});
