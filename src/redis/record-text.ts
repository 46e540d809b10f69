import { withFunded } from '../admission/funded.ts';
import type {
  AllotmentRecord,
  Continuation,
  FundedPart,
  LegRecord,
  PayerRecord,
  TimeRecord,
} from '../admission/leg-record.ts';
import type { FundingKind } from '../records/records.ts';
import { formatTerms, parseTerms } from '../rating/terms-text.ts';
import { assert } from '../units/assert.ts';
import type { LegUuid } from '../units/ids.ts';
import { toMicros } from '../units/money.ts';
import { toEpochMs } from '../units/time.ts';
import { formatCounted, parseCounted } from './counted-text.ts';

type StoredPayer = Omit<PayerRecord, 'terms'> & { readonly terms: string };
type StoredAllotment = Omit<AllotmentRecord, 'terms' | 'goesOn'> & {
  readonly terms: string;
  readonly goesOn?: Omit<Continuation, 'payer' | 'costMax'> & {
    readonly payer: StoredPayer;
    readonly costMax?: string;
  };
};
type StoredPart =
  | Exclude<FundedPart, { readonly way: 'per_minute' | 'allotment' }>
  | { readonly way: 'allotment'; readonly allotment: StoredAllotment }
  | (Omit<Extract<FundedPart, { readonly way: 'per_minute' }>, 'payer'> & { readonly payer: StoredPayer });
type StoredRecord = Omit<
  LegRecord,
  'payers' | 'dryRun' | 'allotments' | 'time' | 'uuid' | 'answeredAt' | 'funding' | 'taken'
> & {
  readonly v: 1;
  readonly payers: readonly StoredPayer[];
  readonly dryRun?: readonly StoredPart[];
  /** Left out where there are none. */
  readonly allotments?: readonly StoredAllotment[];
  /** Left out where there is none. */
  readonly time?: Omit<TimeRecord, 'terms'> & { readonly terms: string };
  /** Left out where it follows from `funded`. */
  readonly funding: FundingKind | undefined;
  /** Of each slot, as `slots` has it. */
  readonly taken: readonly string[];
  /** Written by the script: the way taken of each payer that had several. */
  readonly funded?: readonly StoredPart[];
};

/**
 * A leg record as JSON that `redis-cli` shows readably; price terms in their one-line form. Its channel and answer
 * are kept beside it: they come later, in any order, from callers that may know one and not the other. Where payers
 * have several ways to pay (`isOpen`), the script that takes the leg adds which ones were taken.
 */
export function formatRecord(record: LegRecord, isOpen = false): string {
  const { uuid: _uuid, answeredAt: _answeredAt, allotments, time, dryRun, ...kept } = record;
  const payers = record.payers.map(storedPayer);
  const stored: StoredRecord = {
    v: 1,
    ...kept,
    payers,
    ...(dryRun === undefined ? {} : { dryRun: dryRun.map(storedPart) }),
    ...(allotments.length > 0 ? { allotments: allotments.map(storedAllotment) } : {}),
    ...(time && { time: { ...time, terms: formatTerms(time.terms) } }),
    funding: isOpen ? undefined : record.funding,
    taken: record.taken.map(formatCounted),
  };
  return JSON.stringify(stored);
}

/** One element of `funded`. */
export function formatFunded(part: FundedPart): string {
  return JSON.stringify(storedPart(part));
}

/** Reads back what `formatRecord` and the script wrote, with what is kept beside it: '' where there is none. */
export function parseRecord(text: string, uuid: string, answeredAt: string): LegRecord {
  const stored = JSON.parse(text) as StoredRecord;
  const { v, payers, dryRun, allotments = [], time, funded = [], funding, taken, ...rest } = stored;
  assert(v === 1, `a leg record of layout ${String(v)}`);
  const base: LegRecord = {
    ...rest,
    funding: funding ?? 'none',
    uuid: uuid === '' ? undefined : (uuid as LegUuid),
    answeredAt: answeredAt === '' ? undefined : toEpochMs(Number(answeredAt)),
    payers: payers.map(readPayer),
    ...(dryRun === undefined ? {} : { dryRun: dryRun.map(readPart) }),
    allotments: allotments.map(readAllotment),
    taken: taken.map(parseCounted),
    ...(time && { time: { ...time, terms: parseTerms(time.terms) } }),
  };
  return withFunded(base, funded.map(readPart), funding === undefined);
}

function storedPart(part: FundedPart): StoredPart {
  switch (part.way) {
    case 'per_minute':
      return { ...part, payer: storedPayer(part.payer) };
    case 'allotment':
      return { ...part, allotment: storedAllotment(part.allotment) };
    case 'flat_rate':
    case 'flat_rate_burst':
      return part;
  }
}

function readPart(part: StoredPart): FundedPart {
  switch (part.way) {
    case 'per_minute':
      return { ...part, payer: readPayer(part.payer) };
    case 'allotment':
      return { ...part, allotment: readAllotment(part.allotment) };
    case 'flat_rate':
    case 'flat_rate_burst':
      return part;
  }
}

function storedAllotment({ terms, goesOn, ...allotment }: AllotmentRecord): StoredAllotment {
  const stored = { ...allotment, terms: formatTerms(terms) };
  if (goesOn === undefined) return stored;
  const { payer, costMax, ...rest } = goesOn;
  const bound = costMax === undefined ? {} : { costMax: `${costMax}` };
  return { ...stored, goesOn: { ...rest, payer: storedPayer(payer), ...bound } };
}

function readAllotment({ terms, goesOn, ...allotment }: StoredAllotment): AllotmentRecord {
  const read = { ...allotment, terms: parseTerms(terms) };
  if (goesOn === undefined) return { ...read, goesOn };
  const { payer, costMax, ...rest } = goesOn;
  const bound = costMax === undefined ? {} : { costMax: toMicros(BigInt(costMax)) };
  return { ...read, goesOn: { ...rest, payer: readPayer(payer), ...bound } };
}

function storedPayer(payer: PayerRecord): StoredPayer {
  return { ...payer, terms: formatTerms(payer.terms) };
}

function readPayer(payer: StoredPayer): PayerRecord {
  return { ...payer, terms: parseTerms(payer.terms) };
}
