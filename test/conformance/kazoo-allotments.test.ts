import type { Redis } from 'ioredis';
import { beforeEach, describe, expect, it } from 'vitest';
import type { AccountLookup } from '../../src/accounts/account-tree.ts';
import { decide } from '../../src/admission/decide.ts';
import type { LegRecord } from '../../src/admission/leg-record.ts';
import type { LiveStore } from '../../src/admission/live-store.ts';
import { allotmentPool, microsToSeconds } from '../../src/credit/pools.ts';
import { EMPTY_TARIFF_BOOK } from '../../src/rating/tariff-book.ts';
import { createLiveStore } from '../../src/live-store/live-store.ts';
import { admissionIdOf, legKeyOf, type LegKey, type LegUuid } from '../../src/units/ids.ts';
import { toMicros } from '../../src/units/money.ts';
import { addMs, toEpochMs, type EpochMs } from '../../src/units/time.ts';
import { createPools } from '../../src/wiring/pools.ts';
import { accountsOf, questionOf } from '../controller/world.ts';
import { ACME } from '../redis/samples.ts';
import { freshRedis } from '../support/redis.ts';

/** Kazoo's allotments, call by call in virtual time on a real Redis. The numbers Txx are those of the list of wanted results. */
const POLICY = {
  unrated: 'refuse',
  unratedInbound: 'allow',
  unfunded: 'refuse',
  customerCurrency: 'EUR',
} as const;
const POOL = allotmentPool(ACME, 'international');

let redis: Redis;
let now: EpochMs;
let store: LiveStore;
let accounts: AccountLookup;
let calls = 0;

beforeEach(async () => {
  redis = await freshRedis();
});

function open(allotment: object, startsAt: string, timeZone = 'UTC'): void {
  now = toEpochMs(Date.parse(startsAt));
  const allotments = {
    international: { seconds: 600, cycle: 'monthly', minimum: 60, increment: 1, ...allotment },
  };
  accounts = accountsOf([{ account: 'acme', operator: { timeZone, allotments } }]);
  const records = { toldBalance: async () => toMicros(0n), paidSince: async () => [] };
  const clock = (): EpochMs => now;
  const pools = createPools(records, () => accounts, clock);
  store = createLiveStore(redis, {
    clock,
    clockRules: true,
    lostPools: async () => [],
    onDue: () => undefined,
    ...pools,
  });
}

const at = (moment: string): void => void (now = toEpochMs(Date.parse(moment)));
const pass = (seconds: number): void => void (now = addMs(now, seconds * 1_000));

/** Its record, or undefined where too little is left of the allotment. */
async function rings(): Promise<LegRecord | undefined> {
  const admission = admissionIdOf(`leg-${(calls += 1)}` as LegUuid, 1);
  const legKey = legKeyOf(admission, 'a') as LegKey;
  const question = { ...questionOf(accounts, { caller: 'acme' }), admission, legKey, at: now };
  const decided = decide(question, EMPTY_TARIFF_BOOK, POLICY);
  if (decided.kind === 'refused') throw new Error(decided.refusal.words);
  const { kind } = await store.take(decided.plan.home, decided.record);
  return kind === 'taken' ? decided.record : undefined;
}

async function answers(): Promise<LegRecord> {
  const record = await rings();
  if (record === undefined) throw new Error('the allotment has room for it');
  await store.answer(record, now);
  return record;
}

async function hangsUp(record: LegRecord, seconds: number): Promise<void> {
  await store.settle(record, { billedSeconds: seconds, talkMs: seconds * 1_000 }, () => '{}');
}

async function talks(seconds: number): Promise<void> {
  const record = await answers();
  pass(seconds);
  await hangsUp(record, seconds);
}

/** Seconds of the present cycle that are used, held or running. */
async function used(): Promise<number> {
  const view = await store.readWallet(POOL);
  if (view?.refill === undefined) return 0;
  return microsToSeconds(toMicros(view.refill.amount - view.balance + view.committed));
}

