import type { Payer } from '../accounts/account-tree.ts';
import { allotmentFor, secondsHeld, usedUpBy } from '../accounts/allotment-use.ts';
import { allotmentPool, allotmentTerms, secondsToMicros } from '../credit/pools.ts';
import { continuationOf } from '../rating/price.ts';
import { canCost } from './funded.ts';
import type { Asked, PerMinute } from './funding.ts';
import type { AllotmentRecord, Continuation } from './leg-record.ts';
import type { FundingOption, HoldTake } from './plan.ts';

/**
 * By the allotment of the number's classification. Whether enough is left only the script can tell. Where the account
 * pays per minute too, the call goes on so when the allotment has run dry (DESIGN 6).
 */
export function allotmentOption(
  payer: Payer,
  { direction, question }: Pick<Asked, 'direction' | 'question'>,
  perMinute: () => PerMinute,
): FundingOption | undefined {
  const { allotments } = payer.limits;
  if (Object.keys(allotments).length === 0) return undefined;
  const found = allotmentFor(allotments, { direction, classification: question.classification });
  if (found === undefined) return undefined;
  const { minimum, increment, grace } = found.allotment;
  const terms = allotmentTerms({
    minimumSeconds: minimum,
    incrementSeconds: increment,
    graceSeconds: grace,
  });
  const [pool, ...groups] = usedUpBy(allotments, found.name).map((name) => allotmentPool(payer.path, name));
  if (pool === undefined) return undefined;
  const record: AllotmentRecord = {
    account: payer.path,
    name: found.name,
    pool,
    groups,
    terms,
    goesOn: payer.limits.fundingOrder.includes('per_minute') ? continuation(payer, perMinute()) : undefined,
  };
  const holds: HoldTake[] = [
    { wallet: pool, terms, amount: secondsToMicros(secondsHeld(found.allotment)) },
    ...groups.map((wallet): HoldTake => ({ wallet, terms, isForced: true })),
  ];
  return { take: { kind: 'holds', holds }, part: { way: 'allotment', allotment: record } };
}

function continuation(payer: Payer, paid: PerMinute): Continuation | undefined {
  if (paid.kind !== 'rated' || paid.option.part?.way !== 'per_minute') return undefined;
  const { payer: record } = paid.option.part;
  const { maxCallCost } = payer.limits;
  const isFree = !paid.terms.some((terms) => canCost(continuationOf(terms)));
  return {
    payer: { ...record, terms: continuationOf(record.terms) },
    ...(isFree && { isFree }),
    ...(maxCallCost === 'unlimited' || isFree ? {} : { costMax: maxCallCost }),
  };
}
