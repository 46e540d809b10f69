import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allotmentTerms } from '../../src/credit/pools.ts';
import { operate } from '../../src/credit/operations.ts';
import { nextToEnd } from '../../src/credit/exhaustion.ts';
import { availableAt, type PayerLeg, type Refill, type Wallet } from '../../src/credit/wallet.ts';
import type { LegKey, PoolId } from '../../src/units/ids.ts';
import { toMicros } from '../../src/units/money.ts';
import { toEpochMs, type EpochMs } from '../../src/units/time.ts';
import { NaivePool } from './naive-pool.ts';
import { START, termsArbitrary } from './wallet-arbitraries.ts';

const CYCLE_MS = 30_000;
const secondsTerms = fc
  .record({
    minimumSeconds: fc.constantFrom(0, 1, 6, 10),
    incrementSeconds: fc.constantFrom(1, 6, 7),
    graceSeconds: fc.constantFrom(0, 3),
  })
  .map(allotmentTerms);

const leg = fc.integer({ min: 0, max: 4 }).map((n) => `leg-${n}.1:a` as LegKey);
const actArbitrary = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('hold' as const), leg, isForced: fc.boolean() }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('answer' as const), leg }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('settle' as const), leg }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('wait' as const) }) },
);
const script = fc.array(
  fc.record({
    gapMs: fc.oneof(fc.constant(0), fc.constantFrom(1_000, 6_000, 30_000), fc.nat(45_000)),
    act: actArbitrary,
  }),
  { minLength: 5, maxLength: 30 },
);

function cycled(amount: bigint, counts: Refill['counts']): Refill {
  const filled = toMicros(amount);
  const cycleAt = (at: EpochMs) => {
    const startsAt = toEpochMs(Math.floor(at / CYCLE_MS) * CYCLE_MS);
    return { amount: filled, startsAt, endsAt: toEpochMs(startsAt + CYCLE_MS) };
  };
  return { amount: filled, counts, cycleAt, endsAt: cycleAt(START).endsAt };
}

describe('a wallet that is filled anew each cycle', () => {
  it('pays, ends and settles its legs as a plain walk over every pulse does', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('seconds' as const, 'pulses' as const),
        fc.integer({ min: 0, max: 40 }),
        fc.array(secondsTerms, { minLength: 5, maxLength: 5 }),
        fc.array(termsArbitrary, { minLength: 5, maxLength: 5 }),
        script,
        (counts, units, ofSeconds, ofMoney, acts) => {
          const amount = BigInt(units) * (counts === 'seconds' ? 1_000_000n : 50_000n);
          const terms = counts === 'seconds' ? ofSeconds : ofMoney;
          const naive = new NaivePool(START, { amount, cycleMs: CYCLE_MS, counts });
          let wallet: Wallet = {
            account: 'acme#allotment.x' as PoolId,
            balance: toMicros(amount),
            credit: toMicros(0n),
            policy: 'unpaid',
            at: START,
            legs: [],
            refill: cycled(amount, counts),
          };
          let now: number = START;
          for (const { gapMs, act } of acts) {
            now += gapMs;
            const at = toEpochMs(now);
            naive.advance(now);
            const played = play(wallet, naive, act, terms, at);
            expect(played.said).toEqual(played.expected);
            ({ wallet } = played);
            expect(availableAt(wallet, at)).toBe(naive.available());
            expect(endsOf(wallet.legs)).toEqual(naive.ends());
          }
        },
      ),
      { numRuns: 400 },
    );
  });

  it('tells the legs that end next, and none that the next cycle saves', () => {
    const terms = allotmentTerms({ minimumSeconds: 0, incrementSeconds: 1, graceSeconds: 0 });
    const startsAt = Math.floor(START / CYCLE_MS) * CYCLE_MS;
    const running = (answeredAt: number): PayerLeg => ({
      legKey: 'leg-1.1:a' as LegKey,
      terms,
      state: { kind: 'running', answeredAt: toEpochMs(answeredAt) },
    });
    const wallet: Wallet = {
      account: 'acme#allotment.x' as PoolId,
      balance: toMicros(20_000_000n),
      credit: toMicros(0n),
      policy: 'unpaid',
      at: toEpochMs(startsAt),
      legs: [running(startsAt)],
      refill: { ...cycled(20_000_000n, 'seconds'), endsAt: toEpochMs(startsAt + CYCLE_MS) },
    };
    expect(nextToEnd(wallet).map(({ endsAt }) => endsAt)).toEqual([startsAt + 20_000]);
    const late = { ...wallet, at: toEpochMs(startsAt + 15_000), legs: [running(startsAt + 15_000)] };
    expect(nextToEnd(late)).toEqual([]);
  });
});

type Act = typeof actArbitrary extends fc.Arbitrary<infer T> ? T : never;

function play(
  wallet: Wallet,
  naive: NaivePool,
  act: Act,
  terms: readonly Wallet['legs'][number]['terms'][],
  at: EpochMs,
): { readonly wallet: Wallet; readonly said?: unknown; readonly expected?: unknown } {
  const waited = operate(wallet, { kind: 'wait' }, at);
  if (waited.kind !== 'done') throw new Error('waiting is always done');
  const unchanged = { wallet: waited.wallet };
  if (act.kind === 'wait') return unchanged;
  const index = Number(act.leg.slice(4, 5));
  const known = waited.wallet.legs.find(({ legKey }) => legKey === act.leg);
  const priced = terms[index];
  if (priced === undefined) throw new Error('terms for each leg');
  switch (act.kind) {
    case 'hold': {
      if (known !== undefined) return unchanged;
      const asking: PayerLeg = {
        legKey: act.leg,
        terms: priced,
        state: { kind: 'held' },
        ...(act.isForced ? { isForced: true } : {}),
      };
      const held = operate(wallet, { kind: 'hold', leg: asking }, at);
      naive.hold(act.leg, priced, act.isForced);
      const said = held.kind === 'done';
      const { wallet: after } = said ? held : waited;
      return { wallet: after, said, expected: naive.legs.has(act.leg) };
    }
    case 'answer': {
      if (known?.state.kind !== 'held') return unchanged;
      naive.answer(act.leg);
      const answered = operate(wallet, { kind: 'answer', legKey: act.leg, answeredAt: at }, at);
      if (answered.kind !== 'done') throw new Error('a held leg can be answered');
      return { wallet: answered.wallet };
    }
    case 'settle': {
      if (known === undefined) return unchanged;
      const talkMs = known.state.kind === 'held' ? 0 : at - known.state.answeredAt;
      const asked = Math.ceil(talkMs / 1000);
      const paid = naive.paidSeconds(act.leg) ?? 0;
      const ended = naive.legs.get(act.leg)?.endsAt !== undefined;
      const settled = operate(wallet, { kind: 'settle', legKey: act.leg, billedSeconds: asked, talkMs }, at);
      if (settled.kind !== 'settled') throw new Error('a leg can be settled');
      const { billedSeconds, price } = settled;
      const payable = ended ? Math.min(asked, paid) : asked;
      return {
        wallet: settled.wallet,
        said: [billedSeconds, price],
        expected: [payable, naive.settle(act.leg, billedSeconds)],
      };
    }
  }
}

function endsOf(legs: readonly PayerLeg[]): ReadonlyMap<string, number> {
  return new Map(
    legs.flatMap(({ legKey, state }) => (state.kind === 'ended' ? [[legKey, state.endsAt] as const] : [])),
  );
}
