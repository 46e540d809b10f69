import { fundingOf, withFunded } from '../admission/funded.ts';
import type { FundedPart, LegRecord, TimeRecord } from '../admission/leg-record.ts';
import type { FundingKind } from '../records/records.ts';
import { formatTerms, parseTerms } from '../rating/terms-text.ts';
import { assert } from '../units/assert.ts';
import { rootOf, type AccountPath, type AdmissionId, type LegKey, type LegUuid } from '../units/ids.ts';
import { toEpochMs } from '../units/time.ts';
import { CHAIN_MARK, formatCounted, parseCounted } from './counted-text.ts';
import {
  readAllotment,
  readPart,
  readPayer,
  storedAllotment,
  storedPart,
  storedPayer,
  unless,
  type StoredAllotment,
  type StoredPart,
  type StoredPayer,
} from './payer-text.ts';

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
  /** Of each slot, as `slots` has it; left out is the account that the leg is of, before a `^`. */
  readonly taken: readonly string[];
  /** Written by the script: the way taken of each payer that had several. */
  readonly funded?: readonly StoredPart[];
};

const UNKNOWN = '-';
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
    taken: record.taken.map((each) => withoutAccount(formatCounted(each), account)),
  };
  return JSON.stringify(stored);
}

/** One element of `funded`, of a leg of the account. */
export function formatFunded(part: FundedPart, account: AccountPath): string {
  return JSON.stringify(storedPart(part, account));
}

/** A leg as Redis keeps it: its record, and its channel and answer where one of them is known. */
export type KeptLeg = {
  readonly legKey: LegKey;
  readonly text: string;
  readonly channel: string | null | undefined;
};

/** Reads back what `formatRecord` and the script wrote, with what is kept beside it. */
export function parseRecord({ legKey, text, channel }: KeptLeg): LegRecord {
  const stored = JSON.parse(text) as StoredRecord;
  const { v, payers, dryRun, allotments = [], time, funded = [], funding, taken, ...rest } = stored;
  assert(v === 1, `a leg record of layout ${String(v)}`);
  const { account } = rest;
  const base: LegRecord = {
    ...impliedBy(legKey, rest),
    ...(rest as Omit<typeof rest, keyof Implied> & Partial<Implied>),
    legKey,
    funding: funding ?? 'none',
    ...parseChannel(channel),
    payers: payers.map((payer) => readPayer(payer, account)),
    ...(dryRun === undefined ? {} : { dryRun: dryRun.map((part) => readPart(part, account)) }),
    allotments: allotments.map((each) => readAllotment(each, account)),
    taken: taken.map((each) => parseCounted(withAccount(each, account))),
    ...(time && { time: { ...time, terms: parseTerms(time.terms) } }),
  };
  return withFunded(
    base,
    funded.map((part) => readPart(part, account)),
    funding === undefined,
  );
}

/** The channel that is metered, and its answer, as `channels.lua` keeps them: `-` for what is not known yet. */
export function formatChannel({ uuid, answeredAt }: Pick<LegRecord, 'uuid' | 'answeredAt'>): string {
  return `${uuid ?? UNKNOWN} ${answeredAt ?? UNKNOWN}`;
}

function parseChannel(text: string | null | undefined): Pick<LegRecord, 'uuid' | 'answeredAt'> {
  const [uuid = UNKNOWN, answeredAt = UNKNOWN] = text?.split(' ') ?? [];
  return {
    uuid: uuid === UNKNOWN ? undefined : (uuid as LegUuid),
    answeredAt: answeredAt === UNKNOWN ? undefined : toEpochMs(Number(answeredAt)),
  };
}

function withoutAccount(counted: string, account: AccountPath): string {
  return counted.startsWith(`${account}${CHAIN_MARK}`) ? counted.slice(account.length) : counted;
}

function withAccount(counted: string, account: AccountPath): string {
  return counted.startsWith(CHAIN_MARK) ? `${account}${counted}` : counted;
}

function unlessAlike<T>(implied: readonly T[], list: readonly T[]): readonly T[] | undefined {
  const isAlike = list.length === implied.length && list.every((each, index) => each === implied[index]);
  return isAlike ? undefined : list;
}
