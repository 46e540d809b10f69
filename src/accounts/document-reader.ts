import { parseMicros, type Micros } from '../units/money.ts';
import { nearestName } from '../units/nearest-name.ts';
import type { Bound } from './limits.ts';

/** What is wrong with one field of a document, said so that its author can mend it. */
export type FieldProblem = { readonly field: string; readonly value: string; readonly expected: string };

export type Parsed<Value> =
  | { readonly kind: 'ok'; readonly value: Value }
  | { readonly kind: 'bad'; readonly problems: readonly FieldProblem[] };

/**
 * Reads the fields of one object, each asked for by its name. An absent field is undefined; a wrong one is undefined
 * and a problem. `finish` makes a problem of every field that nobody asked for: nothing is silently ignored.
 */
export type DocumentReader = {
  count(name: string): Bound | undefined;
  flag(name: string): boolean | undefined;
  amount(name: string): Micros | undefined;
  choice<Choice extends string>(name: string, choices: readonly Choice[]): Choice | undefined;
  text<Value>(name: string, parse: (text: string) => Value | undefined, expected: string): Value | undefined;
  /** A document inside this one. */
  section(name: string): DocumentReader | undefined;
  /** Makes a problem of the field's absence. */
  require(name: string, expected: string): void;
  /** These fields are known, and may not be here. */
  refuse(names: readonly string[], expected: string): void;
  finish(): void;
};

const SHOWN_CHARACTERS_MAX = 60;
const COUNT_MAX = 1_000_000_000;

/** `at` is the document's own place, empty for the outermost. Problems are added to `problems`. */
export function readDocument(document: unknown, at: string, problems: FieldProblem[]): DocumentReader {
  const fields = isRecord(document) ? document : {};
  const known = new Set<string>();
  const place = (name: string) => (at === '' ? name : `${at}.${name}`);
  const complain = (name: string, expected: string) => {
    problems.push({ field: place(name), value: shown(fields[name]), expected });
    return undefined;
  };
  const take = (name: string): unknown => {
    known.add(name);
    return Object.hasOwn(fields, name) ? fields[name] : undefined;
  };
  if (!isRecord(document)) {
    problems.push({
      field: at === '' ? 'document' : at,
      value: shown(document),
      expected: 'fields and values',
    });
  }

  return {
    count(name) {
      const value = take(name);
      if (value === undefined || value === 'unlimited') return value;
      if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= COUNT_MAX)
        return value;
      return complain(name, 'a whole number from 0 (refuses all) to 1000000000, or "unlimited"');
    },
    flag(name) {
      const value = take(name);
      return value === undefined || typeof value === 'boolean' ? value : complain(name, 'true or false');
    },
    amount(name) {
      const value = take(name);
      if (value === undefined) return undefined;
      if (typeof value === 'number' || typeof value === 'bigint') {
        return complain(name, `a decimal string such as "10.00": a bare number could be cents`);
      }
      const micros = typeof value === 'string' ? parseMicros(value) : undefined;
      if (micros === undefined || micros < 0n) {
        return complain(name, 'a decimal string such as "10.00", not negative, with at most six decimals');
      }
      return micros;
    },
    choice(name, choices) {
      const value = take(name);
      if (value === undefined) return undefined;
      const chosen = choices.find((choice) => choice === value);
      return chosen ?? complain(name, choices.map((choice) => `"${choice}"`).join(' or '));
    },
    text(name, parse, expected) {
      const value = take(name);
      if (value === undefined) return undefined;
      const parsed = typeof value === 'string' ? parse(value) : undefined;
      if (parsed !== undefined) return parsed;
      return complain(name, typeof value === 'number' ? `${expected}, in quotes` : expected);
    },
    section(name) {
      const value = take(name);
      return value === undefined ? undefined : readDocument(value, place(name), problems);
    },
    require(name, expected) {
      if (!Object.hasOwn(fields, name)) problems.push({ field: place(name), value: 'nothing', expected });
    },
    refuse(names, expected) {
      for (const name of names) {
        if (take(name) !== undefined) complain(name, expected);
      }
    },
    finish() {
      for (const name of Object.keys(fields).filter((field) => !known.has(field))) {
        const near = nearestName(name, [...known]);
        complain(name, near === undefined ? 'no such field' : `no such field; did you mean "${near}"?`);
      }
    },
  };
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Any value as short text on one line, for a message. */
function shown(value: unknown): string {
  const text = typeof value === 'bigint' ? `${value}` : (JSON.stringify(value) ?? 'undefined');
  return text.length <= SHOWN_CHARACTERS_MAX ? text : `${text.slice(0, SHOWN_CHARACTERS_MAX)}…`;
}
