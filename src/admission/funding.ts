import type { AccountNode, Payer } from '../accounts/account-tree.ts';
import type { DiscountsPpm } from '../accounts/limits.ts';
import { classify } from '../rating/classify.ts';
import type { PriceTerms } from '../rating/price.ts';
import { chooseRate } from '../rating/tariff-table.ts';
import { versionInForce, type TariffBook } from '../rating/tariff-book.ts';
import { termsOf } from '../rating/terms.ts';
import type { FundingKind } from '../records/records.ts';
import { costCap, refusedByCap, tighterCap } from './cap.ts';
import type { LegCap, PayerRecord } from './leg-record.ts';
import type { HoldTake } from './plan.ts';
import { directionOf, e164Of, type Question } from './question.ts';
import { refuse, type Refusal } from './refusal.ts';
import { isEnforced } from './takes.ts';

const WHOLE_PPM = 1_000_000;

/** What happens where nobody said how a call is paid. */
export type FundingPolicy = {
  /** An outbound call for which a payer's tariff has no rate. */
  readonly unrated: 'refuse' | 'allow';
  /** The same for an inbound call: being called is free unless a tariff prices it. */
  readonly unratedInbound: 'refuse' | 'allow';
  /** An outbound call of a chain in which nobody pays (ruling 14). */
  readonly unfunded: 'refuse' | 'allow';
};

export type Funding =
  | {
      readonly kind: 'funded';
      readonly funding: FundingKind;
      readonly payers: readonly PayerRecord[];
      readonly holds: readonly HoldTake[];
      /** The longest that the call may last before it is too dear for one of its payers. */
      readonly cap: LegCap | undefined;
    }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

/**
 * Every paying account of the chain funds the leg by its own tariff (DESIGN 4). Internal legs and emergencies cost
 * nothing (rulings 15 and 16).
 */
export function fund(question: Question, tariffs: TariffBook, policy: FundingPolicy): Funding {
  const direction = directionOf(question);
  if (direction === 'internal' || question.emergency) return unpaid();
  const side = direction === 'outbound' ? question.caller : question.callee;
  const payers = side?.payers ?? [];
  if (payers.length === 0) {
    if (direction === 'inbound' || policy.unfunded === 'allow') return unpaid();
    const words = `nobody in the chain of ${side?.path ?? 'the caller'} has a wallet or a tariff`;
    return { kind: 'refused', refusal: refuse('no_payer', 'credit', side?.path ?? '', words) };
  }
  const asked = { question, tariffs, policy, classify: classifier(question, side) };
  const records: PayerRecord[] = [];
  const holds: HoldTake[] = [];
  let cap: LegCap | undefined;
  for (const payer of payers) {
    if (!isEnforced(payer)) continue;
    const part = fundPart(payer, asked);
    if (part === undefined) continue;
    if (part.kind === 'refused') return part;
    records.push(part.payer);
    cap = tighterCap(cap, part.cap);
    if (part.costs) holds.push({ wallet: part.payer.wallet, terms: part.payer.terms });
  }
  const funding = holds.length > 0 ? 'per_minute' : records.length > 0 ? 'free' : 'none';
  return { kind: 'funded', funding, payers: records, holds, cap };
}

type Asked = {
  readonly question: Question;
  readonly tariffs: TariffBook;
  readonly policy: FundingPolicy;
  /** What the numbers of the account's tree call this one. Worked out once, and only where somebody asks. */
  readonly classify: () => string;
};

type Part =
  | {
      readonly kind: 'paying';
      readonly payer: PayerRecord;
      readonly costs: boolean;
      readonly cap: LegCap | undefined;
    }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

/** One payer's part; undefined where it pays nothing because nobody prices the call and that is allowed. */
function fundPart(payer: Payer, asked: Asked): Part | undefined {
  const { question, tariffs, policy } = asked;
  const direction = directionOf(question) === 'inbound' ? 'inbound' : 'outbound';
  const inForce = payer.tariff === undefined ? undefined : versionInForce(tariffs, payer.tariff, question.at);
  const routes = question.routes.map((route) => route.name);
  const rate = inForce && chooseRate(inForce.table, { number: question.destination, direction, routes });
  if (payer.tariff === undefined || inForce === undefined || rate === undefined) {
    const unrated = direction === 'inbound' ? policy.unratedInbound : policy.unrated;
    if (unrated === 'allow') return undefined;
    const words = `the tariff of ${payer.path} has no ${direction} rate for ${question.destination}`;
    return { kind: 'refused', refusal: refuse('no_rate', 'barred', payer.path, words) };
  }
  const terms = termsOf(inForce.version, rate, discountOf(payer.limits.discounts, asked.classify));
  const { currency } = inForce.version;
  const costs = canCost(terms);
  if (costs) {
    const refusal = cannotPay(payer, currency);
    if (refusal !== undefined) return { kind: 'refused', refusal };
  }
  const { maxCallCost } = payer.limits;
  const cap = costCap(payer.path, terms, maxCallCost);
  const tooDear = refusedByCap(cap, maxCallCost);
  if (tooDear !== undefined) return { kind: 'refused', refusal: tooDear };
  const record: PayerRecord = {
    account: payer.path,
    wallet: payer.path,
    tariff: payer.tariff,
    tariffVersion: inForce.version.version,
    rateId: rate.id,
    prefix: rate.prefix,
    currency,
    terms,
  };
  return { kind: 'paying', payer: record, costs, cap };
}

function classifier(question: Question, side: AccountNode | undefined): () => string {
  const { dialled } = question;
  let found: string | undefined;
  return () => (found ??= classify(side?.classifiers ?? [], { dialled, e164: e164Of(question) }));
}

function discountOf(discounts: DiscountsPpm, classification: () => string): number {
  const discounted = Object.entries(discounts);
  if (discounted.length === 0) return 0;
  const name = classification();
  return discounted.find(([each]) => each === name)?.[1] ?? 0;
}

function canCost({ perMinute, surcharge, discountPpm }: PriceTerms): boolean {
  return discountPpm < WHOLE_PPM && (perMinute > 0n || surcharge > 0n);
}

function cannotPay(payer: Payer, currency: string): Refusal | undefined {
  const { path, walletCurrency, limits } = payer;
  if (walletCurrency === undefined) {
    return refuse('no_wallet', 'credit', path, `${path} has a tariff and no wallet to pay from`);
  }
  if (walletCurrency !== currency) {
    const words = `the wallet of ${path} is in ${walletCurrency} and its tariff in ${currency}`;
    return refuse('currency_differs', 'barred', path, words);
  }
  if (!limits.allowPrepay && !limits.allowPostpay) {
    return refuse(
      'no_credit',
      'credit',
      path,
      `${path} may spend neither its balance nor credit`,
      'allowPrepay',
    );
  }
  return undefined;
}

function unpaid(): Funding {
  return { kind: 'funded', funding: 'none', payers: [], holds: [], cap: undefined };
}
