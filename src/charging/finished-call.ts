import { payerAt, type AccountLookup, type AccountNode } from '../accounts/account-tree.ts';
import type { FundingPolicy } from '../admission/funding.ts';
import { payerRecordOf, rateByTariff, rateForPayer, type PayerRate } from '../admission/payer-rate.ts';
import type { PayerRecord } from '../admission/leg-record.ts';
import { splitContinuation, splitPayer, termsInTime } from '../admission/rate-split.ts';
import { UNKNOWN_CLASSIFICATION } from '../rating/classify.ts';
import { continuationOf, priceOf } from '../rating/price.ts';
import type { TariffBook } from '../rating/tariff-book.ts';
import { isOfOwnPrice, type Cdr, type Charge, type PerMinuteCharge } from '../records/records.ts';
import { storedPathOf, type AccountPath } from '../units/ids.ts';
import { addMicros } from '../units/money.ts';
import { addMs, type EpochMs } from '../units/time.ts';
import { classifierOf, type AskedCall } from './call-question.ts';
import { chargesOf, type PaidPart } from './charges.ts';
import { continuationParts, moneyParts } from './leg-parts.ts';

/** What the price of a part of a finished leg depends on, whose way to pay is known. A `Cdr` is one. */
export type RatedCall = Pick<
  Cdr,
  | 'legUuid'
  | 'account'
  | 'direction'
  | 'dialled'
  | 'destination'
  | 'routes'
  | 'options'
  | 'admittedAt'
  | 'answeredAt'
>;

/** What the ways in which its payers pay depend on besides. */
export type FinishedCall = RatedCall & AskedCall & Pick<Cdr, 'billedSeconds'>;

/** What calls are rated by. */
export type RatingBooks = {
  readonly accounts: Pick<AccountLookup, 'node' | 'route' | 'customer'>;
  readonly tariffs: TariffBook;
  readonly policy: FundingPolicy;
};

/** Why a charge stays as it was, though its call is rated again. */
export type Unrated = {
  readonly payer: AccountPath;
  /** No rate for it now, or one that its payer's wallet cannot pay by. */
  readonly reason: 'no_rate' | 'currency_differs';
};

export type Repriced = {
  /**
   * In the order in which they came: new prices, everything else as it was. As many as came, but where calls are split
   * by the times of day of their rates: there a payer may have more segments or fewer.
   */
  readonly charges: readonly Charge[];
  readonly unrated: readonly Unrated[];
};

/**
 * What a leg's payers would pay now, each for the same parts of the talk and in the same ways as the charges say: by
 * its tariff in force at the admission. `charges` are one version of each payer. What stays as it was is the same
 * object, so that a charge that did not change can be told by it.
 */
export function reprice(call: RatedCall, charges: readonly Charge[], books: RatingBooks): Repriced {
  const rate = repricing(call, books);
  const unrated: Unrated[] = [];
  const again = (charge: Charge): Charge => {
    if (charge.way !== 'per_minute') return charge;
    const part = rate(pricedPartOf(charge));
    if (part === undefined) return charge;
    if ('reason' in part) {
      unrated.push(part);
      return charge;
    }
    const [made] = chargesOf({ legUuid: charge.legUuid, version: charge.version }, [part]);
    return made === undefined ? charge : { ...made, segment: charge.segment };
  };
  const { answeredAt } = call;
  if (books.policy.periods !== 'split' || answeredAt === undefined) {
    return { charges: charges.map(again), unrated };
  }
  const split = [...Map.groupBy(charges, ({ payer }) => payer).values()].flatMap((segments) => {
    const ahead = segments.filter(({ way }) => way === 'allotment');
    const [first, ...further] = segments.flatMap((charge) =>
      charge.way === 'per_minute' && !isOfOwnPrice(charge) ? [charge] : [],
    );
    if (first === undefined || ahead.length + further.length + 1 < segments.length)
      return segments.map(again);
    const made = splitAgain({ ...call, answeredAt }, { ahead, money: [first, ...further] }, books);
    if (!('reason' in made)) return made;
    unrated.push(made);
    return segments;
  });
  return { charges: split, unrated };
}

/** A payer's segments anew, each by the rate of its time of day, behind what an allotment paid for. */
function splitAgain(
  call: AnsweredCall,
  { ahead, money }: Segments,
  books: RatingBooks,
): readonly Charge[] | Unrated {
  const [first] = money;
  const { legUuid, version } = first;
  const rated = ratedAgain(call, pricedPartOf(first), sideOf(call, books));
  if ('reason' in rated) return rated;
  const payer = payerRecordOf(first.payer, rated);
  const seconds = secondsOf(money);
  const parts = hasGoneOn(first)
    ? continuationParts(goingOnAgain(call, payer, secondsOf(ahead), books), seconds)
    : moneyParts(splitPayer(payer, call, books.tariffs), seconds);
  const made = chargesOf({ legUuid, version }, parts);
  const paid = (charges: readonly Charge[]) => addMicros(...charges.map(({ price }) => price));
  return [...ahead, ...(paid(made) === paid(money) ? money : made)];
}

