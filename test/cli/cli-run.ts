import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll } from 'vitest';
import { runCli } from '../../src/cli/program.ts';
import type { LiveState } from '../../src/command-line/live-state.ts';
import { toEpochMs, type EpochMs } from '../../src/units/time.ts';

export type CliRun = { readonly code: number; readonly out: string; readonly err: string };

export const CLI = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A folder of its own with an SQLite record of its own, or another record, and the command line on it, in this process. */
export function createCli(
  live?: Partial<LiveState>,
  folder = newFolder(),
  record = join(folder, 'record.sqlite'),
) {
  const environment = { TOLLGATE_DATABASE_URL: record };
  let now = toEpochMs(Date.UTC(2026, 7, 1));
  /** What was drawn on the person's terminal. */
  const draw: string[] = [];
  const run = async (...args: readonly string[]): Promise<CliRun> => {
    let out = '';
    let err = '';
    const code = await runCli(args, {
      environment,
      now: () => now,
      print: (text) => {
        out += text;
      },
      say: (line) => {
        err += `${line}\n`;
      },
      drawProgress: (text) => {
        draw.push(text);
      },
      connectLiveState: () =>
        live === undefined
          ? Promise.reject(new Error('no Redis here'))
          : Promise.resolve({ live: { ...DEAF_LIVE_STATE, ...live }, close: () => Promise.resolve() }),
      serve: () => Promise.resolve(0),
    });
    return { code, out, err };
  };
  /** The result as JSON. */
  const ask = async (...args: readonly string[]): Promise<unknown> =>
    JSON.parse((await run(...args, '--json')).out);
  const setNow = (moment: EpochMs) => {
    now = moment;
  };
  return { folder, run, ask, setNow, draw };
}

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tollgate-cli-'));
  folders.push(folder);
  return folder;
}

const DEAF_LIVE_STATE: LiveState = {
  calls: () => Promise.resolve([]),
  killLeg: () => Promise.resolve('unknown'),
  killAccount: () => Promise.resolve(0),
  wallet: () => Promise.resolve(undefined),
  shadowUse: () => Promise.resolve([]),
  fund: () => Promise.resolve('no_wallet'),
  customers: () => Promise.resolve([]),
  extendCustomer: () => Promise.resolve('no_pool'),
  tell: () => Promise.resolve('no_wallet'),
  unrecordedLegs: () => Promise.resolve(new Set()),
  announceAccounts: () => Promise.resolve(),
  announceTariffs: () => Promise.resolve(),
  rightPools: () => Promise.resolve([]),
  proveLive: () =>
    Promise.resolve({ walletsChecked: 0, poolsChecked: 0, legsChecked: 0, findings: [], fixed: [] }),
};

/** The real program as a process of its own. */
export function runProgram(
  command: readonly [string, ...string[]],
  options: { readonly environment?: NodeJS.ProcessEnv; readonly input?: string } = {},
): Promise<CliRun> {
  const folder = mkdtempSync(join(tmpdir(), 'tollgate-cli-'));
  folders.push(folder);
  const [program, ...args] = command;
  const child = spawn(program, args, {
    cwd: folder,
    env: { PATH: process.env['PATH'], ...options.environment },
  });
  child.stdin.end(options.input ?? '');
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code: code ?? -1, out, err }));
  });
}
