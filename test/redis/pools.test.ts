import type { Redis } from 'ioredis';
import { beforeEach, describe, expect, it } from 'vitest';
import type { AccountLookup } from '../../src/accounts/account-tree.ts';
import { decide } from '../../src/admission/decide.ts';
import { chosenParts, withFunded } from '../../src/admission/funded.ts';
import type { LegRecord } from '../../src/admission/leg-record.ts';
import type { LiveStore } from '../../src/admission/live-store.ts';
import { chargesOf } from '../../src/charging/charges.ts';
import { paidParts } from '../../src/charging/leg-parts.ts';
import { allotmentPool, spendPool } from '../../src/credit/pools.ts';
import { createLiveStore } from '../../src/live-store/live-store.ts';
import { walletKey, walletPartsKey } from '../../src/redis/keys.ts';
import type { Charge } from '../../src/records/records.ts';
import type { PaidPart } from '../../src/records/record-store.ts';
import { createPools } from '../../src/wiring/pools.ts';
import { admissionIdOf, legKeyOf, type LegKey, type LegUuid, type PoolId } from '../../src/units/ids.ts';
import { toMicros, type Micros } from '../../src/units/money.ts';
import { addMs, toEpochMs, type EpochMs } from '../../src/units/time.ts';
import { accountsOf, money, questionOf, tariffOf } from '../controller/world.ts';
import { freshRedis } from '../support/redis.ts';
import { ACME } from './samples.ts';

/** Noon in Berlin. */
const NOON = toEpochMs(Date.UTC(2026, 5, 15, 10));
const TARIFFS = tariffOf('standard', [{ prefix: '49', rate: '0.60' }], 'EUR');
const STRICT = {
  unrated: 'refuse',
  unratedInbound: 'allow',
  unfunded: 'refuse',
  customerCurrency: 'EUR',
} as const;
const INTERNATIONAL = allotmentPool(ACME, 'international');

type World = {
  readonly operator: object;
  readonly balance?: string;
  /** By which it pays, where it has no wallet. */
  readonly tariff?: string;
};
type Call = { readonly record: LegRecord; readonly answeredAt: EpochMs };
type Ended = {
  readonly billedSeconds: number;
  readonly charges: readonly Charge[];
  readonly endedBy: PoolId | undefined;
};

let redis: Redis;
let now: EpochMs;
let store: LiveStore;
let accounts: AccountLookup;
/** What SQL would know of earlier calls. */
let paid: readonly PaidPart[];

beforeEach(async () => {
  redis = await freshRedis();
  now = NOON;
  paid = [];
});

function open({ operator, balance, tariff }: World): void {
  const unpaying = tariff === undefined ? {} : { tariff };
  const paying = balance === undefined ? unpaying : { wallet: 'EUR', tariff: 'standard' };
  accounts = accountsOf([
    { account: 'acme', ...paying, operator: { timeZone: 'Europe/Berlin', ...operator } },
  ]);
  const records = { toldBalance: async () => money(balance ?? '0'), paidSince: async () => paid };
  store = createLiveStore(redis, {
    clock: () => now,
    clockRules: true,
    lostPools: async () => [],
    onDue: () => undefined,
    ...createPools(
      records,
      () => accounts,
      () => now,
    ),
  });
}

/** Takes a leg to a German number; its record, or what there was too little of. */
async function take(n: number, destination = '4930123'): Promise<LegRecord | PoolId> {
  const admission = admissionIdOf(`leg-${n}` as LegUuid, 1);
  const legKey = legKeyOf(admission, 'a') as LegKey;
  const asked = { caller: 'acme', destination, dialled: destination };
  const question = { ...questionOf(accounts, asked), admission, legKey, at: now };
  const decided = decide(question, TARIFFS, STRICT);
  if (decided.kind === 'refused') throw new Error(decided.refusal.words);
  const taken = await store.take(decided.plan.home, decided.record);
  if (taken.kind === 'refused' && taken.refusal.kind === 'credit') return taken.refusal.wallet;
  if (taken.kind !== 'taken') throw new Error(JSON.stringify(taken));
  return withFunded(decided.record, chosenParts(decided.plan.home, taken.chosen ?? []));
}

async function talk(n: number, destination?: string): Promise<Call> {
  const record = await take(n, destination);
  if (typeof record === 'string') throw new Error(`${record} is empty`);
  await store.answer(record, now);
  return { record, answeredAt: now };
}

async function hangUp({ record, answeredAt }: Call): Promise<Ended> {
  const talkMs = now - answeredAt;
  let ended: Ended | undefined;
  await store.settle(record, { billedSeconds: Math.ceil(talkMs / 1000), talkMs }, (final) => {
    const leg = { legUuid: record.aLeg, version: 1 };
    const charges = chargesOf(leg, paidParts(record, final));
    ended = { billedSeconds: final.billedSeconds, charges, endedBy: final.endedBy };
    return '{}';
  });
  if (ended === undefined) throw new Error('the leg was settled');
  return ended;
}

