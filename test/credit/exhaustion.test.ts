import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { advance, nextToEnd } from '../../src/credit/exhaustion.ts';
import { figuresOf } from '../../src/credit/figures.ts';
import { committedAt, fundsOf, totalCommittedAt, upperBound, type Wallet } from '../../src/credit/wallet.ts';
import { pulsesBegun, toPriceTerms } from '../../src/rating/price.ts';
import type { AccountPath, LegKey } from '../../src/units/ids.ts';
import { toMicros } from '../../src/units/money.ts';
import { toEpochMs } from '../../src/units/time.ts';
import { NaiveWallet, paidSecondsOf } from './naive-wallet.ts';
import { after, HORIZON_MS, START, termsArbitrary, walletArbitrary } from './wallet-arbitraries.ts';

const momentArbitrary = fc.oneof(
  fc.integer({ min: 0, max: HORIZON_MS / 1000 }).map((s) => s * 1000),
  fc.integer({ min: 0, max: HORIZON_MS }),
);

describe('a wallet that time passes over', () => {
  it('ends the same legs at the same instants as a plain walk over every pulse', () => {
    fc.assert(
      fc.property(walletArbitrary, momentArbitrary, (wallet, ms) => {
        const { wallet: reached, exhausted } = advance(wallet, after(ms));
        const naive = naiveOf(wallet);
        naive.advance(after(ms));
        expect(new Map(exhausted.map((leg) => [leg.legKey, leg]))).toEqual(
          new Map(
            naive.ended.map((leg) => [
              leg.key,
              { legKey: leg.key, endsAt: leg.endsAt, paidSeconds: paidSecondsOf(leg) },
            ]),
          ),
        );
        expect(totalCommittedAt(reached.legs, after(ms))).toBe(naive.committed);
      }),
      { numRuns: 600 },
    );
  });

  it('comes to the same in two steps as in one', () => {
    fc.assert(
      fc.property(walletArbitrary, momentArbitrary, momentArbitrary, (wallet, a, b) => {
        const [first, second] = [Math.min(a, b), Math.max(a, b)];
        const half = advance(wallet, after(first));
        const whole = advance(half.wallet, after(second));
        const once = advance(wallet, after(second));
        expect(whole.wallet).toEqual(once.wallet);
        expect([...half.exhausted, ...whole.exhausted].toSorted(byKey)).toEqual(
          once.exhausted.toSorted(byKey),
        );
      }),
      { numRuns: 400 },
    );
  });

  it('commits no more than its funds at any instant, unless they were taken away', () => {
    fc.assert(
      fc.property(walletArbitrary, momentArbitrary, (wallet, ms) => {
        const room = fundsOf(wallet) - totalCommittedAt(wallet.legs, START);
        const { wallet: reached } = advance(wallet, after(ms));
        const committed = totalCommittedAt(reached.legs, after(ms));
        const committedMost = room >= 0n ? fundsOf(wallet) : totalCommittedAt(wallet.legs, START);
        expect(committed).toBeLessThanOrEqual(committedMost);
      }),
      { numRuns: 400 },
    );
  });

  it('names as next to end the legs that fail at the first instant at which one cannot pay', () => {
    fc.assert(
      fc.property(walletArbitrary, (wallet) => {
        const next = nextToEnd(wallet).filter(({ endsAt }) => endsAt <= after(HORIZON_MS));
        const ends = next.map(({ legKey, endsAt }) => [legKey as string, endsAt]);
        expect(ends.toSorted(byFirst)).toEqual(naiveOf(wallet).nextToEnd(after(HORIZON_MS)));
      }),
      { numRuns: 400 },
    );
  });

  it('gives the last money to the leg answered first, then to the lower key', () => {
    const terms = toPriceTerms({ perMinute: toMicros(60_000_000n), minimumSeconds: 1, incrementSeconds: 1 });
    const legs = [1, 2, 2].map((secondsAgo, index) => ({
      legKey: `leg-${index}.1:a` as LegKey,
      terms,
      state: { kind: 'running' as const, answeredAt: after(-1000 * secondsAgo) },
    }));
    // 2 + 3 + 3 pulses of 1.00 have begun; of the three that begin next the money buys one.
    const wallet: Wallet = { ...emptyWallet, balance: toMicros(9_000_000n), legs };
    expect(advance(wallet, after(1000)).exhausted.map((leg) => leg.legKey)).toEqual([
      'leg-2.1:a',
      'leg-0.1:a',
    ]);
  });

  it('looks a year ahead in little time where rounding makes pulses free and the money is gone', () => {
    const terms = (perMinute: bigint, discountPpm: number, decimals: number) =>
      toPriceTerms({
        perMinute: toMicros(perMinute),
        minimumSeconds: 1,
        incrementSeconds: 1,
        discountPpm,
        rounding: { mode: 'down', decimals },
      });
    const legs = [terms(1_000_000n, 1_000_000, 6), terms(0n, 0, 6), terms(1n, 0, 0)].map((free, index) => ({
      legKey: `leg-${index}.1:a` as LegKey,
      terms: free,
      state: { kind: 'running' as const, answeredAt: START },
    }));
    const wallet: Wallet = { ...emptyWallet, balance: toMicros(-5n), legs };
    expect(nextToEnd(wallet)).toEqual([]);
    expect(advance(wallet, after(300 * 86_400_000)).exhausted).toEqual([]);
  });

  it('can be worth almost all that money can count', () => {
    const leg = {
      legKey: 'leg-0.1:a' as LegKey,
      terms: toPriceTerms({ perMinute: toMicros(1_000_000_000n) }),
      state: { kind: 'running' as const, answeredAt: START },
    };
    const legs = Array.from({ length: 40 }, (_, index) => ({ ...leg, legKey: `leg-${index}.1:a` as LegKey }));
    const wallet: Wallet = { ...emptyWallet, balance: toMicros(BigInt(Number.MAX_SAFE_INTEGER)), legs };
    // 9 billion, 40 legs at 1,000 a minute: 225,179 whole minutes and 39 legs more, and the 40th fails.
    expect(nextToEnd(wallet)[0]?.endsAt).toBe(after(225_179 * 60_000));
  });
});

