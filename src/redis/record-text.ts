import { withFunded } from '../admission/funded.ts';
import type { FundedPart, LegRecord, PayerRecord } from '../admission/leg-record.ts';
import type { FundingKind } from '../records/records.ts';
import { formatTerms, parseTerms } from '../rating/terms-text.ts';
import { assert } from '../units/assert.ts';
import type { LegUuid } from '../units/ids.ts';
import { toEpochMs } from '../units/time.ts';

type StoredPayer = Omit<PayerRecord, 'terms'> & { readonly terms: string };
type StoredPart =
  | Exclude<FundedPart, { readonly way: 'per_minute' }>
  | (Omit<Extract<FundedPart, { readonly way: 'per_minute' }>, 'payer'> & { readonly payer: StoredPayer });
type StoredRecord = Omit<LegRecord, 'payers' | 'uuid' | 'answeredAt' | 'funding'> & {
  readonly v: 1;
  readonly payers: readonly StoredPayer[];
  /** Left out where it follows from `funded`. */
  readonly funding: FundingKind | undefined;
  /** Written by the script: the way taken of each payer that had several. */
  readonly funded?: readonly StoredPart[];
};

/**
 * A leg record as JSON that `redis-cli` shows readably; price terms in their one-line form. Its channel and answer
 * are kept beside it: they come later, in any order, from callers that may know one and not the other. Where payers
 * have several ways to pay (`isOpen`), the script that takes the leg adds which ones were taken.
 */
export function formatRecord(record: LegRecord, isOpen = false): string {
  const { uuid: _uuid, answeredAt: _answeredAt, ...kept } = record;
  const payers = record.payers.map(storedPayer);
  const stored: StoredRecord = { v: 1, ...kept, payers, funding: isOpen ? undefined : record.funding };
  return JSON.stringify(stored);
}

/** One element of `funded`. */
export function formatFunded(part: FundedPart): string {
  const stored: StoredPart = part.way === 'per_minute' ? { ...part, payer: storedPayer(part.payer) } : part;
  return JSON.stringify(stored);
}

/** Reads back what `formatRecord` and the script wrote, with what is kept beside it: '' where there is none. */
export function parseRecord(text: string, uuid: string, answeredAt: string): LegRecord {
  const { v, payers, funded = [], funding, ...rest } = JSON.parse(text) as StoredRecord;
  assert(v === 1, `a leg record of layout ${String(v)}`);
  const parts = funded.map((part): FundedPart =>
    part.way === 'per_minute' ? { ...part, payer: readPayer(part.payer) } : part,
  );
  const base: LegRecord = {
    ...rest,
    funding: funding ?? 'none',
    uuid: uuid === '' ? undefined : (uuid as LegUuid),
    answeredAt: answeredAt === '' ? undefined : toEpochMs(Number(answeredAt)),
    payers: payers.map(readPayer),
  };
  return withFunded(base, parts, funding === undefined);
}

function storedPayer(payer: PayerRecord): StoredPayer {
  return { ...payer, terms: formatTerms(payer.terms) };
}

function readPayer(payer: StoredPayer): PayerRecord {
  return { ...payer, terms: parseTerms(payer.terms) };
}
