import * as fc from 'fast-check';
import type { Redis } from 'ioredis';
import { beforeEach, describe, expect, it } from 'vitest';
import type { LiveStore } from '../../src/admission/live-store.ts';
import { createLiveStore } from '../../src/live-store/live-store.ts';
import { toMicros } from '../../src/units/money.ts';
import { toEpochMs } from '../../src/units/time.ts';
import { termsArbitrary } from '../credit/wallet-arbitraries.ts';
import { connectTestRedis, freshRedis } from '../support/redis.ts';
import { ACME, micros, sampleLeg, START, termsOf } from './samples.ts';
import { playCalls, type Report, type VirtualCall } from './virtual-switch.ts';

const CALLS = 30;
const clock = { now: START };
let redis: Redis;
let stores: readonly [LiveStore, LiveStore];

beforeEach(async () => {
  redis = await freshRedis();
  clock.now = START;
  stores = [storeOn(redis), storeOn(connectTestRedis())];
});

function storeOn(connection: Redis): LiveStore {
  return createLiveStore(connection, {
    clock: () => clock.now,
    clockRules: true,
    lostPools: async () => [],
    onDue: () => undefined,
    loadWallet: async () => ({ balance: micros('1.00'), credit: micros('0'), policy: 'unpaid' }),
  });
}

function thirtyCalls(pulseSeconds: number, spreadMs: number): readonly VirtualCall[] {
  return Array.from({ length: CALLS }, (_, n) => ({
    arrivesMs: 0,
    ringsMs: 1_000 + n * spreadMs,
    talksMs: 3_600_000,
    lateMs: (n * 53) % 700,
    terms: termsOf(pulseSeconds),
  }));
}

describe.each([
  ['one controller', 1],
  ['two controllers on one Redis', 2],
])('thirty callers on one dollar, with %s', (_, controllers) => {
  it.each([
    ['at once', 0],
    ['one after the other', 37],
  ])('answered %s are all cut, with less left than a pulse of one second costs', async (_, spreadMs) => {
    const { ends, broken } = await playCalls(stores.slice(0, controllers), clock, thirtyCalls(1, spreadMs));
    expect(broken).toEqual([]);
    expect(ends.every((end) => end?.kind === 'cut')).toBe(true);
    const charged = chargedOf({ ends, broken });
    expect(charged).toBeLessThanOrEqual(1_000_000n);
    expect(charged).toBeGreaterThan(1_000_000n - 16_667n);
    expect((await stores[0].readWallet(ACME))?.balance).toBe(1_000_000n - charged);
  });

  it('are one caller in pulses of a minute, and all others are refused', async () => {
    const { ends, broken } = await playCalls(stores.slice(0, controllers), clock, thirtyCalls(60, 0));
    expect(broken).toEqual([]);
    expect(ends.filter((end) => end?.kind === 'refused')).toHaveLength(CALLS - 1);
    expect(ends.filter((end) => end?.kind === 'cut')).toEqual([
      { kind: 'cut', billedSeconds: 60, price: 1_000_000n },
    ]);
  });
});

describe('two controllers that do everything at the same time', () => {
  it('admit, answer, cut and settle thirty callers on one dollar exactly once', async () => {
    const legs = Array.from({ length: CALLS }, (_, n) =>
      sampleLeg(n, { holds: [{ wallet: ACME, terms: termsOf(1) }] }),
    );
    const onBoth = <T>(act: (store: LiveStore, leg: (typeof legs)[number]) => Promise<T>): Promise<T[]> =>
      Promise.all(legs.flatMap((leg) => stores.map((store) => act(store, leg))));

    const taken = await onBoth((store, { plan, record }) => store.take(plan, record));
    expect(taken.filter(({ kind }) => kind === 'taken')).toHaveLength(CALLS);
    const answered = await onBoth((store, { record }) => store.answer(record, START));
    expect(answered.filter(({ kind }) => kind === 'running')).toHaveLength(CALLS);
    for (const seconds of [1, 2]) {
      clock.now = toEpochMs(START + seconds * 1000);
      const [one, other] = await Promise.all(stores.map((store) => store.evaluate(ACME)));
      expect(one?.ended).toHaveLength(seconds === 1 ? 1 : CALLS);
      expect(other?.ended.toSorted(byKey)).toEqual(one?.ended.toSorted(byKey));
    }
    const settled = await onBoth((store, { record }) =>
      store.settle(record, { billedSeconds: 3, talkMs: 2_100 }, () => '{}'),
    );
    expect(settled.filter(({ kind }) => kind === 'settled')).toHaveLength(CALLS);
    // One second of one caller and two of 29: 0.016667 + 29 · 0.033334.
    expect((await stores[0].readWallet(ACME))?.balance).toBe(1_000_000n - 16_667n - 29n * 33_334n);
    expect(await redis.xlen('tollgate:{acme}:settlements')).toBe(CALLS);
  });
});

describe('calls of any kind on a wallet of any size', () => {
  const callArbitrary = fc.record({
    arrivesMs: fc.nat(60_000),
    ringsMs: fc.nat(10_000),
    talksMs: fc.oneof(fc.nat(30_000), fc.constant(3_600_000)),
    lateMs: fc.nat(1_500),
    terms: termsArbitrary.filter((terms) => terms.perMinute > 300_000n),
  });
  const walletArbitrary = fc.record({
    balance: fc.bigInt(0n, 4_000_000n).map(toMicros),
    credit: fc.bigInt(0n, 1_000_000n).map(toMicros),
    policy: fc.constantFrom('unpaid' as const, 'all' as const),
  });

  it('never spend more than its funds, nor are cut a pulse early or run a pulse past', async () => {
    await fc.assert(
      fc.asyncProperty(walletArbitrary, fc.array(callArbitrary, { maxLength: 8 }), async (wallet, calls) => {
        await redis.flushdb();
        clock.now = START;
        await stores[0].openWallet(ACME, wallet);
        const report = await playCalls(stores, clock, calls);
        expect(report.broken).toEqual([]);
        expect(chargedOf(report)).toBeLessThanOrEqual(wallet.balance + wallet.credit);
        expect((await stores[0].readWallet(ACME))?.balance).toBe(wallet.balance - chargedOf(report));
      }),
      { numRuns: 60 },
    );
  });
});

function chargedOf({ ends }: Report): bigint {
  return ends.reduce((sum, end) => sum + (end !== undefined && 'price' in end ? end.price : 0n), 0n);
}

function byKey(a: { readonly legKey: string }, b: { readonly legKey: string }): number {
  return a.legKey < b.legKey ? -1 : 1;
}
