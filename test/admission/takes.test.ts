import { describe, expect, it } from 'vitest';
import { holderName, slotName } from '../../src/admission/plan.ts';
import type { Question } from '../../src/admission/question.ts';
import { takesOf } from '../../src/admission/takes.ts';
import { accountsOf, questionOf } from '../controller/world.ts';

const ACCOUNTS = accountsOf(
  [
    { account: 'acme', operator: { calls: 9, outboundCalls: 8, inboundCalls: 7, callsPerSecond: 6 } },
    { account: 'acme/alice', operator: { publicCalls: 5, internalCalls: 4, resourceConsumingCalls: 3 } },
    { account: 'acme/bob' },
    { account: 'acme/dry', operator: { calls: 1, enforcement: 'dry_run', callsPerSecond: 1 } },
    { account: 'acme/free', operator: { calls: 1, enabled: false } },
    { account: 'umbrella', operator: { calls: 'unlimited', inboundCalls: 0 } },
    { account: 'umbrella/zoe' },
    {
      account: 'desk',
      operator: {
        perNumber: [
          { pattern: String.raw`^\+4930`, calls: 2 },
          { pattern: String.raw`^\+49`, calls: 0 },
          { pattern: String.raw`^\+1`, calls: 'unlimited' },
        ],
      },
      customer: { perNumber: [{ pattern: '3$', calls: 1 }] },
    },
    { account: 'desk/clerk', operator: { perNumber: [{ pattern: '.', calls: 5 }] } },
    { account: 'desk/dry', operator: { perNumber: [{ pattern: '.', calls: 5 }], enforcement: 'dry_run' } },
  ],
  [{ route: 'carrier', calls: 30, outboundCalls: 20, callsPerSecond: 10 }, { route: 'rule' }],
);

/** Slot by slot, holder by holder: `acme: calls, outboundCalls`. */
function counted(question: Question): readonly string[] {
  return takesOf(question).flatMap(({ slot, takes }) =>
    takes.map(
      ({ holder, counts }) =>
        `${slotName(slot)} | ${holderName(holder)}: ${counts.map(({ counter }) => counter).join(' ')}`,
    ),
  );
}

const PUBLIC = 'calls resourceConsumingCalls';

describe('who is counted', () => {
  it.each([
    {
      title: "local to public: the caller's chain, then the route",
      asked: { caller: 'acme/alice', routes: ['carrier'] },
      expected: [
        `acme | acme: ${PUBLIC} outboundCalls publicCalls`,
        `acme | acme/alice: ${PUBLIC} outboundCalls publicCalls`,
        'route:carrier | route carrier: calls outboundCalls',
      ],
    },
    {
      title: 'to a number without a route: public all the same',
      asked: { caller: 'acme/alice' },
      expected: [
        `acme | acme: ${PUBLIC} outboundCalls publicCalls`,
        `acme | acme/alice: ${PUBLIC} outboundCalls publicCalls`,
      ],
    },
    {
      title: "public to local: the route, then the callee's chain",
      asked: { callee: 'acme/bob', routes: ['carrier'] },
      expected: [
        'route:carrier | route carrier: calls inboundCalls',
        `acme | acme: ${PUBLIC} inboundCalls publicCalls`,
        `acme | acme/bob: ${PUBLIC} inboundCalls publicCalls`,
      ],
    },
    {
      title: 'local to local in one tenant: what both share once, and each direction once (ruling 2)',
      asked: { caller: 'acme/alice', callee: 'acme/bob' },
      expected: [
        'acme | acme: calls inboundCalls outboundCalls internalCalls',
        'acme | acme/alice: calls outboundCalls internalCalls',
        'acme | acme/bob: calls inboundCalls internalCalls',
      ],
    },
    {
      title: 'an account that calls itself: once, and once each way (ruling 2)',
      asked: { caller: 'acme/alice', callee: 'acme/alice' },
      expected: [
        'acme | acme: calls inboundCalls outboundCalls internalCalls',
        'acme | acme/alice: calls inboundCalls outboundCalls internalCalls',
      ],
    },
    {
      title: "local to local in two tenants: the caller's chain, then the callee's",
      asked: { caller: 'acme/alice', callee: 'umbrella/zoe' },
      expected: [
        'acme | acme: calls outboundCalls internalCalls',
        'acme | acme/alice: calls outboundCalls internalCalls',
        'umbrella | umbrella: calls inboundCalls internalCalls',
        'umbrella | umbrella/zoe: calls inboundCalls internalCalls',
      ],
    },
    {
      title: 'wholesale: caller chain, routes in their order, callee chain, and public (ruling 19)',
      asked: { caller: 'acme', callee: 'umbrella', routes: ['carrier', 'rule'] },
      expected: [
        `acme | acme: ${PUBLIC} outboundCalls publicCalls`,
        'route:carrier | route carrier: calls outboundCalls',
        'route:rule | route rule: calls outboundCalls',
        `umbrella | umbrella: ${PUBLIC} inboundCalls publicCalls`,
      ],
    },
    {
      title: 'forwarded to the public: its incoming leg is the resource-consuming one (ruling 2)',
      asked: { caller: 'acme/bob', routes: ['carrier'], forwarded: true },
      expected: [
        'acme | acme: calls outboundCalls publicCalls',
        'acme | acme/bob: calls outboundCalls publicCalls',
        'route:carrier | route carrier: calls outboundCalls',
      ],
    },
    {
      title: 'forwarded to a local extension: internal (ruling 13)',
      asked: { caller: 'acme/bob', callee: 'acme/alice', forwarded: true },
      expected: [
        'acme | acme: calls inboundCalls outboundCalls internalCalls',
        'acme | acme/bob: calls outboundCalls internalCalls',
        'acme | acme/alice: calls inboundCalls internalCalls',
      ],
    },
    {
      title: 'a route that nobody configured: nothing of it',
      asked: { caller: 'acme/alice', routes: ['nowhere'] },
      expected: [
        `acme | acme: ${PUBLIC} outboundCalls publicCalls`,
        `acme | acme/alice: ${PUBLIC} outboundCalls publicCalls`,
      ],
    },
    {
      title: 'an emergency: as any other call (ruling 16)',
      asked: { caller: 'acme/alice', routes: ['carrier'], emergency: true },
      expected: [
        `acme | acme: ${PUBLIC} outboundCalls publicCalls`,
        `acme | acme/alice: ${PUBLIC} outboundCalls publicCalls`,
        'route:carrier | route carrier: calls outboundCalls',
      ],
    },
  ])('$title', ({ asked, expected }) => {
    expect(counted(questionOf(ACCOUNTS, asked))).toEqual(expected);
  });
});

