import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseOperatorLimits } from '../accounts/limits-document.ts';
import { parseCommandLine, type Request } from '../command-line/command-line.ts';
import {
  BadInputError,
  describeProblem,
  type CommandContext,
  type Result,
  type ServiceConfig,
} from '../command-line/command.ts';
import { helpOf, helpOfAll } from '../command-line/help.ts';
import { loadConfig } from '../config/config.ts';
import { openDatabase } from '../database/database.ts';
import { BrokenPromiseError } from '../units/assert.ts';
import type { Clock } from '../units/time.ts';
import { COMMANDS } from './commands.ts';
import { toInputProblem } from './config-commands.ts';
import type { ConnectedLiveState } from './wiring.ts';

/** The world outside, so that a test can bring its own. */
export type CliWorld = {
  readonly environment: Readonly<NodeJS.ProcessEnv>;
  readonly now: Clock;
  readonly print: (text: string) => void;
  readonly say: (line: string) => void;
  /** Undefined: nobody looks at a terminal. */
  readonly drawProgress?: ((text: string) => void) | undefined;
  readonly connectLiveState: (config: ServiceConfig) => Promise<ConnectedLiveState>;
  readonly serve: (config: ServiceConfig) => Promise<number>;
};

export const EXIT_DONE = 0;
export const EXIT_FAILED = 1;
export const EXIT_BAD_INPUT = 2;

const DEFAULT_CONFIG_FILE = 'tollgate.yaml';
/** The one database folder that is made when it is missing: nobody typed it, so nobody mistyped it. */
const DEFAULT_DATABASE = '.tollgate/tollgate.sqlite';

/** Runs one command and returns the exit code. Never throws: whatever goes wrong is told and coded. */
export async function runCli(args: readonly string[], world: CliWorld): Promise<number> {
  const asJson = args.includes('--json');
  try {
    const request = parseCommandLine(args, COMMANDS);
    if (request.kind === 'help') {
      const lines = 'name' in request.of ? helpOf(request.of) : helpOfAll(request.of);
      world.print(`${lines.join('\n')}\n`);
      return EXIT_DONE;
    }
    const result = await runCommand(request, world);
    printResult(result, asJson, world);
    return result.done ? EXIT_DONE : EXIT_FAILED;
  } catch (error) {
    return reportError(error, asJson, world);
  }
}

async function runCommand(
  request: Extract<Request, { readonly kind: 'run' }>,
  world: CliWorld,
): Promise<Result> {
  const opened: (() => Promise<void>)[] = [];
  const file = request.line.flags.get('config');
  const context = createContext(typeof file === 'string' ? file : undefined, world, opened);
  try {
    return await request.command.run(request.line, context);
  } finally {
    for (const close of opened.toReversed()) await close();
  }
}

function createContext(
  file: string | undefined,
  world: CliWorld,
  opened: (() => Promise<void>)[],
): CommandContext {
  const load = () =>
    loadConfig({
      file: file ?? defaultConfigFile(world.environment),
      environment: world.environment,
      parseDefaults: parseOperatorLimits,
    });
  const config = () => {
    const loaded = load();
    if (loaded.kind === 'ok') return loaded.config;
    throw new BadInputError(loaded.problems.map(toInputProblem));
  };
  let stores: ReturnType<typeof openDatabase> | undefined;
  let live: Promise<ConnectedLiveState> | undefined;
  return {
    now: world.now,
    say: world.say,
    print: (line) => world.print(`${printable(line)}\n`),
    drawProgress: world.drawProgress,
    serve: world.serve,
    loadConfig: load,
    config,
    stores: () => {
      stores ??= openStores(config(), opened);
      return stores;
    },
    live: async () => {
      live ??= connectLive(config(), world, opened);
      return (await live).live;
    },
  };
}

async function openStores(
  { database: settings }: ServiceConfig,
  opened: (() => Promise<void>)[],
): ReturnType<typeof openDatabase> {
  if (settings.url === DEFAULT_DATABASE) mkdirSync(dirname(settings.url), { recursive: true });
  const database = await openDatabase(settings);
  opened.push(() => database.close());
  return database;
}

async function connectLive(
  config: ServiceConfig,
  world: CliWorld,
  opened: (() => Promise<void>)[],
): Promise<ConnectedLiveState> {
  const connected = await world.connectLiveState(config);
  opened.push(() => connected.close());
  return connected;
}

function defaultConfigFile(environment: Readonly<NodeJS.ProcessEnv>): string | undefined {
  const named = environment['TOLLGATE_CONFIG'];
  if (named !== undefined && named !== '') return named;
  return existsSync(DEFAULT_CONFIG_FILE) ? DEFAULT_CONFIG_FILE : undefined;
}

/** A result is a result even where it says that something failed; the reason is also for the person. */
function printResult(result: Result, asJson: boolean, world: CliWorld): void {
  const isAsked = result.done || result.asked === true;
  if (asJson) world.print(`${JSON.stringify(result.json, undefined, 2)}\n`);
  else if (isAsked && result.lines.length > 0) world.print(`${result.lines.map(printable).join('\n')}\n`);
  if (!isAsked) for (const line of result.lines) world.say(printable(line));
}

/** Names and numbers come from strangers: none of them may steer the terminal. */
function printable(line: string): string {
  return line.replaceAll(/[^\P{Cc}\t]/gu, '\u{FFFD}');
}

function reportError(error: unknown, asJson: boolean, world: CliWorld): number {
  if (error instanceof BadInputError) {
    const { problems, total } = error;
    for (const problem of problems) world.say(describeProblem(problem));
    if (total > problems.length)
      world.say(`${total} problems in all; the first ${problems.length} are shown`);
    if (asJson) world.print(`${JSON.stringify({ error: 'bad input', problems, total }, undefined, 2)}\n`);
    return EXIT_BAD_INPUT;
  }
  // An operating error names itself and its cause; anything else is a fault of ours and shows where.
  const isExpected = error instanceof Error && !(error instanceof BrokenPromiseError) && !isFault(error);
  const message = error instanceof Error ? error.message : String(error);
  world.say(isExpected ? message : (error instanceof Error && error.stack) || message);
  if (asJson) world.print(`${JSON.stringify({ error: message }, undefined, 2)}\n`);
  return EXIT_FAILED;
}

function isFault(error: Error): boolean {
  return error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError;
}
