import { connectLiveState } from '../cli/wiring.ts';
import { runCli } from '../cli/program.ts';
import { toEpochMs } from '../units/time.ts';
import { spawnTollgate } from './child-process.ts';
import type { Screen } from './screen.ts';

/** What a command did, as its user sees it. */
export type CommandOutcome = {
  readonly code: number;
  readonly stdout: readonly string[];
  readonly stderr: readonly string[];
};

/** Settings of the user's own installation must not reach the demonstration. */
export function demoEnvironment(configFile: string): NodeJS.ProcessEnv {
  const others = Object.entries(process.env).filter(([name]) => !name.startsWith('TOLLGATE_'));
  return { ...Object.fromEntries(others), TOLLGATE_CONFIG: configFile };
}

/** `npm run -s tollgate -- …` in a process of its own, as a user runs it. */
export async function runTollgate(configFile: string, args: readonly string[]): Promise<CommandOutcome> {
  const child = spawnTollgate(args, {
    env: demoEnvironment(configFile),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const texts = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream]?.setEncoding('utf8').on('data', (text: string) => (texts[stream] += text));
  }
  const code = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exitCode) => resolve(exitCode ?? 1));
  });
  return { code, stdout: linesOf(texts.stdout), stderr: linesOf(texts.stderr) };
}

/** As above, the command and what it printed shown. */
export async function showTollgate(
  screen: Screen,
  configFile: string,
  args: readonly string[],
): Promise<CommandOutcome> {
  const outcome = await runTollgate(configFile, args);
  screen.print([`$ tollgate ${args.join(' ')}`, ...outcome.stdout, ...outcome.stderr]);
  return outcome;
}

/** The same command inside this process, where starting many of them would only take time. */
export async function runTollgateHere(configFile: string, args: readonly string[]): Promise<void> {
  const said: string[] = [];
  const code = await runCli(args, {
    environment: { TOLLGATE_CONFIG: configFile },
    now: () => toEpochMs(Date.now()),
    print: () => undefined,
    say: (line) => void said.push(line),
    connectLiveState,
    serve: () => Promise.reject(new Error('the service runs in a process of its own')),
  });
  if (code !== 0) throw new Error(`tollgate ${args.join(' ')}: ${said.join('; ')}`);
}

function linesOf(text: string): readonly string[] {
  return text.split('\n').filter((line) => line !== '');
}
