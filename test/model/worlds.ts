import * as fc from 'fast-check';
import type { AccountDocument, Limits, RouteDocument } from './house.ts';

/** Random companies, so small that every limit of theirs is met, and random acts of their callers. */

const NUMBERS = ['4930123', '4930123', '4930124', '49401', '14158867900', '14158867900', '18005551234'];
const ODD_NUMBERS = ['800123', '33123', '12425551234'];
const ROUTES = ['carrier', 'trunk'];

/** Minutes before somewhere an hour, a day, a week, a month or a year ends; the last of them a 29th of February. */
const STARTS = [
  '2027-01-15T08:00:00Z',
  '2027-01-15T22:58:00Z',
  '2027-01-17T22:52:00Z',
  '2027-01-31T22:55:00Z',
  '2027-01-01T02:50:00Z',
  '2028-02-29T23:55:00Z',
].map((text) => Date.parse(text));

/** Chosen by a number, whatever there is to choose from. */
const pick = fc.nat({ max: 999_999 });
const bound = fc.oneof(
  { weight: 1, arbitrary: fc.constant(0) },
  { weight: 7, arbitrary: fc.integer({ min: 1, max: 4 }) },
  { weight: 2, arbitrary: fc.constant('unlimited' as const) },
);
const some = <T extends object>(fields: { [Name in keyof T]: fc.Arbitrary<T[Name]> }) =>
  fc.record(fields, { requiredKeys: [] }) as fc.Arbitrary<Partial<T>>;
const often = <T>(value: T, other: T, weight = 8) =>
  fc.oneof({ weight, arbitrary: fc.constant(value) }, { weight: 1, arbitrary: fc.constant(other) });

const capacity = fc.oneof(
  some<Limits>({ calls: bound, callsPerSecond: bound }),
  some<Limits>({ inboundCalls: bound, outboundCalls: bound }),
  some<Limits>({ publicCalls: bound, internalCalls: bound, resourceConsumingCalls: bound }),
  fc.record({
    perNumber: fc.array(
      fc.record({
        pattern: fc.constantFrom(String.raw`^\+4930123$`, String.raw`^\+49`, '.'),
        calls: fc.constantFrom<(number | 'unlimited')[]>(0, 1, 1, 1, 2, 'unlimited'),
      }),
      { minLength: 1, maxLength: 2 },
    ),
  }),
);
const trunk = fc.constantFrom<(number | 'unlimited')[]>(0, 0, 1, 1, 2, 'unlimited');
const trunks = some<Limits>({
  trunks: some({
    inbound: trunk,
    outbound: trunk,
    twoway: fc.constantFrom(0, 0, 1),
    burst: fc.constantFrom(0, 1, 1, 1),
  }),
  flatRate: fc.constant({ whitelist: [String.raw`^\+49`], blacklist: [String.raw`^\+4940`] }),
});
const length = some<Limits>({
  maxCallSeconds: fc.constantFrom<(number | 'unlimited')[]>(0, 3, 20, 20, 45, 'unlimited'),
  maxCallCost: fc.constantFrom('0.04', '0.30', '1.00', 'unlimited'),
});
const flags = some<Limits>({
  enabled: often(true, false, 2),
  enforcement: often<'enforce' | 'dry_run'>('enforce', 'dry_run', 2),
  softLimitInbound: fc.boolean(),
  softLimitOutbound: fc.boolean(),
});
const purse = some<Limits>({
  allowPrepay: often(true, false, 4),
  allowPostpay: fc.boolean(),
  maxPostpay: fc.constantFrom('0.00', '0.40', '5.00'),
  onExhaustion: often<'unpaid' | 'all'>('unpaid', 'all', 2),
  fundingOrder: fc.constantFrom(
    ['flat_rate', 'per_minute'],
    ['per_minute', 'allotment', 'flat_rate'],
    ['allotment', 'flat_rate', 'per_minute'],
    ['flat_rate', 'allotment'],
  ),
  discounts: fc.constantFrom({ international: '50' }, { did_us: '100' }, { international: '12.5' }),
});
/** Seconds, and money, of the calendar. */
const name = fc.constantFrom('international', 'outbound_international', 'inbound_international', 'did_us');
const allotment = fc.record({
  seconds: fc.constantFrom(0, 10, 20, 45, 120),
  cycle: fc.constantFrom(
    'minutely' as const,
    'hourly' as const,
    'daily' as const,
    'weekly' as const,
    'monthly' as const,
    'yearly' as const,
  ),
  minimum: fc.constantFrom(0, 0, 5, 10),
  increment: fc.constantFrom(1, 1, 6),
  grace: fc.constantFrom(0, 0, 3),
});
const zone = fc.constantFrom('UTC', 'Europe/Berlin', 'America/Sao_Paulo');
const calendar: fc.Arbitrary<Limits> = fc
  .record({
    drawn: fc.dictionary(name, allotment, { minKeys: 0, maxKeys: 3 }),
    grouped: fc.boolean(),
    spend: some({
      hour: fc.constantFrom('0.10', '0.30', '1.00'),
      day: fc.constantFrom('0.30', '2.00'),
      month: fc.constantFrom('0.50', 'unlimited'),
    }),
    timeZone: zone,
  })
  .map(({ drawn, grouped, spend, timeZone }) => {
    const [first, ...others] = Object.keys(drawn).toSorted();
    const counting = grouped && first !== undefined && others.length > 0 ? { groups: others } : {};
    const allotments = Object.fromEntries(
      Object.entries(drawn).map(([each, given]) => [
        each,
        each === first ? { ...given, ...counting } : given,
      ]),
    );
    const hasAny = Object.keys(allotments).length > 0;
    return { ...(hasAny ? { allotments } : {}), maxSpend: spend, timeZone };
  });