describe('what may refuse', () => {
  /** The bounds of one holder by counter, and its rate. */
  const bounds = (
    asked: Parameters<typeof questionOf>[1],
    holder: string,
  ): Readonly<Record<string, unknown>> => {
    const takes = takesOf(questionOf(ACCOUNTS, asked)).flatMap((slot) => slot.takes);
    const found = takes.find((each) => holderName(each.holder) === holder);
    return Object.fromEntries([
      ...(found?.counts ?? []).flatMap(({ counter, bound }) =>
        bound === undefined ? [] : [[counter, bound]],
      ),
      ...(found?.perSecond === undefined ? [] : [['perSecond', found.perSecond]]),
    ]) as Readonly<Record<string, unknown>>;
  };

  it.each([
    ['acme', { calls: 9, outboundCalls: 8, perSecond: 6 }],
    ['acme/alice', { publicCalls: 5, resourceConsumingCalls: 3 }],
    ['route carrier', { calls: 30, outboundCalls: 20, perSecond: 10 }],
  ])('%s bounds what it has a limit for', (holder, expected) => {
    expect(bounds({ caller: 'acme/alice', routes: ['carrier'] }, holder)).toEqual(expected);
  });

  it('a limit of 0 refuses all, and an unlimited one nothing', () => {
    expect(bounds({ callee: 'umbrella/zoe', routes: ['rule'] }, 'umbrella')).toEqual({ inboundCalls: 0 });
  });

  it.each([
    // Whom it would have refused is told, so its admissions are counted.
    ['acme/dry', { perSecond: 'counted' }],
    ['acme/free', {}],
  ])('%s itself refuses nothing, and its parent does (ruling 16)', (caller, expected) => {
    expect(bounds({ caller }, caller)).toEqual(expected);
    expect(bounds({ caller }, 'acme')).toEqual({ calls: 9, outboundCalls: 8, perSecond: 6 });
  });

  it('an emergency is refused by nobody, the route included (ruling 16)', () => {
    for (const holder of ['acme', 'acme/alice', 'route carrier']) {
      expect(bounds({ caller: 'acme/alice', routes: ['carrier'], emergency: true }, holder)).toEqual({});
    }
  });
});

describe('a called number (ruling 22)', () => {
  const boundsOf = (asked: Parameters<typeof questionOf>[1]): readonly string[] =>
    takesOf(questionOf(ACCOUNTS, asked)).flatMap(({ takes }) =>
      takes.flatMap(({ holder, counts }) =>
        holder.kind === 'number' ? [`${holderName(holder)} ${counts[0]?.counter} ${counts[0]?.bound}`] : [],
      ),
    );

  it.each([
    ['by the first pattern that matches', '4930120', ['desk#4930120 calls 2']],
    ['and of two lists the tighter', '4930123', ['desk#4930123 calls 1']],
    ['0 refuses all', '498912', ['desk#498912 calls 0']],
    ['unlimited is no rule', '12025550100', []],
    ['nor is a number that nothing matches', '44', []],
    ['nor what is no number', 'reception', []],
  ])('is counted for its account: %s', (_, destination, expected) => {
    expect(boundsOf({ callee: 'desk', routes: ['carrier'], destination })).toEqual(expected);
  });

  it('is counted by every account of the chain that has a rule, in that order', () => {
    expect(boundsOf({ callee: 'desk/clerk', routes: ['carrier'], destination: '4930120' })).toEqual([
      'desk#4930120 calls 2',
      'desk/clerk#4930120 calls 5',
    ]);
  });

  it('is counted and not bound where its account only tries', () => {
    expect(boundsOf({ callee: 'desk/dry', routes: ['carrier'], destination: '4930120' })).toEqual([
      'desk#4930120 calls 2',
      'desk/dry#4930120 calls undefined',
    ]);
  });

  it.each([
    ['a call that goes out', { caller: 'desk/clerk', routes: ['carrier'] }],
    ['a call between accounts', { caller: 'acme', callee: 'desk/clerk' }],
    ['wholesale', { caller: 'acme', callee: 'desk', routes: ['carrier'] }],
  ])('is not counted for %s', (_, asked) => {
    expect(boundsOf({ ...asked, destination: '4930120' })).toEqual([]);
  });
});