describe('an allotment', () => {
  it.each([
    [40, 60],
    [69, 70],
    [75, 80],
    [5, 0],
    [6, 60],
  ])('T30 of minimum 60, increment 10 and grace 5 counts %i s as %i', async (seconds, counted) => {
    open({ increment: 10, grace: 5 }, '2026-03-10T12:00:00Z');
    await talks(seconds);
    expect(await used()).toBe(counted);
  });

  it.each([
    [540, true],
    [541, false],
  ])(
    'T31 of 600 s with a minimum of 60: after %i s the next call is let through: %s',
    async (seconds, passes) => {
      open({}, '2026-03-10T12:00:00Z');
      await talks(seconds);
      expect((await rings()) !== undefined).toBe(passes);
    },
  );

  it('T31 counts a call that rings as its minimum, and one that talks by the pulses that it has begun', async () => {
    open({}, '2026-03-10T12:00:00Z');
    const ringing = await rings();
    expect(await used()).toBe(60);
    const talking = await answers();
    pass(100);
    // Kazoo adds a minute to what was talked: 160. Here the pulse that has just begun is added, of one second.
    expect(await used()).toBe(60 + 101);
    await hangsUp(talking, 100);
    expect(await used()).toBe(60 + 100);
    expect(ringing).toBeDefined();
  });

  it('T33 of March counts what is talked on its last day', async () => {
    open({}, '2026-03-31T10:30:00Z');
    await talks(100);
    expect(await used()).toBe(100);
    at('2026-03-31T23:59:59Z');
    expect(await used()).toBe(100);
    at('2026-04-01T00:00:00Z');
    expect(await used()).toBe(0);
  });

  it('T33 counts forty seconds of a call that ends forty seconds into a cycle', async () => {
    open({ minimum: 1 }, '2026-03-31T23:59:00Z');
    const record = await answers();
    pass(100);
    await hangsUp(record, 100);
    expect(await used()).toBe(40);
  });

  it('T33 of a week from Monday 30 March counts on Wednesday what was talked on Tuesday', async () => {
    open({ cycle: 'weekly' }, '2026-03-31T10:30:00Z');
    await talks(100);
    at('2026-04-01T09:00:00Z');
    expect(await used()).toBe(100);
    at('2026-04-06T00:00:00Z');
    expect(await used()).toBe(0);
  });

  it('T33 of a year lasts a year', async () => {
    open({ cycle: 'yearly' }, '2026-01-01T00:00:00Z');
    await talks(100);
    at('2026-12-31T23:59:59Z');
    expect(await used()).toBe(100);
    at('2027-01-01T00:00:00Z');
    expect(await used()).toBe(0);
  });
});

/** The last second of a cycle, and the first of the next, through an account's own calendar. */
describe('an allotment is filled anew in the first second of its cycle', () => {
  it.each([
    ['daily', 'Europe/Berlin', '2026-03-29T21:59:59Z', 'a day of 23 hours'],
    ['daily', 'Europe/Berlin', '2026-10-25T22:59:59Z', 'a day of 25 hours'],
    ['hourly', 'Europe/Berlin', '2026-03-29T00:59:59Z', 'the hour before the one that is left out'],
    ['hourly', 'Europe/Berlin', '2026-10-25T00:59:59Z', 'the first of the two hours from two'],
    ['weekly', 'Europe/Berlin', '2026-03-29T21:59:59Z', 'a week with a day of 23 hours'],
    ['monthly', 'Europe/Berlin', '2026-02-28T22:59:59Z', 'a February'],
    ['monthly', 'Europe/Berlin', '2028-02-29T22:59:59Z', 'a February of 29 days'],
    ['yearly', 'Europe/Berlin', '2026-12-31T22:59:59Z', 'a year'],
    ['minutely', 'Europe/Berlin', '2026-10-25T01:00:59Z', 'a minute of the second hour from two'],
    ['daily', 'America/Sao_Paulo', '2018-11-04T02:59:59Z', 'the day before one that begins at one'],
    ['hourly', 'America/Sao_Paulo', '2018-11-04T02:59:59Z', 'the hour before one o’clock'],
    ['daily', 'America/Sao_Paulo', '2018-11-05T01:59:59Z', 'a day that begins at one'],
    ['weekly', 'America/Sao_Paulo', '2018-11-05T01:59:59Z', 'a week with that day'],
    ['monthly', 'America/Sao_Paulo', '2028-03-01T02:59:59Z', 'a February of 29 days'],
  ] as const)('%s in %s after %s, %s', async (cycle, timeZone, lastSecond, _after) => {
    open({ cycle, minimum: 1 }, lastSecond, timeZone);
    now = addMs(now, -2_000);
    await talks(1);
    expect(await used()).toBe(1);
    at(lastSecond);
    now = addMs(now, 999);
    expect(await used()).toBe(1);
    now = addMs(now, 1);
    expect(await used()).toBe(0);
  });
});
