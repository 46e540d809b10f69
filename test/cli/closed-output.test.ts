import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openDatabase } from '../../src/database/database.ts';
import { DOUBLED, fillRecord, importVersions, liveCalls } from '../charging/charged-record.ts';
import { CLI, createCli } from './cli-run.ts';

const SINCE = ['--from', '1970-01-01', '--to', '1970-02-01'];

/** Runs the program with nobody reading what it prints. */
async function runUnread(args: readonly string[], record: string): Promise<number | null> {
  const child = spawn(process.execPath, [CLI, ...args], {
    env: {
      PATH: process.env['PATH'],
      TOLLGATE_DATABASE_URL: record,
      TOLLGATE_REDIS_URL: 'redis://127.0.0.1:1',
    },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  child.stdout.destroy();
  const [code] = (await once(child, 'exit')) as [number | null];
  return code;
}

describe('a reader who has seen enough', () => {
  it('is no failure of what he read, and keeps nothing from being put right', async () => {
    const { run, folder } = createCli({});
    const record = join(folder, 'record.sqlite');
    const database = await openDatabase({ url: record });
    await fillRecord(database, liveCalls(3_000, 3));
    await importVersions(database.tariffs, DOUBLED);
    await database.close();
    expect(await runUnread(['statement', 'acme', ...SINCE, '--csv'], record)).toBe(0);
    expect((await run('reconcile', ...SINCE)).out).toMatch(/\d+ differences in 3000 legs/);

    await runUnread(['reconcile', ...SINCE, '--fix', '--csv'], record);
    expect((await run('reconcile', ...SINCE)).out).toContain('nothing is off in 3000 legs');
    expect((await run('rerate', 'list')).out).toContain('applied');
    expect((await run('verify', '--record-only')).code).toBe(0);
  });
});
