import type { Live } from './asking.ts';
import type { ByAllotment, Payment, PerMinute } from './paying.ts';
import { chargedFor, paidSeconds, priceFor, type Purse } from './purse.ts';

/** What is charged at the end of a leg (DESIGN 6 and 8, ruling 10). */

export type Settled = {
  readonly billedSeconds: number;
  /** `account way: so many s for so much`, in micros, of everybody who paid in any way. */
  readonly charges: readonly string[];
};

type PurseOf = (name: string) => Purse;

/** Every payer pays for the same seconds: the least that any of them could pay for. */
export function settleLeg(live: Live, purse: PurseOf, now: number): Settled {
  const { verdict, answeredAt, goneAt = now, longest = Infinity } = live;
  const talkedMs = answeredAt === undefined ? 0 : goneAt - answeredAt;
  const billedSeconds = verdict.payments.reduce(
    (seconds, payment) => Math.min(seconds, payable(live, payment, seconds, purse)),
    Math.min(Math.ceil(talkedMs / 1000), longest),
  );
  const charges = verdict.payments.flatMap((payment) => charge(live, payment, billedSeconds, purse, now));
  return { billedSeconds, charges: charges.toSorted() };
}

function payable(live: Live, payment: Payment, seconds: number, purse: PurseOf): number {
  if (payment.way === 'per_minute') return paidBy(live, payment.purses, seconds, purse);
  if (payment.way !== 'allotment') return seconds;
  const ahead = paidBy(live, [payment.purse], seconds, purse);
  if (!live.ranDry.has(payment.account)) return ahead;
  const { purses = [], longest = Infinity } = payment.goesOn ?? {};
  return ahead + paidBy(live, purses, Math.min(seconds - ahead, longest), purse);
}

function paidBy({ key }: Live, names: readonly string[], seconds: number, purse: PurseOf): number {
  const ended = names.flatMap((name) => {
    const draw = purse(name).draws.get(key);
    return draw?.endedAt === undefined ? [] : [paidSeconds(draw)];
  });
  return Math.min(seconds, ...ended);
}

function charge(
  live: Live,
  payment: Payment,
  seconds: number,
  purse: PurseOf,
  now: number,
): readonly string[] {
  switch (payment.way) {
    case 'nothing':
      return [];
    case 'flat_rate':
    case 'flat_rate_burst':
      return [`${payment.account} ${payment.way}: ${seconds} s for 0`];
    case 'per_minute':
      return [chargeMoney(live, payment, seconds, purse, now)];
    case 'allotment':
      return chargeAllotment(live, payment, seconds, purse, now);
  }
}

function chargeMoney(
  { key }: Live,
  { account, terms, purses, isSoft }: PerMinute,
  seconds: number,
  purse: PurseOf,
  now: number,
): string {
  const price = priceFor(terms, seconds);
  for (const name of purses) purse(name).settle(key, seconds, now);
  // Nothing was held for a soft leg: it is charged now, even below the floor.
  if (isSoft && price > 0n) purse(account).amount -= price;
  return `${account} per_minute: ${chargedFor(terms, seconds)} s for ${price}`;
}

function chargeAllotment(
  live: Live,
  payment: ByAllotment,
  seconds: number,
  purse: PurseOf,
  now: number,
): readonly string[] {
  const { account, terms, alsoCounted, goesOn } = payment;
  const ahead = paidBy(live, [payment.purse], seconds, purse);
  for (const name of [payment.purse, ...alsoCounted]) purse(name).settle(live.key, ahead, now);
  const first = `${account} allotment: ${chargedFor(terms, ahead)} s for 0`;
  if (goesOn === undefined || !live.ranDry.has(account)) return [first];
  const rest = seconds - ahead;
  const second = chargeMoney(live, goesOn, rest, purse, now);
  return rest > 0 ? [first, second] : [first];
}