describe('the upper bound', () => {
  it('is never below the commitment of a leg', () => {
    fc.assert(
      fc.property(termsArbitrary, momentArbitrary, (terms, ms) => {
        const leg = {
          legKey: 'leg-0.1:a' as LegKey,
          terms,
          state: { kind: 'running' as const, answeredAt: START },
        };
        const { intercept, perMinute } = upperBound(terms);
        const pulse = pulsesBegun(terms, ms);
        for (const at of [ms, ms - 1, ms + 1, pulse * 1000].filter((elapsed) => elapsed >= 0)) {
          const line = intercept * 60_000n + perMinute * BigInt(at);
          expect(line).toBeGreaterThanOrEqual(committedAt(leg, after(at)) * 60_000n);
        }
      }),
    );
  });

  it('of a whole wallet holds from then on, also when an answer lies a little ahead', () => {
    const aheadArbitrary = fc.integer({ min: -50_000, max: 5_000 });
    fc.assert(
      fc.property(walletArbitrary, aheadArbitrary, momentArbitrary, (wallet, aheadMs, ms) => {
        const shifted = { ...wallet, at: toEpochMs(wallet.at - Math.max(0, aheadMs)) };
        const { held, base, burnPerMinute } = figuresOf(shifted);
        const at = toEpochMs(shifted.at + ms);
        const bound = (held + base) * 60_000n + burnPerMinute * BigInt(ms);
        expect(bound).toBeGreaterThanOrEqual(totalCommittedAt(wallet.legs, at) * 60_000n);
      }),
      { numRuns: 400 },
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

function naiveOf(wallet: Wallet): NaiveWallet {
  const { balance, credit, policy } = wallet;
  const naive = new NaiveWallet({ balance, credit, policy, now: wallet.at });
  for (const { legKey, terms, state } of wallet.legs) {
    const answeredAt = state.kind === 'held' ? undefined : state.answeredAt;
    const paidPulses = answeredAt === undefined ? 1 : pulsesBegun(terms, wallet.at - answeredAt);
    naive.legs.set(legKey, { key: legKey, terms, answeredAt, paidPulses, endsAt: undefined });
  }
  return naive;
}

function byKey(a: { readonly legKey: string }, b: { readonly legKey: string }): number {
  return a.legKey < b.legKey ? -1 : 1;
}

function byFirst([a]: readonly unknown[], [b]: readonly unknown[]): number {
  return String(a) < String(b) ? -1 : 1;
}
