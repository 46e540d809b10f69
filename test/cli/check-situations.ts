import * as fc from 'fast-check';
import { parseAccounts, parseRoutes } from '../../src/accounts/account-document.ts';
import { createAccountLookup, type AccountLookup } from '../../src/accounts/account-tree.ts';
import { readTariffCsv } from '../../src/imports/tariff-csv.ts';
import { DEFAULT_ROUNDING } from '../../src/rating/price.ts';
import { EMPTY_TARIFF_BOOK, withTariffVersions, type TariffBook } from '../../src/rating/tariff-book.ts';
import type { TariffName } from '../../src/units/ids.ts';
import { toEpochMs } from '../../src/units/time.ts';

/** Random tenants, routes and calls, so small that every limit of theirs is met. */

const ACCOUNTS = ['acme', 'acme/retail', 'acme/retail/alice', 'acme/retail/bob', 'other', 'other/carol'];
const ROUTES = ['carrier', 'trunk'];
const TARIFF = [
  'prefix,rate,surcharge,minimum,increment,direction',
  '49,1.00,0.05,10,1,',
  '800,0,,,,',
  '49,0.30,,6,6,inbound',
].join('\n');

const bound = fc.constantFrom(0, 1, 2, 3, 3, 'unlimited', 'unlimited');
const capacity = { calls: bound, inboundCalls: bound, outboundCalls: bound, callsPerSecond: bound };
const some = <T>(values: Record<string, fc.Arbitrary<T>>) => fc.record(values, { requiredKeys: [] });

const counts = some<unknown>({
  ...capacity,
  resourceConsumingCalls: bound,
  publicCalls: bound,
  internalCalls: bound,
  perNumber: fc.constantFrom([], [{ pattern: String.raw`^\+49`, calls: 1 }]),
  enabled: fc.constantFrom(true, true, true, false),
  enforcement: fc.constantFrom('enforce', 'enforce', 'dry_run'),
});

const trunkCount = fc.constantFrom(0, 0, 1, 1, 'unlimited');

const money = some<unknown>({
  allowPrepay: fc.constantFrom(true, true, true, false),
  allowPostpay: fc.boolean(),
  maxPostpay: fc.constantFrom('0', '0.40', '5.00'),
  trunks: some({
    inbound: trunkCount,
    outbound: trunkCount,
    twoway: trunkCount,
    burst: fc.constantFrom(0, 1, 2),
  }),
  flatRate: fc.constant({ whitelist: [String.raw`^\+49`], blacklist: [String.raw`^\+49309`] }),
  fundingOrder: fc.constantFrom(
    ['flat_rate', 'allotment', 'per_minute'],
    ['per_minute', 'flat_rate'],
    ['flat_rate'],
  ),
  maxCallSeconds: fc.constantFrom('unlimited', 'unlimited', 0, 20),
  maxCallCost: fc.constantFrom('unlimited', 'unlimited', '0.20', '1.00'),
  discounts: fc.constantFrom({}, { international: '50' }, { international: '100' }),
});

const operator = fc.oneof(
  { weight: 3, arbitrary: fc.constant({}) },
  { weight: 2, arbitrary: counts },
  { weight: 2, arbitrary: money },
  { weight: 1, arbitrary: fc.tuple(counts, money).map(([one, other]) => ({ ...one, ...other })) },
);

/** Mostly nobody or somebody who can pay; at times one without a wallet, or with one in another money. */
const PURSES = [
  {},
  {},
  {},
  {},
  { wallet: 'EUR', tariff: 'standard' },
  { wallet: 'EUR', tariff: 'standard' },
  { wallet: 'EUR' },
  { tariff: 'standard' },
  { wallet: 'USD', tariff: 'standard' },
];

export const situations = fc.record({
  accounts: fc.tuple(
    ...ACCOUNTS.map((account) =>
      fc
        .tuple(operator, fc.constantFrom(...PURSES))
        .map(([limits, purse]) => ({ account, operator: limits, ...purse })),
    ),
  ),
  routes: fc.tuple(
    ...ROUTES.map((route) =>
      fc
        .record({ route: fc.constant(route) })
        .chain((named) => some(capacity).map((limits) => ({ ...limits, ...named }))),
    ),
  ),
  balance: fc.constantFrom('0', '0.21', '0.22', '0.50', '10.00', '10.00'),
  acts: fc.array(
    fc.record({
      account: fc.constantFrom(...ACCOUNTS, ...ACCOUNTS, ...ACCOUNTS, undefined, undefined, 'nobody'),
      callee: fc.oneof({ weight: 2, arbitrary: fc.constant(undefined) }, fc.constantFrom(...ACCOUNTS)),
      forwarder: fc.constantFrom(undefined, undefined, undefined, 'acme/retail/bob'),
      routes: fc.constantFrom(
        [],
        ['carrier'],
        ['trunk'],
        ['carrier', 'trunk'],
        ['unlisted'],
        ['trunk', 'trunk'],
        [],
        ['carrier'],
        ['trunk'],
        ['carrier'],
        ['bad name'],
      ),
      options: fc.constantFrom<readonly string[]>([]),
      dialled: fc.constantFrom(
        '4930123',
        '4930123',
        '4930123',
        '4930123',
        '4930123',
        '4930123',
        '800123',
        '33123',
        '112',
        'bob',
        '4930123',
        '4930123',
        '4930123',
      ),
      waitMs: fc.constantFrom(0, 0, 400, 1_000, 30_000),
      next: fc.constantFrom('ring', 'ring', 'answer', 'answer', 'end'),
    }),
    { minLength: 3, maxLength: 14 },
  ),
});

export type Situation = typeof situations extends fc.Arbitrary<infer T> ? T : never;

export function lookupOf({ accounts, routes }: Situation): AccountLookup {
  const readAccounts = parseAccounts(accounts);
  const readRoutes = parseRoutes(routes);
  if (readAccounts.kind === 'bad' || readRoutes.kind === 'bad') {
    throw new Error(JSON.stringify([readAccounts, readRoutes]));
  }
  const tree = { revision: 1, accounts: readAccounts.value, routes: readRoutes.value };
  return createAccountLookup(tree, {});
}

export async function readTariffs(): Promise<TariffBook> {
  const read = await readTariffCsv({ file: 'standard.csv', bytes: [new TextEncoder().encode(TARIFF)] });
  if (read.kind === 'errors') throw new Error(JSON.stringify(read.errors));
  const tariff = 'standard' as TariffName;
  const standing = { tariff, version: 1, currency: 'EUR', startsAt: toEpochMs(0), zone: 'UTC' };
  return withTariffVersions(EMPTY_TARIFF_BOOK, [
    { ...standing, rounding: DEFAULT_ROUNDING, rates: read.rates },
  ]);
}
