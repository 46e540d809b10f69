import { dirname } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { installRedisBinary } from '../../src/servers/redis-binary.ts';
import { askRedis } from '../../src/servers/redis-question.ts';
import { startRedis, type StartedRedis } from '../../src/servers/redis-server.ts';
import { needRealRedis } from './redis.ts';

let started: StartedRedis | undefined;

afterEach(async () => {
  await started?.stop();
  started = undefined;
});

describe('a Redis started by the tests', () => {
  it('finds after kill -9 what was on its disk', async (context) => {
    needRealRedis(context);
    started = await startRedis({ ownServer: true, appendonly: true });
    expect(started.kind).toBe('server');
    await askRedis(started.url, ['CONFIG', 'SET', 'appendfsync', 'always']);
    await askRedis(started.url, ['SET', 'kept', 'yes']);
    await started.kill9();
    await expect(askRedis(started.url, ['PING'])).rejects.toThrow('ECONNREFUSED');
    await started.restart();
    expect(await askRedis(started.url, ['GET', 'kept'])).toBe('yes');
    expect(await askRedis(started.url, ['INFO', 'server'])).toContain('hz:100');
  });

  it('is the embedded one, and says so, where the machine has no other', async () => {
    const said: string[] = [];
    started = await startRedis({
      ownServer: true,
      environment: { PATH: dirname(process.execPath) },
      say: (line) => said.push(line),
      databases: 20,
    });
    expect(started.kind).toBe('embedded');
    expect(said.join()).toContain('embedded');
    expect(await askRedis(started.url, ['EVAL', 'return ARGV[1]', '0', 'lua'])).toBe('lua');
  });

  it('is the one that REDIS_URL names, and is then left alone', async () => {
    started = await startRedis({ ownServer: true });
    const given = await startRedis({ environment: { REDIS_URL: started.url } });
    expect(given.kind).toBe('given');
    expect(given.version).toBe(started.version);
    await given.stop();
    expect(await askRedis(started.url, ['PING'])).toBe('PONG');
    await expect(given.kill9()).rejects.toThrow('not ours');
  });

  it('installs nothing where there is no apt-get', async () => {
    expect(await installRedisBinary('/nowhere', () => {})).toBeUndefined();
  });
});
