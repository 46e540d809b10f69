import { canMatchInternational, parsePattern, stepsOf } from '../rating/patterns.ts';
import { parseDiscountPpm } from '../rating/terms.ts';
import { nearestName } from '../units/nearest-name.ts';
import type { DocumentReader, Reading } from './document-reader.ts';
import {
  FUNDINGS,
  type DiscountsPpm,
  type FlatRateNumbers,
  type FundingWay,
  type MaxSpend,
  type NumberRule,
  type Trunks,
} from './limits.ts';

/** Those limits of DESIGN 2 that are more than one value, each read from its own part of a document. */

/** Every call is matched with the whole of a list: what takes longer than some milliseconds takes them from others. */
const LIST_STEPS_MAX = 20_000;

export function readNumberRules(reader: DocumentReader): readonly NumberRule[] | undefined {
  const rules = reader.sections('perNumber')?.flatMap((rule) => {
    const pattern = rule.value('pattern', readInternationalPattern);
    rule.require('pattern', 'the numbers it is for, as a regular expression');
    const calls = rule.count('calls');
    rule.require('calls', 'how many calls at once');
    rule.finish();
    return pattern === undefined || calls === undefined ? [] : [{ pattern, calls }];
  });
  complainOfLongMatching(reader, 'perNumber', rules ?? []);
  return rules;
}

export function readTrunks(reader: DocumentReader): Trunks | undefined {
  const section = reader.section('trunks');
  if (section === undefined) return undefined;
  const trunks = {
    twoway: section.count('twoway'),
    inbound: section.count('inbound'),
    outbound: section.count('outbound'),
    burst: section.count('burst'),
  };
  section.finish();
  return trunks;
}

export function readMaxSpend(reader: DocumentReader): MaxSpend | undefined {
  const section = reader.section('maxSpend');
  if (section === undefined) return undefined;
  const windows = { hour: section.spend('hour'), day: section.spend('day'), month: section.spend('month') };
  section.finish();
  return windows;
}

export function readFlatRate(reader: DocumentReader): FlatRateNumbers | undefined {
  const section = reader.section('flatRate');
  if (section === undefined) return undefined;
  const whitelist = section.list('whitelist', readInternationalPattern);
  section.require('whitelist', 'a list of patterns, of which a number must match one');
  const blacklist = section.list('blacklist', readInternationalPattern);
  for (const [name, patterns] of Object.entries({ whitelist, blacklist })) {
    complainOfLongMatching(section, name, patterns?.map((pattern) => ({ pattern })) ?? []);
  }
  section.finish();
  return whitelist === undefined ? undefined : { whitelist, blacklist: blacklist ?? [] };
}

export function readFundingOrder(reader: DocumentReader): readonly FundingWay[] | undefined {
  const ways = reader.list('fundingOrder', readFundingWay);
  if (ways === undefined) return undefined;
  if (ways.length === 0) return reader.complain('fundingOrder', 'at least one way to pay for a call');
  if (new Set(ways).size === ways.length) return ways;
  return reader.complain('fundingOrder', 'each way to pay once');
}

export function readDiscounts(
  reader: DocumentReader,
  classifications: readonly string[],
): DiscountsPpm | undefined {
  const section = reader.section('discounts');
  if (section === undefined) return undefined;
  const discounts = section
    .names()
    .toSorted()
    .flatMap((name) => {
      const percent = section.value(name, (value): Reading<number> =>
        classifications.includes(name)
          ? readPercent(value)
          : { kind: 'bad', expected: expectedClassification(name, classifications) },
      );
      return percent === undefined ? [] : [[name, percent] as const];
    });
  return Object.fromEntries(discounts);
}

export function expectedClassification(name: string, names: readonly string[]): string {
  const near = nearestName(name, names);
  return near === undefined
    ? `a classification: ${names.join(', ')}`
    : `a classification; did you mean "${near}"?`;
}

/** The text of a pattern that was checked. */
export function readPattern(value: unknown): Reading<string> {
  if (typeof value !== 'string') return { kind: 'bad', expected: 'a regular expression, in quotes' };
  const pattern = parsePattern(value);
  return pattern.kind === 'bad' ? pattern : { kind: 'ok', value };
}

/** One that no number could ever match would be a limit that never holds, or trunks that nobody ever takes. */
function readInternationalPattern(value: unknown): Reading<string> {
  const reading = readPattern(value);
  if (reading.kind === 'bad') return reading;
  const pattern = parsePattern(reading.value);
  if (pattern.kind === 'bad' || canMatchInternational(pattern)) return reading;
  const expected = String.raw`a pattern that some number matches: numbers are written with their plus here, as in '^\+4930'`;
  return { kind: 'bad', expected };
}

/** Of patterns that were checked one by one. */
export function complainOfLongMatching(
  reader: DocumentReader,
  name: string,
  list: readonly { readonly pattern: string }[],
): void {
  const all = list
    .map(({ pattern }) => parsePattern(pattern))
    .reduce((sum, parsed) => sum + (parsed.kind === 'bad' ? 0 : stepsOf(parsed)), 0);
  if (all > LIST_STEPS_MAX) {
    reader.complain(name, `patterns of at most ${LIST_STEPS_MAX} steps together, and these have ${all}`);
  }
}

/** Money may depend on it: a fraction comes as text, never through a float. */
function readPercent(value: unknown): Reading<number> {
  const isWhole = typeof value === 'number' && Number.isInteger(value);
  const ppm = isWhole || typeof value === 'string' ? parseDiscountPpm(`${value}`) : undefined;
  if (ppm !== undefined) return { kind: 'ok', value: ppm };
  return { kind: 'bad', expected: 'a percentage from 0 to 100, such as 10 or "12.5"' };
}

function readFundingWay(value: unknown): Reading<FundingWay> {
  const way = FUNDINGS.find((each) => each === value);
  if (way !== undefined) return { kind: 'ok', value: way };
  return { kind: 'bad', expected: FUNDINGS.map((each) => `"${each}"`).join(' or ') };
}