const together = (...parts: readonly fc.Arbitrary<Limits>[]) =>
  fc.tuple(...parts).map((all) => Object.assign({}, ...all) as Limits);

const operator: fc.Arbitrary<Limits> = fc.oneof(
  { weight: 8, arbitrary: fc.constant({}) },
  { weight: 8, arbitrary: capacity },
  { weight: 2, arbitrary: flags },
  { weight: 3, arbitrary: purse },
  { weight: 4, arbitrary: trunks },
  { weight: 1, arbitrary: length },
  { weight: 2, arbitrary: together(capacity, purse, trunks) },
  { weight: 1, arbitrary: together(capacity, flags, length) },
);
const customer: fc.Arbitrary<Limits> = fc.oneof(
  { weight: 8, arbitrary: fc.constant({}) },
  { weight: 2, arbitrary: capacity },
  { weight: 1, arbitrary: some<Limits>({ allowPrepay: fc.constant(false) }) },
  { weight: 1, arbitrary: length },
  { weight: 1, arbitrary: some<Limits>({ trunks: some({ twoway: trunk, outbound: trunk }) }) },
);
/** For everybody who does not say otherwise: nothing that refuses all. */
const defaults: fc.Arbitrary<Limits> = fc.oneof(
  { weight: 12, arbitrary: fc.constant({}) },
  { weight: 4, arbitrary: some<Limits>({ calls: fc.integer({ min: 2, max: 6 }) }) },
  { weight: 1, arbitrary: some<Limits>({ softLimitOutbound: fc.constant(true) }) },
  { weight: 1, arbitrary: some<Limits>({ enforcement: fc.constant('dry_run') }) },
  { weight: 1, arbitrary: some<Limits>({ maxCallSeconds: fc.constantFrom(20, 60) }) },
  { weight: 1, arbitrary: some<Limits>({ trunks: fc.constant({ twoway: 1 }) }) },
);
const purses = fc.constantFrom<Pick<AccountDocument, 'wallet' | 'tariff'>[]>(
  ...Array.from({ length: 16 }, () => ({})),
  ...Array.from({ length: 4 }, () => ({ wallet: 'EUR', tariff: 'standard' })),
  { wallet: 'EUR', tariff: 'dear' },
  { wallet: 'EUR' },
  { tariff: 'standard' },
  { wallet: 'USD', tariff: 'dollars' },
  { wallet: 'EUR', tariff: 'dollars' },
);
const balance = fc.constantFrom('0', '0.31', '0.55', '1.00', '4.00', '50.00');

/** A line of descent of up to eight levels, and others that branch off it anywhere. */
const tree = (root: string, levels: fc.Arbitrary<number>, others: number) =>
  fc.tuple(levels, fc.array(pick, { maxLength: others })).map(([depth, places]) => {
    const paths = Array.from({ length: depth }, (_, level) =>
      [root, ...Array.from({ length: level }, (__, index) => `l${index + 2}`)].join('/'),
    );
    for (const [index, place] of places.entries()) {
      const parents = paths.filter((path) => path.split('/').length < 8);
      paths.push(`${parents[place % parents.length]}/x${index}`);
    }
    return paths;
  });

