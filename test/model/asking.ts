import { isEnforced, type House } from './house.ts';
import {
  isTrunkFree,
  isUnfunded,
  lengthOf,
  payersOf,
  sideOf,
  softPayment,
  waysOf,
  type Payment,
  type Way,
} from './paying.ts';
import type { Purse } from './purse.ts';
import {
  askedFor,
  decisionOf,
  fullLimit,
  holderOf,
  isBoundBy,
  isSoft,
  isTooSoon,
  longestCall,
  sipCodeOf,
  type Connection,
  type Tick,
} from './rules.ts';

/** Whether a connection is let through (DESIGN 4): everybody is asked in order, and nothing is taken by asking. */

/** Somebody who does not let it through, and for what; of several ways to pay, why each of them failed. */
export type Refusal = {
  readonly holder: string;
  readonly because: readonly string[];
  readonly sipCodes: readonly number[];
};

export type Verdict =
  | {
      readonly kind: 'admitted';
      readonly decision: string;
      /** Accounts that refused and let it go on all the same. */
      readonly softened: readonly Refusal[];
      readonly payments: readonly Payment[];
      /** The seconds that it may last, whoever says so. */
      readonly longest: number | undefined;
    }
  /** Any one of these may be the one that is named. */
  | { readonly kind: 'refused'; readonly oneOf: readonly Refusal[] };

/** A connection that was let through and is not yet settled. */
export type Live = Connection & {
  readonly verdict: Extract<Verdict, { kind: 'admitted' }>;
  /** Accounts with a rule for the called number when it came: a rule counts the calls that come after it. */
  readonly countedByNumber: readonly string[];
  answeredAt: number | undefined;
  /** Its channel has gone: it is counted no more, and its money waits for FreeSWITCH's word on how long it talked. */
  goneAt: number | undefined;
  /** The seconds that it may last, by the limits as they are now. */
  longest: number | undefined;
  /** Payers whose allotment has run dry, and when: from then on they pay per minute. */
  readonly ranDry: Map<string, number>;
};

/** What is up, as far as it matters to one that asks. */
export type Present = {
  readonly house: House;
  readonly now: number;
  readonly ticks: readonly Tick[];
  /** Those that are counted. */
  readonly up: readonly Live[];
  /** Walked up to now. */
  readonly purse: (name: string) => Purse;
};

/** Who has a soft limit may refuse and is then asked no more; any other refusal stands (ruling 16). */
export function verdictOn(connection: Connection, present: Present): Verdict {
  const softened: Refusal[] = [];
  for (;;) {
    const verdict = askEverybody(connection, present, softened);
    if (verdict.kind === 'admitted') return verdict;
    const goesOn = ({ holder }: Refusal): boolean =>
      isSoft(holder, connection, present.house) && !softened.some((each) => each.holder === holder);
    const hard = verdict.oneOf.filter((refusal) => !goesOn(refusal));
    if (hard.length > 0) return { kind: 'refused', oneOf: hard };
    softened.push(...verdict.oneOf);
  }
}

