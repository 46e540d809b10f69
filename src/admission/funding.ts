import { payersAt, type Payer } from '../accounts/account-tree.ts';
import { spendPoolsOf } from '../credit/pools.ts';
import type { PriceTerms } from '../rating/price.ts';
import type { Direction } from '../rating/rate.ts';
import type { TariffBook } from '../rating/tariff-book.ts';
import { allotmentOption } from './allotment-funding.ts';
import { costCap, refusedByCap, tighterCap } from './cap.ts';
import { customerFunding, type CustomerFunding } from './customer-funding.ts';
import { canCost } from './funded.ts';
import { wouldPay } from './dry-run-funding.ts';
import type { AllotmentRecord, FundedPart, LegCap, PayerRecord, TimeRecord } from './leg-record.ts';
import { payerRecordOf, rateForPayer } from './payer-rate.ts';
import { termsInTime, type TimedCall } from './rate-split.ts';
import type { FirstOf, FundingOption, HoldTake } from './plan.ts';
import { directionOf, type FundingQuestion } from './question.ts';
import { refuse, type Refusal } from './refusal.ts';
import { trunkOptions, type Trunks } from './trunk-funding.ts';
import { isEnforced } from './takes.ts';

/** What happens where nobody said how a call is paid. */
export type FundingPolicy = {
  /** An outbound call for which a payer's tariff has no rate. */
  readonly unrated: 'refuse' | 'allow';
  /** The same for an inbound call: being called is free unless a tariff prices it. */
  readonly unratedInbound: 'refuse' | 'allow';
  /** An outbound call of a chain in which nobody pays (ruling 14). */
  readonly unfunded: 'refuse' | 'allow';
  /** Which rate a call has that goes on into another time of day: that of its start, unless each is to have its time. */
  readonly periods?: 'start' | 'split';
  /** What the money of customers is in that only channel variables name. */
  readonly customerCurrency: string;
};

export type Funding =
  | ({ readonly kind: 'funded' } & Funded)
  | { readonly kind: 'refused'; readonly refusal: Refusal };

export type Funded = {
  readonly payers: readonly PayerRecord[];
  readonly allotments: readonly AllotmentRecord[];
  readonly holds: readonly HoldTake[];
  /** Payers that may pay in several ways, or only as long as there are trunks. */
  readonly firstOf: readonly FirstOf[];
  /** The seconds that the caller's customer shares among his calls. */
  readonly time?: TimeRecord | undefined;
  /** How those in a dry run would pay whose way is known. */
  readonly dryRun?: readonly FundedPart[];
  /** Why payers with one way left do not pay in others that they have, in words. */
  readonly passedOver: readonly string[];
  /** The longest that the call may last before it is too dear for one of its payers. */
  readonly cap: LegCap | undefined;
};

/**
 * Every paying account of the chain funds the leg by itself, in the first of its ways that it can (DESIGN 4). Internal
 * legs, emergencies and toll-free calls cost nothing (rulings 15 and 16); but what an internal leg's own variables say of
 * its price, they say on purpose.
 */
export function fund(question: FundingQuestion, tariffs: TariffBook, policy: FundingPolicy): Funding {
  const direction = directionOf(question);
  if (question.emergency || question.tollFree) return withCustomer(UNPAID, undefined);
  const own = question.caller && customerFunding(question.caller, policy.customerCurrency);
  if (direction === 'internal') return withCustomer(UNPAID, own);
  const side = direction === 'outbound' ? question.caller : question.callee;
  const payers = side === undefined ? [] : payersAt(side, question.at);
  if (payers.length === 0) {
    const isSoft = side !== undefined && question.soft?.has(side.path) === true;
    const mayBeUnpaid = direction === 'inbound' || policy.unfunded === 'allow' || isSoft;
    if (mayBeUnpaid || side?.customer !== undefined) return withCustomer(UNPAID, own);
    const words = `nobody in the chain of ${side?.path ?? 'the caller'} has a wallet or a tariff`;
    return { kind: 'refused', refusal: refuse('no_payer', 'credit', side?.path ?? '', words) };
  }
  const routes = question.routes.map((route) => route.name);
  const asked = { question, direction, routes, tariffs, policy };
  const records: PayerRecord[] = [];
  const allotments: AllotmentRecord[] = [];
  const holds: HoldTake[] = [];
  const firstOf: FirstOf[] = [];
  const passedOver: string[] = [];
  const dryRun: FundedPart[] = [];
  let cap: LegCap | undefined;
  for (const payer of payers) {
    if (!isEnforced(payer)) {
      const would = wouldPay(payer, waysOf(payer, asked));
      if (would?.kind === 'asked') firstOf.push(would.first);
      if (would?.kind === 'known') dryRun.push(would.part);
      continue;
    }
    const ways = question.soft?.has(payer.path) === true ? softWays(payer, asked) : waysOf(payer, asked);
    if (ways.kind === 'refused') return ways;
    const [only] = ways.options;
    if (ways.options.length === 1 && only !== undefined && only.take?.kind !== 'trunk') {
      if (only.part?.way === 'per_minute') {
        records.push(only.part.payer);
        cap = tighterCap(cap, only.part.cap);
      }
      if (only.part?.way === 'allotment') allotments.push(only.part.allotment);
      if (only.take?.kind === 'holds') holds.push(...only.take.holds);
      passedOver.push(...ways.others);
    } else {
      firstOf.push({ payer: payer.path, options: ways.options, others: ways.others });
    }
  }
  return withCustomer({ payers: records, allotments, holds, firstOf, passedOver, dryRun, cap }, own);
}