type Segments = {
  readonly ahead: readonly Charge[];
  readonly money: readonly [PerMinuteCharge, ...PerMinuteCharge[]];
};

/** Where the allotment had run dry, which is where it ran dry then. */
export function goingOnAgain(
  call: AnsweredCall,
  payer: PayerRecord,
  secondsBefore: number,
  { tariffs }: Pick<RatingBooks, 'tariffs'>,
): PayerRecord {
  const from = addMs(call.answeredAt, secondsBefore * 1000);
  const goesOn = { payer: { ...payer, terms: continuationOf(payer.terms) } };
  return splitContinuation(goesOn, call, from, tariffs).payer;
}

/** The first of a payer's money segments, in the middle of the call: its connect fee and minimum were never its own. */
export function hasGoneOn({ segment }: Pick<Charge, 'segment'>): boolean {
  return segment > 1;
}

function secondsOf(charges: readonly Charge[]): number {
  return charges.reduce((sum, { billedSeconds }) => sum + billedSeconds, 0);
}

type AnsweredCall = RatedCall & { readonly answeredAt: EpochMs };

/** What rating again looks at of a part that was paid per minute: much less than the charge, for a million of them. */
export type PricedPart = Pick<
  PerMinuteCharge,
  'payer' | 'segment' | 'billedSeconds' | 'price' | 'tariff' | 'tariffVersion' | 'rateId' | 'currency'
> & { readonly discountPpm: number };

function pricedPartOf({ terms, ...charge }: PerMinuteCharge): PricedPart {
  return { ...charge, discountPpm: terms.discountPpm };
}

/**
 * Tells of each part of one leg what it is now, were it paid by the tariffs of now; undefined: the price is the same,
 * be it by another rate: the charge that stands says by which it was paid.
 */
export function repricing(
  call: RatedCall,
  books: RatingBooks,
): (part: PricedPart) => PerMinutePart | Unrated | undefined {
  const side = sideOf(call, books);
  return (part) => {
    // What came with its own price has no other.
    if (isOfOwnPrice(part)) return undefined;
    const { payer, billedSeconds, segment } = part;
    const rated = ratedAgain(call, part, side);
    if ('reason' in rated) return rated;
    // Of a further segment too its connect fee and its minimum were never its own.
    const terms = hasGoneOn({ segment }) ? continuationOf(rated.terms) : rated.terms;
    const record = payerRecordOf(payer, rated);
    const isSame = priceOf(terms, billedSeconds) === part.price;
    if (isSame && !isInSeveralTimes(call, record, books)) return undefined;
    return { way: 'per_minute', payer: { ...record, terms }, billedSeconds };
  };
}

/** Only all segments of its payer together tell then whether the price is the same. */
function isInSeveralTimes(call: RatedCall, payer: PayerRecord, { policy, tariffs }: RatingBooks): boolean {
  return policy.periods === 'split' && termsInTime(payer, call, tariffs).length > 1;
}

function sideOf(call: RatedCall, books: RatingBooks): Side {
  const node = books.accounts.node(storedPathOf(call.account));
  // Most accounts have no discounts, and nobody asks.
  return { books, node, classification: () => classifierOf(call, node)?.name ?? UNKNOWN_CLASSIFICATION };
}

function ratedAgain(call: RatedCall, part: PricedPart, side: Side): PayerRate | Unrated {
  const { payer } = part;
  const rated = rateOf(call, part, side);
  if (rated === undefined) return { payer, reason: 'no_rate' };
  return rated.version.currency === part.currency ? rated : { payer, reason: 'currency_differs' };
}

type PerMinutePart = Extract<PaidPart, { readonly way: 'per_minute' }>;

type Side = {
  readonly books: RatingBooks;
  readonly node: AccountNode | undefined;
  readonly classification: () => string;
};

/** By the payer's tariff; where the payer is gone, by the one that it had, with the discount that it had. */
function rateOf(
  call: RatedCall,
  part: PricedPart,
  { books, node, classification }: Side,
): PayerRate | undefined {
  if (call.direction === 'internal') return undefined;
  const { destination, direction, routes, options, admittedAt: at } = call;
  const leg = { destination, direction, routes, options, at };
  const payer = node === undefined ? undefined : payerAt(node, part.payer, at);
  return payer === undefined
    ? rateByTariff(part.tariff, leg, books.tariffs, () => part.discountPpm)
    : rateForPayer(payer, leg, books.tariffs, classification);
}
