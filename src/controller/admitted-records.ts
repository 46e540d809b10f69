import type { LegRecord } from '../admission/leg-record.ts';
import type { LegKey, LegUuid } from '../units/ids.ts';

/** Beyond so many, the oldest have long been asked for or never will be. */
const KEPT_MAX = 10_000;

/**
 * Records that this controller has admitted itself. The store need not be read for what was written an instant ago,
 * and a caller who left before the gate could answer holds what no channel variable tells of.
 */
export type AdmittedRecords = {
  remember(record: LegRecord): void;
  /** For the moment when its channel appears. Binding asks the store all the same, so what is stale does no harm. */
  recall(legKey: LegKey): LegRecord | undefined;
  /** Everything admitted for a caller who is gone; it is asked for once. */
  takeOf(aLeg: LegUuid): readonly LegRecord[];
};

export function createAdmittedRecords(): AdmittedRecords {
  const records = new Map<LegKey, LegRecord>();
  const ofCallers = new Map<LegUuid, readonly LegKey[]>();
  const takeOf = (aLeg: LegUuid): readonly LegRecord[] => {
    const taken = (ofCallers.get(aLeg) ?? []).flatMap((legKey) => records.get(legKey) ?? []);
    for (const { legKey } of taken) records.delete(legKey);
    ofCallers.delete(aLeg);
    return taken;
  };
  return {
    remember(record) {
      records.set(record.legKey, record);
      ofCallers.set(record.aLeg, [...(ofCallers.get(record.aLeg) ?? []), record.legKey]);
      const [oldest] = ofCallers.keys();
      if (records.size > KEPT_MAX && oldest !== undefined) takeOf(oldest);
    },
    recall: (legKey) => records.get(legKey),
    takeOf,
  };
}
