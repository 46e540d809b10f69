import { parseArgs } from 'node:util';
import { nearestName } from '../units/nearest-name.ts';
import { BadInputError, type Command, type CommandLine, type InputProblem } from './command.ts';

/** What every command understands besides its own flags. */
export const COMMON_FLAGS: Command['flags'] = {
  json: { doc: 'print the result as JSON' },
  config: {
    value: 'FILE',
    doc: 'configuration file (default: $TOLLGATE_CONFIG, else tollgate.yaml if it is there)',
  },
  help: { doc: 'show this help' },
};

/** What was asked for. */
export type Request =
  | { readonly kind: 'help'; readonly of: Command | readonly Command[] }
  | { readonly kind: 'run'; readonly command: Command; readonly line: CommandLine };

export function parseCommandLine(args: readonly string[], commands: readonly Command[]): Request {
  const words = args.slice(0, 2).filter((word) => !word.startsWith('-'));
  if (words.length === 0 || words[0] === 'help') {
    const unknown = args.find((arg) => !['help', '--help', '-h', '--json'].includes(arg));
    if (args.length > 0 && unknown !== undefined) throw unknownCommand(unknown, commands);
    return { kind: 'help', of: commands };
  }
  const command =
    commands.find(({ name }) => name === words.join(' ')) ?? commands.find(({ name }) => name === words[0]);
  const group = commands.filter(({ name }) => name.startsWith(`${words[0]} `));
  if (command === undefined && group.length > 0 && args[1] === '--help') return { kind: 'help', of: group };
  if (command === undefined) throw unknownCommand(words.join(' '), commands);
  return parseArguments(args.slice(command.name.split(' ').length), command);
}

function parseArguments(args: readonly string[], command: Command): Request {
  const flags = { ...command.flags, ...COMMON_FLAGS };
  const { tokens } = parseArgs({
    args: [...args],
    strict: false,
    tokens: true,
    allowPositionals: true,
    options: {
      ...Object.fromEntries(
        Object.entries(flags).map(([name, flag]) => [
          name,
          { type: flag.value === undefined ? 'boolean' : 'string' },
        ]),
      ),
      help: { type: 'boolean', short: 'h' },
    },
  });
  const problems: InputProblem[] = [];
  const values = new Map<string, string | true>();
  const operands: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') operands.push(token.value);
    if (token.kind !== 'option') continue;
    const flag = Object.hasOwn(flags, token.name) ? flags[token.name] : undefined;
    const problem = flagProblem(token, flag, flags);
    if (problem !== undefined) problems.push(problem);
    else if (values.has(token.name))
      problems.push({ field: token.rawName, value: 'given twice', expected: 'it once' });
    values.set(token.name, token.value ?? true);
  }
  if (values.has('help')) return { kind: 'help', of: command };
  // What follows an unknown flag may be its value and no operand.
  if (problems.length === 0) problems.push(...operandProblems(operands, command));
  if (problems.length > 0) throw new BadInputError(problems);
  return { kind: 'run', command, line: { operands, flags: values } };
}

type OptionToken = { readonly name: string; readonly rawName: string; readonly value?: string | undefined };

function flagProblem(
  token: OptionToken,
  flag: Flag | undefined,
  flags: Command['flags'],
): InputProblem | undefined {
  const field = token.rawName;
  if (flag === undefined) {
    const near = nearestName(token.name, Object.keys(flags));
    const hint = near === undefined ? 'see --help' : `did you mean --${near}?`;
    return { field, value: token.value ?? 'given', expected: `a flag of this command; ${hint}` };
  }
  if (flag.value === undefined && token.value !== undefined) {
    return { field, value: token.value, expected: 'no value' };
  }
  if (flag.value !== undefined && (token.value === undefined || token.value === '')) {
    return { field, value: 'nothing', expected: `a value: ${field} ${flag.value}` };
  }
  return undefined;
}

type Flag = Command['flags'][string];

function operandProblems(operands: readonly string[], command: Command): readonly InputProblem[] {
  const needed = command.operands.slice(0, command.operands.length - (command.optionalOperands ?? 0));
  const missing = needed
    .slice(operands.length)
    .map((name) => ({ field: name, value: 'nothing', expected: `tollgate ${usageOf(command)}` }));
  const extra = operands
    .slice(command.repeatsOperand === true ? Infinity : command.operands.length)
    .map((value) => ({ field: 'argument', value, expected: `nothing more: tollgate ${usageOf(command)}` }));
  return [...missing, ...extra];
}

export function usageOf({ name, operands, optionalOperands = 0, repeatsOperand }: Command): string {
  const shown = operands.map((operand, index) => {
    const word = repeatsOperand === true && index === operands.length - 1 ? `${operand}…` : operand;
    return index < operands.length - optionalOperands ? word : `[${word}]`;
  });
  return [name, ...shown, '[flags]'].join(' ');
}

function unknownCommand(typed: string, commands: readonly Command[]): BadInputError {
  const names = commands.map(({ name }) => name);
  const group = names.filter((name) => name.startsWith(`${typed} `));
  const near = nearestName(typed, [...names, ...names.map((name) => name.split(' ')[0] ?? name)]);
  const hint = near === undefined ? 'see tollgate --help' : `did you mean "${near}"?`;
  const expected = group.length > 0 ? `one of: ${group.join(', ')}` : `a command; ${hint}`;
  return new BadInputError([{ field: 'command', value: typed, expected }]);
}
