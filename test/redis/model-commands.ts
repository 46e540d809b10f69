import * as fc from 'fast-check';
import type { Counter, FirstOf, FundingOption, Holder, HolderTakes, Slot } from '../../src/admission/plan.ts';
import type { AccountPath, LegUuid, RouteName } from '../../src/units/ids.ts';
import { toMicros } from '../../src/units/money.ts';
import { termsArbitrary } from '../credit/wallet-arbitraries.ts';
import { payerOf, sampleLeg, type SampleLeg } from './samples.ts';

export const LEGS = 6;
/** Eight levels deep, and a sibling that shares the first two. */
const DEEP = [
  'acme',
  'acme/b',
  'acme/b/c',
  'acme/b/c/d',
  'acme/b/c/d/e',
  'acme/b/c/d/e/f',
  'acme/b/c/d/e/f/g',
].concat('acme/b/c/d/e/f/g/h') as AccountPath[];
const SHALLOW = ['acme', 'acme/b', 'acme/b/x'] as AccountPath[];
export const WALLETS = ['acme', 'acme/b', 'acme/b/c/d/e/f/g/h'] as AccountPath[];
const NUMBERS = ['4930', '4989'];
export const ROUTE_SLOT: Slot = { kind: 'route', route: 'trunk' as RouteName };
const ROUTE: Holder = { kind: 'route', route: 'trunk' as RouteName };
export const HOLDERS: readonly Holder[] = [
  ...[...new Set([...DEEP, ...SHALLOW])].map((path): Holder => ({ kind: 'account', path })),
  ...['acme', 'acme/b'].flatMap((path) =>
    NUMBERS.map((number): Holder => ({ kind: 'number', path: path as AccountPath, number })),
  ),
  ...WALLETS.map((path): Holder => ({ kind: 'trunks', path })),
  ROUTE,
];

// Mostly none: with eight levels to pass, few legs would be taken otherwise.
const boundArbitrary = fc.oneof(
  { weight: 12, arbitrary: fc.constant(undefined) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 4 }) },
);
const perSecondArbitrary = fc.oneof(
  { weight: 12, arbitrary: fc.constant(undefined) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 3 }) },
);
const trunksArbitrary = fc.constantFrom(undefined, 0, 0, 1, 2);
const countersArbitrary = fc.subarray<Counter>(
  ['calls', 'outboundCalls', 'publicCalls', 'resourceConsumingCalls'],
  {
    minLength: 1,
  },
);

const trunkArbitrary = fc.record({
  kind: fc.constant('trunk' as const),
  counter: fc.constantFrom('inboundCalls' as const, 'outboundCalls' as const),
  inbound: trunksArbitrary,
  outbound: trunksArbitrary,
  shared: trunksArbitrary,
});
const wayArbitrary = fc.oneof(
  { weight: 5, arbitrary: trunkArbitrary },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('hold' as const), terms: termsArbitrary }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('free' as const) }) },
);
type Way = typeof wayArbitrary extends fc.Arbitrary<infer T> ? T : never;

const countedArbitrary = fc.record({
  counters: countersArbitrary,
  bound: boundArbitrary,
  perSecond: perSecondArbitrary,
});
type Counted = typeof countedArbitrary extends fc.Arbitrary<infer T> ? T : never;

const questionArbitrary = fc.record({
  deep: fc.boolean(),
  counted: fc.tuple(...DEEP.map(() => countedArbitrary)),
  holds: fc.array(termsArbitrary, { maxLength: 3 }),
  onRoute: fc.option(countedArbitrary, { nil: undefined }),
  ways: fc.array(fc.array(wayArbitrary, { minLength: 1, maxLength: 3 }), { maxLength: 2 }),
  soft: fc.option(termsArbitrary, { nil: undefined, freq: 3 }),
  capSeconds: fc.option(fc.constantFrom(1, 5, 6, 30), { nil: undefined, freq: 2 }),
  onNumbers: fc.uniqueArray(
    fc.record({
      path: fc.constantFrom('acme' as AccountPath, 'acme/b' as AccountPath),
      number: fc.constantFrom(...NUMBERS),
      bound: boundArbitrary,
    }),
    { maxLength: 2, selector: ({ path, number }) => `${path} ${number}` },
  ),
});
export type Question = typeof questionArbitrary extends fc.Arbitrary<infer T> ? T : never;

/** What each leg of a run asks for, whenever it asks: a replayed question is the same question. */
export const questionsArbitrary: fc.Arbitrary<readonly Question[]> = fc.array(questionArbitrary, {
  minLength: LEGS,
  maxLength: LEGS,
});

