import type { LegRecord, PayerRecord } from '../admission/leg-record.ts';
import { formatTerms, parseTerms } from '../rating/terms-text.ts';
import { assert } from '../units/assert.ts';
import type { LegUuid } from '../units/ids.ts';
import { toEpochMs } from '../units/time.ts';

type StoredPayer = Omit<PayerRecord, 'terms'> & { readonly terms: string };
type StoredRecord = Omit<LegRecord, 'payers' | 'uuid' | 'answeredAt'> & {
  readonly v: 1;
  readonly payers: readonly StoredPayer[];
};

/**
 * A leg record as JSON that `redis-cli` shows readably; price terms in their one-line form. Its channel and answer
 * are kept beside it: they come later, in any order, from callers that may know one and not the other.
 */
export function formatRecord(record: LegRecord): string {
  const { uuid: _uuid, answeredAt: _answeredAt, ...kept } = record;
  const payers = record.payers.map((payer) => ({ ...payer, terms: formatTerms(payer.terms) }));
  const stored: StoredRecord = { v: 1, ...kept, payers };
  return JSON.stringify(stored);
}

/** Reads back what `formatRecord` wrote, with what is kept beside it: '' where there is none. */
export function parseRecord(text: string, uuid: string, answeredAt: string): LegRecord {
  const { v, payers, ...rest } = JSON.parse(text) as StoredRecord;
  assert(v === 1, `a leg record of layout ${String(v)}`);
  return {
    ...rest,
    uuid: uuid === '' ? undefined : (uuid as LegUuid),
    answeredAt: answeredAt === '' ? undefined : toEpochMs(Number(answeredAt)),
    payers: payers.map((payer) => ({ ...payer, terms: parseTerms(payer.terms) })),
  };
}