function withCustomer(funded: Funded, own: CustomerFunding | undefined): Funding {
  if (own === undefined) return { kind: 'funded', ...funded };
  if (own.isDryRun) {
    const { dryRun = [] } = funded;
    const would = own.payer && {
      way: 'per_minute' as const,
      payer: own.payer,
      cap: undefined,
      isDryRun: true as const,
    };
    return { kind: 'funded', ...funded, dryRun: would === undefined ? dryRun : [...dryRun, would] };
  }
  const payers = own.payer === undefined ? funded.payers : [...funded.payers, own.payer];
  return { kind: 'funded', ...funded, payers, holds: [...funded.holds, ...own.holds], time: own.time };
}

const UNPAID: Funded = {
  payers: [],
  allotments: [],
  holds: [],
  firstOf: [],
  passedOver: [],
  cap: undefined,
};

export type Asked = {
  readonly question: FundingQuestion;
  readonly direction: 'inbound' | 'outbound';
  readonly routes: readonly string[];
  readonly tariffs: TariffBook;
  readonly policy: FundingPolicy;
};

export type Ways =
  | {
      readonly kind: 'ways';
      /** At least one. */
      readonly options: readonly FundingOption[];
      readonly others: readonly string[];
    }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

/** The ways of one payer in its order, without those that are known to fail. */
function waysOf(payer: Payer, asked: Asked): Ways {
  const trunks = trunkOptions(payer, asked);
  const allotment = allotmentOption(payer, asked, () => perMinute(payer, asked, false));
  const options: FundingOption[] = [];
  const refusals: Refusal[] = [];
  for (const way of payer.limits.fundingOrder) {
    if (way === 'flat_rate') {
      if (trunks.kind === 'options') options.push(...trunks.options);
      else refusals.push(trunks.refusal);
    } else if (way === 'allotment') {
      if (allotment !== undefined) options.push(allotment);
    } else {
      // What was paid for in advance and is used up is a bound: what nobody prices is free only for an account that
      // has nothing for it.
      const mayBeUnrated = trunks.kind !== 'options' && allotment === undefined;
      const paid = perMinute(payer, asked, mayBeUnrated);
      if (paid.kind === 'refused') refusals.push(paid.refusal);
      else options.push(paid.option);
    }
  }
  if (options.length > 0) {
    // Who has no trunks at all does not wonder why they were not taken.
    const others = refusals.filter(
      (each) => trunks.kind === 'options' || trunks.rents || each !== trunks.refusal,
    );
    return { kind: 'ways', options, others: others.map(({ words }) => words) };
  }
  return { kind: 'refused', refusal: noneOf(payer, refusals, trunks) };
}

/** Why none of its ways can be taken: the last one's reason first, and of trunks where it rents any. */
function noneOf(payer: Payer, refusals: readonly Refusal[], trunks: Trunks): Refusal {
  const ofTrunks = trunks.kind === 'refused' ? trunks.refusal : undefined;
  const rents = trunks.kind === 'refused' && trunks.rents && refusals.includes(trunks.refusal);
  const last = refusals.at(-1) ?? noWay(payer);
  // Who only rents trunks is told about those, not about the money that it never had.
  const main = rents && payer.walletCurrency === undefined ? trunks.refusal : last;
  const told = refusals.filter((each) => each !== main && (rents || each !== ofTrunks));
  return { ...main, words: [main, ...told].map(({ words }) => words).join('; ') };
}

