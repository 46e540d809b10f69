import { parseMicros, type Micros } from '../units/money.ts';
import { nearestName } from '../units/nearest-name.ts';
import type { Bound, MoneyBound } from './limits.ts';

/** What is wrong with one field of a document, said so that its author can mend it. */
export type FieldProblem = { readonly field: string; readonly value: string; readonly expected: string };

export type Parsed<Value> =
  | { readonly kind: 'ok'; readonly value: Value }
  | { readonly kind: 'bad'; readonly problems: readonly FieldProblem[] };

/** One value that was read, or what was expected in its place. */
export type Reading<Value> =
  | { readonly kind: 'ok'; readonly value: Value }
  | { readonly kind: 'bad'; readonly expected: string };

/**
 * Reads the fields of one object, each asked for by its name. An absent field is undefined; a wrong one is undefined
 * and a problem. `finish` makes a problem of every field that nobody asked for: nothing is silently ignored.
 */
export type DocumentReader = {
  count(name: string): Bound | undefined;
  /** A whole number that is a quantity and no bound. */
  whole(name: string, range: { readonly min: number; readonly max: number }): number | undefined;
  flag(name: string): boolean | undefined;
  amount(name: string): Micros | undefined;
  spend(name: string): MoneyBound | undefined;
  choice<Choice extends string>(name: string, choices: readonly Choice[]): Choice | undefined;
  text<Value>(name: string, parse: (text: string) => Value | undefined, expected: string): Value | undefined;
  value<Value>(name: string, read: (value: unknown) => Reading<Value>): Value | undefined;
  list<Value>(name: string, read: (value: unknown) => Reading<Value>): readonly Value[] | undefined;
  /** A document inside this one. */
  section(name: string): DocumentReader | undefined;
  /** A list of documents inside this one. */
  sections(name: string): readonly DocumentReader[] | undefined;
  /** The fields that are there, for documents whose fields have names of their author's. */
  names(): readonly string[];
  /** Makes a problem of the field's absence. */
  require(name: string, expected: string): void;
  /** These fields are known, and may not be here. */
  refuse(names: readonly string[], expected: string): void;
  /** A fault that shows only when fields are seen together. */
  complain(name: string, expected: string): undefined;
  /** `elsewhere`: right names of other places, as seen from this document, that somebody may look for here. */
  finish(elsewhere?: readonly string[]): void;
};

const SHOWN_CHARACTERS_MAX = 60;
const COUNT_MAX = 1_000_000_000;
/** Every call looks through the longest of them. */
const LIST_MAX = 1000;

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
  const complainOfItem = (item: unknown, at: string, expected: string) => {
    problems.push({ field: place(at), value: shown(item), expected });
  };
  const takeList = (name: string): readonly unknown[] | undefined => {
    const value = take(name);
    if (value === undefined) return undefined;
    if (!Array.isArray(value)) return complain(name, 'a list');
    return value.length <= LIST_MAX ? value : complain(name, `a list of at most ${LIST_MAX}`);
  };
  const readAmount = (name: string, value: unknown, or: string): Micros | undefined => {
    if (value === undefined) return undefined;
    if (typeof value === 'number' || typeof value === 'bigint') {
      return complain(name, `a decimal string such as "10.00"${or}: a bare number could be cents`);
    }
    const micros = typeof value === 'string' ? parseMicros(value) : undefined;
    if (micros !== undefined && micros >= 0n) return micros;
    return complain(
      name,
      `a decimal string such as "10.00"${or}, from 0 to 9007199254.740991, with at most six decimals`,
    );
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
    whole(name, { min, max }) {
      const value = take(name);
      if (value === undefined) return undefined;
      const isRight = typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max;
      return isRight ? value : complain(name, `a whole number from ${min} to ${max}`);
    },
    flag(name) {
      const value = take(name);
      return value === undefined || typeof value === 'boolean' ? value : complain(name, 'true or false');
    },
    amount(name) {
      return readAmount(name, take(name), '');
    },
    spend(name) {
      const value = take(name);
      return value === 'unlimited' ? value : readAmount(name, value, ', or "unlimited"');
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
    value(name, read) {
      const value = take(name);
      if (value === undefined) return undefined;
      const reading = read(value);
      return reading.kind === 'ok' ? reading.value : complain(name, reading.expected);
    },
    list(name, read) {
      return takeList(name)?.flatMap((item, index) => {
        const reading = read(item);
        if (reading.kind === 'ok') return [reading.value];
        complainOfItem(item, `${name}[${index}]`, reading.expected);
        return [];
      });
    },
    section(name) {
      const value = take(name);
      return value === undefined ? undefined : readDocument(value, place(name), problems);
    },
    sections(name) {
      return takeList(name)?.map((item, index) => readDocument(item, place(`${name}[${index}]`), problems));
    },
    names: () => Object.keys(fields),
    require(name, expected) {
      if (!Object.hasOwn(fields, name)) problems.push({ field: place(name), value: 'nothing', expected });
    },
    refuse(names, expected) {
      for (const name of names) {
        if (take(name) !== undefined) complain(name, expected);
      }
    },
    complain,
    finish(elsewhere = []) {
      for (const name of Object.keys(fields).filter((field) => !known.has(field))) {
        const near = nearestName(name, [...known]) ?? nearestPlace(name, elsewhere);
        complain(name, near === undefined ? 'no such field' : `no such field; did you mean "${near}"?`);
      }
    },
  };
}

/** Of places such as `operator.calls` the one whose last name is the nearest. */
function nearestPlace(name: string, places: readonly string[]): string | undefined {
  const lasts = places.map((place) => place.slice(place.lastIndexOf('.') + 1));
  const near = nearestName(name, lasts);
  return near === undefined ? undefined : places[lasts.indexOf(near)];
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Any value as short text on one line, for a message. */
function shown(value: unknown): string {
  const text = typeof value === 'bigint' ? `${value}` : jsonOf(value);
  return text.length <= SHOWN_CHARACTERS_MAX ? text : `${text.slice(0, SHOWN_CHARACTERS_MAX)}…`;
}

function jsonOf(value: unknown): string {
  try {
    return JSON.stringify(value) ?? 'undefined';
  } catch (error) {
    // YAML's aliases can make a value contain itself.
    if (error instanceof TypeError) return 'a value that cannot be shown';
    throw error;
  }
}