export const worlds = fc
  .tuple(tree('acme', fc.constantFrom(8, 8, 8, 5, 3), 6), tree('beta', fc.constantFrom(1, 2, 3, 8), 2))
  .chain(([acme, beta]) =>
    fc.record({
      accounts: fc.tuple(
        ...[...acme, ...beta].map((account) =>
          fc
            .record({
              operator,
              hasCalendar: often(false, true, 3),
              calendar,
              customer,
              purse: purses,
              isAble: often(true, false, 4),
              balance,
              defaults,
            })
            .map(({ hasCalendar, calendar: byCalendar, isAble, ...drawn }) => {
              const limits = hasCalendar ? { ...drawn.operator, ...byCalendar } : drawn.operator;
              // Who pays by other means as well can mostly pay by money, or nearly all of his calls were refused.
              const pays = limits.trunks !== undefined || hasCalendar;
              const purse = pays && isAble ? { wallet: 'EUR', tariff: 'standard' } : drawn.purse;
              return { account, ...drawn, purse, operator: limits };
            }),
        ),
      ),
      routes: fc.tuple(...ROUTES.map((route) => capacityOfRoute().map((limits) => ({ ...limits, route })))),
      defaults,
      unfunded: often<'refuse' | 'allow'>('allow', 'refuse', 3),
      unrated: often<'refuse' | 'allow'>('refuse', 'allow', 3),
      startAt: fc.constantFrom(...STARTS),
      twice: fc.boolean(),
      completesAfterMs: fc.constantFrom(0, 0, 2_500),
    }),
  );
export type World = typeof worlds extends fc.Arbitrary<infer T> ? T : never;

function capacityOfRoute(): fc.Arbitrary<Omit<RouteDocument, 'route'>> {
  return fc.oneof(
    fc.constant({}),
    some<Limits>({ calls: bound, inboundCalls: bound, outboundCalls: bound, callsPerSecond: bound }),
  );
}

/** Whom a branch is for: an account of ours, or somebody behind a route. */
const target = fc.record({
  to: fc.constantFrom('account', 'route'),
  account: pick,
  routes: fc.constantFrom(
    ['carrier'],
    ['carrier'],
    ['trunk'],
    ['carrier', 'trunk'],
    ['unlisted'],
    ['trunk', 'trunk'],
  ),
  number: fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom(...NUMBERS) },
    { weight: 2, arbitrary: fc.constantFrom(...ODD_NUMBERS) },
  ),
});
export type Target = typeof target extends fc.Arbitrary<infer T> ? T : never;

const dial = fc.record({
  kind: fc.constant('dial' as const),
  shape: fc.oneof(
    { weight: 8, arbitrary: fc.constant('out' as const) },
    { weight: 7, arbitrary: fc.constant('in' as const) },
    { weight: 4, arbitrary: fc.constant('inside' as const) },
    { weight: 2, arbitrary: fc.constant('wholesale' as const) },
    { weight: 2, arbitrary: fc.constant('fork out' as const) },
    { weight: 2, arbitrary: fc.constant('fork in' as const) },
    { weight: 1, arbitrary: fc.constant('emergency' as const) },
    { weight: 1, arbitrary: fc.constant('nobody' as const) },
  ),
  from: pick,
  target,
  others: fc.array(target, { minLength: 1, maxLength: 3 }),
});
const onSomeCall = fc.constantFrom(
  'fail' as const,
  'again' as const,
  'part' as const,
  'leave' as const,
  'park' as const,
);
const step = fc.oneof(
  { weight: 35, arbitrary: dial },
  { weight: 18, arbitrary: fc.record({ kind: fc.constant('answer' as const), which: pick }) },
  {
    weight: 17,
    arbitrary: fc.record({ kind: fc.constant('hang up' as const), which: pick, callerFirst: fc.boolean() }),
  },
  { weight: 8, arbitrary: fc.record({ kind: onSomeCall, which: pick }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constantFrom('forward' as const, 'forward' as const, 'transfer' as const),
      which: pick,
      targets: fc.array(target, { minLength: 1, maxLength: 3 }),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant('operator' as const), which: pick, to: operator }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('customer' as const), which: pick, to: customer }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constantFrom('root' as const, 'service' as const),
      which: pick,
      to: defaults,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('route' as const), which: pick, to: capacityOfRoute() }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('money' as const),
      which: pick,
      amount: fc.constantFrom('0.000001', '0.20', '1.00', '-0.10', '-1.00'),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('wait' as const) }) },
);
export type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;
/** The steps of that kind, or of several among which it is. */
export type StepOf<Kind extends Step['kind']> = DistributedOver<Step, Kind>;
type DistributedOver<Any, Kind> = Any extends { kind: infer Kinds }
  ? Kind extends Kinds
    ? Any
    : never
  : never;

/** Each act, and how long after the one before. */
export const acts = fc.record({
  afterMs: fc.oneof(
    { weight: 5, arbitrary: fc.integer({ min: 11, max: 300 }) },
    { weight: 3, arbitrary: fc.integer({ min: 300, max: 6_000 }) },
    { weight: 1, arbitrary: fc.integer({ min: 6_000, max: 70_000 }) },
  ),
  step,
});
export type Act = typeof acts extends fc.Arbitrary<infer T> ? T : never;
