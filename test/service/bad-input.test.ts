import { createServer, type Server } from 'node:net';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LegUuid } from '../../src/units/ids.ts';
import { CLI, runProgram, type CliRun } from '../cli/cli-run.ts';
import { listenAsFreeswitch, type ScriptedPeer } from '../freeswitch/support/scripted-peer.ts';
import { freshRedis, redisUrl } from '../support/redis.ts';
import { useGates } from './acts.ts';
import { startProcess, type ServiceProcess } from './service-process.ts';
import { createStage, eventually, type Stage } from './stage.ts';

let folder: string;
let stage: Stage;
const closers: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tollgate-bad-input-'));
  await freshRedis();
  stage = await createStage(redisUrl());
  await stage.tariff('standard', 'prefix,rate,minimum,increment\n49,1.00,1,1\n');
  await stage.account({ account: 'acme', wallet: 'EUR', tariff: 'standard' });
  await stage.topUp('acme', '10.00');
  stage.sim.endpoint(/pstn/, { kind: 'answers', afterMs: 5 });
});

afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
  await stage.close();
  rmSync(folder, { recursive: true, force: true });
});

async function start(settings: Readonly<Record<string, string>> = {}): Promise<ServiceProcess> {
  const service = await startProcess(stage.environment(settings));
  closers.push(() => service.stop());
  return service;
}

async function tollgate(
  args: readonly string[],
  settings: Readonly<Record<string, string>> = {},
): Promise<CliRun> {
  return await runProgram([process.execPath, CLI, ...args], { environment: stage.environment(settings) });
}

