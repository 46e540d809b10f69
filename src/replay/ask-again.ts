import { planLeg } from '../admission/decide.ts';
import { chosenParts, withParts, type PaidBy } from '../admission/funded.ts';
import type { Funded } from '../admission/funding.ts';
import type { HolderTakes, Plan } from '../admission/plan.ts';
import { calledSideOf, softAccount, type PlannedQuestion } from '../admission/question.ts';
import { explainTakeRefusal, type Refusal } from '../admission/refusal.ts';
import type { RatingBooks } from '../charging/finished-call.ts';
import { isCharged } from '../charging/first-rating.ts';
import type { Wallet } from '../credit/wallet.ts';
import { accountOf, parseAccountPath, type AccountPath } from '../units/ids.ts';
import type { ReplayedCall, ReplayMode } from './replayed-call.ts';
import { takePlan, type ReplayState } from './take-plan.ts';

/** How a call is admitted when it asks again; nothing is taken yet. */
export type AskedAgain =
  | {
      readonly kind: 'admitted';
      readonly takes: readonly HolderTakes[];
      readonly wallets: readonly Wallet[];
      readonly paidBy: PaidBy;
      /** The first word against it, where it took place all the same. */
      readonly refusal: Refusal | undefined;
    }
  | { readonly kind: 'refused'; readonly refusal: Refusal; readonly takes: readonly HolderTakes[] }
  /** There is no way in which it could be charged, whatever is let go on. */
  | { readonly kind: 'unrated'; readonly refusal: Refusal };

type Asking = {
  /** Undefined: it never took place, and nobody paid for it. */
  readonly call: ReplayedCall | undefined;
  readonly question: PlannedQuestion;
  readonly books: RatingBooks;
  readonly state: ReplayState;
  readonly mode: ReplayMode;
};

/**
 * Asks as the gate does, soft limits included (`admitLeg`). Of a call that took place, bounds of counts are told and not
 * kept; and where a payer could pay in no way, its bounds are dropped as those of a soft limit are.
 */
export function askAgain({ call, question, books, state, mode }: Asking): AskedAgain {
  const soft = new Set<AccountPath>(mode === 'as_talked' ? question.soft : []);
  const onCalledSide = calledSideOf(question);
  let told: Refusal | undefined;
  let isCounted = true;
  for (;;) {
    const planned = planLeg({ ...question, soft }, books.tariffs, books.policy);
    if (planned.kind === 'refused') {
      const { refusal } = planned;
      const dropped = softened(question, refusal, soft, mode);
      if (dropped !== undefined) {
        if (softAccount(question, dropped) === undefined) told ??= refusal;
        soft.add(dropped);
        continue;
      }
      return mode === 'as_talked' ? { kind: 'unrated', refusal } : { kind: 'refused', refusal, takes: [] };
    }
    const { plan, funding } = charged(call, planned, mode);
    const taken = takePlan(state, plan, { at: question.at, isCounted });
    if (taken.kind === 'taken') {
      const { takes, wallets, chosen } = taken;
      const { payers, allotments } = funding;
      const known = { payers, allotments, trunks: [], cap: planned.cap };
      const paidBy = withParts(known, chosenParts(plan.home, chosen));
      return { kind: 'admitted', takes, wallets, paidBy, refusal: told };
    }
    const refusal = explainTakeRefusal(taken.refusal, onCalledSide);
    const isOfCounts = taken.refusal.kind === 'count' || taken.refusal.kind === 'rate';
    const dropped = softened(question, refusal, soft, mode);
    if (mode === 'as_ruled' && dropped === undefined) {
      return { kind: 'refused', refusal, takes: [plan.home, ...plan.others].flatMap(({ takes }) => takes) };
    }
    if (dropped === undefined || softAccount(question, dropped) === undefined) told ??= refusal;
    if (mode === 'as_talked' && isOfCounts) isCounted = false;
    else if (dropped !== undefined) soft.add(dropped);
  }
}

/** Refusals that a soft limit gets over; where nobody prices a call, or in other money, nothing helps. */
const GOT_OVER: ReadonlySet<Refusal['reason']> = new Set([
  'limit_reached',
  'too_many_calls_per_second',
  'no_credit',
  'no_trunk',
  'no_allotment',
  'spend_limit',
]);

/** Whose bounds are dropped next; undefined: nobody's, the refusal stands. */
function softened(
  question: PlannedQuestion,
  { holder, reason }: Refusal,
  soft: ReadonlySet<AccountPath>,
  mode: ReplayMode,
): AccountPath | undefined {
  const account = parseAccountPath(holder);
  if (account === undefined || soft.has(account)) return undefined;
  if (mode === 'as_ruled') return softAccount(question, account);
  return GOT_OVER.has(reason) ? account : undefined;
}

type Planned = { readonly plan: Plan; readonly funding: Funded };

/** Without whom it was let pass for: it was not charged (ruling 16), whatever its flags say today. */
function charged(call: ReplayedCall | undefined, { plan, funding }: Planned, mode: ReplayMode): Planned {
  if (call === undefined || mode === 'as_ruled' || isCharged(call, call.account)) return { plan, funding };
  const isPaying = (account: AccountPath): boolean => isCharged(call, account);
  const holds = plan.home.holds.filter(({ wallet }) => isPaying(accountOf(wallet)));
  const firstOf = plan.home.firstOf.filter(({ payer }) => isPaying(payer));
  return {
    plan: { ...plan, home: { ...plan.home, holds, firstOf } },
    funding: {
      ...funding,
      payers: funding.payers.filter(({ account }) => isPaying(account)),
      allotments: funding.allotments.filter(({ account }) => isPaying(account)),
    },
  };
}
