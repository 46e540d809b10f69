import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import type { Readable } from 'node:stream';
import type { Usage } from '../bench/usage-report.ts';
import { CLI, type CliRun } from './cli-run.ts';

const REPORT = new URL('../bench/usage-report.ts', import.meta.url).href;

export type MeasuredRun = CliRun & Usage;

/** The real program as a process of its own on a record of its own, and how much memory it had at most. */
export async function measureProgram(args: readonly string[], record: string): Promise<MeasuredRun> {
  const child = spawn(process.execPath, ['--import', REPORT, CLI, ...args], {
    env: { PATH: process.env['PATH'], TOLLGATE_DATABASE_URL: record },
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  });
  const ended = once(child, 'exit') as Promise<[number | null]>;
  const [out, err, report, [code]] = await Promise.all([
    ...[1, 2, 3].map((at) => text(child.stdio[at] as Readable)),
    ended,
  ] as [Promise<string>, Promise<string>, Promise<string>, typeof ended]);
  return { code: code ?? -1, out, err, ...(JSON.parse(report) as Usage) };
}
