import type { PriceTerms } from '../../src/rating/price.ts';
import { parseMicros } from '../../src/units/money.ts';
import { naivePrice } from '../credit/naive-wallet.ts';
import {
  chainOf,
  dearestCall,
  isEnforced,
  mayPrepay,
  operatorsWord,
  trunksOf,
  type Bound,
  type House,
} from './house.ts';
import { RATES, type Rate } from './price-lists.ts';
import { directionOf, longestCall, type Connection } from './rules.ts';

/** Who pays for a connection, and in which ways each payer could (DESIGN 4 and 5), in the order in which he tries them. */

export const micros = (text: string): bigint => parseMicros(text) ?? 0n;

/** What a payer has done for a connection that is up. */
export type Payment =
  | { readonly way: 'flat_rate' | 'flat_rate_burst'; readonly account: string }
  | PerMinute
  | { readonly way: 'nothing'; readonly account: string };
export type PerMinute = {
  readonly way: 'per_minute';
  readonly account: string;
  readonly rate: string;
  readonly terms: PriceTerms;
  /** A soft leg is charged when it ends, and neither held for nor cut (ruling 16). */
  readonly isSoft: boolean;
};

/** A way to pay, or why it can never be one for this call. */
export type Way = Payment | { readonly way: 'none'; readonly why: string };

/** Root first: every account with a wallet, a tariff or trunks, of the side whose call it is (ruling 14). */
export function payersOf(connection: Connection, house: House): readonly string[] {
  const direction = directionOf(connection);
  if (direction === 'internal' || connection.isEmergency) return [];
  return chainOf(sideOf(connection)).filter((account) => {
    const { wallet, tariff } = house.accounts.get(account) ?? {};
    return wallet !== undefined || tariff !== undefined || hasTrunks(house, account);
  });
}

export function sideOf(connection: Connection): string | undefined {
  return directionOf(connection) === 'outbound' ? connection.caller : connection.callee;
}

/** A call out of a chain in which nobody pays (ruling 14). Being called is free unless somebody prices it. */
export function isUnfunded(connection: Connection, house: House): boolean {
  if (directionOf(connection) !== 'outbound' || connection.isEmergency) return false;
  return house.unfunded === 'refuse' && payersOf(connection, house).length === 0;
}

/** Allotments and spend windows will have their places here: a way between these two, and a bound on the second. */
export function waysOf(account: string, connection: Connection, house: House): readonly Way[] {
  const order = operatorsWord(house, account, 'fundingOrder') ?? ['flat_rate', 'allotment', 'per_minute'];
  return order.flatMap((way): readonly Way[] => {
    if (way === 'flat_rate') return flatRate(account, connection, house);
    if (way === 'per_minute') return [perMinute(account, connection, house)];
    return [];
  });
}

/** One that refuses and lets the call go on: charged per minute, if it has a price for it (ruling 16). */
export function softPayment(account: string, connection: Connection, house: House): Payment {
  const rate = rateFor(account, connection, house);
  const { wallet } = house.accounts.get(account) ?? {};
  const priced = rate && pricedBy(rate, account, connection, house);
  if (rate === undefined || priced === undefined) return { way: 'nothing', account };
  if (priced.costs && wallet !== rate.currency) return { way: 'nothing', account };
  return { ...priced.payment, isSoft: true };
}

function flatRate(account: string, connection: Connection, house: House): readonly Way[] {
  const direction = directionOf(connection) === 'inbound' ? 'inbound' : 'outbound';
  const kinds = [direction, 'twoway', 'burst'] as const;
  if (kinds.every((kind) => trunksOf(house, account, kind) === 0)) return [{ way: 'none', why: 'trunks' }];
  if (!isFlatRateNumber(account, connection, house)) return [{ way: 'none', why: 'trunks' }];
  if (trunksOf(house, account, 'burst') === 0) return [{ way: 'flat_rate', account }];
  return [
    { way: 'flat_rate', account },
    { way: 'flat_rate_burst', account },
  ];
}

/** Matches the whitelist and not the blacklist. */
function isFlatRateNumber(account: string, { number }: Connection, house: House): boolean {
  if (!/^\d+$/.test(number)) return false;
  const lists = operatorsWord(house, account, 'flatRate');
  // Where nobody lists any: North America, without its dear islands, its toll-free and its premium numbers.
  if (lists === undefined) {
    return /^1\d{10}$/.test(number) && !/^1(?:242|800|833|900)/.test(number);
  }
  const matches = (pattern: string): boolean => new RegExp(pattern).test(`+${number}`);
  return lists.whitelist.some(matches) && !lists.blacklist.some(matches);
}

