import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { operate, type Operated, type WalletOperation } from '../../src/credit/operations.ts';
import { availableAt, totalCommittedAt, type Wallet } from '../../src/credit/wallet.ts';
import { toPriceTerms } from '../../src/rating/price.ts';
import type { AccountPath, LegKey } from '../../src/units/ids.ts';
import { toMicros } from '../../src/units/money.ts';
import { toEpochMs, type EpochMs } from '../../src/units/time.ts';
import { NaiveWallet } from './naive-wallet.ts';
import { START, termsArbitrary } from './wallet-arbitraries.ts';

const legArbitrary = fc.integer({ min: 0, max: 5 }).map((n) => `leg-${n}.1:a` as LegKey);
const lateArbitrary = fc.oneof(fc.constant(0), fc.integer({ min: -200, max: 90_000 }));
const gapArbitrary = fc.oneof(fc.constant(0), fc.constantFrom(1_000, 6_000, 60_000), fc.nat(70_000));

const eventArbitrary = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('hold' as const), leg: legArbitrary, terms: termsArbitrary }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('answer' as const), leg: legArbitrary, lateMs: lateArbitrary }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('settle' as const),
      leg: legArbitrary,
      driftMs: fc.integer({ min: -900, max: 1_500 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('fund' as const), amount: fc.bigInt(0n, 1_500_000n) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('take away' as const), amount: fc.bigInt(0n, 1_500_000n) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('policy' as const),
      policy: fc.constantFrom('unpaid' as const, 'all' as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('wait' as const) }) },
);
type Event = typeof eventArbitrary extends fc.Arbitrary<infer T> ? T : never;
type Script = readonly { readonly gapMs: number; readonly event: Event }[];

const scriptArbitrary: fc.Arbitrary<Script> = fc.array(
  fc.record({ gapMs: gapArbitrary, event: eventArbitrary }),
  {
    minLength: 5,
    maxLength: 40,
  },
);
const fundsArbitrary = fc.bigInt(0n, 6_000_000n);

describe('calls on one wallet, in virtual time', () => {
  // A talk within the grace is free however long its pulses would have had to be paid for. The script settles it by
  // its price alone; worked out exactly it must come to the same seconds.
  it('that are free within their grace are as long as they were, whatever money is left', () => {
    const perMinute = toMicros(60_000n);
    const terms = toPriceTerms({ perMinute, minimumSeconds: 2, incrementSeconds: 1, graceSeconds: 30 });
    const leg = { legKey: 'leg-0.1:a' as LegKey, terms, state: { kind: 'held' as const } };
    const wallet: Wallet = { ...emptyWallet, balance: toMicros(2_000n), at: START, legs: [leg] };
    const talk = { billedSeconds: 5, talkMs: 5_000 };
    const settled = operate(wallet, { kind: 'settle', legKey: leg.legKey, ...talk }, START);
    expect(settled).toMatchObject({ kind: 'settled', billedSeconds: 5, price: 0n });
  });

  it('pay for a pulse that had begun before an operator took the money away', () => {
    const terms = toPriceTerms({ perMinute: toMicros(60_000n), minimumSeconds: 1, incrementSeconds: 1 });
    const leg = {
      legKey: 'leg-0.1:a' as LegKey,
      terms,
      state: { kind: 'running' as const, answeredAt: START },
    };
    const at = toEpochMs(START + 5_000);
    const wallet: Wallet = { ...emptyWallet, balance: toMicros(5_999n), at, legs: [leg] };
    const settled = operate(
      wallet,
      { kind: 'settle', legKey: leg.legKey, billedSeconds: 6, talkMs: 5_001 },
      at,
    );
    expect(settled).toMatchObject({ kind: 'settled', billedSeconds: 6, price: 6_000n });
  });

  it('are decided, cut and charged as a plain walk over every pulse would', () => {
    fc.assert(
      fc.property(fundsArbitrary, scriptArbitrary, (funds, script) => {
        const steps = play(funds, script);
        expect(steps.map((step) => step.said)).toEqual(steps.map((step) => step.plain));
      }),
      { numRuns: 500 },
    );
  });

  it('never commit or are charged more than all the money there ever was', () => {
    const noneTaken = scriptArbitrary.map((script) =>
      script.filter(({ event }) => event.kind !== 'take away'),
    );
    fc.assert(
      fc.property(fundsArbitrary, noneTaken, (funds, script) => {
        for (const { wallet, broughtIn, charged } of play(funds, script)) {
          expect(availableAt(wallet, wallet.at)).toBeGreaterThanOrEqual(0n);
          expect(charged).toBeLessThanOrEqual(funds + broughtIn);
        }
      }),
      { numRuns: 500 },
    );
  });
});

