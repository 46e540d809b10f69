import { parseAccounts, parseRoutes } from '../../src/accounts/account-document.ts';
import { createAccountLookup, type AccountLookup } from '../../src/accounts/account-tree.ts';
import { e164Of, type Question } from '../../src/admission/question.ts';
import { classify } from '../../src/rating/classify.ts';
import { DEFAULT_ROUNDING } from '../../src/rating/price.ts';
import type { Rate } from '../../src/rating/rate.ts';
import { EMPTY_TARIFF_BOOK, withTariffVersions, type TariffBook } from '../../src/rating/tariff-book.ts';
import {
  admissionIdOf,
  legKeyOf,
  parseRouteName,
  type AccountPath,
  type LegKey,
  type LegUuid,
  type NodeId,
  type TariffName,
} from '../../src/units/ids.ts';
import { parseMicros, type Micros } from '../../src/units/money.ts';
import { toEpochMs } from '../../src/units/time.ts';

/** A small telephone company in memory: two tenants, their people, and the carriers between them and the world. */

type Document = Readonly<Record<string, unknown>>;

export function accountsOf(accounts: readonly Document[], routes: readonly Document[] = []): AccountLookup {
  const readAccounts = parseAccounts(accounts);
  const readRoutes = parseRoutes(routes);
  if (readAccounts.kind === 'bad') throw new Error(JSON.stringify(readAccounts.problems));
  if (readRoutes.kind === 'bad') throw new Error(JSON.stringify(readRoutes.problems));
  return createAccountLookup({ revision: 1, accounts: readAccounts.value, routes: readRoutes.value }, {});
}

export function tariffOf(
  name: string,
  rates: readonly (Partial<Omit<Rate, 'perMinute'>> & { readonly prefix: string; readonly rate: string })[],
  currency = 'EUR',
): TariffBook {
  return withTariffVersions(EMPTY_TARIFF_BOOK, [
    {
      tariff: name as TariffName,
      version: 1,
      currency,
      rounding: DEFAULT_ROUNDING,
      startsAt: toEpochMs(0),
      zone: 'UTC',
      rates: rates.map(({ rate, ...rest }, index) => ({
        id: index + 1,
        description: '',
        perMinute: money(rate),
        surcharge: undefined,
        minimumSeconds: 1,
        incrementSeconds: 1,
        graceSeconds: undefined,
        direction: undefined,
        routes: [],
        options: [],
        weight: undefined,
        period: undefined,
        ...rest,
      })),
    },
  ]);
}

export function mergedTariffs(...books: readonly TariffBook[]): TariffBook {
  return new Map(books.flatMap((book) => [...book]));
}

export const money = (text: string): Micros => parseMicros(text) as Micros;

export const A_LEG = 'a1a1a1a1-0000-4000-8000-000000000001' as LegUuid;
export const B_LEG = 'b1b1b1b1-0000-4000-8000-000000000001' as LegUuid;
export const NODE = 'fs1' as NodeId;
export const ADMISSION = admissionIdOf(A_LEG, 1);
export const LEG_KEY = legKeyOf(ADMISSION, 'b1') as LegKey;

export function questionOf(
  accounts: AccountLookup,
  asked: {
    readonly caller?: string;
    readonly callee?: string;
    readonly routes?: readonly string[];
  } & Partial<Omit<Question, 'caller' | 'callee' | 'routes'>>,
): Question {
  const { caller, callee, routes = [], ...rest } = asked;
  const { dialled = '4930123', destination = '4930123' } = asked;
  const node = (path: string | undefined) => {
    if (path === undefined) return undefined;
    const found = accounts.node(path as AccountPath);
    if (found === undefined) throw new Error(`no account ${path}`);
    return found;
  };
  return {
    legKey: LEG_KEY,
    admission: ADMISSION,
    aLeg: A_LEG,
    node: NODE,
    coreUuid: 'core-1',
    caller: node(caller),
    callee: node(callee),
    routes: routes.map((name) => {
      const route = parseRouteName(name);
      return { name, node: route === undefined ? undefined : accounts.route(route) };
    }),
    options: [],
    forwarded: false,
    callerNumber: '1001',
    dialled,
    destination,
    emergency: false,
    classification: classify(node(caller ?? callee)?.classifiers ?? [], {
      dialled,
      e164: e164Of({ destination }),
    }),
    tollFree: false,
    siblings: ['b1'],
    at: toEpochMs(1_000_000),
    ...rest,
  };
}
