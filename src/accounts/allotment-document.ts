import { nearestName } from '../units/nearest-name.ts';
import { CYCLES } from './cycles.ts';
import type { DocumentReader, Reading } from './document-reader.ts';
import { expectedClassification } from './limit-readers.ts';
import type { Allotment, Allotments } from './limits.ts';

const DIRECTIONS = ['inbound', 'outbound'] as const;
/** Thirty years of one call: what a cycle can hold of many. */
const SECONDS_MAX = 1_000_000_000;
/** A day, as in a tariff: a longer pulse is a slip of the pen. */
const PULSE_SECONDS_MAX = 86_400;

/** The names an allotment may have: a classification, or one of its directions. */
export function allotmentNames(classifications: readonly string[]): readonly string[] {
  return classifications.flatMap((name) => [name, ...DIRECTIONS.map((direction) => `${direction}_${name}`)]);
}

export function readAllotments(
  reader: DocumentReader,
  classifications: readonly string[],
): Allotments | undefined {
  const section = reader.section('allotments');
  if (section === undefined) return undefined;
  const known = allotmentNames(classifications);
  // In one order, so that the same allotments are the same to the record however they were written.
  const present = section.names().toSorted();
  const allotments = new Map<string, Allotment>();
  for (const name of present) {
    const part = section.section(name);
    if (!known.includes(name)) section.complain(name, expectedClassification(name, known));
    const allotment = part === undefined ? undefined : readAllotment(part, { name, present });
    if (allotment !== undefined) allotments.set(name, allotment);
  }
  for (const name of allotments.keys()) {
    const round = groupCycle(name, allotments);
    if (round !== undefined) {
      const shown = round.join(' → ');
      section.complain(name, `groups that do not lead back to where they start, as ${shown} does`);
      break;
    }
  }
  return Object.fromEntries(allotments);
}

function readAllotment(
  part: DocumentReader,
  { name, present }: { readonly name: string; readonly present: readonly string[] },
): Allotment | undefined {
  const seconds = part.whole('seconds', { min: 0, max: SECONDS_MAX });
  part.require('seconds', 'how many seconds are given in each cycle');
  const cycle = part.choice('cycle', CYCLES);
  part.require('cycle', CYCLES.map((each) => `"${each}"`).join(' or '));
  const rest = {
    minimum: part.whole('minimum', { min: 0, max: PULSE_SECONDS_MAX }) ?? 0,
    increment: part.whole('increment', { min: 1, max: PULSE_SECONDS_MAX }) ?? 1,
    grace: part.whole('grace', { min: 0, max: PULSE_SECONDS_MAX }) ?? 0,
    groups: part.list('groups', (value) => readGroup(value, name, present)) ?? [],
  };
  if (new Set(rest.groups).size < rest.groups.length) part.complain('groups', 'each name once');
  part.finish();
  return seconds === undefined || cycle === undefined ? undefined : { seconds, cycle, ...rest };
}

function readGroup(value: unknown, name: string, present: readonly string[]): Reading<string> {
  const others = present.filter((other) => other !== name);
  const other = others.find((each) => each === value);
  if (other !== undefined) return { kind: 'ok', value: other };
  const near = typeof value === 'string' ? nearestName(value, others) : undefined;
  const hint = near === undefined ? '' : `; did you mean "${near}"?`;
  return { kind: 'bad', expected: `the name of another allotment of this account${hint}` };
}

/**
 * The way from an allotment over its groups back to itself, if there is one. Two that each used the other up would
 * both be empty at half of what their author gave.
 */
function groupCycle(name: string, allotments: ReadonlyMap<string, Allotment>): readonly string[] | undefined {
  const seen = new Set<string>();
  const ways: (readonly string[])[] = [[name]];
  for (let way = ways.pop(); way !== undefined; way = ways.pop()) {
    for (const next of allotments.get(way.at(-1) ?? '')?.groups ?? []) {
      if (next === name) return [...way, next];
      if (!seen.has(next)) ways.push([...way, next]);
      seen.add(next);
    }
  }
  return undefined;
}
