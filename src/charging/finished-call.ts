import { payersAt, type AccountLookup, type AccountNode } from '../accounts/account-tree.ts';
import type { FundingPolicy } from '../admission/funding.ts';
import { payerRecordOf, rateByTariff, rateForPayer } from '../admission/payer-rate.ts';
import { e164Of } from '../admission/question.ts';
import { findClassifier, UNKNOWN_CLASSIFICATION, type Classifier } from '../rating/classify.ts';
import { continuationOf } from '../rating/price.ts';
import type { TariffBook } from '../rating/tariff-book.ts';
import { isOfOwnPrice, type Cdr, type Charge, type PerMinuteCharge } from '../records/records.ts';
import { storedPathOf, type AccountPath } from '../units/ids.ts';
import { chargesOf, type PaidPart } from './charges.ts';

/** What the price of a finished leg depends on. A `Cdr` is one. */
export type FinishedCall = Pick<
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
  | 'billedSeconds'
  | 'decision'
>;

/** What calls are rated by. */
export type RatingBooks = {
  readonly accounts: Pick<AccountLookup, 'node'>;
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
  /** As many as came, in their order: new prices, everything else as it was. */
  readonly charges: readonly Charge[];
  readonly unrated: readonly Unrated[];
};

/**
 * What a leg's payers would pay now, each for the same parts of the talk and in the same ways as the charges say: by
 * its tariff in force at the admission. `charges` are one version of each payer. What stays as it was is the same
 * object, so that a charge that did not change can be told by it.
 */
export function reprice(call: FinishedCall, charges: readonly Charge[], books: RatingBooks): Repriced {
  const node = books.accounts.node(storedPathOf(call.account));
  // Most accounts have no discounts, and nobody asks.
  const classification = (): string => classifierOf(call, node)?.name ?? UNKNOWN_CLASSIFICATION;
  const unrated: Unrated[] = [];
  const again = charges.map((charge) => {
    // What came with its own price has no other.
    if (charge.way !== 'per_minute' || isOfOwnPrice(charge)) return charge;
    const part = partOf(call, charge, { books, node, classification });
    if ('reason' in part) {
      unrated.push(part);
      return charge;
    }
    const [made] = chargesOf({ legUuid: charge.legUuid, version: charge.version }, [part]);
    return made === undefined || isSamePrice(charge, made) ? charge : { ...made, segment: charge.segment };
  });
  return { charges: again, unrated };
}

/** What the numbers of the account's tree call this one. */
export function classifierOf(
  { dialled, destination }: Pick<FinishedCall, 'dialled' | 'destination'>,
  node: Pick<AccountNode, 'classifiers'> | undefined,
): Classifier | undefined {
  return findClassifier(node?.classifiers ?? [], { dialled, e164: e164Of({ destination }) });
}

type Side = {
  readonly books: RatingBooks;
  readonly node: AccountNode | undefined;
  readonly classification: () => string;
};

function partOf(call: FinishedCall, charge: PerMinuteCharge, side: Side): PaidPart | Unrated {
  const { payer, billedSeconds } = charge;
  const rated = rateOf(call, charge, side);
  if (rated === undefined) return { payer, reason: 'no_rate' };
  const record = payerRecordOf(payer, rated);
  if (record.currency !== charge.currency) return { payer, reason: 'currency_differs' };
  // It went on per minute in its middle: its connect fee and its minimum were never its own.
  const terms = charge.segment > 1 ? continuationOf(record.terms) : record.terms;
  return { way: 'per_minute', payer: { ...record, terms }, billedSeconds };
}

/** By the payer's tariff; where the payer is gone, by the one that it had, with the discount that it had. */
function rateOf(call: FinishedCall, charge: PerMinuteCharge, { books, node, classification }: Side) {
  if (call.direction === 'internal') return undefined;
  const { destination, direction, routes, options, admittedAt: at } = call;
  const leg = { destination, direction, routes, options, at };
  const payers = node === undefined ? [] : payersAt(node, at);
  const payer = payers.find(({ path }) => path === charge.payer);
  return payer === undefined
    ? rateByTariff(charge.tariff, leg, books.tariffs, () => charge.terms.discountPpm)
    : rateForPayer(payer, leg, books.tariffs, classification);
}

/** Whether nothing has changed but perhaps the number of the tariff's version that says the same. */
function isSamePrice(before: PerMinuteCharge, now: Charge): boolean {
  return (
    now.way === 'per_minute' && now.price === before.price && now.chargedSeconds === before.chargedSeconds
  );
}
