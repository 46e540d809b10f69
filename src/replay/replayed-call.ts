import type { LegCap } from '../admission/leg-record.ts';
import type { Counter, Holder } from '../admission/plan.ts';
import type { Refusal } from '../admission/refusal.ts';
import type { FinishedCall } from '../charging/finished-call.ts';
import type { Cdr, Charge, FundingKind } from '../records/records.ts';
import type { PoolId } from '../units/ids.ts';
import type { EpochMs } from '../units/time.ts';

/** A finished call as it is replayed. A `Cdr` is one. */
export type ReplayedCall = FinishedCall & Pick<Cdr, 'endedAt' | 'billMicroseconds'>;

/**
 * `as_talked`: every call took place, and lasted, as its record says; what the rules would have refused or ended is told
 * and charged by the minute all the same, as calls are that a soft limit lets go on. `as_ruled`: what the rules refuse
 * does not take place, and what they end is over then.
 */
export type ReplayMode = 'as_talked' | 'as_ruled';

export type ReplayOutcome =
  | ({
      readonly kind: 'admitted';
      /** Of version 1, as they would have been made when the call ended. */
      readonly charges: readonly Charge[];
      readonly funding: FundingKind;
      /** The record's, unless the call was ended before. */
      readonly billedSeconds: number;
      /** Why it would have been refused; only of a call that took place all the same. */
      readonly refusal: Refusal | undefined;
      /** When it was ended, or would have been. */
      readonly cut: ReplayCut | undefined;
    } & ReplayCounted)
  /** It does not take place: only `as_ruled`. */
  | ({ readonly kind: 'refused'; readonly refusal: Refusal } & ReplayCounted)
  /**
   * Nobody can be charged for it by the accounts and tariffs of now, for the reason given, or it was never decided by
   * them (no reason): what was charged stands.
   */
  | ({ readonly kind: 'standing'; readonly refusal: Refusal | undefined } & ReplayCounted);

type ReplayCounted = {
  readonly call: ReplayedCall;
  /** In use just after its admission, of everybody who counts it and of the trunks that it goes over. */
  readonly inUse: readonly HolderCount[];
};

export type HolderCount = {
  readonly holder: Holder;
  readonly counts: Readonly<Partial<Record<Counter, number>>>;
};

export type ReplayCut = {
  readonly at: EpochMs;
  /** How many seconds of the talk were paid for by then. */
  readonly paidSeconds: number;
  /** What ran out, or the limit that it had reached. */
  readonly by: { readonly pool: PoolId } | { readonly cap: LegCap };
};
