import { chargedSeconds, paidSeconds, priceOf } from '../rating/price.ts';
import type { PriceTerms } from '../rating/price.ts';
import type { LegKey } from '../units/ids.ts';
import { toMicros, type Micros } from '../units/money.ts';
import type { EpochMs } from '../units/time.ts';
import { startedBefore } from './refill.ts';
import { inThisCycle, type PayerLeg, type Refill } from './wallet.ts';

/** One finished part of a leg, by what it was charged. */
export type FinishedTalk = {
  readonly terms: PriceTerms;
  readonly answeredAt: EpochMs;
  readonly billedSeconds: number;
};

const ANY_LEG = '' as LegKey;

/** What finished talk has used of a pool in the cycle that began at `startsAt`: as its legs would have, while they ran. */
export function usedSince(
  talks: Iterable<FinishedTalk>,
  counts: Refill['counts'],
  startsAt: EpochMs,
): Micros {
  let used = 0n;
  for (const { terms, answeredAt, billedSeconds } of talks) {
    const charged = chargedSeconds(terms, billedSeconds);
    if (charged === 0) continue;
    const leg: PayerLeg = {
      legKey: ANY_LEG,
      terms,
      state: {
        kind: 'ended',
        answeredAt,
        paidSeconds: Math.max(charged, paidSeconds(terms, 1)),
        endsAt: startsAt,
      },
    };
    used += inThisCycle(startedBefore(leg, { counts }, startsAt), priceOf(terms, billedSeconds));
  }
  return toMicros(used);
}
