import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { Usage } from './usage-report.ts';

/** As the first lines of the command have it. */
const MEMORY = ['--max-semi-space-size=16', '--heap-growing-percent=50'];
const REPORT = new URL('usage-report.ts', import.meta.url).href;

export type Measured = Usage & {
  /** From its start to its end. */
  readonly seconds: number;
  readonly output: string;
};

/** Runs a program of this project in a process of its own, with this environment beside what it needs to run at all. */
export async function measureProcess(
  program: URL,
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<Measured> {
  const startedAt = performance.now();
  const child = spawn(process.execPath, [...MEMORY, '--import', REPORT, fileURLToPath(program), ...args], {
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...environment },
    stdio: ['ignore', 'pipe', 'inherit', 'pipe'],
  });
  const ended = once(child, 'exit') as Promise<[number | null]>;
  const [output, report, [code]] = await Promise.all([
    text(child.stdio[1] as Readable),
    text(child.stdio[3] as Readable),
    ended,
  ]);
  const seconds = (performance.now() - startedAt) / 1_000;
  if (code !== 0) throw new Error(`${program.href} ended with ${code}: ${output}`);
  return { ...(JSON.parse(report) as Usage), seconds, output };
}