function askEverybody(connection: Connection, present: Present, soft: readonly Refusal[]): Verdict {
  const { house } = present;
  const softened = soft.map(({ holder }) => holder);
  const refused = (...oneOf: readonly Refusal[]): Verdict => ({ kind: 'refused', oneOf });

  // What no room and no money could change is said first.
  const side = sideOf(connection) ?? '';
  if (isUnfunded(connection, house) && !softened.includes(side)) {
    return refused({ holder: side, because: ['no_payer'], sipCodes: [402] });
  }
  const payers = payersOf(connection, house)
    .filter((account) => isEnforced(house, account))
    .map((account) => ({
      account,
      ways: softened.includes(account)
        ? [softPayment(account, connection, house)]
        : waysOf(account, connection, house),
    }));
  const never = payers.filter(({ ways }) => ways.every(({ way }) => way === 'none'));
  if (never.length > 0) return refused(...never.map(({ account, ways }) => neverPays(account, ways)));
  const longest = longestCall(connection, softened, house);
  if (longest?.seconds === 0) {
    return refused({ holder: longest.account, because: ['maxCallSeconds'], sipCodes: [403] });
  }

  // Room in the payer's own tenant, then his money, then room everywhere else: each tenant is a step of its own.
  const [home = [], ...others] = askedFor(connection, house);
  const fullAtHome = firstFull(connection, home, present, softened);
  if (fullAtHome !== undefined) return refused(fullAtHome);
  const found = payers.map(({ account, ways }) => firstWay(account, ways, connection, present));
  const unpaid = found.flatMap((each) => ('because' in each ? [each] : []));
  if (unpaid.length > 0) return refused(...unpaid);
  const full = firstFull(connection, others.flat(), present, softened);
  if (full !== undefined) return refused(full);

  const payments = found.flatMap((each) => ('because' in each ? [] : [each]));
  return {
    kind: 'admitted',
    decision: decisionOf(connection, softened, house),
    softened: soft,
    payments,
    longest: lengthOf(connection, softened, payments, house),
  };
}

/** The first in the order of asking who has no room, or has let somebody through a moment ago. */
function firstFull(
  connection: Connection,
  all: ReturnType<typeof askedFor>[number],
  { house, up, ticks, now }: Present,
  softened: readonly string[],
): Refusal | undefined {
  for (const asked of all) {
    if (!isBoundBy(asked, connection, softened, house)) continue;
    const counted =
      asked.kind === 'number'
        ? up.filter(({ countedByNumber }) => countedByNumber.includes(asked.account))
        : up;
    const limit = fullLimit(asked, connection, counted, house);
    const holder = holderOf(asked);
    if (limit !== undefined) return { holder, because: [limit], sipCodes: [sipCodeOf(asked, connection)] };
    if (isTooSoon(asked, ticks, now, house)) return { holder, because: ['callsPerSecond'], sipCodes: [503] };
  }
  return undefined;
}

/** The first of a payer's ways that there is now; or why there is none. */
function firstWay(
  account: string,
  ways: readonly Way[],
  connection: Connection,
  present: Present,
): Payment | Refusal {
  const because: string[] = [];
  for (const way of ways) {
    if (way.way === 'none') {
      because.push(way.why);
      continue;
    }
    const missing = whatIsMissing(way, connection, present);
    if (missing.length === 0) return way;
    because.push(...missing);
  }
  return { holder: account, because, sipCodes: MONEY_CODES };
}

function whatIsMissing(
  payment: Payment,
  connection: Connection,
  { house, up, now, purse }: Present,
): readonly string[] {
  switch (payment.way) {
    case 'nothing':
      return [];
    case 'flat_rate':
    case 'flat_rate_burst': {
      const onTrunks = up.filter(({ verdict }) =>
        verdict.payments.some((each) => isOnTrunk(each, payment.account)),
      );
      return isTrunkFree(payment, onTrunks, connection, house) ? [] : ['trunks'];
    }
    case 'allotment':
      return purse(payment.purse).hasFor(payment.terms, payment.atLeast, now) ? [] : ['allotments'];
    case 'per_minute':
      // Surcharge and first pulse, over and above every hold and every running leg.
      return payment.purses.flatMap((each) => {
        if (purse(each).hasFor(payment.terms, 0n, now)) return [];
        return each === payment.account ? ['no_credit'] : ['maxSpend'];
      });
  }
}

const MONEY_CODES = [402, 403];

function neverPays(holder: string, ways: readonly Way[]): Refusal {
  const because = ways.map((way) => (way.way === 'none' ? way.why : ''));
  return { holder, because: [...because, 'fundingOrder'], sipCodes: MONEY_CODES };
}

function isOnTrunk(payment: Payment, account: string): boolean {
  return payment.account === account && (payment.way === 'flat_rate' || payment.way === 'flat_rate_burst');
}