export function legOf(
  { deep, counted, holds, onRoute, onNumbers, capSeconds, ways, soft }: Question,
  n: number,
): SampleLeg {
  const chain = deep ? DEEP : SHALLOW;
  const wallets = WALLETS.filter((wallet) => chain.includes(wallet));
  return sampleLeg(n, {
    account: chain.at(-1) as AccountPath,
    takes: [
      ...chain.map((path, level) => takesOf({ kind: 'account', path }, counted[level])),
      ...onNumbers.map(({ path, number, bound }): HolderTakes => {
        const counts = [{ counter: 'calls', bound }] as const;
        return { holder: { kind: 'number', path, number }, counts, perSecond: undefined };
      }),
    ],
    holds: wallets.flatMap((wallet, index) => {
      const terms = holds[index];
      return terms === undefined ? [] : [{ wallet, terms }];
    }),
    // A payer has its ways or a hold, never both.
    firstOf: ways.flatMap((options, index): readonly FirstOf[] => {
      const payer = wallets[holds.length + index];
      return payer === undefined ? [] : [{ payer, options: optionsOf(payer, options), others: [] }];
    }),
    soft: wallets
      .slice(holds.length + ways.length)
      .flatMap((wallet) => (soft === undefined ? [] : [{ wallet, terms: soft }])),
    cap:
      capSeconds === undefined
        ? undefined
        : { seconds: capSeconds, reason: 'max_seconds', account: 'acme' as AccountPath },
    others: onRoute === undefined ? [] : [{ slot: ROUTE_SLOT, takes: [takesOf(ROUTE, onRoute)] }],
  });
}

/** At most one hold of one wallet, as a payer has one tariff. */
function optionsOf(payer: AccountPath, ways: readonly Way[]): readonly FundingOption[] {
  const firstHold = ways.findIndex(({ kind }) => kind === 'hold');
  return ways.flatMap((way, index): readonly FundingOption[] => {
    if (way.kind === 'free') return [{ take: undefined, part: undefined }];
    if (way.kind === 'hold') {
      const hold = { wallet: payer, terms: way.terms };
      const part = { way: 'per_minute', payer: payerOf(hold), cap: undefined } as const;
      return index === firstHold ? [{ take: { kind: 'holds', holds: [hold] }, part }] : [];
    }
    const { kind, ...bounds } = way;
    const part = { way: 'flat_rate', account: payer, counter: way.counter } as const;
    return [{ take: { kind, trunk: { account: payer, ...bounds } }, part }];
  });
}

function takesOf(holder: Holder, counted: Counted | undefined): HolderTakes {
  const counts = (counted?.counters ?? []).map((counter, index) => ({
    counter,
    bound: index === 0 ? counted?.bound : undefined,
  }));
  return { holder, counts, perSecond: counted?.perSecond };
}

const why = fc.constantFrom('refused', 'unanswered');
const leg = fc.nat(LEGS - 1);
const wallet = fc.constantFrom(...WALLETS);
const uuid = fc.constantFrom('channel-1' as LegUuid, 'channel-2' as LegUuid);
const cents = (min: number, max: number) =>
  fc.integer({ min, max }).map((amount) => toMicros(BigInt(amount) * 10_000n));
const kind = <K extends string>(name: K) => fc.constant(name);

/** Moments meet the edges of the sliding second and of the pulses. */
const passing = fc.oneof(fc.constantFrom(1, 499, 500, 999, 1_000, 1_001, 6_000), fc.nat(40_000));

export const commandArbitrary = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: kind('take'), leg }) },
  { weight: 2, arbitrary: fc.record({ kind: kind('take route'), leg }) },
  { weight: 6, arbitrary: fc.record({ kind: kind('pass'), ms: passing }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: kind('answer'),
      leg,
      lateMs: fc.oneof(fc.constant(0), fc.integer({ min: -50, max: 30_000 })),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: kind('settle'),
      leg,
      driftMs: fc.oneof(fc.integer({ min: -900, max: 1_500 }), fc.constant(61_000)),
      lostMs: fc.constantFrom(0, 5_000, 90_000),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: kind('release'), leg }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('give back'), leg, why }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('give back route'), leg, why }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('bind'), leg, uuid }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('unbind'), leg, uuid }) },
  { weight: 2, arbitrary: fc.record({ kind: kind('fund'), wallet, id: fc.nat(4), amount: cents(-60, 120) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: kind('configure'),
      wallet,
      credit: cents(0, 100),
      policy: fc.constantFrom('unpaid' as const, 'all' as const),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: kind('evaluate'), wallet }) },
);
export type Command = typeof commandArbitrary extends fc.Arbitrary<infer T> ? T : never;

export const commandsArbitrary: fc.Arbitrary<readonly Command[]> = fc.array(commandArbitrary, {
  minLength: 10,
  maxLength: 45,
});
