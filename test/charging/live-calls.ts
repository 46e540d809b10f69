import * as fc from 'fast-check';
import type { AccountLookup } from '../../src/accounts/account-tree.ts';
import { decide } from '../../src/admission/decide.ts';
import { chosenParts, withFunded } from '../../src/admission/funded.ts';
import type { FundingPolicy } from '../../src/admission/funding.ts';
import { splitContinuation, splitRecord } from '../../src/admission/rate-split.ts';
import type { Question } from '../../src/admission/question.ts';
import type { RatingBooks } from '../../src/charging/finished-call.ts';
import { settlementOf } from '../../src/controller/settlement.ts';
import type { Rounding } from '../../src/rating/price.ts';
import type { Rate } from '../../src/rating/rate.ts';
import { EMPTY_TARIFF_BOOK, withTariffVersions, type TariffBook } from '../../src/rating/tariff-book.ts';
import type { Settlement } from '../../src/records/records.ts';
import {
  admissionIdOf,
  legKeyOf,
  type AccountPath,
  type LegKey,
  type LegUuid,
  type TariffName,
} from '../../src/units/ids.ts';
import { toMicros } from '../../src/units/money.ts';
import { addMs, toEpochMs } from '../../src/units/time.ts';
import { anyPeriod, anyRounding } from '../rating/samples.ts';
import { accountsOf, questionOf } from '../controller/world.ts';

/** Calls as they are charged live: decided by the gate's own plan, settled by the controller's own settlement. */

export const POLICY: FundingPolicy = {
  unrated: 'refuse',
  unratedInbound: 'allow',
  unfunded: 'refuse',
  customerCurrency: 'EUR',
};

type Choice<Item> = readonly [Item, ...Item[]];

/** A reseller with a customer, each with a tariff; one with discounts, one with trunks, one that is only counted. */
export const ACCOUNTS = accountsOf(
  [
    { account: 'acme', wallet: 'EUR', tariff: 'wholesale' },
    { account: 'acme/shop', wallet: 'EUR', tariff: 'retail' },
    { account: 'acme/shop/till' },
    {
      account: 'acme/cheap',
      wallet: 'EUR',
      tariff: 'retail',
      operator: { discounts: { international: '12.5', did_us: '99.9' } },
    },
    {
      account: 'acme/rents',
      wallet: 'EUR',
      operator: { trunks: { outbound: 5, burst: 1 }, softLimitOutbound: true },
    },
    { account: 'acme/watched', wallet: 'EUR', operator: { enforcement: 'dry_run' } },
    {
      account: 'acme/minutes',
      wallet: 'EUR',
      operator: {
        allotments: { international: { seconds: 3600, cycle: 'daily', minimum: 30, increment: 10 } },
      },
    },
  ],
  [{ route: 'carrier' }, { route: 'backup' }],
);
const CALLERS: Choice<string> = [
  'acme',
  'acme/shop',
  'acme/shop/till',
  'acme/cheap',
  'acme/rents',
  'acme/watched',
  'acme/minutes',
];
const NUMBERS: Choice<string> = [
  '4930123456',
  '49151234567',
  '442071234567',
  '12125550123',
  '18005550123',
  '33123456789',
];
const ROUTES: Choice<readonly string[]> = [['carrier'], ['backup'], ['carrier', 'backup']];
const PREFIXES = ['49', '4930', '4915', '44', '4420', '1', '1212', '1800', '33', '331'];

/** Any versions of both tariffs, the first in force from the beginning and so broad that most calls have a rate. */
export const anyTariffs: fc.Arbitrary<TariffBook> = fc
  .tuple(anyVersions('wholesale'), anyVersions('retail'))
  .map(([wholesale, retail]) => withTariffVersions(EMPTY_TARIFF_BOOK, [...wholesale, ...retail]));

function anyVersions(name: string) {
  const anySeconds = fc.option(fc.integer({ min: 0, max: 90 }), { nil: undefined });
  const anyRate: fc.Arbitrary<Omit<Rate, 'id'>> = fc.record({
    prefix: fc.constantFrom(...PREFIXES),
    description: fc.constant(''),
    perMinute: fc.bigInt({ min: 0n, max: 3_000_000n }).map(toMicros),
    surcharge: fc.option(fc.bigInt({ min: 0n, max: 500_000n }).map(toMicros), { nil: undefined }),
    minimumSeconds: anySeconds,
    incrementSeconds: anySeconds,
    graceSeconds: fc.option(fc.integer({ min: 0, max: 10 }), { nil: undefined }),
    direction: fc.constantFrom(undefined, 'inbound', 'outbound', 'both'),
    routes: fc.constantFrom([], [], ['carrier'], ['backup', 'carrier']),
    options: fc.constantFrom([], [], ['fax'], ['fax', 'clip']),
    weight: fc.option(fc.integer({ min: 1, max: 100 }), { nil: undefined }),
    period: fc.option(anyPeriod, { nil: undefined }),
  });
  const anyVersion = fc.record({
    rates: fc.array(anyRate, { minLength: 5, maxLength: 15 }),
    rounding: anyRounding,
  });
  return fc
    .array(anyVersion, { minLength: 1, maxLength: 3 })
    .map((versions) => versions.map(({ rates, rounding }, index) => versionOf(name, index, rates, rounding)));
}

