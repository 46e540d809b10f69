import * as fc from 'fast-check';
import type { Redis } from 'ioredis';
import { beforeEach, describe, expect, it } from 'vitest';
import { StoreUnavailableError, type LiveStore } from '../../src/admission/live-store.ts';
import { timePool } from '../../src/credit/pools.ts';
import { netOf } from '../../src/records/proof.ts';
import { walletLedger, type Transfer } from '../../src/records/records.ts';
import { priceOf } from '../../src/rating/price.ts';
import { createLiveStore } from '../../src/live-store/live-store.ts';
import { parseTransfer } from '../../src/redis/settlement-text.ts';
import { toEpochMs } from '../../src/units/time.ts';
import { connectTestRedis, freshRedis } from '../support/redis.ts';
import { callOf, JOHN } from './customer-calls.ts';
import { micros, START, type SampleLeg } from './samples.ts';

const TIME = timePool(JOHN);
const BY_THE_SECOND = { cps: '0.10', ipulse: '1', fpulse: '1' };
const clock = { now: START };
let redis: Redis;
let stores: readonly [LiveStore, LiveStore];
let store: LiveStore;

beforeEach(async () => {
  redis = await freshRedis();
  clock.now = START;
  stores = [storeOn(redis), storeOn(connectTestRedis())];
  [store] = stores;
});

type LostPoolsOf = NonNullable<Parameters<typeof createLiveStore>[1]['lostPools']>;

function storeOn(connection: Redis, lostPools: LostPoolsOf = async () => []): LiveStore {
  return createLiveStore(connection, {
    lostPools,
    clock: () => clock.now,
    clockRules: true,
    onDue: () => undefined,
    loadWallet: async () => undefined,
  });
}

async function talk({ plan, record }: SampleLeg, from: LiveStore = store): Promise<void> {
  expect((await from.take(plan, record)).kind).toBe('taken');
  expect((await from.answer(record, clock.now)).kind).toBe('running');
}

const settle = (leg: SampleLeg, talkMs: number, from: LiveStore = store) =>
  from.settle(leg.record, { billedSeconds: Math.ceil(talkMs / 1000), talkMs }, () => '{}');

async function transfers(): Promise<readonly Transfer[]> {
  const rows = await redis.xrange('tollgate:{adhoc}:settlements', '-', '+');
  return rows.flatMap(([, [field, text = '']]) => (field === 'transfer' ? [parseTransfer(text)] : []));
}

async function booked(): Promise<bigint> {
  return netOf(await transfers(), walletLedger(JOHN), 'EUR');
}

const keysLeft = async (): Promise<readonly string[]> =>
  (await redis.keys('tollgate:*wallet*')).concat(await redis.zrange('tollgate:{adhoc}:due', '0', '-1'));

