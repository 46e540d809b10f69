import { parseTariffName, type AccountPath, type TariffName } from '../units/ids.ts';
import { ALWAYS, parseMoment, toIsoUtc, type EpochMs } from '../units/time.ts';
import type { DocumentReader } from './document-reader.ts';

/** From a moment on an account is charged by this tariff; undefined: by none of its own. */
export type TariffAssignment = { readonly from: EpochMs; readonly tariff: TariffName | undefined };

/**
 * Every tariff that an account has, had or will have, by date, each other than the one before it. Before the first
 * there is none of its own. A call is rated by the one in force at its admission, however much later that is done.
 */
export type TariffAssignments = readonly TariffAssignment[];

const ALWAYS_WORD = 'always';
const UNSET_WORD = 'unset';
export const FROM_EXPECTED = 'a moment such as 2026-08-01 or 2026-08-01T00:00:00Z, or "always"';
const TARIFF_EXPECTED = 'the name of a tariff, or "unset" where there is none of its own from then on';

export function tariffAt(assignments: TariffAssignments, at: EpochMs): TariffName | undefined {
  return assignments.findLast(({ from }) => from <= at)?.tariff;
}

/** What was assigned before `from` stays, so that old calls are still rated by it; what was to begin later is dropped. */
export function withTariffFrom(
  assignments: TariffAssignments,
  tariff: TariffName | undefined,
  from: EpochMs,
): TariffAssignments {
  return withoutRepeats([...assignments.filter((each) => each.from < from), { from, tariff }]);
}

/** What holds for an account by its own tariffs and, while it has none, by those of its nearest ancestor that has. */
export function effectiveTariffs(own: TariffAssignments, inherited: TariffAssignments): TariffAssignments {
  if (own.length === 0) return inherited;
  const dates = [...new Set([...own, ...inherited].map(({ from }) => from))].toSorted((a, b) => a - b);
  return withoutRepeats(
    dates.map((from) => ({ from, tariff: tariffAt(own, from) ?? tariffAt(inherited, from) })),
  );
}

export function isSameTariffs(one: TariffAssignments, other: TariffAssignments): boolean {
  return (
    one.length === other.length &&
    one.every(({ from, tariff }, index) => from === other[index]?.from && tariff === other[index]?.tariff)
  );
}

function withoutRepeats(assignments: TariffAssignments): TariffAssignments {
  return assignments.filter(({ tariff }, index) => tariff !== assignments[index - 1]?.tariff);
}

/** What an account on record is charged by, up to now; undefined for one that is not on record. */
export type StandingTariffs = (
  path: AccountPath,
) => { readonly tariffs: TariffAssignments; readonly now: EpochMs } | undefined;

/**
 * `tariff`: from now on, or always where the account is new. `tariffs`: a list that says all there was and will be.
 * Neither: none from now on.
 */
export function readTariffs(
  reader: DocumentReader,
  standing: { readonly tariffs: TariffAssignments; readonly now: EpochMs } | undefined,
): TariffAssignments {
  const tariff = reader.text('tariff', parseTariffName, TARIFF_EXPECTED);
  const listed = reader.sections('tariffs');
  if (listed === undefined) {
    return standing === undefined
      ? withTariffFrom([], tariff, ALWAYS)
      : withTariffFrom(standing.tariffs, tariff, standing.now);
  }
  reader.refuse(tariff === undefined ? [] : ['tariff'], 'to be left out beside tariffs');
  const assignments: TariffAssignment[] = [];
  for (const section of listed) {
    section.require('tariff', TARIFF_EXPECTED);
    section.require('from', FROM_EXPECTED);
    const named = section.text('tariff', parseTariffWord, TARIFF_EXPECTED);
    const from = section.text('from', parseFrom, FROM_EXPECTED);
    section.finish();
    if (named === undefined || from === undefined) continue;
    const before = assignments.at(-1);
    if (before !== undefined && from <= before.from) {
      section.complain('from', `a later date than ${showFrom(before.from)}, that of the tariff before`);
    }
    assignments.push({ from, tariff: named.tariff });
  }
  return withoutRepeats(assignments);
}

/** The inverse of `readTariffs`: the shorter form where it says the same. */
export function tariffsDocument(assignments: TariffAssignments): Readonly<Record<string, unknown>> {
  const [first] = assignments;
  if (first === undefined) return {};
  return isTimed(assignments) ? { tariffs: tariffsList(assignments) } : { tariff: first.tariff };
}

/** Whether they change, changed or begin. */
export function isTimed(assignments: TariffAssignments): boolean {
  return assignments.length > 1 || assignments.some(({ from }) => from !== ALWAYS);
}

/** `standard, gold from 2026-09-01T00:00:00.000Z`. */
export function tariffsInWords(assignments: TariffAssignments): string {
  return tariffsList(assignments)
    .map(({ tariff, from }) => (from === ALWAYS_WORD ? tariff : `${tariff} from ${from}`))
    .join(', ');
}

function tariffsList(
  assignments: TariffAssignments,
): readonly { readonly tariff: string; readonly from: string }[] {
  return assignments.map(({ from, tariff }) => ({ tariff: tariff ?? UNSET_WORD, from: showFrom(from) }));
}

export function parseFrom(text: string): EpochMs | undefined {
  return text === ALWAYS_WORD ? ALWAYS : parseMoment(text);
}

function showFrom(from: EpochMs): string {
  return from === ALWAYS ? ALWAYS_WORD : toIsoUtc(from);
}

function parseTariffWord(text: string): { readonly tariff: TariffName | undefined } | undefined {
  if (text === UNSET_WORD) return { tariff: undefined };
  const tariff = parseTariffName(text);
  return tariff === undefined ? undefined : { tariff };
}
