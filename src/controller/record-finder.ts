import type { LegRecord } from '../admission/leg-record.ts';
import { splitRecord } from '../admission/rate-split.ts';
import { branchName } from '../calls/branches.ts';
import type { ControllerContext } from '../state/context.ts';
import { meteredBy } from '../state/held.ts';
import { isOwnAdmission, type Leg } from '../state/leg-book.ts';
import { legKeyOf, parseAccountPath, rootOf } from '../units/ids.ts';
import type { EpochMs } from '../units/time.ts';
import type { AdmittedRecords } from './admitted-records.ts';

/** How a leg comes to the record that it is metered by. */
export type RecordFinder = {
  findRecord(leg: Leg): Promise<LegRecord | undefined>;
  /** With the rates of other times of day, where calls are split by them. What it was admitted with stays first. */
  split(record: LegRecord, answeredAt: EpochMs | undefined): LegRecord;
};

export function createRecordFinder(context: ControllerContext, admitted: AdmittedRecords): RecordFinder {
  const { store, policy, directory } = context;

  const split = (record: LegRecord, answeredAt: EpochMs | undefined): LegRecord =>
    policy.periods !== 'split' || answeredAt === undefined
      ? record
      : splitRecord(record, answeredAt, directory.tariffs());

  const findStored = async (leg: Leg): Promise<LegRecord | undefined> => {
    // An A-leg carries its own admission too, and is metered by it only where that is said.
    const metered = meteredBy(leg.facts);
    if (metered !== undefined) return (await store.find(metered.root, metered.legKey))?.record;
    const { admission, home, branch } = leg.facts.gate;
    const root = parseAccountPath(home ?? '');
    if (admission === undefined || root === undefined || isOwnAdmission(leg.facts)) return undefined;
    const legKey = legKeyOf(admission, branch ?? branchName(0));
    if (legKey === undefined) return undefined;
    const fresh = leg.phase === 'ringing' ? admitted.recall(legKey) : undefined;
    return fresh ?? (await store.find(rootOf(root), legKey))?.record;
  };

  return {
    split,
    async findRecord(leg) {
      if (leg.record !== undefined) return leg.record;
      const record = await findStored(leg);
      return record && split(record, record.answeredAt);
    },
  };
}
