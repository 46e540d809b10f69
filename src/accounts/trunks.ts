import { matches } from '../rating/patterns.ts';
import type { Bound, EffectiveLimits, EffectiveTrunks } from './limits.ts';

/** Calls that are on trunks now, burst ones included. */
export type TrunkUse = { readonly inbound: number; readonly outbound: number };

/** How a call goes over the trunks: regularly, beyond what is rented regularly, or not at all. */
export type TrunkVerdict = 'flat_rate' | 'flat_rate_burst' | 'full';

/**
 * Whether one call more finds a trunk. Inbound and outbound trunks take their own direction, what is left over of both
 * takes two-way trunks, and what is left over of those burst ones: max(0, in − inbound) + max(0, out − outbound) ≤ twoway.
 */
export function trunkFor(trunks: EffectiveTrunks, used: TrunkUse, direction: keyof TrunkUse): TrunkVerdict {
  const after = { ...used, [direction]: used[direction] + 1 };
  const beyond = trunksBeyond(trunks, after);
  if (beyond === 0) return 'flat_rate';
  return leftOver(beyond, trunks.burst) === 0 ? 'flat_rate_burst' : 'full';
}

/** How many of these calls are on burst trunks, or on none. */
export function trunksBeyond(trunks: EffectiveTrunks, used: TrunkUse): number {
  const own = leftOver(used.inbound, trunks.inbound) + leftOver(used.outbound, trunks.outbound);
  return leftOver(own, trunks.twoway);
}

/** Whether a number may go over a trunk at all. */
export function isFlatRateNumber(
  { whitelist, blacklist }: EffectiveLimits['flatRate'],
  e164: string,
): boolean {
  const written = `+${e164}`;
  return (
    whitelist.some((pattern) => matches(pattern, written)) &&
    !blacklist.some((pattern) => matches(pattern, written))
  );
}

function leftOver(calls: number, bound: Bound): number {
  return bound === 'unlimited' ? 0 : Math.max(0, calls - bound);
}