describe("a customer's money", () => {
  it('is there with the first call, and gone with the last; the books have both', async () => {
    const [one, two] = [1, 2].map((n) => callOf(n, { ...BY_THE_SECOND, maxCredit: '1.00' })) as [
      SampleLeg,
      SampleLeg,
    ];
    await talk(one);
    await talk(two);
    expect((await store.readWallet(JOHN))?.balance).toBe(micros('1.00'));
    clock.now = toEpochMs(START + 1_500);
    await settle(one, 1_500);
    expect((await store.readWallet(JOHN))?.balance).toBe(micros('0.80'));
    await settle(two, 1_500);
    expect(await store.readWallet(JOHN)).toBeUndefined();
    expect(await keysLeft()).toEqual([]);
    expect(
      (await transfers()).map(({ kind, amount, debit, credit }) => [kind, amount, debit, credit]),
    ).toEqual([
      ['opening', micros('1.00'), 'cash:adhoc', 'wallet:adhoc/john'],
      ['closing', micros('0.60'), 'wallet:adhoc/john', 'cash:adhoc'],
    ]);
  });

  it('ends all calls at one instant, none of them short of what is paid', async () => {
    const legs = [1, 2].map((n) => callOf(n, { ...BY_THE_SECOND, maxCredit: '0.70' }));
    await talk(legs[0] as SampleLeg);
    clock.now = toEpochMs(START + 300);
    await talk(legs[1] as SampleLeg, stores[1]);
    // Pulses begin at 0, 0.3, 1, 1.3, 2, 2.3, 3 s: seven are paid, and the eighth at 3.3 s is not.
    const { next } = await store.evaluate(JOHN);
    expect(next.map(({ endsAt }) => endsAt - START)).toEqual([3_300, 3_300]);
    clock.now = toEpochMs(START + 3_300);
    const both = await Promise.all(stores.map((each) => each.evaluate(JOHN)));
    for (const { ended } of both) expect(ended.map(({ endsAt }) => endsAt - START)).toEqual([3_300, 3_300]);
    clock.now = toEpochMs(START + 3_900);
    expect(await settle(legs[0] as SampleLeg, 3_900)).toMatchObject({ billedSeconds: 4 });
    expect(await settle(legs[1] as SampleLeg, 3_600)).toMatchObject({ billedSeconds: 3 });
    expect((await transfers()).map(({ kind }) => kind)).toEqual(['opening']);
    expect(await keysLeft()).toEqual([]);
  });

  it('is raised by a call that brings more, and not by one that brings less', async () => {
    await talk(callOf(1, { ...BY_THE_SECOND, maxCredit: '1.00' }));
    await talk(callOf(2, { ...BY_THE_SECOND, maxCredit: '0.40' }));
    await talk(callOf(3, { ...BY_THE_SECOND, maxCredit: '1.50' }));
    expect(await store.readWallet(JOHN)).toMatchObject({
      balance: micros('1.50'),
      opened: { amount: micros('1.50') },
    });
    expect((await transfers()).map(({ kind, amount }) => [kind, amount])).toEqual([
      ['opening', micros('1.00')],
      ['opening', micros('0.50')],
    ]);
  });

  it('is raised in time for a call that it could not pay alone, and not for one that is refused all the same', async () => {
    await talk(callOf(1, { cps: '0.10', ipulse: '10', fpulse: '10', maxCredit: '1.00' }));
    const more = callOf(2, { cps: '0.10', ipulse: '10', fpulse: '10', maxCredit: '1.50' });
    expect(await store.take(more.plan, more.record)).toMatchObject({
      kind: 'refused',
      refusal: { available: micros('0.50'), needed: micros('1.00') },
    });
    expect((await store.readWallet(JOHN))?.balance).toBe(micros('1.00'));
    expect(await booked()).toBe(micros('1.00'));
    await talk(callOf(3, { cps: '0.10', ipulse: '10', fpulse: '10', maxCredit: '2.00' }));
    expect(await booked()).toBe(micros('2.00'));
  });

  it('that the first call cannot begin on is never there', async () => {
    const { plan, record } = callOf(1, { ...BY_THE_SECOND, maxCredit: '0.05' });
    expect((await store.take(plan, record)).kind).toBe('refused');
    expect(await keysLeft()).toEqual([]);
    expect(await transfers()).toEqual([]);
  });

  it('goes back whole where the call was never answered', async () => {
    const { plan, record } = callOf(1, { ...BY_THE_SECOND, maxCredit: '1.00', maxTime: '10' });
    await store.take(plan, record);
    await store.giveBack(plan.slot, plan.legKey, record, 'unanswered');
    expect(await keysLeft()).toEqual([]);
    expect(await booked()).toBe(0n);
  });

  it('moves once, whoever says it and however often', async () => {
    const legs = [1, 2, 3].map((n) => callOf(n, { ...BY_THE_SECOND, maxCredit: '1.00', maxTime: '60' }));
    const onBoth = <T>(act: (from: LiveStore, leg: SampleLeg) => Promise<T>): Promise<T[]> =>
      Promise.all(legs.flatMap((leg) => stores.map((from) => act(from, leg))));
    await onBoth((from, { plan, record }) => from.take(plan, record));
    await onBoth((from, { record }) => from.answer(record, START));
    expect((await transfers()).map(({ amount }) => amount)).toEqual([micros('1.00')]);
    clock.now = toEpochMs(START + 2_500);
    const closed = await onBoth((from, leg) => settle(leg, 2_500, from));
    expect(closed.filter(({ kind }) => kind === 'settled')).toHaveLength(3);
    // 3 calls of 3 s at 0.10.
    expect(await booked()).toBe(micros('0.90'));
    expect(await keysLeft()).toEqual([]);
    // The same leg settled again opens nothing, and a new call is a pool of its own.
    await talk(callOf(4, { ...BY_THE_SECOND, maxCredit: '1.00' }));
    expect((await transfers()).map(({ id }) => id)).toHaveLength(3);
    expect(new Set((await transfers()).map(({ id }) => id)).size).toBe(3);
  });

  it('is extended while he talks, once by id, and not when he does not', async () => {
    const extension = { transferId: 'topup:x1', amount: micros('0.50'), currency: 'EUR' };
    expect(await store.extend(JOHN, extension)).toEqual({ kind: 'no-wallet' });
    const leg = callOf(1, { ...BY_THE_SECOND, maxCredit: '1.00' });
    await talk(leg);
    const moved = await Promise.all(stores.map((each) => each.extend(JOHN, extension)));
    expect(moved.map(({ kind }) => kind).toSorted()).toEqual(['already', 'moved']);
    expect((await store.evaluate(JOHN)).next.map(({ endsAt }) => endsAt - START)).toEqual([15_000]);
    expect(await booked()).toBe(micros('1.50'));
    // 1.50 came in: what brings 1.20 changes nothing, as cnxcc has it.
    await talk(callOf(2, { ...BY_THE_SECOND, maxCredit: '1.20' }));
    expect(await booked()).toBe(micros('1.50'));
  });
});