export const DAY_MS = 86_400_000;

function versionOf(name: string, index: number, rates: readonly Omit<Rate, 'id'>[], rounding: Rounding) {
  return {
    tariff: name as TariffName,
    version: index + 1,
    currency: 'EUR',
    zone: 'Europe/Berlin',
    rounding,
    startsAt: toEpochMs(index * DAY_MS),
    rates: rates.map((rate, place) => ({ ...rate, id: place + 1 })),
  };
}

export type Talk = {
  readonly caller: string;
  readonly inbound: boolean;
  readonly number: string;
  readonly routes: readonly string[];
  readonly at: number;
  readonly billedSeconds: number;
  readonly answered: boolean;
  readonly soft: boolean;
  /** How many seconds an allotment paid, where the caller has one. */
  readonly allotmentSeconds: number | undefined;
};

export const anyTalk: fc.Arbitrary<Talk> = fc.record({
  caller: fc.constantFrom(...CALLERS),
  inbound: fc.boolean(),
  number: fc.constantFrom(...NUMBERS),
  routes: fc.constantFrom(...ROUTES),
  at: fc.integer({ min: 0, max: 3 * DAY_MS }),
  billedSeconds: fc.oneof(fc.integer({ min: 0, max: 200 }), fc.integer({ min: 0, max: 90_000 })),
  answered: fc.boolean(),
  soft: fc.boolean(),
  allotmentSeconds: fc.option(fc.integer({ min: 0, max: 200 }), { nil: undefined }),
});

/** One of them without fast-check, for a hundred thousand. */
export function randomTalk(random: () => number): Talk {
  const below = (count: number): number => Math.floor(random() * count);
  const oneOf = <Item>(items: readonly [Item, ...Item[]]): Item => items[below(items.length)] ?? items[0];
  return {
    caller: oneOf(CALLERS),
    inbound: random() < 0.5,
    number: oneOf(NUMBERS),
    routes: oneOf(ROUTES),
    at: below(3 * DAY_MS),
    billedSeconds: below(oneOf([200, 90_000])),
    answered: random() < 0.9,
    soft: random() < 0.5,
    allotmentSeconds: random() < 0.3 ? undefined : below(200),
  };
}

/** The call as the gate is asked to admit it. */
export function questionOfTalk(talk: Talk, accounts: AccountLookup, name: string): Question {
  const side = talk.inbound ? { callee: talk.caller } : { caller: talk.caller };
  const aLeg = `a-${name}` as LegUuid;
  const admission = admissionIdOf(aLeg, 1);
  return questionOf(accounts, {
    ...side,
    routes: talk.routes,
    legKey: legKeyOf(admission, 'b0') as LegKey,
    admission,
    aLeg,
    dialled: talk.number,
    destination: talk.number,
    at: toEpochMs(talk.at),
    ...(talk.soft && talk.caller === 'acme/rents' && !talk.inbound
      ? { soft: new Set(['acme/rents' as AccountPath]) }
      : {}),
  });
}

/** What settles the call, were it admitted; undefined: the gate refused it. Trunks are all free. */
export function settledLive(talk: Talk, books: RatingBooks, name: string): Settlement | undefined {
  const question = questionOfTalk(talk, books.accounts as AccountLookup, name);
  const uuid = `b-${name}` as LegUuid;
  const decided = decide(question, books.tariffs, books.policy);
  if (decided.kind === 'refused') return undefined;
  const { home } = decided.plan;
  const taken = withFunded(
    decided.record,
    chosenParts(
      home,
      home.firstOf.map(() => 0),
    ),
  );
  const answeredAt = talk.answered ? toEpochMs(talk.at + 4_000) : undefined;
  const isSplit = books.policy.periods === 'split' && answeredAt !== undefined;
  const record = isSplit ? splitRecord(taken, answeredAt, books.tariffs) : taken;
  const billedSeconds = talk.answered ? talk.billedSeconds : 0;
  const endedAt = toEpochMs((answeredAt ?? talk.at) + billedSeconds * 1000);
  // A call that cannot go on ends with its allotment: then that has paid for all of it.
  const ranDry = record.allotments.flatMap(({ account, goesOn }) =>
    talk.allotmentSeconds === undefined || goesOn === undefined
      ? []
      : [{ account, goesOn, seconds: Math.min(talk.allotmentSeconds, billedSeconds) }],
  );
  return settlementOf(
    record,
    {
      uuid,
      cause: 'NORMAL_CLEARING',
      answeredAt,
      endedAt,
      billMicroseconds: billedSeconds * 1_000_000,
      billsec: billedSeconds,
      cut: undefined,
      estimated: false,
    },
    {
      billedSeconds,
      allotmentSeconds: new Map(ranDry.map(({ account, seconds }) => [account, seconds])),
      ...(isSplit && {
        goneOn: new Map(
          ranDry.map(({ account, goesOn, seconds }) => {
            const from = addMs(answeredAt, seconds * 1000);
            return [account, splitContinuation(goesOn, record, from, books.tariffs)];
          }),
        ),
      }),
      at: endedAt,
    },
  );
}
