import { fundingOf, withFunded } from '../admission/funded.ts';
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
import {
  rootOf,
  type AccountPath,
  type AdmissionId,
  type LegKey,
  type LegUuid,
  type TariffName,
} from '../units/ids.ts';
import { toMicros } from '../units/money.ts';
import { toEpochMs } from '../units/time.ts';
import { formatCounted, parseCounted } from './counted-text.ts';

/** Left out is the account that the leg is of, and a wallet of its own. `tariff`: as in `standard@1`. */
type StoredPayer = Omit<PayerRecord, 'terms' | 'account' | 'wallet' | 'tariff' | 'tariffVersion'> & {
  readonly tariff: string;
  readonly account?: AccountPath | undefined;
  readonly wallet?: AccountPath | undefined;
  readonly terms: string;
};
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
  | 'payers'
  | 'dryRun'
  | 'allotments'
  | 'time'
  | 'uuid'
  | 'answeredAt'
  | 'funding'
  | 'taken'
  | 'legKey'
  | keyof Implied
> & {
  readonly [name in keyof Implied]?: Implied[name] | undefined;
} & {
  readonly v: 1;
  readonly payers: readonly StoredPayer[];
  readonly dryRun?: readonly StoredPart[];
  /** Left out where there are none. */
  readonly allotments?: readonly StoredAllotment[];
  /** Left out where there is none. */
  readonly time?: Omit<TimeRecord, 'terms'> & { readonly terms: string };
  /** Left out where it follows from who pays. */
  readonly funding: FundingKind | undefined;
  /** Of each slot, as `slots` has it. */
  readonly taken: readonly string[];
  /** Written by the script: the way taken of each payer that had several. */
  readonly funded?: readonly StoredPart[];
};

/** The admission, with the A-leg in it, and the branch. */
const LEG_KEY = /^((.+)\.\d+):([^:]+)$/;

/** What a record leaves out where it is no news: what its key says, and what most legs have. */
type Implied = Pick<
  LegRecord,
  'admission' | 'aLeg' | 'siblings' | 'destination' | 'routes' | 'options' | 'decision' | 'trunks'
>;

function impliedBy(legKey: LegKey, { account, dialled }: Pick<LegRecord, 'account' | 'dialled'>): Implied {
  const [, admission = '', aLeg = '', branch = ''] = LEG_KEY.exec(legKey) ?? [];
  return {
    admission: admission as AdmissionId,
    aLeg: aLeg as LegUuid,
    siblings: [`${branch}:${rootOf(account)}`],
    destination: dialled,
    routes: [],
    options: [],
    decision: 'admitted',
    trunks: [],
  };
}

/**
 * A leg record as JSON that `redis-cli` shows readably; price terms in their one-line form. Its channel and answer
 * are kept beside it: they come later, in any order, from callers that may know one and not the other. Where payers
 * have several ways to pay (`isOpen`), the script that takes the leg adds which ones were taken.
 */
export function formatRecord(record: LegRecord, isOpen = false): string {
  const { uuid: _uuid, answeredAt: _answeredAt, legKey, allotments, time, dryRun, ...kept } = record;
  const implied = impliedBy(legKey, record);
  const { account } = record;
  const stored: StoredRecord = {
    v: 1,
    ...kept,
    admission: unless(implied.admission, kept.admission),
    aLeg: unless(implied.aLeg, kept.aLeg),
    siblings: unlessAlike(implied.siblings, kept.siblings),
    destination: unless(implied.destination, kept.destination),
    routes: unlessAlike(implied.routes, kept.routes),
    options: unlessAlike(implied.options, kept.options),
    decision: unless(implied.decision, kept.decision),
    trunks: kept.trunks.length === 0 ? undefined : kept.trunks,
    payers: record.payers.map((payer) => storedPayer(payer, account)),
    ...(dryRun === undefined ? {} : { dryRun: dryRun.map((part) => storedPart(part, account)) }),
    ...(allotments.length > 0
      ? { allotments: allotments.map((each) => storedAllotment(each, account)) }
      : {}),
    ...(time && { time: { ...time, terms: formatTerms(time.terms) } }),
    funding: isOpen ? undefined : unless(fundingOf(record), record.funding),
    taken: record.taken.map(formatCounted),
  };
  return JSON.stringify(stored);
}

/** One element of `funded`, of a leg of the account. */
export function formatFunded(part: FundedPart, account: AccountPath): string {
  return JSON.stringify(storedPart(part, account));
}

