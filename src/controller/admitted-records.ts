import type { LegRecord } from '../admission/leg-record.ts';
import type { LegKey } from '../units/ids.ts';

/** Beyond so many, the oldest have long been asked for or never will be. */
const KEPT_MAX = 10_000;

/**
 * Records that this controller has admitted itself, for the moment when their channel appears: the store need not be
 * read for what was written an instant ago. Binding the channel still asks it, so what is stale here does no harm.
 */
export type AdmittedRecords = {
  remember(record: LegRecord): void;
  recall(legKey: LegKey): LegRecord | undefined;
};

export function createAdmittedRecords(): AdmittedRecords {
  const records = new Map<LegKey, LegRecord>();
  return {
    remember(record) {
      records.set(record.legKey, record);
      const [oldest] = records.keys();
      if (records.size > KEPT_MAX && oldest !== undefined) records.delete(oldest);
    },
    recall: (legKey) => records.get(legKey),
  };
}
