import { closeSync, openSync, readFileSync } from 'node:fs';
import { once } from 'node:events';
import { endChild, spawnTollgate } from './child-process.ts';
import { demoEnvironment } from './tollgate-command.ts';
import { until } from './waiting.ts';

export type ServiceProcess = {
  readonly pid: number;
  /** Where it listens for calls that the dialplan sends by `socket`. */
  readonly socketPort: number;
  /** Rejects when it ends without having been asked to. */
  readonly died: Promise<never>;
  stop(): Promise<void>;
};

/** One line of the service's log, as pino writes it. */
export type LogLine = { readonly level: number; readonly msg: string; readonly socketPort?: number };

const PATIENCE_MS = 5_000;
const ERROR_LEVEL = 50;

/** `tollgate serve` as a user runs it, its log in a file. */
export async function startServiceProcess(options: {
  readonly configFile: string;
  readonly logFile: string;
  readonly onSpawn: (stop: () => Promise<void>) => void;
}): Promise<ServiceProcess> {
  const log = openSync(options.logFile, 'a');
  const child = spawnTollgate(['serve'], {
    env: demoEnvironment(options.configFile),
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  let asked = false;
  const stop = async (): Promise<void> => {
    asked = true;
    await endChild(child, PATIENCE_MS);
  };
  options.onSpawn(stop);
  const died = once(child, 'exit').then(() => {
    if (asked) return new Promise<never>(() => undefined);
    throw new Error(`the service ended by itself; why is in ${options.logFile}`);
  });
  const isUp = (): LogLine | undefined =>
    readLog(options.logFile).find(({ msg }) => msg === 'tollgate is up');
  const up = await Promise.race([until('the service starts', isUp, (line) => line !== undefined), died]);
  return { pid: child.pid ?? 0, socketPort: up?.socketPort ?? 0, died, stop };
}

/** What went wrong by its own account. */
export function errorsIn(lines: readonly LogLine[]): readonly LogLine[] {
  return lines.filter(({ level }) => level >= ERROR_LEVEL);
}

/** A line that is none of pino's is a crash's: it counts as an error. */
export function readLog(file: string): readonly LogLine[] {
  const lines = readFileSync(file, 'utf8').split('\n');
  // The last one may be half written.
  return lines.slice(0, -1).map((line): LogLine => {
    try {
      return JSON.parse(line) as LogLine;
    } catch {
      // Node's own warnings and stack traces are no JSON.
      return { level: ERROR_LEVEL, msg: line };
    }
  });
}
