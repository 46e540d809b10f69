import { connectLiveState } from '../../src/cli/wiring.ts';
import { runCli } from '../../src/cli/program.ts';
import { toEpochMs } from '../../src/units/time.ts';
import type { CliRun } from '../cli/cli-run.ts';
import type { Stage } from './stage.ts';

/** Long after anything that a test or a recording did: nothing is recent, no file is young. */
const LATER = toEpochMs(Date.UTC(2100, 0, 1));

/** The command line on a stage's own record and Redis, in this process. */
export function createStageCli(stage: Stage, settings: Readonly<Record<string, string>> = {}) {
  const run = async (...args: readonly string[]): Promise<CliRun> => {
    let out = '';
    let err = '';
    const code = await runCli(args, {
      environment: stage.environment(settings),
      now: () => LATER,
      print: (text) => {
        out += text;
      },
      say: (line) => {
        err += `${line}\n`;
      },
      connectLiveState,
      serve: () => Promise.resolve(0),
    });
    return { code, out, err };
  };
  /** The result as JSON, and the exit code with it. */
  const ask = async (
    ...args: readonly string[]
  ): Promise<{ readonly code: number; readonly json: unknown }> => {
    const { code, out } = await run(...args, '--json');
    return { code, json: JSON.parse(out) as unknown };
  };
  return { run, ask };
}
