import type { PriceTerms } from '../../src/rating/price.ts';
import { parseMicros } from '../../src/units/money.ts';
import { naivePrice } from '../credit/naive-wallet.ts';
import { chainOf, operatorsWord, type House } from './house.ts';
import { RATES, type Rate } from './price-lists.ts';
import { firstPulse } from './purse.ts';
import { directionOf, type Connection } from './rules.ts';

/** What a call costs (DESIGN 5): the rate that is chosen for it, and what follows from the rate. */

export const micros = (text: string): bigint => parseMicros(text) ?? 0n;

export type Price = {
  /** `tariff/number of the rate` */
  readonly rate: string;
  readonly terms: PriceTerms;
  readonly currency: string;
};

/** By the account's own tariff or its nearest ancestor's; of that the rate that ruling 18 chooses. */
export function priceFor(account: string, connection: Connection, house: House): Price | undefined {
  const rate = rateFor(account, connection, house);
  if (rate === undefined) return undefined;
  const classification = classificationOf(connection.number);
  const percent = operatorsWord(house, account, 'discounts')?.[classification] ?? '0';
  const terms = {
    surcharge: micros(rate.of('surcharge') || '0'),
    perMinute: micros(rate.of('rate')),
    minimumSeconds: Number(rate.of('minimum') || 60),
    // No increment, and one of 0, is a minute.
    incrementSeconds: Number(rate.of('increment')) || 60,
    graceSeconds: Number(rate.of('grace')),
    discountPpm: Number(percent) * 10_000,
    rounding: { mode: 'up', decimals: 6 },
  } as PriceTerms;
  return { rate: `${rate.tariff}/${rate.id}`, terms, currency: rate.currency };
}

/** Whether it costs anything, however long it lasts. */
export function costs(terms: PriceTerms): boolean {
  return naivePrice(terms, 3600) > 0n;
}

/** What a call goes on by that an allotment has paid for until then: no surcharge, no minimum, no grace (DESIGN 6). */
export function continued(terms: PriceTerms): PriceTerms {
  return { ...terms, surcharge: 0n, minimumSeconds: 0, graceSeconds: 0 } as PriceTerms;
}

/** The seconds of so many whole pulses as cost no more than that; 0: not even the first. Undefined: any. */
export function longestFor(terms: PriceTerms, dearest: string | undefined): number | undefined {
  if (dearest === undefined || !costs(terms)) return undefined;
  const first = firstPulse(terms);
  if (naivePrice(terms, first) > micros(dearest)) return 0;
  if (terms.perMinute === 0n) return undefined;
  let seconds = first;
  while (naivePrice(terms, seconds + terms.incrementSeconds) <= micros(dearest)) {
    seconds += terms.incrementSeconds;
  }
  return seconds;
}

/** Of the numbers that are dialled here, as Kazoo has them. */
export function classificationOf(number: string): string {
  if (/^1(?:800|833)\d{7}$/.test(number)) return 'tollfree_us';
  if (/^1242\d{7}$/.test(number)) return 'caribbean';
  if (/^1\d{10}$/.test(number)) return 'did_us';
  return /^[2-9]/.test(number) ? 'international' : 'unknown';
}

function rateFor(account: string, connection: Connection, house: House): Rate | undefined {
  const tariff = chainOf(account)
    .map((each) => house.accounts.get(each)?.tariff)
    .findLast((each) => each !== undefined);
  const direction = directionOf(connection) === 'inbound' ? 'inbound' : 'outbound';
  const suiting = RATES.filter(
    (rate) =>
      rate.tariff === tariff &&
      [direction, 'both'].includes(rate.of('direction') || 'outbound') &&
      (rate.of('routes') === '' || connection.routes.includes(rate.of('routes'))) &&
      connection.number.startsWith(rate.of('prefix')),
  );
  return suiting.toSorted(
    (one, other) =>
      other.of('prefix').length - one.of('prefix').length ||
      weightOf(one) - weightOf(other) ||
      one.id - other.id,
  )[0];
}

const weightOf = (rate: Rate): number => Number(rate.of('weight') || 100);
