import type { Payer } from '../accounts/account-tree.ts';
import type { DiscountsPpm } from '../accounts/limits.ts';
import type { PriceTerms } from '../rating/price.ts';
import type { Direction, Rate, TariffVersion } from '../rating/rate.ts';
import { versionInForce, type TariffBook } from '../rating/tariff-book.ts';
import { chooseRate } from '../rating/tariff-table.ts';
import { termsOf } from '../rating/terms.ts';
import type { AccountPath, TariffName } from '../units/ids.ts';
import type { EpochMs } from '../units/time.ts';
import type { PayerRecord } from './leg-record.ts';

/** What the rate of a call depends on, whether it is asking to begin or ended last year. */
export type RatedLeg = {
  /** In E.164 digits. */
  readonly destination: string;
  readonly direction: Direction;
  readonly routes: readonly string[];
  readonly options: readonly string[];
  /** Its admission (ruling 18). */
  readonly at: EpochMs;
};

export type PayerRate = {
  readonly version: TariffVersion;
  readonly rate: Rate;
  readonly terms: PriceTerms;
};

/**
 * The rate that a payer's tariff has for a call, with the payer's discount; undefined: it has none. Calls that ask to
 * begin and calls that are rated again come by this one way, so that they cannot come to different prices.
 */
export function rateForPayer(
  payer: Pick<Payer, 'tariff' | 'limits'>,
  leg: RatedLeg,
  tariffs: TariffBook,
  classification: () => string,
): PayerRate | undefined {
  if (payer.tariff === undefined) return undefined;
  return rateByTariff(payer.tariff, leg, tariffs, () => discountOf(payer.limits.discounts, classification));
}

/** The same with a discount that is known, for a payer who is no longer there. */
export function rateByTariff(
  tariff: TariffName,
  leg: RatedLeg,
  tariffs: TariffBook,
  discountPpm: () => number,
): PayerRate | undefined {
  const inForce = versionInForce(tariffs, tariff, leg.at);
  const { destination: number, ...asked } = leg;
  const rate = inForce && chooseRate(inForce.table, { number, ...asked });
  if (inForce === undefined || rate === undefined) return undefined;
  return { version: inForce.version, rate, terms: termsOf(inForce.version, rate, discountPpm()) };
}

/** What the record says of who pays by this rate. */
export function payerRecordOf(account: AccountPath, { version, rate, terms }: PayerRate): PayerRecord {
  return {
    account,
    wallet: account,
    tariff: version.tariff,
    tariffVersion: version.version,
    rateId: rate.id,
    prefix: rate.prefix,
    currency: version.currency,
    terms,
  };
}

function discountOf(discounts: DiscountsPpm, classification: () => string): number {
  const discounted = Object.entries(discounts);
  if (discounted.length === 0) return 0;
  const name = classification();
  return discounted.find(([each]) => each === name)?.[1] ?? 0;
}
