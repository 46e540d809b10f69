import type { FieldProblem } from '../accounts/document-reader.ts';
import { isRecord } from '../accounts/document-reader.ts';
import { NumberText, plainDecimal, wholeOf } from './kazoo-json.ts';

/** How a bare integer of money is meant: ten-thousandths of a dollar, as Kazoo reads it, or dollars. */
export type KazooMoney = 'units' | 'dollars';

/** Takes the fields of a Kazoo document one by one, noting what is wrong and what does not come along. */
export type KazooReader = {
  has(name: string): boolean;
  /** Kazoo's −1 is no bound, and so is whatever else is negative: that is noted. */
  bound(name: string): number | 'unlimited' | undefined;
  flag(name: string): boolean | undefined;
  /** A decimal of dollars, never negative: Kazoo drops the sign. */
  dollars(name: string): string | undefined;
  percent(name: string): string | undefined;
  whole(name: string): number | undefined;
  text(name: string): string | undefined;
  texts(name: string): readonly string[] | undefined;
  section(name: string): KazooReader | undefined;
  /** Nothing that counts. */
  skip(name: string): void;
  names(): readonly string[];
  untaken(): readonly string[];
  note(name: string, words: string): void;
};

export type KazooReading = {
  readonly money: KazooMoney | undefined;
  readonly problems: FieldProblem[];
  readonly notes: string[];
};

const VALUE_CHARS_MAX = 60;

export function readKazoo(
  fields: Readonly<Record<string, unknown>>,
  at: string,
  reading: KazooReading,
): KazooReader {
  const { money, problems, notes } = reading;
  const taken = new Set<string>();
  const place = (name: string) => (at === '' ? name : `${at}.${name}`);
  /** `null` is how Kazoo's editors unset a field. */
  const take = (name: string): unknown => {
    taken.add(name);
    const value = Object.hasOwn(fields, name) ? fields[name] : undefined;
    return value === null ? undefined : value;
  };
  const complain = (name: string, expected: string) => {
    problems.push({ field: place(name), value: shown(fields[name]), expected });
    return undefined;
  };
  const number = <Value>(
    name: string,
    parse: (value: NumberText) => Value | undefined,
    expected: string,
  ): Value | undefined => {
    const value = take(name);
    if (value === undefined) return undefined;
    return (value instanceof NumberText ? parse(value) : undefined) ?? complain(name, expected);
  };

  return {
    has: (name) => take(name) !== undefined,
    bound(name) {
      const value = number(name, wholeOf, 'a whole number, -1 for no bound');
      if (value !== undefined && value < -1) notes.push(`${place(name)}: ${value} is no bound, as in Kazoo`);
      return value !== undefined && value < 0 ? 'unlimited' : value;
    },
    flag(name) {
      const value = take(name);
      return value === undefined || typeof value === 'boolean' ? value : complain(name, 'true or false');
    },
    dollars(name) {
      const value = take(name);
      if (value === undefined) return undefined;
      const decimal = value instanceof NumberText ? plainDecimal(value)?.replace('-', '') : undefined;
      if (!(value instanceof NumberText) || decimal === undefined)
        return complain(name, 'an amount, as a number');
      if (wholeOf(value) === undefined || money === 'dollars') return decimal;
      if (money === 'units') return plainDecimal(new NumberText(`${decimal}e-4`));
      return complain(
        name,
        `--money units or --money dollars to say which: to Kazoo ${value.text} is ${value.text} units of $0.0001, and ${value.text}.0 is dollars`,
      );
    },
    percent: (name) => number(name, plainDecimal, 'a percentage'),
    whole: (name) => number(name, wholeOf, 'a whole number of seconds'),
    text(name) {
      const value = take(name);
      return value === undefined || typeof value === 'string' ? value : complain(name, 'text');
    },
    texts(name) {
      const value = take(name);
      if (value === undefined) return undefined;
      const isTexts = Array.isArray(value) && value.every((each) => typeof each === 'string');
      return isTexts ? value : complain(name, 'a list of names');
    },
    section(name) {
      const value = take(name);
      if (value === undefined) return undefined;
      if (!isRecord(value) || value instanceof NumberText) return complain(name, 'fields and values');
      return readKazoo(value, place(name), reading);
    },
    skip: (name) => void taken.add(name),
    names: () => Object.keys(fields),
    untaken: () => Object.keys(fields).filter((name) => !taken.has(name)),
    note(name, words) {
      notes.push(`${place(name)}: ${words}`);
    },
  };
}

function shown(value: unknown): string {
  const text = value instanceof NumberText ? value.text : (JSON.stringify(value) ?? 'nothing');
  return text.length <= VALUE_CHARS_MAX ? text : `${text.slice(0, VALUE_CHARS_MAX)}…`;
}
