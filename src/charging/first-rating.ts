import type { AccountNode } from '../accounts/account-tree.ts';
import { fund } from '../admission/funding.ts';
import { splitPayer } from '../admission/rate-split.ts';
import { fundingOf, fundingPaid, withParts } from '../admission/funded.ts';
import type { PayerRecord } from '../admission/leg-record.ts';
import type { FirstOf } from '../admission/plan.ts';
import type { Refusal } from '../admission/refusal.ts';
import type { Charge, FundingKind } from '../records/records.ts';
import type { AccountPath } from '../units/ids.ts';
import { questionOfCall } from './call-question.ts';
import { chargesOf } from './charges.ts';
import { paidParts } from './leg-parts.ts';
import type { FinishedCall, RatedCall, RatingBooks } from './finished-call.ts';

export type FirstRated =
  /** No charges: nobody pays for such a call, or it was not answered. `funding` is what its CDR says. */
  | { readonly kind: 'rated'; readonly charges: readonly Charge[]; readonly funding: FundingKind }
  /** Some payer has no way to pay for it. */
  | { readonly kind: 'refused'; readonly refusal: Refusal };

/** Which of its ways a payer takes who has several, in its order: the place of one in `options`. */
export type ChooseWay = (first: FirstOf, call: FinishedCall) => number;

/** As if every trunk were free. */
export const FIRST_WAY: ChooseWay = () => 0;

/**
 * The charges, of version 1, of a call that nobody has rated yet: funded by the limits and the tariff in force at its
 * admission, as the gate would have done. That the money was there is taken for granted: it has been talked.
 */
export function rateFirst(
  call: FinishedCall,
  books: RatingBooks,
  chooseWay: ChooseWay,
  /** Whose own price came with the call, where it did; nothing on record tells of him. */
  customer?: AccountNode,
): FirstRated {
  const { direction, decision } = call;
  if (decision === 'emergency' || decision === 'refused') return NOT_CHARGED;
  const own = customer?.path === call.account ? customer : undefined;
  if (direction === 'internal' && own === undefined) return NOT_CHARGED;
  const question = questionOfCall(call, books.accounts, own);
  if (question === undefined) return NOT_CHARGED;
  if (question.tollFree) return { ...NOT_CHARGED, funding: 'toll_free' };
  const funded = fund(question, books.tariffs, books.policy);
  if (funded.kind === 'refused') return funded;
  const taken = funded.firstOf.flatMap((first) => first.options[chooseWay(first, call)] ?? []);
  const known = { payers: funded.payers, allotments: funded.allotments, trunks: [], cap: undefined };
  const { payers, trunks, allotments } = withParts(
    known,
    taken.flatMap(({ part }) => part ?? []),
  );
  const charged = {
    payers: payers.filter(({ account }) => isCharged(call, account)),
    trunks: trunks.filter(({ account }) => isCharged(call, account)),
    allotments: allotments.filter(({ account }) => isCharged(call, account)),
  };
  const { billedSeconds, legUuid } = call;
  const inTimes = { ...charged, payers: charged.payers.map((payer) => inItsTimes(payer, call, books)) };
  const parts = paidParts(inTimes, { billedSeconds, allotmentSeconds: WHOLLY });
  const charges = call.answeredAt === undefined ? [] : chargesOf({ legUuid, version: 1 }, parts);
  return { kind: 'rated', charges, funding: fundingPaid({ funding: fundingOf(charged) }, charges) };
}

/** By the rates of other times of day too, where calls are split by them. */
export function inItsTimes(
  payer: PayerRecord,
  call: RatedCall,
  { policy, tariffs }: RatingBooks,
): PayerRecord {
  const { answeredAt } = call;
  if (policy.periods !== 'split' || answeredAt === undefined) return payer;
  return splitPayer(payer, { ...call, answeredAt }, tariffs);
}

/** As if every allotment had lasted. */
const WHOLLY: ReadonlyMap<AccountPath, number> = new Map();

const NOT_CHARGED = { kind: 'rated', charges: [], funding: 'none' } as const;

/** What was let pass for one account's sake was not charged to it (ruling 16), whatever its flags say today. */
export function isCharged(
  { account, decision }: Pick<FinishedCall, 'account' | 'decision'>,
  payer: string,
): boolean {
  return account !== payer || (decision !== 'dry_run' && decision !== 'unrestricted');
}
