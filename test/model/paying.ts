import type { PriceTerms } from '../../src/rating/price.ts';
import {
  chainOf,
  dearestCall,
  isEnforced,
  mayPrepay,
  mostSpent,
  operatorsWord,
  SPEND_WINDOWS,
  trunksOf,
  type Bound,
  type House,
} from './house.ts';
import { classificationOf, continued, costs, longestFor, micros, priceFor } from './prices.ts';
import { SECOND } from './purse.ts';
import { directionOf, longestCall, type Connection } from './rules.ts';

/** Who pays for a connection, and in which ways each payer could (DESIGN 4), in the order in which he tries them. */

/** What a payer has done for a connection that is up. */
export type Payment = Trunk | ByAllotment | PerMinute | { readonly way: 'nothing'; readonly account: string };
export type Trunk = { readonly way: 'flat_rate' | 'flat_rate_burst'; readonly account: string };
export type PerMinute = {
  readonly way: 'per_minute';
  readonly account: string;
  readonly rate: string;
  readonly terms: PriceTerms;
  /** The wallet, and the windows in which no more than so much may be spent; none where it costs nothing. */
  readonly purses: readonly string[];
  /** A soft leg is charged when it ends, and neither held for nor cut (ruling 16). */
  readonly isSoft: boolean;
};
export type ByAllotment = {
  readonly way: 'allotment';
  readonly account: string;
  readonly name: string;
  readonly purse: string;
  /** Those that count this one's use as well. */
  readonly alsoCounted: readonly string[];
  readonly terms: PriceTerms;
  /** So much must be left to begin. */
  readonly atLeast: bigint;
  /** How it goes on when the allotment has run dry; undefined: it ends. */
  readonly goesOn: (PerMinute & { readonly longest: number | undefined }) | undefined;
};

/** A way to pay, or why it can never be one for this call. */
export type Way = Payment | { readonly way: 'none'; readonly why: string };

export const windowPurse = (account: string, window: string): string => `${account} spend ${window}`;
export const allotmentPurse = (account: string, name: string): string => `${account} allotment ${name}`;

