import { allotmentNames } from '../accounts/allotment-document.ts';
import type { KazooReader } from './kazoo-reader.ts';

type Fields = Record<string, unknown>;

/** What ours are called there, where the names differ. */
export const ALLOTMENT_FIELDS: ReadonlyMap<string, string> = new Map([
  ['.seconds', '.amount'],
  ['.grace', '.no_consume_time'],
  ['.groups', '.group_consume'],
]);

/** As an account document says them. Undefined: there are none. */
export function importAllotments(
  reader: KazooReader,
  classifications: readonly string[],
): Fields | undefined {
  const section = allotmentsOf(reader);
  if (section === undefined) return undefined;
  const known = allotmentNames(classifications);
  const allotments = new Map<string, Fields>();
  const groups = new Map<string, readonly string[]>();
  for (const name of section.names()) {
    const part = section.section(name);
    if (part === undefined) continue;
    if (!known.includes(name)) {
      section.note(name, 'left out: no numbers are called so here; give the root a classifier of that name');
      continue;
    }
    groups.set(name, part.texts('group_consume') ?? []);
    allotments.set(name, readAllotment(part));
    for (const other of part.untaken()) part.note(other, 'left out: nothing that Kazoo obeys');
  }
  for (const name of allotments.keys()) groups.set(name, usableGroups(section, name, groups));
  if (allotments.size === 0) return undefined;
  reader.note(allotmentsField(reader), 'their cycles begin by the time zone of the account, in Kazoo by UTC');
  return Object.fromEntries(
    [...allotments].map(([name, fields]) => [name, { ...fields, groups: groups.get(name) ?? [] }]),
  );
}

export function importDiscounts(reader: KazooReader, classifications: readonly string[]): Fields | undefined {
  const section = reader.section('pvt_discounts');
  if (reader.has('discounts')) reader.note('discounts', 'left out: Kazoo obeys only pvt_discounts');
  const discounts: Fields = {};
  for (const name of section?.names() ?? []) {
    const percent = section?.section(name)?.percent('percentage');
    if (!classifications.includes(name)) {
      section?.note(name, 'left out: no numbers are called so here; give the root a classifier of that name');
    } else if (percent !== undefined) discounts[name] = percent;
  }
  return Object.keys(discounts).length === 0 ? undefined : discounts;
}

/** Which of the two places counts. */
export function allotmentsField(reader: KazooReader): string {
  return reader.has('allotments') && !reader.has('pvt_allotments') ? 'allotments' : 'pvt_allotments';
}

/** Kazoo's own interface writes `pvt_allotments`, and its latest releases read `allotments`. */
function allotmentsOf(reader: KazooReader): KazooReader | undefined {
  const theirs = reader.section('pvt_allotments');
  const other = reader.section('allotments');
  if (theirs !== undefined && other !== undefined) {
    reader.note('allotments', 'left out beside pvt_allotments, which is where they are set');
  }
  return theirs ?? other;
}

function readAllotment(part: KazooReader): Fields {
  const fields = {
    seconds: part.whole('amount'),
    cycle: part.text('cycle'),
    minimum: part.whole('minimum'),
    increment: part.whole('increment'),
    grace: part.whole('no_consume_time'),
  };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** Groups that exist and do not lead back: what could not be taken over is said. */
function usableGroups(
  section: KazooReader,
  name: string,
  groups: ReadonlyMap<string, readonly string[]>,
): readonly string[] {
  return [...new Set(groups.get(name))].filter((other) => {
    if (!groups.has(other)) {
      section.note(name, `its group ${other} is left out: there is no such allotment`);
      return false;
    }
    if (!leadsTo(other, name, groups)) return true;
    section.note(
      name,
      `its group ${other} is left out: that one counts it already, and two may not use each other up`,
    );
    return false;
  });
}

function leadsTo(from: string, to: string, groups: ReadonlyMap<string, readonly string[]>): boolean {
  const seen = new Set<string>();
  const waiting = [from];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (name === to) return true;
    if (seen.has(name)) continue;
    seen.add(name);
    waiting.push(...(groups.get(name) ?? []));
  }
  return false;
}