/** max(0, in − inbound) + max(0, out − outbound) ≤ twoway, beyond it burst (DESIGN 4), this call among them. */
export function isTrunkFree(
  payment: Payment,
  onTrunks: readonly Connection[],
  connection: Connection,
  house: House,
): boolean {
  const { account, way } = payment;
  const all = [...onTrunks, connection];
  const beyond = (direction: 'inbound' | 'outbound'): number => {
    const calls = all.filter((each) => (directionOf(each) === 'inbound') === (direction === 'inbound'));
    return Math.max(0, calls.length - asNumber(trunksOf(house, account, direction)));
  };
  const shared = asNumber(trunksOf(house, account, 'twoway'));
  const lent = way === 'flat_rate_burst' ? asNumber(trunksOf(house, account, 'burst')) : 0;
  return beyond('inbound') + beyond('outbound') <= shared + lent;
}

function perMinute(account: string, connection: Connection, house: House): Way {
  const rate = rateFor(account, connection, house);
  if (rate === undefined) {
    const isFree = directionOf(connection) === 'inbound' || house.unrated === 'allow';
    // Trunks are a bound: what nobody prices is free only for an account that has none for the call.
    const hasNone = flatRate(account, connection, house).every(({ way }) => way === 'none');
    return isFree && hasNone ? { way: 'nothing', account } : { way: 'none', why: 'no_rate' };
  }
  const { payment, costs } = pricedBy(rate, account, connection, house);
  if (costs) {
    const { wallet } = house.accounts.get(account) ?? {};
    if (wallet === undefined) return { way: 'none', why: 'no_wallet' };
    if (wallet !== rate.currency) return { way: 'none', why: 'currency_differs' };
    if (!mayPrepay(house, account) && operatorsWord(house, account, 'allowPostpay') !== true) {
      return { way: 'none', why: 'allowPrepay' };
    }
  }
  const isTooDear = longestFor(payment.terms, dearestCall(house, account)) === 0;
  return isTooDear ? { way: 'none', why: 'maxCallCost' } : payment;
}

/** The account's own tariff or its nearest ancestor's, and of it the rate that ruling 18 chooses. */
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

function pricedBy(
  rate: Rate,
  account: string,
  { number }: Connection,
  house: House,
): { readonly payment: PerMinute; readonly costs: boolean } {
  const percent = operatorsWord(house, account, 'discounts')?.[classificationOf(number)] ?? '0';
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
  const costs = naivePrice(terms, 3600) > 0n;
  const name = `${rate.tariff}/${rate.id}`;
  return { payment: { way: 'per_minute', account, rate: name, terms, isSoft: false }, costs };
}

/** The seconds of so many whole pulses as cost no more than that; 0: not even the first. */
function longestFor(terms: PriceTerms, dearest: string | undefined): number | undefined {
  if (dearest === undefined) return undefined;
  const first = firstPulseOf(terms);
  if (naivePrice(terms, first) > micros(dearest)) return 0;
  if (terms.perMinute === 0n || terms.discountPpm === 1_000_000) return undefined;
  let seconds = first;
  while (naivePrice(terms, seconds + terms.incrementSeconds) <= micros(dearest)) {
    seconds += terms.incrementSeconds;
  }
  return seconds;
}

/** The minimum, or an increment where there is none (ruling 9). */
export function firstPulseOf({ minimumSeconds, incrementSeconds }: PriceTerms): number {
  return minimumSeconds === 0 ? incrementSeconds : minimumSeconds;
}

/** The least that any account of both sides says in seconds, and any of its payers in money. */
export function lengthOf(
  connection: Connection,
  softened: readonly string[],
  payments: readonly Payment[],
  house: House,
): number | undefined {
  const dearest = payments.map((payment) =>
    payment.way === 'per_minute' && !payment.isSoft && isEnforced(house, payment.account)
      ? longestFor(payment.terms, dearestCall(house, payment.account))
      : undefined,
  );
  const all = [longestCall(connection, softened, house)?.seconds, ...dearest];
  const known = all.filter((seconds) => seconds !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}

/** Of the numbers that are dialled here, as Kazoo has them. */
function classificationOf(number: string): string {
  if (/^1(?:800|833)\d{7}$/.test(number)) return 'tollfree_us';
  if (/^1242\d{7}$/.test(number)) return 'caribbean';
  if (/^1\d{10}$/.test(number)) return 'did_us';
  return /^[2-9]/.test(number) ? 'international' : 'unknown';
}

function hasTrunks(house: House, account: string): boolean {
  return (['twoway', 'inbound', 'outbound', 'burst'] as const).some(
    (kind) => trunksOf(house, account, kind) !== 0,
  );
}

function asNumber(bound: Bound): number {
  return bound === 'unlimited' ? Infinity : bound;
}

/** What a wallet may spend beside its balance, and whether all its calls end with its money. */
export function walletOf(
  house: House,
  account: string,
): { readonly credit: bigint; readonly policy: 'unpaid' | 'all' } {
  const postpays = operatorsWord(house, account, 'allowPostpay') === true;
  return {
    credit: postpays ? micros(operatorsWord(house, account, 'maxPostpay') ?? '0') : 0n,
    policy: operatorsWord(house, account, 'onExhaustion') ?? 'unpaid',
  };
}