/** A server that accepts and never says a word. */
async function listenSilently(): Promise<number> {
  const server: Server = createServer((socket) => {
    closers.push(() => Promise.resolve(socket.destroy()));
    socket.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  closers.push(
    () =>
      new Promise((resolve) => {
        server.close(resolve);
      }),
  );
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function freePort(): Promise<number> {
  const port = await listenSilently();
  await closers.pop()?.();
  return port;
}

/** One call to its end; its seconds are charged where anything is. */
async function callThrough(service: Pick<ServiceProcess, 'socketPort'>): Promise<number> {
  useGates(stage.sim, 'socket', [service]);
  const before = (await stage.cdrs('acme')).length;
  const call = stage.sim.placeCall({
    from: '1001',
    to: '4930123',
    variables: { tollgate_account: 'acme' },
    hangsUpAfterAnswerMs: 20,
  });
  await eventually(
    () => call.truth?.endedMicros,
    (ended) => ended !== undefined,
  );
  const cdrs = await eventually(
    () => stage.cdrs('acme'),
    (rows) => rows.length > before,
  );
  return cdrs.at(-1)?.billedSeconds ?? 0;
}

describe('a start that cannot be', () => {
  it('says in one line that there is no Redis, and fails', async () => {
    const port = await freePort();
    const run = await tollgate(['serve'], { TOLLGATE_REDIS_URL: `redis://:topsecret@127.0.0.1:${port}` });
    expect(run).toEqual({
      code: 1,
      out: '',
      err: `Redis at 127.0.0.1:${port} cannot be used: connect ECONNREFUSED 127.0.0.1:${port}\n`,
    });
  });

  it('says in one line that Redis does not answer, and fails', async () => {
    const port = await listenSilently();
    const run = await tollgate(['serve'], {
      TOLLGATE_REDIS_URL: `redis://127.0.0.1:${port}`,
      TOLLGATE_REDIS_COMMAND_TIMEOUT_MS: '300',
    });
    expect(run).toEqual({
      code: 1,
      out: '',
      err: `Redis at 127.0.0.1:${port} cannot be used: Command timed out\n`,
    });
  });

  it('says in one line that there can be no record, and fails', async () => {
    const run = await tollgate(['serve'], {
      TOLLGATE_DATABASE_URL: join(folder, 'nowhere', 'record.sqlite'),
    });
    expect(run).toMatchObject({ code: 1, out: '' });
    expect(run.err).toMatch(/^[^\n]*nowhere\/record\.sqlite[^\n]*\n$/);
  });

  it('says that the port of the gate is taken, and fails', async () => {
    const port = await listenSilently();
    const run = await tollgate(['serve'], { TOLLGATE_GATES_SOCKET_PORT: `${port}` });
    expect(run).toMatchObject({ code: 1, out: '' });
    expect(lastLine(run.err)).toMatch(new RegExp(`EADDRINUSE.*${port}`));
  });

  it('says everything that is wrong with its configuration at once, as bad input', async () => {
    const run = await tollgate(['serve'], {
      TOLLGATE_FREESWITCH_PORT: 'eighty',
      TOLLGATE_GATES_UNGATED: 'maybe',
      TOLLGATE_REDIS_URL: 'http://127.0.0.1',
    });
    expect(run).toMatchObject({ code: 2, out: '' });
    for (const field of ['freeswitch.port', 'gates.ungated', 'redis.url']) expect(run.err).toContain(field);
  });
});

function lastLine(text: string): string {
  return text.trimEnd().split('\n').at(-1) ?? '';
}

describe('a FreeSWITCH that does not let Tollgate in', () => {
  const lost = (service: ServiceProcess): readonly string[] =>
    service.log.filter((line) => line.includes('"event socket lost"'));

  it('is named with the wrong password as the reason, and the password is not told', async () => {
    const service = await start({ TOLLGATE_FREESWITCH_PASSWORD: 'not-the-password' });
    await eventually(
      () => lost(service),
      (lines) => lines.length > 0,
    );
    expect(lost(service).every((line) => line.includes('"reason":"auth"'))).toBe(true);
    expect(service.log.join('\n')).not.toContain('not-the-password');
    expect(await service.stop()).toBe(0);
  });

  it('is named with its access list as the reason', async () => {
    const text = 'Access Denied, go away.\n';
    const refusal = `Content-Type: text/rude-rejection\nContent-Length: ${text.length}\n\n${text}`;
    const peer: ScriptedPeer = await listenAsFreeswitch(() => undefined, refusal);
    closers.push(() => peer.close());
    const service = await start({ TOLLGATE_FREESWITCH_PORT: `${peer.port}` });
    await eventually(
      () => lost(service),
      (lines) => lines.length > 0,
    );
    expect(lost(service).every((line) => line.includes('"reason":"acl"'))).toBe(true);
  });

  it('is waited for, and served as soon as it is there', async () => {
    stage.sim.refuseConnections();
    const service = await start();
    await eventually(
      () => lost(service),
      (lines) => lines.length > 0,
    );
    expect(lost(service).every((line) => line.includes('"reason":"refused"'))).toBe(true);
    await stage.sim.acceptConnections();
    await eventually(
      () => service.log,
      (lines) => lines.some((line) => line.includes('"event stream is up"')),
    );
    expect(await callThrough(service)).toBe(1);
    expect(await stage.findings()).toEqual([]);
  });
});

describe.each(['socket', 'park'] as const)('a call at the gate %s', (gate) => {
  it.each([
    [
      'an account that is not there',
      { tollgate_account: 'acme/nobody' },
      'there is no account "acme/nobody"',
    ],
    ['a callee who is not there', { tollgate_callee: 'umbrella' }, 'there is no account "umbrella"'],
    ['a forwarder who is not there', { tollgate_forwarder: 'acme/gone' }, 'there is no account "acme/gone"'],
    [
      'a route of no possible name',
      { tollgate_route: 'Carrier 1' },
      '"Carrier 1" cannot be the name of a route',
    ],
  ])('for %s is refused with 403, and the record says why', async (_, variables, words) => {
    const service = await stage.startController();
    useGates(stage.sim, gate, [service]);
    const call = stage.sim.placeCall({
      from: '1001',
      to: '4930123',
      variables: { tollgate_account: 'acme', ...variables },
    });
    await eventually(
      () => call.truth?.endedMicros,
      (ended) => ended !== undefined,
    );
    expect(call.truth).toMatchObject({ answeredMicros: undefined, sipStatus: 403 });
    const [decision] = await eventually(
      () => stage.database.records.decisionsOf(call.uuid as LegUuid),
      (decisions) => decisions.length > 0,
    );
    expect(decision).toMatchObject({ kind: 'refusal', verdict: 'refused', inputs: { words, via: gate } });
    expect(await (await stage.live()).calls(undefined)).toEqual([]);
  });
});

describe('a tariff file', () => {
  it('with mistakes names the file and the line of each, and the tariff in force stays', async () => {
    const service = await start();
    const file = join(folder, 'rates.csv');
    writeFileSync(
      file,
      'prefix,rate,minimum,increment\n49,1.00,1,1\n4x,0.50,1,1\n33,cheap,1,1\n44,0.10,-1,1\n',
    );
    const run = await tollgate(['tariff', 'import', 'standard', file]);
    expect(run.code).not.toBe(0);
    expect(run.out).toBe('');
    for (const line of [3, 4, 5]) expect(run.err).toContain(`rates.csv:${line}`);
    expect(run.err).not.toContain('rates.csv:2');
    expect(await callThrough(service)).toBe(1);
  });
});
