import type { PriceTerms } from '../rating/price.ts';
import type { Charge, FundingKind } from '../records/records.ts';
import { tighterCap } from './cap.ts';
import type { FundedPart, LegRecord, TakenSlot } from './leg-record.ts';
import { slotName, slotOf, trunksOf, type Holder, type SlotPlan } from './plan.ts';

const WHOLE_PPM = 1_000_000;

/** Whether a call may cost anything at this price. */
export function canCost({ perMinute, surcharge, discountPpm, next }: PriceTerms): boolean {
  const own = discountPpm < WHOLE_PPM && (perMinute > 0n || surcharge > 0n);
  return own || (next !== undefined && canCost(next.terms));
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
  const taken = parts.reduce(withTrunk, record.taken);
  const paid = withParts(record, parts);
  const would = parts.filter(({ isDryRun }) => isDryRun === true);
  const dryRun = [...(record.dryRun ?? []), ...would];
  const funding = fundingOf(paid);
  return { ...record, ...paid, taken, funding, ...(dryRun.length > 0 ? { dryRun } : {}) };
}

/** Who pays how, and the longest that the leg may last by it. */
export type PaidBy = Pick<LegRecord, 'payers' | 'trunks' | 'allotments' | 'cap'>;

/** With the ways that were taken by those who had several. */
export function withParts(paid: PaidBy, parts: readonly FundedPart[]): PaidBy {
  let { payers, trunks, allotments, cap } = paid;
  for (const part of parts) {
    if (part.isDryRun === true) continue;
    if (part.way === 'per_minute') {
      payers = [...payers, part.payer];
      cap = tighterCap(cap, part.cap);
    } else if (part.way === 'allotment') allotments = [...allotments, part.allotment];
    else trunks = [...trunks, { account: part.account, way: part.way }];
  }
  return { payers, trunks, allotments, cap };
}

/** The parts of the ways that were taken, one of each payer that had several. */
export function chosenParts({ firstOf }: SlotPlan, chosen: readonly number[]): readonly FundedPart[] {
  return firstOf.flatMap(({ options }, payer) => options[chosen[payer] ?? 0]?.part ?? []);
}

/** In one word: per minute as soon as one payer does, for then the call has a price. */
export function fundingOf({
  payers,
  trunks,
  allotments,
}: Pick<LegRecord, 'payers' | 'trunks' | 'allotments'>): FundingKind {
  if (payers.some(({ terms }) => canCost(terms))) return 'per_minute';
  if (allotments.length > 0) return 'allotment';
  if (trunks.length > 0) {
    return trunks.some(({ way }) => way === 'flat_rate_burst') ? 'flat_rate_burst' : 'flat_rate';
  }
  return payers.length > 0 ? 'free' : 'none';
}

/**
 * The same of a leg that has ended: what it was admitted by, or per minute where its allotment or the time of its free
 * rate did not last.
 */
export function fundingPaid(
  { funding }: Pick<LegRecord, 'funding'>,
  charges: readonly Charge[],
): FundingKind {
  if (funding !== 'allotment' && funding !== 'free') return funding;
  const paid = charges.some((charge) => charge.way === 'per_minute' && canCost(charge.terms));
  return paid ? 'per_minute' : funding;
}

/** A trunk that is taken, or that would be, is counted. */
function withTrunk(taken: readonly TakenSlot[], part: FundedPart): readonly TakenSlot[] {
  if (part.way === 'per_minute' || part.way === 'allotment') return taken;
  return withCounted(taken, trunksOf(part), part.counter);
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
