import { rateOf, type TariffBook } from '../rating/tariff-book.ts';
import type { Charge } from '../records/records.ts';
import type { AccountPath, LegUuid, TariffName } from '../units/ids.ts';
import type { Micros } from '../units/money.ts';
import type { EpochMs } from '../units/time.ts';

/** A call as it was, and as it would have been. */
export type Outcome = {
  readonly call: LookedAt;
  readonly payers: readonly PayerOutcome[];
  readonly fate: Fate;
  /** Of talk that there would not have been. */
  readonly lostSeconds: number;
};

export type LookedAt = {
  readonly legUuid: LegUuid;
  readonly account: AccountPath;
  readonly admittedAt: EpochMs;
  readonly destination: string;
};

/** What one of them paid, and would have paid, in the order in which it was talked; nothing: it does not pay. */
export type PayerOutcome = {
  readonly payer: AccountPath;
  readonly was: readonly PaidPart[];
  readonly would: readonly PaidPart[];
};

export type PaidPart = {
  /** Undefined: it was paid for in advance, and `way` says how. */
  readonly rate: NamedRate | undefined;
  readonly way: Charge['way'];
  readonly seconds: number;
  readonly price: Micros;
  /** Empty where nothing is paid in money. */
  readonly currency: string;
};

/** A rate by what people call it: several of a tariff may have one prefix, each for some of the calls. */
export type NamedRate = {
  readonly tariff: TariffName;
  readonly prefix: string;
  readonly description: string;
};

/**
 * What becomes of it: it goes as it went, is not let through, ends before, goes for nothing, or cannot be told and
 * stands as it was charged.
 */
export type Fate =
  | { readonly kind: 'goes' }
  | {
      readonly kind: 'refused' | 'cut' | 'free' | 'standing';
      /** The account or route that it is for; empty where none is. */
      readonly holder: string;
      /** The limit's name as in the account document, or the reason where no limit is behind it. */
      readonly limit: string;
    };

/** The name of a rate on record. */
export function nameRate(
  book: TariffBook,
  at: { readonly tariff: TariffName; readonly tariffVersion: number; readonly rateId: number },
): NamedRate {
  const rate = rateOf(book, at);
  return { tariff: at.tariff, prefix: rate?.prefix ?? '', description: rate?.description ?? '' };
}