describe("a customer's time", () => {
  it('is shared by the second and ends all calls at one instant, without a word in the books', async () => {
    const legs = [1, 2].map((n) => callOf(n, { maxTime: '5' }));
    await talk(legs[0] as SampleLeg);
    clock.now = toEpochMs(START + 500);
    await talk(legs[1] as SampleLeg, stores[1]);
    clock.now = toEpochMs(START + 2_600);
    // Seconds begin at 0, 0.5, 1, 1.5, 2: five; the sixth would at 2.5 s.
    const { ended } = await store.evaluate(TIME);
    expect(ended.map(({ endsAt }) => endsAt - START)).toEqual([2_500, 2_500]);
    expect(await settle(legs[0] as SampleLeg, 2_700)).toMatchObject({ billedSeconds: 3 });
    expect(await settle(legs[1] as SampleLeg, 2_200)).toMatchObject({ billedSeconds: 2 });
    expect(await keysLeft()).toEqual([]);
    expect(await transfers()).toEqual([]);
  });

  it('ends a call that has money left, which is charged for what it talked', async () => {
    const leg = callOf(1, { ...BY_THE_SECOND, maxCredit: '10.00', maxTime: '3' });
    await talk(leg);
    clock.now = toEpochMs(START + 3_200);
    expect((await store.evaluate(TIME)).ended).toHaveLength(1);
    expect(await settle(leg, 3_200)).toMatchObject({ billedSeconds: 3 });
    expect((await transfers()).at(-1)).toMatchObject({ kind: 'closing', amount: micros('9.70') });
  });

  it('may be extended, and is not money', async () => {
    await talk(callOf(1, { maxTime: '3' }));
    const extension = { transferId: 'topup:t1', amount: micros('2'), currency: undefined };
    expect(await store.extend(TIME, extension)).toEqual({ kind: 'moved' });
    expect((await store.evaluate(TIME)).next.map(({ endsAt }) => endsAt - START)).toEqual([5_000]);
    expect(await transfers()).toEqual([]);
  });
});

it('all that ever came in of any calls is what they were charged and what went back', async () => {
  const amount = fc.integer({ min: 0, max: 300 }).map((cents) => (cents / 100).toFixed(2));
  const callArbitrary = fc.record({
    maxCredit: amount,
    cps: fc.constantFrom('0.01', '0.10', '0.333333'),
    connect: fc.constantFrom('0', '0.05'),
    ipulse: fc.constantFrom('1', '7', '30'),
    fpulse: fc.constantFrom('1', '6'),
    maxTime: fc.option(fc.integer({ min: 0, max: 60 }).map(String), { nil: undefined }),
    startsMs: fc.nat(20_000),
    talksMs: fc.nat(30_000),
  });
  let run = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(callArbitrary, { minLength: 1, maxLength: 6 }), async (calls) => {
      await redis.flushdb();
      run += 1;
      const agenda: { readonly at: number; readonly act: (from: LiveStore) => Promise<void> }[] = [];
      let charged = 0n;
      for (const [n, { startsMs, talksMs, maxTime, ...variables }] of calls.entries()) {
        const leg = callOf(`${run}-${n}`, maxTime === undefined ? variables : { ...variables, maxTime });
        let taken = false;
        agenda.push({
          at: startsMs,
          act: async (from) => {
            taken = (await from.take(leg.plan, leg.record)).kind === 'taken';
            if (taken) await from.answer(leg.record, clock.now);
          },
        });
        agenda.push({
          at: startsMs + talksMs,
          act: async (from) => {
            if (!taken) return;
            const outcome = await settle(leg, talksMs, from);
            const [payer] = leg.record.payers;
            if (outcome.kind === 'settled' && payer) charged += priceOf(payer.terms, outcome.billedSeconds);
          },
        });
      }
      for (const [n, { at, act }] of agenda.toSorted((a, b) => a.at - b.at).entries()) {
        clock.now = toEpochMs(START + at);
        await act(stores[n % 2] as LiveStore);
        const live = (await store.readWallet(JOHN))?.balance ?? 0n;
        expect(live).toBe((await booked()) - charged);
        expect(live).toBeGreaterThanOrEqual(0n);
      }
      expect(await keysLeft()).toEqual([]);
    }),
    { numRuns: 40 },
  );
});