/** A leg as Redis keeps it: its record, and what is kept beside that where there is any. */
export type KeptLeg = {
  readonly legKey: LegKey;
  readonly text: string;
  readonly uuid?: string | null | undefined;
  readonly answeredAt?: string | null | undefined;
};

/** Reads back what `formatRecord` and the script wrote, with what is kept beside it. */
export function parseRecord({ legKey, text, uuid, answeredAt }: KeptLeg): LegRecord {
  const stored = JSON.parse(text) as StoredRecord;
  const { v, payers, dryRun, allotments = [], time, funded = [], funding, taken, ...rest } = stored;
  assert(v === 1, `a leg record of layout ${String(v)}`);
  const { account } = rest;
  const base: LegRecord = {
    ...impliedBy(legKey, rest),
    ...(rest as Omit<typeof rest, keyof Implied> & Partial<Implied>),
    legKey,
    funding: funding ?? 'none',
    uuid: hasText(uuid) ? (uuid as LegUuid) : undefined,
    answeredAt: hasText(answeredAt) ? toEpochMs(Number(answeredAt)) : undefined,
    payers: payers.map((payer) => readPayer(payer, account)),
    ...(dryRun === undefined ? {} : { dryRun: dryRun.map((part) => readPart(part, account)) }),
    allotments: allotments.map((each) => readAllotment(each, account)),
    taken: taken.map(parseCounted),
    ...(time && { time: { ...time, terms: parseTerms(time.terms) } }),
  };
  return withFunded(
    base,
    funded.map((part) => readPart(part, account)),
    funding === undefined,
  );
}

function hasText(text: string | null | undefined): text is string {
  return text !== undefined && text !== null && text !== '';
}

function unless<T>(implied: T, value: T): T | undefined {
  return value === implied ? undefined : value;
}

function unlessAlike<T>(implied: readonly T[], list: readonly T[]): readonly T[] | undefined {
  const isAlike = list.length === implied.length && list.every((each, index) => each === implied[index]);
  return isAlike ? undefined : list;
}

function storedPart(part: FundedPart, account: AccountPath): StoredPart {
  switch (part.way) {
    case 'per_minute':
      return { ...part, payer: storedPayer(part.payer, account) };
    case 'allotment':
      return { ...part, allotment: storedAllotment(part.allotment, account) };
    case 'flat_rate':
    case 'flat_rate_burst':
      return part;
  }
}

function readPart(part: StoredPart, account: AccountPath): FundedPart {
  switch (part.way) {
    case 'per_minute':
      return { ...part, payer: readPayer(part.payer, account) };
    case 'allotment':
      return { ...part, allotment: readAllotment(part.allotment, account) };
    case 'flat_rate':
    case 'flat_rate_burst':
      return part;
  }
}

function storedAllotment(
  { terms, goesOn, ...allotment }: AllotmentRecord,
  account: AccountPath,
): StoredAllotment {
  const stored = { ...allotment, terms: formatTerms(terms) };
  if (goesOn === undefined) return stored;
  const { payer, costMax, ...rest } = goesOn;
  const bound = costMax === undefined ? {} : { costMax: `${costMax}` };
  return { ...stored, goesOn: { ...rest, payer: storedPayer(payer, account), ...bound } };
}

function readAllotment(
  { terms, goesOn, ...allotment }: StoredAllotment,
  account: AccountPath,
): AllotmentRecord {
  const read = { ...allotment, terms: parseTerms(terms) };
  if (goesOn === undefined) return { ...read, goesOn };
  const { payer, costMax, ...rest } = goesOn;
  const bound = costMax === undefined ? {} : { costMax: toMicros(BigInt(costMax)) };
  return { ...read, goesOn: { ...rest, payer: readPayer(payer, account), ...bound } };
}

function storedPayer(payer: PayerRecord, legAccount: AccountPath): StoredPayer {
  const { account, wallet, tariff, tariffVersion, ...rest } = payer;
  return {
    account: unless(legAccount, account),
    wallet: unless(account, wallet),
    tariff: `${tariff}@${tariffVersion}`,
    ...rest,
    terms: formatTerms(payer.terms),
  };
}

function readPayer(payer: StoredPayer, legAccount: AccountPath): PayerRecord {
  const { account = legAccount, wallet = account } = payer;
  const [tariff, version] = payer.tariff.split('@');
  assert(version !== undefined, `a tariff in a leg record reads "${payer.tariff}"`);
  return {
    ...payer,
    account,
    wallet,
    tariff: tariff as TariffName,
    tariffVersion: Number(version),
    terms: parseTerms(payer.terms),
  };
}
