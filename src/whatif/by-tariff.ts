import { payerRecordOf, rateByTariff, type PayerRate } from '../admission/payer-rate.ts';
import { splitPayer } from '../admission/rate-split.ts';
import { chargesOf, type PaidPart as ChargedPart } from '../charging/charges.ts';
import { goingOnAgain, hasGoneOn, type PricedPart, type RatingBooks } from '../charging/finished-call.ts';
import { continuationParts, moneyParts } from '../charging/leg-parts.ts';
import type { RerateFilter } from '../charging/rerate-run.ts';
import type { PricedCall, RerateReader } from '../charging/rerate-store.ts';
import { continuationOf } from '../rating/price.ts';
import { nameRate, type Fate, type Outcome, type PaidPart, type PayerOutcome } from './outcome.ts';
import { isReplaced, type TariffChange } from './tariff-change.ts';

type Books = Pick<RatingBooks, 'tariffs' | 'policy'>;

/**
 * What calls would have cost by another tariff, each for the talk that was talked and the discount that was given.
 * What was paid for in advance stays so. A page of calls at a time, as they were admitted.
 */
export async function* whatIfTariff(
  filter: RerateFilter,
  change: TariffChange,
  books: Books,
  store: Pick<RerateReader, 'pricedCalls'>,
): AsyncGenerator<readonly Outcome[]> {
  for await (const page of store.pricedCalls(filter)) {
    yield page.map((priced) => outcomeOf(priced, change, books));
  }
}

function outcomeOf({ call, parts }: PricedCall, change: TariffChange, books: Books): Outcome {
  const payers: PayerOutcome[] = [];
  let fate: Fate = { kind: 'goes' };
  let lostSeconds = 0;
  for (const [payer, own] of Map.groupBy(parts, (part) => part.payer)) {
    const [first, ...others] = own.toSorted((left, right) => left.segment - right.segment);
    if (first === undefined) continue;
    const inOrder: Parts = [first, ...others];
    const was = inOrder.map((part) => paidAs(part, books));
    const isOther = inOrder.every((part) => isReplaced(part, change));
    const made = isOther ? pricedBy(call, inOrder, change, books) : was;
    if (typeof made === 'object') {
      payers.push({ payer, was, would: made });
      continue;
    }
    const kind = unpricedFate(made, call, inOrder, books);
    payers.push({ payer, was, would: kind === 'standing' ? was : [] });
    if (fate.kind === 'refused') continue;
    fate = { kind, holder: payer, limit: made };
    if (kind === 'refused' || kind === 'cut') lostSeconds = secondsOf(was);
  }
  if (fate.kind !== 'refused') return { call, payers, fate, lostSeconds };
  // Refused for one payer's sake it is refused for all of them.
  return { call, payers: payers.map((each) => ({ ...each, would: [] })), fate, lostSeconds };
}

function secondsOf(parts: readonly PaidPart[]): number {
  return parts.reduce((sum, { seconds }) => sum + seconds, 0);
}

/** Of one payer of one call, in order. */
type Parts = readonly [PricedPart, ...PricedPart[]];

type Unpriced = 'no_rate' | 'currency_differs';

/** Each has the tariff that is replaced. */
function pricedBy(
  call: PricedCall['call'],
  parts: Parts,
  { by }: TariffChange,
  books: Books,
): readonly PaidPart[] | Unpriced {
  const [first] = parts;
  const { direction } = call;
  if (direction === 'internal') return [];
  const { destination, routes, options, admittedAt: at } = call;
  const leg = { destination, direction, routes, options, at };
  const rated = rateByTariff(by, leg, books.tariffs, () => first.discountPpm);
  if (rated === undefined) return 'no_rate';
  if (rated.version.currency !== first.currency) return 'currency_differs';
  const charges = chargesOf({ legUuid: call.legUuid, version: 1 }, partsBy(call, parts, rated, books));
  return charges.flatMap((charge) => (charge.way === 'per_minute' ? paidAs(charge, books) : []));
}

/** What went on per minute after an allotment goes on so from where that had run dry. */
function partsBy(
  call: PricedCall['call'],
  [first, ...others]: Parts,
  rated: PayerRate,
  { tariffs, policy }: Books,
): readonly ChargedPart[] {
  const payer = payerRecordOf(first.payer, rated);
  const seconds = others.reduce((sum, part) => sum + part.billedSeconds, first.billedSeconds);
  const { answeredAt } = call;
  const isSplit = policy.periods === 'split' && answeredAt !== undefined;
  if (!hasGoneOn(first)) {
    return moneyParts(isSplit ? splitPayer(payer, { ...call, answeredAt }, tariffs) : payer, seconds);
  }
  const secondsBefore = call.billedSeconds - seconds;
  return continuationParts(
    isSplit
      ? goingOnAgain({ ...call, answeredAt }, payer, secondsBefore, { tariffs })
      : { ...payer, terms: continuationOf(payer.terms) },
    seconds,
  );
}

function paidAs(part: PaidPerMinute, { tariffs }: Books): PaidPart {
  const { billedSeconds: seconds, price, currency } = part;
  return { rate: nameRate(tariffs, part), way: 'per_minute', seconds, price, currency };
}

type PaidPerMinute = Pick<
  PricedPart,
  'billedSeconds' | 'price' | 'currency' | 'tariff' | 'tariffVersion' | 'rateId'
>;

function unpricedFate(
  why: Unpriced,
  { direction }: PricedCall['call'],
  [first]: Parts,
  { policy }: Books,
): Exclude<Fate['kind'], 'goes'> {
  if (why === 'currency_differs') return 'standing';
  // It went on per minute after an allotment, and ends with that.
  if (hasGoneOn(first)) return 'cut';
  const unrated = direction === 'inbound' ? policy.unratedInbound : policy.unrated;
  return unrated === 'refuse' ? 'refused' : 'free';
}
