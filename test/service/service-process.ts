import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** `tollgate serve` as operators run it, in a process of its own that can be killed. */
export type ServiceProcess = {
  readonly socketPort: number | undefined;
  readonly pid: number;
  /** What it has logged so far, a line each. */
  readonly log: readonly string[];
  /** SIGTERM; the exit code. */
  stop(): Promise<number | null>;
  kill9(): Promise<void>;
};

const CLI = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));
const UP_MS_MAX = 15_000;

type LogLine = { readonly msg?: string; readonly socketPort?: number };

export async function startProcess(
  environment: Readonly<Record<string, string>>,
  nodeArguments: readonly string[] = [],
): Promise<ServiceProcess> {
  const child = spawn(process.execPath, [...nodeArguments, CLI, 'serve'], {
    env: { PATH: process.env['PATH'], ...environment, TOLLGATE_LOG_LEVEL: 'info' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = once(child, 'exit');
  const endWithUs = (): void => void child.kill('SIGKILL');
  process.once('exit', endWithUs);
  const log: string[] = [];
  const up = Promise.withResolvers<number | undefined>();
  createInterface(child.stderr).on('line', (line) => {
    log.push(line);
    if (!line.includes('tollgate is up')) return;
    up.resolve((JSON.parse(line) as LogLine).socketPort);
  });
  const late = setTimeout(() => up.reject(new Error(`not up: ${log.join('\n')}`)), UP_MS_MAX);
  void ended.then(() => up.reject(new Error(`ended: ${log.join('\n')}`)));
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    await ended;
    process.off('exit', endWithUs);
    return child.exitCode;
  };
  try {
    const socketPort = await up.promise;
    return {
      socketPort,
      pid: child.pid ?? 0,
      log,
      stop: () => end('SIGTERM'),
      kill9: async () => void (await end('SIGKILL')),
    };
  } catch (error) {
    await end('SIGKILL');
    throw error;
  } finally {
    clearTimeout(late);
  }
}
