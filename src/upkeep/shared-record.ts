import type { RecordClaim, RecordPlace } from '../calls/record-claim.ts';
import type { Timers } from '../state/timers.ts';
import type { Log } from '../units/log.ts';

/**
 * The controllers of this live state write another record: half of the money would be in each. SQLite is one file on
 * one host (ruling 20), so that its record is another one on every host.
 */
export class ForeignRecordError extends Error {
  override readonly name = 'ForeignRecordError';
  constructor(ours: RecordPlace, theirs: RecordPlace) {
    super(
      `the controllers that share this Redis keep their record in ${theirs.words}, and here it would be in ` +
        `${ours.words}: SQLite serves the controllers of one host, and those of several hosts need the same ` +
        'PostgreSQL (database.url)',
    );
  }
}

/** How many times the claim is renewed before it would end. */
const RENEWALS_PER_LEASE = 4;

type Parts = {
  readonly claim: RecordClaim;
  readonly place: RecordPlace;
  readonly timers: Timers;
  readonly leaseMs: number;
  readonly log: Log;
};

/**
 * Claims the live state for our record, before anything is written, and for as long as it runs. What others claim is
 * waited for as long as it lasts after their end; then it rejects with a ForeignRecordError.
 */
export async function shareRecord(parts: Parts): Promise<{ stop(): void }> {
  const { claim, place, timers, leaseMs } = parts;
  const renewMs = leaseMs / RENEWALS_PER_LEASE;
  for (let tries = 0; ; tries += 1) {
    const theirs = await claim.hold(place);
    if (theirs === undefined) break;
    if (tries > RENEWALS_PER_LEASE) throw new ForeignRecordError(place, theirs);
    await new Promise<void>((resolve) => void timers.after(renewMs, resolve));
  }
  return { stop: timers.every(renewMs, () => void renew(parts)) };
}

/** Calls are not stopped for it: what is charged is in our stream or our record, and can be brought together. */
async function renew({ claim, place, log }: Parts): Promise<void> {
  try {
    const theirs = await claim.hold(place);
    if (theirs !== undefined)
      log.error({ err: new ForeignRecordError(place, theirs) }, 'two records are written');
  } catch (err) {
    log.debug({ err }, 'the claim of the record is not renewed');
  }
}

/** For whoever writes without running for long: refuses where controllers run with another record. */
export async function refuseForeignRecord(claim: RecordClaim, place: RecordPlace): Promise<void> {
  const theirs = await claim.holder();
  if (theirs !== undefined && theirs.identity !== place.identity) throw new ForeignRecordError(place, theirs);
}
