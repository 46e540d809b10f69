import type { LegRecord, PayerRecord } from '../admission/leg-record.ts';
import { formatTerms, parseTerms } from '../rating/terms-text.ts';
import { assert } from '../units/assert.ts';

type StoredPayer = Omit<PayerRecord, 'terms'> & { readonly terms: string };
type StoredRecord = Omit<LegRecord, 'payers'> & { readonly v: 1; readonly payers: readonly StoredPayer[] };

/** A leg record as JSON that `redis-cli` shows readably; price terms in their one-line form. */
export function formatRecord(record: LegRecord): string {
  const payers = record.payers.map((payer) => ({ ...payer, terms: formatTerms(payer.terms) }));
  const stored: StoredRecord = { v: 1, ...record, payers };
  return JSON.stringify(stored);
}

/** Reads back what `formatRecord` wrote. Absent fields were undefined. */
export function parseRecord(text: string): LegRecord {
  const { v, payers, ...rest } = JSON.parse(text) as StoredRecord;
  assert(v === 1, `a leg record of layout ${String(v)}`);
  return {
    ...rest,
    uuid: rest.uuid ?? undefined,
    answeredAt: rest.answeredAt ?? undefined,
    payers: payers.map((payer) => ({ ...payer, terms: parseTerms(payer.terms) })),
  };
}
