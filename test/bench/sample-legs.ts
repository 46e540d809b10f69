import type { Account } from '../../src/accounts/account.ts';
import { parseAccount, parseRoute } from '../../src/accounts/account-document.ts';
import { createAccountLookup } from '../../src/accounts/account-tree.ts';
import { decide } from '../../src/admission/decide.ts';
import type { LegRecord } from '../../src/admission/leg-record.ts';
import type { Plan } from '../../src/admission/plan.ts';
import { EMPTY_TARIFF_BOOK, withTariffVersions } from '../../src/rating/tariff-book.ts';
import { DEFAULT_ROUNDING } from '../../src/rating/price.ts';
import {
  admissionIdOf,
  legKeyOf,
  type LegUuid,
  type NodeId,
  type RouteName,
  type TariffName,
} from '../../src/units/ids.ts';
import { parseMicros, type Micros } from '../../src/units/money.ts';
import { toEpochMs, type EpochMs } from '../../src/units/time.ts';

/** A leg as the service would admit it: plan and record made by its own code. */
export type BenchLeg = { readonly plan: Plan; readonly record: LegRecord };
export type LegMaker = (turn: number, at: EpochMs) => BenchLeg;

export const TARIFF = 'standard' as TariffName;
export const DESTINATION = '4930123456';
/** High enough never to refuse: a refusal is cheaper than an admission. */
const CALLS_MAX = 1_000_000;
const LEVEL_NAMES = ['acme', 'north', 'retail', 'city', 'branch', 'floor', 'room', 'desk'];
const ROUTE = 'carrier' as RouteName;

export const amount = (text: string): Micros => {
  const micros = parseMicros(text);
  if (micros === undefined) throw new Error(`${text} is no amount`);
  return micros;
};

/** `acme/north/retail/…`: so many levels, each with a limit on its calls; the last one pays. */
export function accountDocuments(
  levels: number,
  root = 'acme',
): readonly Readonly<Record<string, unknown>>[] {
  const names = [root, ...LEVEL_NAMES.slice(1, levels)];
  return names.map((_, index) => ({
    account: names.slice(0, index + 1).join('/'),
    operator: { calls: CALLS_MAX },
    ...(index === levels - 1 ? { wallet: 'EUR', tariff: TARIFF } : {}),
  }));
}

/** Legs of the deepest account, each with a key of its own. `root` names the tenant, and so the Redis slot. */
export function legMaker(shape: {
  readonly levels: number;
  readonly route: boolean;
  readonly root: string;
}): LegMaker {
  const accounts = accountDocuments(shape.levels, shape.root).map(toAccount);
  const route = parseRoute({ route: ROUTE, calls: CALLS_MAX });
  if (route.kind === 'bad') throw new Error(JSON.stringify(route.problems));
  const lookup = createAccountLookup({ revision: 1, accounts, routes: [route.value] }, {});
  const caller = lookup.nodes.at(-1);
  const tariffs = withTariffVersions(EMPTY_TARIFF_BOOK, [
    {
      tariff: TARIFF,
      version: 1,
      currency: 'EUR',
      rounding: DEFAULT_ROUNDING,
      startsAt: toEpochMs(0),
      zone: 'UTC',
      rates: [
        {
          id: 1,
          prefix: '49',
          description: '',
          perMinute: amount('1.00'),
          surcharge: undefined,
          minimumSeconds: 1,
          incrementSeconds: 1,
          graceSeconds: undefined,
          direction: undefined,
          routes: [],
          options: [],
          weight: undefined,
          period: undefined,
        },
      ],
    },
  ]);
  const policy = {
    unrated: 'refuse',
    unratedInbound: 'allow',
    unfunded: 'refuse',
    customerCurrency: 'EUR',
  } as const;
  const template = (at: EpochMs): BenchLeg => {
    const aLeg = 'template' as LegUuid;
    const admission = admissionIdOf(aLeg, 1);
    const legKey = legKeyOf(admission, 'b1');
    if (legKey === undefined) throw new Error('b1 is a branch');
    const decided = decide(
      {
        legKey,
        admission,
        aLeg,
        node: 'fs1' as NodeId,
        coreUuid: '2f1c8f0e-0000-4000-8000-000000000000',
        caller,
        callee: undefined,
        routes: shape.route ? [{ name: ROUTE, node: lookup.route(ROUTE) }] : [],
        options: [],
        forwarded: false,
        callerNumber: '1001',
        dialled: DESTINATION,
        destination: DESTINATION,
        emergency: false,
        classification: 'international',
        tollFree: false,
        siblings: [`b1:${shape.root}`],
        at,
      },
      tariffs,
      policy,
    );
    if (decided.kind === 'refused') throw new Error(decided.refusal.words);
    return decided;
  };
  const made = template(toEpochMs(0));
  return (turn, at) => withKey(made, turn, at);
}

/** Deciding is measured with whole calls; here every leg is the first one under another name. */
function withKey({ plan, record }: BenchLeg, turn: number, at: EpochMs): BenchLeg {
  const aLeg = `2f1c8f0e-0000-4000-8000-${turn.toString(16).padStart(12, '0')}` as LegUuid;
  const admission = admissionIdOf(aLeg, 1);
  const legKey = legKeyOf(admission, 'b1');
  if (legKey === undefined) throw new Error('b1 is a branch');
  return {
    plan: {
      home: { ...plan.home, legKey },
      others: plan.others.map((other) => ({ ...other, legKey })),
    },
    record: { ...record, legKey, admission, aLeg, admittedAt: at },
  };
}

export function toAccount(document: Readonly<Record<string, unknown>>): Account {
  const parsed = parseAccount(document);
  if (parsed.kind === 'bad') throw new Error(JSON.stringify(parsed.problems));
  return parsed.value;
}
