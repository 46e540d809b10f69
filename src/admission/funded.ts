import type { PriceTerms } from '../rating/price.ts';
import type { FundingKind } from '../records/records.ts';
import { tighterCap } from './cap.ts';
import type { FundedPart, LegRecord, TakenSlot } from './leg-record.ts';
import { slotName, slotOf, type Holder, type SlotPlan } from './plan.ts';

const WHOLE_PPM = 1_000_000;

/** Whether a call may cost anything at this price. */
export function canCost({ perMinute, surcharge, discountPpm }: PriceTerms): boolean {
  return discountPpm < WHOLE_PPM && (perMinute > 0n || surcharge > 0n);
}

/**
 * The record of a leg once it is known by which of its ways each payer pays. Trunks are given back with the leg, like
 * every other count.
 */
export function withFunded(
  record: LegRecord,
  parts: readonly FundedPart[],
  isOpen = parts.length > 0,
): LegRecord {
  if (!isOpen) return record;
  let { payers, trunks, taken, cap } = record;
  for (const part of parts) {
    if (part.way === 'per_minute') {
      payers = [...payers, part.payer];
      cap = tighterCap(cap, part.cap);
    } else {
      trunks = [...trunks, { account: part.account, way: part.way }];
      taken = withCounted(taken, { kind: 'trunks', path: part.account }, part.counter);
    }
  }
  return { ...record, payers, trunks, taken, cap, funding: fundingOf({ payers, trunks }) };
}

/** The parts of the ways that were taken, one of each payer that had several. */
export function chosenParts({ firstOf }: SlotPlan, chosen: readonly number[]): readonly FundedPart[] {
  return firstOf.flatMap(({ options }, payer) => options[chosen[payer] ?? 0]?.part ?? []);
}

/** In one word: per minute as soon as one payer does, for then the call has a price. */
export function fundingOf({ payers, trunks }: Pick<LegRecord, 'payers' | 'trunks'>): FundingKind {
  if (payers.some(({ terms }) => canCost(terms))) return 'per_minute';
  if (trunks.length > 0) {
    return trunks.some(({ way }) => way === 'flat_rate_burst') ? 'flat_rate_burst' : 'flat_rate';
  }
  return payers.length > 0 ? 'free' : 'none';
}

function withCounted(
  taken: readonly TakenSlot[],
  holder: Holder,
  counter: 'inboundCalls' | 'outboundCalls',
): readonly TakenSlot[] {
  const home = slotName(slotOf(holder));
  return taken.map((each) =>
    slotName(each.slot) === home
      ? { ...each, counted: [...each.counted, { holder, counters: [counter] }] }
      : each,
  );
}