describe("a customer's money that Redis has lost", () => {
  const left = {
    account: JOHN,
    balance: micros('0.50'),
    opened: { amount: micros('1.00'), serial: 'lost@1' },
  };
  let asked = 0;
  const booksSay =
    (...pools: readonly (typeof left)[]): LostPoolsOf =>
    async () => {
      asked += 1;
      return pools;
    };
  const john = (n: number, maxCredit = '1.00') => callOf(n, { ...BY_THE_SECOND, maxCredit });

  beforeEach(() => {
    asked = 0;
  });

  it('goes on with what the books say is left, for whoever calls first', async () => {
    const first = storeOn(redis, booksSay(left));
    await talk(john(1), first);
    expect(await first.readWallet(JOHN)).toMatchObject({
      balance: micros('0.50'),
      opened: { amount: micros('1.00'), serial: 'lost@1' },
    });
    expect(await first.lostPool(JOHN)).toBeUndefined();
    await talk(john(2, '1.20'), first);
    expect(await first.readWallet(JOHN)).toMatchObject({ balance: micros('0.70') });
    for (const n of [1, 2]) await settle(john(n), 1_000, first);
    expect((await transfers()).map(({ kind, amount }) => [kind, amount])).toEqual([
      ['opening', micros('0.20')],
      ['closing', micros('0.50')],
    ]);
  });

  it('is asked of the books once, and not at all while it is there', async () => {
    const first = storeOn(redis, booksSay());
    await talk(john(1), first);
    expect(asked).toBe(1);
    await talk(john(2), first);
    for (const n of [1, 2]) await settle(john(n), 1_000, first);
    await talk(john(3), first);
    expect(asked).toBe(1);
    await redis.flushdb();
    await talk(john(4), first);
    expect(asked).toBe(2);
  });

  it('is opened again once, however many ask and however late the books answer', async () => {
    let answer: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const late = storeOn(redis, async () => {
      await held;
      return [left];
    });
    const early = storeOn(connectTestRedis(), booksSay(left));
    const waiting = late.take(john(1).plan, john(1).record);
    await talk(john(2), early);
    await settle(john(2), 1_000, early);
    expect(await keysLeft()).toEqual([]);
    answer();
    expect((await waiting).kind).toBe('taken');
    // It was closed meanwhile: this is a new one, with all that the call brings.
    expect(await late.readWallet(JOHN)).toMatchObject({ balance: micros('1.00') });
  });

  it('says no to a call that it cannot pay, by the exact sum, and is not opened by it', async () => {
    const poor = storeOn(redis, booksSay({ ...left, balance: micros('0.05') }));
    expect(await poor.take(john(1).plan, john(1).record)).toMatchObject({
      kind: 'refused',
      refusal: { available: micros('0.05'), needed: micros('0.10') },
    });
    expect(await poor.readWallet(JOHN)).toBeUndefined();
    expect(await poor.lostPool(JOHN)).toMatchObject({ balance: micros('0.05') });
    expect((await poor.take(john(2, '1.10').plan, john(2, '1.10').record)).kind).toBe('taken');
    expect(await poor.readWallet(JOHN)).toMatchObject({ balance: micros('0.15') });
  });

  it('is closed once nobody talks on it, and a call after that brings a new one', async () => {
    const books = storeOn(redis, booksSay(left));
    expect(await books.lostPool(JOHN)).toMatchObject(left);
    const remainder = { amount: micros('0.50'), currency: 'EUR' };
    // Two who look at once both find it open: one of them closes it.
    const both = await Promise.all([books.closeLost(JOHN, remainder), books.closeLost(JOHN, remainder)]);
    expect(both.toSorted()).toEqual([false, true]);
    expect((await transfers()).map(({ kind, amount, debit }) => [kind, amount, debit])).toEqual([
      ['closing', micros('0.50'), 'wallet:adhoc/john'],
    ]);
    await talk(john(1), books);
    expect(await books.readWallet(JOHN)).toMatchObject({ balance: micros('1.00') });
    expect(await books.closeLost(JOHN, remainder)).toBe(false);
  });

  it.each([
    ['do not answer', () => new Promise<never>(() => undefined)],
    ['cannot be asked', () => Promise.reject(new Error('the database is locked'))],
  ] as const)('is not guessed where the books %s: the store is down for the call', async (_, lostPools) => {
    const deaf = storeOn(redis, lostPools);
    await expect(deaf.take(john(1).plan, john(1).record)).rejects.toThrow(StoreUnavailableError);
    expect(await keysLeft()).toEqual([]);
    // Once they were asked, nothing of theirs is needed.
    const heard = storeOn(connectTestRedis(), booksSay());
    await talk(john(2), heard);
    await talk(john(3), deaf);
    for (const n of [2, 3]) await settle(john(n), 1_000, deaf);
    await talk(john(4), deaf);
  });
});