const emptyWallet: Wallet = {
  account: 'acme' as AccountPath,
  balance: toMicros(0n),
  credit: toMicros(0n),
  policy: 'unpaid',
  at: START,
  legs: [],
};

type Step = {
  /** What our code and the plain walk make of it: refusal or billed seconds, balance, commitments, ends. */
  readonly said: unknown;
  readonly plain: unknown;
  readonly wallet: Wallet;
  readonly broughtIn: bigint;
  readonly charged: bigint;
};

function play(funds: bigint, script: Script): readonly Step[] {
  const steps: Step[] = [];
  const naive = new NaiveWallet({ balance: funds, credit: 0n, policy: 'unpaid', now: START });
  let wallet: Wallet = { ...emptyWallet, balance: toMicros(funds) };
  let now = START;
  let broughtIn = 0n;
  for (const { gapMs, event } of script) {
    now = toEpochMs(now + gapMs);
    const operation = operationOf(event, wallet, now);
    if (operation === undefined) continue;
    if (operation.kind === 'fund' && operation.amount > 0n) broughtIn += operation.amount;
    const operated = operate(wallet, operation, now);
    // A refusal changes nothing but what time does.
    const reached = operated.kind === 'unaffordable' ? operate(wallet, { kind: 'wait' }, now) : operated;
    if (reached.kind !== 'done' && reached.kind !== 'settled') throw new Error(`${operated.kind} on its own`);
    wallet = reached.wallet;
    naive.advance(now);
    const result = playNaively(naive, operation);
    const ends = new Map(naive.ended.map((leg) => [leg.key, leg.endsAt]));
    steps.push({
      said: [resultOf(operated), wallet.balance, totalCommittedAt(wallet.legs, now), endsOf(wallet)],
      plain: [result, naive.balance, naive.committed, ends],
      wallet,
      broughtIn,
      charged: naive.charged,
    });
  }
  return steps;
}

function resultOf(operated: Operated): unknown {
  if (operated.kind === 'settled') return operated.billedSeconds;
  if (operated.kind !== 'unaffordable') return undefined;
  return { available: operated.available, needed: operated.needed };
}

/** What the event means for the wallet as it is; undefined where it means nothing, such as a second hold. */
function operationOf(event: Event, wallet: Wallet, now: EpochMs): WalletOperation | undefined {
  const leg = 'leg' in event ? wallet.legs.find(({ legKey }) => legKey === event.leg) : undefined;
  const { credit, policy } = wallet;
  switch (event.kind) {
    case 'hold':
      if (leg !== undefined) return undefined;
      return { kind: 'hold', leg: { legKey: event.leg, terms: event.terms, state: { kind: 'held' } } };
    case 'answer':
      if (leg === undefined) return undefined;
      return { kind: 'answer', legKey: event.leg, answeredAt: toEpochMs(now - event.lateMs) };
    case 'settle': {
      if (leg === undefined) return undefined;
      const begunAt = leg.state.kind === 'held' ? now : leg.state.answeredAt;
      const talkMs = Math.max(0, now - begunAt + event.driftMs);
      return { kind: 'settle', legKey: event.leg, talkMs, billedSeconds: Math.ceil(talkMs / 1000) };
    }
    case 'fund':
      return { kind: 'fund', amount: toMicros(event.amount), credit, policy };
    case 'take away':
      return { kind: 'fund', amount: toMicros(-event.amount), credit, policy };
    case 'policy':
      return { kind: 'fund', amount: toMicros(0n), credit, policy: event.policy };
    case 'wait':
      return { kind: 'wait' };
  }
}

/** The refusal of a hold or the billed seconds of a settlement, where there is one. */
function playNaively(naive: NaiveWallet, operation: WalletOperation): unknown {
  switch (operation.kind) {
    case 'hold':
      return naive.hold(operation.leg.legKey, operation.leg.terms);
    case 'answer':
      naive.answer(operation.legKey, operation.answeredAt);
      return undefined;
    case 'settle':
      return naive.settle(operation.legKey, operation);
    case 'fund':
      naive.balance += operation.amount;
      naive.policy = operation.policy;
      return undefined;
    case 'join':
    case 'wait':
      return undefined;
  }
}

function endsOf(wallet: Wallet): Map<string, number> {
  return new Map(
    wallet.legs.flatMap(({ legKey, state }) =>
      state.kind === 'ended' ? [[legKey, state.endsAt] as const] : [],
    ),
  );
}
