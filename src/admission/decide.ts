import { meaningOf } from '../credit/pools.ts';
import type { TariffBook } from '../rating/tariff-book.ts';
import { fundedSeconds } from '../rating/quote.ts';
import type { DecisionKind } from '../records/records.ts';
import { assert } from '../units/assert.ts';
import { refusedByCap, secondsCap, tighterCap } from './cap.ts';
import { fund, type Funded, type FundingPolicy } from './funding.ts';
import { fundingOf } from './funded.ts';
import type { LegCap, LegRecord } from './leg-record.ts';
import type { HeldWallet } from './live-store.ts';
import type { Plan, SlotPlan } from './plan.ts';
import { directionOf, type PlannedQuestion, type Question } from './question.ts';
import type { Refusal } from './refusal.ts';
import { poolsAtAnswer } from './leg-pools.ts';
import { takesOf } from './takes.ts';

/** A leg's plan and what will be recorded of it, or the refusal that needs no script. */
export type Decided =
  | {
      readonly kind: 'plan';
      readonly plan: Plan;
      readonly record: LegRecord;
      /** Why payers with one way left do not pay in others that they have, in words. */
      readonly passedOver: readonly string[];
    }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

/** A leg's plan and how it is paid, without what will be recorded of it. */
export type Planned =
  | { readonly kind: 'plan'; readonly plan: Plan; readonly funding: Funded; readonly cap: LegCap | undefined }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

/** Compiles a question into takes: all policy is here, none in the script (DESIGN 4). */
export function planLeg(question: PlannedQuestion, tariffs: TariffBook, policy: FundingPolicy): Planned {
  const funding = fund(question, tariffs, policy);
  if (funding.kind === 'refused') return funding;
  const longest = secondsCap(question);
  const tooLong = refusedByCap(longest, undefined);
  if (tooLong !== undefined) return { kind: 'refused', refusal: tooLong };
  const homeRoot = (question.caller ?? question.callee)?.chain[0]?.path;
  const slots = takesOf(question).map(({ slot, takes }): SlotPlan => ({
    slot,
    legKey: question.legKey,
    takes,
    holds: [],
    firstOf: [],
  }));
  const home = slots.find(({ slot }) => slot.kind === 'root' && slot.root === homeRoot);
  if (home === undefined) {
    const words = 'neither side of the call is an account';
    return {
      kind: 'refused',
      refusal: { reason: 'no_account', cause: 'barred', limit: '', holder: '', words, figures: {} },
    };
  }
  const plan: Plan = {
    home: { ...home, holds: funding.holds, firstOf: funding.firstOf },
    others: slots.filter((slot) => slot !== home),
  };
  return { kind: 'plan', plan, funding, cap: tighterCap(longest, funding.cap) };
}

export function decide(question: Question, tariffs: TariffBook, policy: FundingPolicy): Decided {
  const planned = planLeg(question, tariffs, policy);
  if (planned.kind === 'refused') return planned;
  const { plan, funding, cap } = planned;
  const account = (question.caller ?? question.callee)?.path;
  assert(account !== undefined, 'who has a plan has an account');
  const record: LegRecord = {
    legKey: question.legKey,
    admission: question.admission,
    aLeg: question.aLeg,
    siblings: question.siblings,
    uuid: meteredOnALeg(question) ? question.aLeg : undefined,
    node: question.node,
    coreUuid: question.coreUuid,
    account,
    ...(question.caller && question.callee && { callee: question.callee.path }),
    ...(question.forwarded && { forwarded: true }),
    direction: directionOf(question),
    callerNumber: question.callerNumber,
    dialled: question.dialled,
    destination: question.destination,
    routes: question.routes.map((route) => route.name),
    options: question.options,
    admittedAt: question.at,
    answeredAt: undefined,
    decision: decisionOf(question),
    funding: question.tollFree
      ? 'toll_free'
      : fundingOf({ payers: funding.payers, trunks: [], allotments: funding.allotments }),
    payers: funding.payers,
    trunks: [],
    ...(funding.dryRun !== undefined && funding.dryRun.length > 0 ? { dryRun: funding.dryRun } : {}),
    ...(question.soft !== undefined && question.soft.size > 0 ? { soft: [...question.soft] } : {}),
    allotments: funding.allotments,
    ...(funding.time && { time: funding.time }),
    cap,
    taken: [plan.home, ...plan.others].map(({ slot, takes }) => ({
      slot,
      counted: takes.map(({ holder, counts }) => ({
        holder,
        counters: counts.map((count) => count.counter),
      })),
    })),
  };
  return { kind: 'plan', plan, record, passedOver: funding.passedOver };
}

/** The charge follows the public leg (DESIGN 3). Where a call from a route rings several accounts, each pays for its own branch. */
function meteredOnALeg(question: Question): boolean {
  return directionOf(question) === 'inbound' && question.siblings.length === 1;
}

/** How the decision is named (ruling 16): the flag that freed the account itself, its ancestors still enforce. */
function decisionOf(question: Question): DecisionKind {
  if (question.emergency) return 'emergency';
  if (question.soft !== undefined && question.soft.size > 0) return 'soft';
  const own = question.caller ?? question.callee;
  if (own === undefined) return 'admitted';
  if (!own.limits.enabled) return 'unrestricted';
  return own.limits.enforcement === 'dry_run' ? 'dry_run' : 'admitted';
}

type Funds = Pick<HeldWallet, 'wallet' | 'funds' | 'availableAtLeast'>;

export type FundedTime = {
  /** On what is available now beside all other legs: told to the dialplan. */
  readonly funded: number | 'unlimited';
  /** On everything the wallets have, were this the only leg: the dead-man's time (ruling 11). */
  readonly ever: number | 'unlimited';
};

/**
 * The cutoff is the earliest over payers (ruling 10), and never after the longest that the call may last. What is
 * filled anew by the calendar, and what a call goes on by after it, bounds what is funded now and not what may ever be.
 */
export function fundedTime(record: LegRecord, wallets: readonly Funds[]): FundedTime {
  const pools = poolsAtAnswer(record).filter((each) => each.isForced !== true && each.isDryRun !== true);
  let funded: number | 'unlimited' = record.cap?.seconds ?? 'unlimited';
  let ever = funded;
  for (const { wallet, funds, availableAtLeast } of wallets) {
    const drawn = pools.find(({ pool }) => pool === wallet);
    if (drawn === undefined) continue;
    funded = earlier(funded, fundedSeconds(drawn.terms, availableAtLeast));
    const { kind } = meaningOf(wallet);
    if (kind === 'money' || kind === 'time') ever = earlier(ever, fundedSeconds(drawn.terms, funds));
  }
  return { funded, ever };
}

function earlier(a: number | 'unlimited', b: number | 'unlimited'): number | 'unlimited' {
  if (a === 'unlimited') return b;
  return b === 'unlimited' ? a : Math.min(a, b);
}
