import { parseAccountPath, parseLegUuid, parseRouteName, parseTariffName } from '../units/ids.ts';
import type { AccountPath, LegUuid, RouteName, TariffName } from '../units/ids.ts';
import { parseMicros, type Micros } from '../units/money.ts';
import { BadInputError, type CommandLine, type InputProblem } from './command.ts';

/** Reads the values of one command line, gathering what is wrong until `check` throws it all at once. */
export type FlagReader = {
  text(name: string): string | undefined;
  isSet(name: string): boolean;
  wholeNumber(name: string, max: number): number | undefined;
  amount(name: string): Micros | undefined;
  choice<Choice extends string>(name: string, choices: readonly Choice[]): Choice | undefined;
  parsed<Value>(
    name: string,
    parse: (text: string) => Value | undefined,
    expected: string,
  ): Value | undefined;
  complain(problem: InputProblem): undefined;
  /** After this, every value that was asked for is right or was not given. */
  check(): void;
};

export function readFlags(line: CommandLine): FlagReader {
  const problems: InputProblem[] = [];
  const text = (name: string) => {
    const value = line.flags.get(name);
    return typeof value === 'string' ? value : undefined;
  };
  const complain = (problem: InputProblem) => {
    problems.push(problem);
    return undefined;
  };
  const parsed = <Value>(name: string, parse: (text: string) => Value | undefined, expected: string) => {
    const value = text(name);
    return value === undefined
      ? undefined
      : (parse(value) ?? complain({ field: `--${name}`, value, expected }));
  };
  return {
    text,
    isSet: (name) => line.flags.has(name),
    wholeNumber: (name, max) =>
      parsed(name, (value) => wholeNumber(value, max), `a whole number from 0 to ${max}`),
    amount: (name) =>
      parsed(name, notNegative, 'a decimal such as 0.10, not negative, with at most six decimals'),
    choice: (name, choices) =>
      parsed(name, (value) => choices.find((choice) => choice === value), choices.join(' or ')),
    parsed,
    complain,
    check() {
      if (problems.length > 0) throw new BadInputError(problems);
    },
  };
}

const PAYMENT_ID = /^[A-Za-z0-9][A-Za-z0-9_.:/-]{0,127}$/;

/** The name by which money moves once, however often it is sent. */
export function paymentId(flags: FlagReader): string | undefined {
  return flags.parsed(
    'id',
    (text) => (PAYMENT_ID.test(text) ? text : undefined),
    'letters, digits and _ . : / -, at most 128',
  );
}

/** A flag with several values, as a channel variable has them. */
export function splitNames(text: string | undefined): readonly string[] {
  const names = (text ?? '').split(',').map((name) => name.trim());
  return names.filter((name) => name !== '');
}

/** What makes no sense beside the other flags. */
export function refuseFlags(flags: FlagReader, names: readonly string[], expected: string): void {
  for (const name of names.filter((each) => flags.isSet(each))) {
    flags.complain({ field: `--${name}`, value: flags.text(name) ?? 'given', expected });
  }
}

export function accountOperand(line: CommandLine, index = 0): AccountPath {
  const expected = 'a path such as acme/retail/alice';
  return operand(line, { index, field: 'ACCOUNT', expected }, parseAccountPath);
}

export function routeOperand(line: CommandLine): RouteName {
  return operand(line, { index: 0, field: 'ROUTE', expected: 'a name of a-z 0-9 _ . -' }, parseRouteName);
}

export function tariffOperand(line: CommandLine): TariffName {
  return operand(line, { index: 0, field: 'TARIFF', expected: 'a name of a-z 0-9 _ . -' }, parseTariffName);
}

export function uuidOperand(line: CommandLine): LegUuid {
  return operand(line, { index: 0, field: 'UUID', expected: "a channel's uuid" }, parseLegUuid);
}

function operand<Value>(
  line: CommandLine,
  place: { readonly index: number; readonly field: string; readonly expected: string },
  parse: (text: string) => Value | undefined,
): Value {
  const value = line.operands[place.index] ?? '';
  const parsed = parse(value);
  if (parsed !== undefined) return parsed;
  throw new BadInputError([{ field: place.field, value, expected: place.expected }]);
}

export function wholeNumber(text: string, max: number): number | undefined {
  if (!/^\d{1,15}$/.test(text)) return undefined;
  const value = Number(text);
  return value <= max ? value : undefined;
}

function notNegative(text: string): Micros | undefined {
  const micros = parseMicros(text);
  return micros === undefined || micros < 0n ? undefined : micros;
}