/** A soft leg is charged when it ends and holds nothing: its money is not asked for, nor kept from others (ruling 16). */
function softWays(payer: Payer, asked: Asked): Ways {
  const paid = perMinute(payer, asked, true);
  if (paid.kind === 'refused' || paid.option.part?.way !== 'per_minute') {
    return { kind: 'ways', options: [{ take: undefined, part: undefined }], others: [] };
  }
  const soft = { ...paid.option.part.payer, soft: true };
  const part = { way: 'per_minute', payer: soft, cap: undefined } as const;
  return { kind: 'ways', options: [{ take: undefined, part }], others: [] };
}

export type PerMinute =
  /** `terms`: all that it may be charged by, at whatever times of day it talks. */
  | { readonly kind: 'rated'; readonly option: FundingOption; readonly terms: readonly PriceTerms[] }
  | { readonly kind: 'unrated'; readonly option: FundingOption }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

/** By the payer's tariff; for nothing where nobody prices the call and that is allowed. */
function perMinute(payer: Payer, asked: Asked, mayBeUnrated: boolean): PerMinute {
  const { question, direction, routes, tariffs, policy } = asked;
  const { destination, options, at } = question;
  const rated = rateForPayer(
    payer,
    { destination, direction, routes, options, at },
    tariffs,
    () => question.classification,
  );
  if (rated === undefined) {
    const unrated = direction === 'inbound' ? policy.unratedInbound : policy.unrated;
    if (unrated === 'allow' && mayBeUnrated) {
      return { kind: 'unrated', option: { take: undefined, part: undefined } };
    }
    const words =
      payer.tariff === undefined
        ? `${payer.path} has no tariff to pay per minute by`
        : `the tariff of ${payer.path} has no ${direction} rate for ${question.destination}`;
    return { kind: 'refused', refusal: refuse('no_rate', 'barred', payer.path, words) };
  }
  const { terms, version } = rated;
  const { currency } = version;
  const own = payerRecordOf(payer.path, rated);
  // What costs nothing now may go on into a time of day in which it does.
  const inTime =
    policy.periods === 'split' ? termsInTime(own, timedCall(question, direction), tariffs) : [terms];
  const costs = inTime.some(canCost);
  const isSoft = question.soft?.has(payer.path) === true;
  if (costs) {
    const refusal = cannotPay(payer, currency, isSoft);
    if (refusal !== undefined) return { kind: 'refused', refusal };
  }
  const { maxCallCost } = payer.limits;
  const cap = isSoft ? undefined : costCap(payer.path, terms, maxCallCost);
  const tooDear = refusedByCap(cap, maxCallCost);
  if (tooDear !== undefined) return { kind: 'refused', refusal: tooDear };
  const windows = isSoft || !costs ? [] : spendPoolsOf(payer.path, payer.limits);
  const record = { ...own, ...(windows.length > 0 ? { windows } : {}) };
  const part = { way: 'per_minute', payer: record, cap } as const;
  const holds = [payer.path, ...windows].map((wallet) => ({ wallet, terms }));
  const take = costs ? ({ kind: 'holds', holds } as const) : undefined;
  return { kind: 'rated', option: { take, part }, terms: inTime };
}

function timedCall({ destination, options, routes, at }: FundingQuestion, direction: Direction): TimedCall {
  return { destination, direction, options, routes: routes.map(({ name }) => name), admittedAt: at };
}

/** Its `fundingOrder` names no way that this call could be paid in. */
function noWay({ path, limits }: Payer): Refusal {
  const words = `${path} pays by ${limits.fundingOrder.join(', ')}, and this call cannot be paid so`;
  return refuse('no_credit', 'credit', path, words, 'fundingOrder');
}

/** A wallet that is not there or counts other money cannot be charged at all; what it may spend is asked of others. */
function cannotPay(payer: Payer, currency: string, isSoft: boolean): Refusal | undefined {
  const { path, walletCurrency, limits } = payer;
  if (walletCurrency === undefined) {
    return refuse('no_wallet', 'credit', path, `${path} has no wallet to pay per minute from`);
  }
  if (walletCurrency !== currency) {
    const words = `the wallet of ${path} is in ${walletCurrency} and its tariff in ${currency}`;
    return refuse('currency_differs', 'barred', path, words);
  }
  if (!isSoft && !limits.allowPrepay && !limits.allowPostpay) {
    const words = `${path} may spend neither its balance nor credit`;
    return refuse('no_credit', 'credit', path, words, 'allowPrepay');
  }
  return undefined;
}
