import { poolsAfter, poolsOfPayer, type LegPool } from '../admission/leg-pools.ts';
import type { PaidBy } from '../admission/funded.ts';
import type { AllotmentRecord, Continuation } from '../admission/leg-record.ts';
import { splitContinuation } from '../admission/rate-split.ts';
import type { RatingBooks } from '../charging/finished-call.ts';
import type { HolderTakes } from '../admission/plan.ts';
import type { Refusal } from '../admission/refusal.ts';
import type { PoolId } from '../units/ids.ts';
import type { EpochMs } from '../units/time.ts';
import { isReplayed } from './pools.ts';
import type { HolderCount, ReplayCut, ReplayedCall } from './replayed-call.ts';

/** A call that is up, and all that its end is worked out from. */
export type Talk = {
  readonly call: ReplayedCall;
  readonly takes: readonly HolderTakes[];
  readonly inUse: readonly HolderCount[];
  readonly refusal: Refusal | undefined;
  readonly isTollFree: boolean;
  /** From its answer on with the rates of later times of day. */
  paidBy: PaidBy;
  /** Of each allotment that ran dry, how many seconds it had paid for, and how the call went on then. */
  readonly wentOn: Map<PoolId, GoneOn>;
  cut: ReplayCut | undefined;
  isOver: boolean;
};

export type GoneOn = { readonly afterSeconds: number; readonly goesOn: Continuation };

/** One payer's pools that it draws on at first, and the allotment, where they are one's. */
export type Chain = {
  readonly first: readonly LegPool[];
  readonly allotment: AllotmentRecord | undefined;
};

/** Of each payer that draws on anything that is replayed. */
export function chainsOf({ paidBy: { payers, allotments } }: Pick<Talk, 'paidBy'>): readonly Chain[] {
  const money = payers.flatMap((payer): readonly Chain[] => {
    const first = payer.soft === true ? [] : poolsOfPayer(payer).filter(({ pool }) => isReplayed(pool));
    return first.length === 0 ? [] : [{ first, allotment: undefined }];
  });
  const ahead = allotments.map((allotment): Chain => {
    const { pool, groups, terms } = allotment;
    return {
      first: [{ pool, terms }, ...groups.map((group): LegPool => ({ pool: group, terms, isForced: true }))],
      allotment,
    };
  });
  return [...money, ...ahead];
}

/**
 * How the call goes on when so many of its seconds were paid for by the allotment: by the rates of that moment, where
 * calls are split by times of day.
 */
export function goneOnAfter(
  talk: Talk,
  { pool, goesOn }: AllotmentRecord,
  afterSeconds: number,
  { policy, tariffs }: RatingBooks,
): GoneOn | undefined {
  const known = talk.wentOn.get(pool);
  const { answeredAt } = talk.call;
  if (known !== undefined || goesOn === undefined || answeredAt === undefined) return known;
  if (policy.periods !== 'split') return { afterSeconds, goesOn };
  const from = talkedUntil(answeredAt, afterSeconds);
  return { afterSeconds, goesOn: splitContinuation(goesOn, talk.call, from, tariffs) };
}

/** What it then draws on. */
export function poolsGoneOn({ goesOn }: GoneOn): readonly LegPool[] {
  return poolsAfter({ goesOn }).filter(({ pool }) => isReplayed(pool));
}

/** When so many seconds of an answered call were over. */
export function talkedUntil(answeredAt: EpochMs, seconds: number): EpochMs {
  return (answeredAt + seconds * 1000) as EpochMs;
}

/** FreeSWITCH's exact duration. */
export function talkMsOf({ billMicroseconds }: ReplayedCall): number {
  return Math.ceil(billMicroseconds / 1000);
}