/** When each of the pool's legs has ended by now, as a cutoff's look finds it. */
async function ends(pool: PoolId): Promise<readonly number[]> {
  const { ended } = await store.evaluate(pool);
  return ended.map(({ endsAt }) => endsAt - NOON);
}

async function left(pool: PoolId): Promise<Micros> {
  const view = await store.readWallet(pool);
  if (view === undefined) throw new Error(`${pool} is not open`);
  return toMicros(view.balance + view.credit - view.committed);
}

const seconds = (count: number): Micros => toMicros(BigInt(count) * 1_000_000n);
const pass = (ms: number): void => {
  now = addMs(now, ms);
};
const daily = (count: number, rest: object = {}) => ({ seconds: count, cycle: 'daily', ...rest });

describe('an allotment', () => {
  it('of 120 s shared by three calls answered together ends them all after 40 s, with nothing lost', async () => {
    open({ operator: { allotments: { international: daily(120) } } });
    const calls = [await talk(1), await talk(2), await talk(3)];
    expect((await store.evaluate(INTERNATIONAL)).next.map(({ endsAt }) => endsAt - NOON)).toEqual([
      40_000, 40_000, 40_000,
    ]);
    pass(40_000);
    expect(await ends(INTERNATIONAL)).toEqual([40_000, 40_000, 40_000]);
    // However late the hang-ups land.
    pass(700);
    const ended = [];
    for (const call of calls) ended.push(await hangUp(call));
    expect(ended.map(({ billedSeconds, endedBy }) => [billedSeconds, endedBy])).toEqual([
      [40, INTERNATIONAL],
      [40, INTERNATIONAL],
      [40, INTERNATIONAL],
    ]);
    expect(await left(INTERNATIONAL)).toBe(0n);
    expect(await redis.hlen(walletPartsKey(INTERNATIONAL))).toBe(0);
  });

  it('lets all three go on per minute at the same instant', async () => {
    open({ operator: { allotments: { international: daily(120) } }, balance: '10.00' });
    const calls = [await talk(1), await talk(2), await talk(3)];
    pass(40_050);
    expect(await ends(INTERNATIONAL)).toHaveLength(3);
    for (const { record } of calls) {
      const [allotment] = record.allotments;
      if (allotment === undefined) throw new Error('paid by an allotment');
      const from = addMs(NOON, 40_000);
      expect(await store.goOn(record, allotment)).toMatchObject({ kind: 'continued', from });
      expect(await store.goOn(record, allotment)).toEqual({ kind: 'already' });
    }
    expect(await ends(INTERNATIONAL)).toEqual([]);
    pass(9_950);
    const ended = [];
    for (const call of calls) ended.push(await hangUp(call));
    for (const { billedSeconds, charges } of ended) {
      expect(billedSeconds).toBe(50);
      expect(charges).toMatchObject([
        { way: 'allotment', segment: 1, billedSeconds: 40, price: 0n },
        { way: 'per_minute', segment: 2, billedSeconds: 10, price: money('0.10') },
      ]);
    }
    expect(await left(ACME)).toBe(money('9.70'));
    expect(await left(INTERNATIONAL)).toBe(0n);
  });

  it('says of a leg that has gone on that it ended no more, also where the next one ends soon', async () => {
    open({ operator: { allotments: { international: daily(80) } }, balance: '10.00' });
    const first = await talk(1);
    pass(500);
    const second = await talk(2);
    pass(39_550);
    const ended = async (): Promise<readonly string[]> => {
      const found = await store.evaluate(INTERNATIONAL);
      return found.ended.map(({ legKey }) => legKey);
    };
    expect(await ended()).toEqual([first.record.legKey]);
    expect((await store.evaluate(INTERNATIONAL)).next.map(({ legKey }) => legKey)).toEqual([
      second.record.legKey,
    ]);
    const [allotment] = first.record.allotments;
    if (allotment === undefined) throw new Error('paid by an allotment');
    expect(await store.goOn(first.record, allotment)).toMatchObject({ kind: 'continued' });
    expect(await ended()).toEqual([]);
  });

  it('goes on per minute in the settlement where the hang-up came before anybody had looked', async () => {
    open({ operator: { allotments: { international: daily(40) } }, balance: '0.02' });
    const call = await talk(1);
    pass(41_300);
    const { billedSeconds, charges } = await hangUp(call);
    expect(billedSeconds).toBe(42);
    expect(charges.map((charge) => [charge.way, charge.billedSeconds, charge.price])).toEqual([
      ['allotment', 40, 0n],
      ['per_minute', 2, money('0.02')],
    ]);
    expect(await left(ACME)).toBe(0n);
  });

  it('charges no more than the wallet could pay after it', async () => {
    open({ operator: { allotments: { international: daily(40) } }, balance: '0.02' });
    const call = await talk(1);
    const [allotment] = call.record.allotments;
    pass(40_100);
    await ends(INTERNATIONAL);
    if (allotment !== undefined) await store.goOn(call.record, allotment);
    pass(5_000);
    expect((await store.evaluate(ACME)).ended.map(({ endsAt }) => endsAt - NOON)).toEqual([42_000]);
    const { billedSeconds, endedBy } = await hangUp(call);
    expect([billedSeconds, endedBy]).toEqual([42, ACME]);
    expect(await left(ACME)).toBe(0n);
  });

  it('cannot be gone on from by a wallet that is empty, and says so', async () => {
    open({ operator: { allotments: { international: daily(40) } }, balance: '0.005' });
    const call = await talk(1);
    const [allotment] = call.record.allotments;
    pass(40_100);
    await ends(INTERNATIONAL);
    if (allotment === undefined) throw new Error('paid by an allotment');
    expect(await store.goOn(call.record, allotment)).toMatchObject({
      kind: 'refused',
      refusal: { kind: 'credit', wallet: ACME, needed: money('0.01') },
    });
    expect((await hangUp(call)).billedSeconds).toBe(40);
  });

  it.each([
    ['tightened below it and taken back', '0.30', 70_000, [60, 500, undefined]],
    ['loosened, which it was no tighter than', '0.80', 120_000, [500, undefined]],
  ])('ends at what it may cost from where it goes on, though its length is %s', async (...given) => {
    const [, maxCallCost, endsAt, limits] = given;
    const operator = { allotments: { international: daily(40) }, maxCallSeconds: 100, maxCallCost };
    open({ operator, balance: '10.00' });
    const { record } = await talk(1);
    const [allotment] = record.allotments;
    pass(40_050);
    await ends(INTERNATIONAL);
    if (allotment !== undefined) await store.goOn(record, allotment);
    for (const limit of limits) {
      const cap =
        limit === undefined ? undefined : { seconds: limit, reason: 'max_seconds' as const, account: ACME };
      await store.limitLength(record, cap);
    }
    const due = await store.dueDeadlines(ACME, addMs(NOON, 1_000_000));
    expect(due.map((each) => each.endsAt - NOON)).toEqual([endsAt]);
  });

  it('is full again when its cycle begins, and a call over midnight counts in the day it is spoken in', async () => {
    open({ operator: { allotments: { international: daily(100) } } });
    const midnight = toEpochMs(Date.UTC(2026, 5, 15, 22));
    now = addMs(midnight, -30_000);
    const call = await talk(1);
    expect(await left(INTERNATIONAL)).toBe(seconds(99));
    pass(29_999);
    expect(await left(INTERNATIONAL)).toBe(seconds(70));
    now = midnight;
    expect(await left(INTERNATIONAL)).toBe(seconds(99));
    pass(20_000);
    expect(await left(INTERNATIONAL)).toBe(seconds(79));
    expect((await hangUp(call)).billedSeconds).toBe(50);
    expect(await left(INTERNATIONAL)).toBe(seconds(80));
    expect(await take(2)).toMatchObject({ funding: 'allotment' });
  });

  it('that is filled before it is empty is looked at again in that instant, and tells then when it ends', async () => {
    open({ operator: { allotments: { international: daily(100) } } });
    const midnight = toEpochMs(Date.UTC(2026, 5, 15, 22));
    now = addMs(midnight, -30_000);
    const call = await talk(1);
    expect(await store.evaluate(INTERNATIONAL)).toMatchObject({ ended: [], next: [], refilledAt: midnight });
    now = midnight;
    const { ended, next, refilledAt } = await store.evaluate(INTERNATIONAL);
    expect({ ended, refilledAt }).toEqual({ ended: [], refilledAt: undefined });
    expect(next.map(({ endsAt }) => endsAt - midnight)).toEqual([100_000]);
    pass(100_000);
    expect((await store.evaluate(INTERNATIONAL)).ended.map(({ endsAt }) => endsAt - midnight)).toEqual([
      100_000,
    ]);
    expect((await hangUp(call)).billedSeconds).toBe(130);
  });

  it('is gone on from at no cost by an account that has no wallet', async () => {
    const allotments = { international: daily(40) };
    open({ operator: { allotments, discounts: { international: '100' } }, tariff: 'standard' });
    const call = await talk(1);
    const [allotment] = call.record.allotments;
    if (allotment === undefined) throw new Error('paid by an allotment');
    pass(40_100);
    expect(await ends(INTERNATIONAL)).toEqual([40_000]);
    expect(await store.goOn(call.record, allotment)).toMatchObject({ kind: 'continued' });
    expect(await ends(INTERNATIONAL)).toEqual([]);
    expect(await store.readWallet(ACME)).toBeUndefined();
    pass(9_900);
    const { billedSeconds, charges, endedBy } = await hangUp(call);
    expect([billedSeconds, endedBy]).toEqual([50, undefined]);
    expect(charges).toMatchObject([
      { way: 'allotment', billedSeconds: 40 },
      { way: 'per_minute', billedSeconds: 10, price: 0n },
    ]);
    expect(await left(INTERNATIONAL)).toBe(0n);
    expect(await store.readWallet(ACME)).toBeUndefined();
  });

  it('needs the longer of its two pulses to begin, and counts the shorter', async () => {
    const allotments = { international: daily(65, { minimum: 6, increment: 60 }) };
    open({ operator: { allotments } });
    const call = await talk(1);
    expect(await left(INTERNATIONAL)).toBe(seconds(59));
    expect(await take(2)).toBe(INTERNATIONAL);
    pass(3_000);
    await hangUp(call);
    expect(await left(INTERNATIONAL)).toBe(seconds(59));
  });

  it('is drawn on by its group, which it never refuses', async () => {
    const allotments = {
      international: daily(60, { groups: ['did_us'] }),
      did_us: daily(100),
    };
    open({ operator: { allotments } });
    const grouping = allotmentPool(ACME, 'did_us');
    const grouped = await talk(1, '14158867900');
    expect(grouped.record.allotments).toMatchObject([{ name: 'did_us', groups: [INTERNATIONAL] }]);
    pass(50_000);
    expect([await left(grouping), await left(INTERNATIONAL)]).toEqual([seconds(49), seconds(9)]);
    const own = await talk(2);
    pass(30_000);
    // Both count there: 81 s are more than 60, and only its own call ends for it.
    expect(await ends(grouping)).toEqual([]);
    expect(await ends(INTERNATIONAL)).toHaveLength(1);
    expect((await hangUp(own)).endedBy).toBe(INTERNATIONAL);
    expect((await hangUp(grouped)).billedSeconds).toBe(80);
    expect(await take(3)).toBe(INTERNATIONAL);
  });

  it('that Redis has lost is what SQL says of the present cycle', async () => {
    open({ operator: { allotments: { international: daily(100) } } });
    const midnight = toEpochMs(Date.UTC(2026, 5, 14, 22));
    const call = await talk(1);
    pass(20_000);
    const { charges } = await hangUp(call);
    paid = charges.map((charge) => ({ charge, talkedFrom: addMs(midnight, -5_000) }));
    await redis.flushdb();
    expect(await take(2)).toMatchObject({ funding: 'allotment' });
    // Fifteen of the twenty seconds were spoken today, and a second is held.
    expect(await left(INTERNATIONAL)).toBe(seconds(84));
    expect((await redis.get(walletKey(INTERNATIONAL)))?.split(' ').slice(-2)).toEqual([
      '100000000',
      `${Date.UTC(2026, 5, 15, 22)}`,
    ]);
  });
});