/** Root first: every account with a wallet, a tariff, trunks or allotments, of the side whose call it is (ruling 14). */
export function payersOf(connection: Connection, house: House): readonly string[] {
  const direction = directionOf(connection);
  if (direction === 'internal' || connection.isEmergency) return [];
  return chainOf(sideOf(connection)).filter((account) => {
    const { wallet, tariff } = house.accounts.get(account) ?? {};
    const isPaidAhead = hasTrunks(house, account) || allotmentsOf(house, account).length > 0;
    return wallet !== undefined || tariff !== undefined || isPaidAhead;
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

export function waysOf(account: string, connection: Connection, house: House): readonly Way[] {
  const order = orderOf(account, house);
  return order.flatMap((way): readonly Way[] => {
    if (way === 'flat_rate') return flatRate(account, connection, house);
    if (way === 'allotment') return byAllotment(account, connection, house);
    return [perMinute(account, connection, house)];
  });
}

function orderOf(account: string, house: House): readonly string[] {
  return operatorsWord(house, account, 'fundingOrder') ?? ['flat_rate', 'allotment', 'per_minute'];
}

/** One that refuses and lets the call go on: charged per minute, if it has a price for it (ruling 16). */
export function softPayment(account: string, connection: Connection, house: House): Payment {
  const price = priceFor(account, connection, house);
  const { wallet } = house.accounts.get(account) ?? {};
  if (price === undefined || (costs(price.terms) && wallet !== price.currency)) {
    return { way: 'nothing', account };
  }
  const { rate, terms } = price;
  return { way: 'per_minute', account, rate, terms, purses: [], isSoft: true };
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
  { account, way }: Trunk,
  onTrunks: readonly Connection[],
  connection: Connection,
  house: House,
): boolean {
  const all = [...onTrunks, connection];
  const beyond = (direction: 'inbound' | 'outbound'): number => {
    const calls = all.filter((each) => (directionOf(each) === 'inbound') === (direction === 'inbound'));
    return Math.max(0, calls.length - asNumber(trunksOf(house, account, direction)));
  };
  const shared = asNumber(trunksOf(house, account, 'twoway'));
  const lent = way === 'flat_rate_burst' ? asNumber(trunksOf(house, account, 'burst')) : 0;
  return beyond('inbound') + beyond('outbound') <= shared + lent;
}

/** That of the number's classification in this direction, or else of its classification. */
function byAllotment(account: string, connection: Connection, house: House): readonly ByAllotment[] {
  const all = allotmentsOf(house, account);
  const classification = classificationOf(connection.number);
  const names = [`${directionOf(connection)}_${classification}`, classification];
  const [found] = names.flatMap((name) => all.filter(([each]) => each === name));
  if (found === undefined) return [];
  const [name, { minimum = 0, increment = 1, grace = 0 }] = found;
  const pulses = { minimumSeconds: minimum, incrementSeconds: increment, graceSeconds: grace };
  const priced = { surcharge: 0n, perMinute: 60n * SECOND, discountPpm: 0 };
  const rest = orderOf(account, house).includes('per_minute')
    ? perMinute(account, connection, house)
    : undefined;
  return [
    {
      way: 'allotment',
      account,
      name,
      purse: allotmentPurse(account, name),
      alsoCounted: all.flatMap(([each, { groups = [] }]) =>
        groups.includes(name) ? [allotmentPurse(account, each)] : [],
      ),
      terms: { ...pulses, ...priced, rounding: { mode: 'up', decimals: 6 } } as PriceTerms,
      atLeast: BigInt(Math.max(minimum, increment)) * SECOND,
      goesOn: rest?.way === 'per_minute' ? goingOn(rest, house) : undefined,
    },
  ];
}

function goingOn(rest: PerMinute, house: House): ByAllotment['goesOn'] {
  const terms = continued(rest.terms);
  const purses = costs(terms) ? rest.purses : [];
  return { ...rest, terms, purses, longest: longestFor(terms, dearestCall(house, rest.account)) };
}

function perMinute(account: string, connection: Connection, house: House): Way {
  const price = priceFor(account, connection, house);
  if (price === undefined) {
    const isFree = directionOf(connection) === 'inbound' || house.unrated === 'allow';
    // What was paid for ahead is a bound: what nobody prices is free only for who has nothing of the kind for the call.
    const hasTrunk = flatRate(account, connection, house).some(({ way }) => way !== 'none');
    const hasAllotment = allotmentsOf(house, account).some(([name]) => isFor(name, connection));
    return isFree && !hasTrunk && !hasAllotment
      ? { way: 'nothing', account }
      : { way: 'none', why: 'no_rate' };
  }
  const { rate, terms, currency } = price;
  if (!costs(terms)) return { way: 'per_minute', account, rate, terms, purses: [], isSoft: false };
  const { wallet } = house.accounts.get(account) ?? {};
  if (wallet === undefined) return { way: 'none', why: 'no_wallet' };
  if (wallet !== currency) return { way: 'none', why: 'currency_differs' };
  if (!mayPrepay(house, account) && operatorsWord(house, account, 'allowPostpay') !== true) {
    return { way: 'none', why: 'allowPrepay' };
  }
  if (longestFor(terms, dearestCall(house, account)) === 0) return { way: 'none', why: 'maxCallCost' };
  const windows = SPEND_WINDOWS.filter((window) => mostSpent(house, account, window) !== undefined);
  const purses = [account, ...windows.map((window) => windowPurse(account, window))];
  return { way: 'per_minute', account, rate, terms, purses, isSoft: false };
}

function isFor(name: string, connection: Connection): boolean {
  const classification = classificationOf(connection.number);
  return [`${directionOf(connection)}_${classification}`, classification].includes(name);
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

export function allotmentsOf(house: House, account: string) {
  return Object.entries(operatorsWord(house, account, 'allotments') ?? {});
}

function hasTrunks(house: House, account: string): boolean {
  return (['twoway', 'inbound', 'outbound', 'burst'] as const).some(
    (kind) => trunksOf(house, account, kind) !== 0,
  );
}

function asNumber(bound: Bound): number {
  return bound === 'unlimited' ? Infinity : bound;
}
