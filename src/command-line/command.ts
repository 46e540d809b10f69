import type { AccountStore } from '../accounts/account-store.ts';
import type { OperatorLimits } from '../accounts/limits.ts';
import type { RerateStore } from '../charging/rerate-store.ts';
import type { Config, LoadedConfig } from '../config/config.ts';
import type { TariffStore } from '../rating/tariff-store.ts';
import type { SwitchCdrStore } from '../reconcile/switch-cdr-store.ts';
import type { Evidence } from '../records/evidence.ts';
import type { RecordStore } from '../records/record-store.ts';
import type { Clock } from '../units/time.ts';
import type { LiveState } from './live-state.ts';

/** One thing the command line can do. */
export type Command = {
  /** One or two words, as typed: `account set`. */
  readonly name: string;
  readonly summary: string;
  /** Names of the arguments without a dash, for the help: `ACCOUNT`. */
  readonly operands: readonly string[];
  /** Operands that may be left out, counted from the end. */
  readonly optionalOperands?: number;
  /** The last operand may be given any number of times. */
  readonly repeatsOperand?: true;
  readonly flags: Readonly<Record<string, Flag>>;
  /** Lines of the help below the flags. */
  readonly notes?: readonly string[];
  readonly run: (line: CommandLine, context: CommandContext) => Promise<Result>;
};

/** A flag takes a value, called by `value` in the help, or stands alone. */
export type Flag = { readonly value?: string; readonly doc: string };

/** What was typed behind the command's name. */
export type CommandLine = {
  readonly operands: readonly string[];
  /** A flag that stands alone is `true`. */
  readonly flags: ReadonlyMap<string, string | true>;
};

/** What a command works with. Stores are opened when first asked for and closed when the command is done. */
export type CommandContext = {
  readonly now: Clock;
  /** To the person, on standard error. */
  readonly say: (line: string) => void;
  /** To standard output at once: for what is too long to be a result. */
  readonly print: (line: string) => void;
  /** Draws on the person's terminal; undefined where standard error is none. */
  readonly drawProgress: ((text: string) => void) | undefined;
  /** Reads the configuration; a wrong one is bad input. */
  readonly config: () => ServiceConfig;
  /** The same, with its problems as a value. */
  readonly loadConfig: () => LoadedConfig<OperatorLimits>;
  readonly stores: () => Promise<Stores>;
  readonly live: () => Promise<LiveState>;
  /** Runs the service until it is told to stop; the exit code. */
  readonly serve: (config: ServiceConfig) => Promise<number>;
};

export type ServiceConfig = Config<OperatorLimits>;

export type Stores = {
  readonly accounts: AccountStore;
  readonly tariffs: TariffStore;
  readonly records: RecordStore;
  readonly evidence: Evidence;
  readonly switchCdrs: SwitchCdrStore;
  readonly rerates: RerateStore;
};

/**
 * What goes to standard output: `json` with --json, else `lines`. Not `done`: the exit code is 1, and the lines are
 * told on standard error, unless they are what was asked for all the same (`asked`).
 */
export type Result = {
  readonly done: boolean;
  readonly asked?: true;
  readonly json: unknown;
  readonly lines: readonly string[];
};

/** One argument that cannot be understood. */
export type InputProblem = { readonly field: string; readonly value: string; readonly expected: string };

/** What was typed, or a file it names, is wrong: exit code 2. */
export class BadInputError extends Error {
  override readonly name = 'BadInputError';
  readonly problems: readonly InputProblem[];
  /** How many there are in all, where not all of them are told. */
  readonly total: number;
  constructor(problems: readonly InputProblem[], total: number = problems.length) {
    super(problems.map(describeProblem).join('\n'));
    this.problems = problems;
    this.total = total;
  }
}

export function describeProblem({ field, value, expected }: InputProblem): string {
  return `${field}: ${value}: expected ${expected}`;
}

/** What was asked for cannot be: exit code 1. */
export function failed(line: string, json: Readonly<Record<string, unknown>> = {}): Result {
  return { done: false, json: { error: line, ...json }, lines: [line] };
}

export function done(json: unknown, lines: readonly string[]): Result {
  return { done: true, json, lines };
}