describe('a spend window', () => {
  it('ends a call with the pulse it can pay for, and is full again in the next hour', async () => {
    const hour = spendPool(ACME, 'hour');
    open({ operator: { maxSpend: { hour: '0.10', day: '5.00' } }, balance: '10.00' });
    now = addMs(NOON, 3_600_000 - 30_000);
    const call = await talk(1);
    pass(10_000);
    expect((await store.evaluate(hour)).ended).toHaveLength(1);
    const { billedSeconds, endedBy } = await hangUp(call);
    expect([billedSeconds, endedBy]).toEqual([10, hour]);
    expect(await take(2)).toBe(hour);
    expect(await left(spendPool(ACME, 'day'))).toBe(money('4.90'));
    expect(await left(ACME)).toBe(money('9.90'));
    pass(20_000);
    expect(await take(3)).toMatchObject({ funding: 'per_minute' });
    expect(await left(hour)).toBe(money('0.09'));
  });

  it('counts a pulse in the window in which it starts', async () => {
    const hour = spendPool(ACME, 'hour');
    open({ operator: { maxSpend: { hour: '0.10' } }, balance: '10.00' });
    now = addMs(NOON, 3_600_000 - 5_500);
    const call = await talk(1);
    pass(5_499);
    expect(await left(hour)).toBe(money('0.04'));
    pass(1);
    expect(await left(hour)).toBe(money('0.10'));
    pass(500);
    expect(await left(hour)).toBe(money('0.09'));
    pass(9_500);
    expect(await left(hour)).toBe(money('0.00'));
    pass(500);
    expect((await hangUp(call)).billedSeconds).toBe(16);
  });
});
