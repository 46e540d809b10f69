import type { Redis } from 'ioredis';
import { beforeEach, describe, expect, it } from 'vitest';
import type { LiveStore } from '../../src/admission/live-store.ts';
import { timePool } from '../../src/credit/pools.ts';
import { priceOf } from '../../src/rating/price.ts';
import { createLiveStore } from '../../src/live-store/live-store.ts';
import { formatMicros, toMicros } from '../../src/units/money.ts';
import { toEpochMs } from '../../src/units/time.ts';
import { callOf, JOHN, type Variables } from '../redis/customer-calls.ts';
import { micros, START, type SampleLeg } from '../redis/samples.ts';
import { connectTestRedis, freshRedis } from '../support/redis.ts';

/**
 * Kamailio's cnxcc, call by call: what its script functions promise, in virtual time on a real Redis, each step on
 * another controller. The numbers Txx are those of the list of wanted results; `set_max_credit(customer, credit,
 * connect, cps, ipulse, fpulse)` is its own way to write a pool.
 */
const clock = { now: START };
let redis: Redis;
let stores: readonly LiveStore[];
let turn = 0;

beforeEach(async () => {
  redis = await freshRedis();
  clock.now = START;
  stores = [redis, connectTestRedis()].map((connection) =>
    createLiveStore(connection, {
      clock: () => clock.now,
      clockRules: true,
      lostPools: async () => [],
      onDue: () => undefined,
      loadWallet: async () => undefined,
    }),
  );
});

/** Whichever controller's turn it is. */
const anyStore = (): LiveStore => stores[(turn += 1) % stores.length] as LiveStore;

function setMaxCredit(
  credit: string,
  connect: string,
  cps: string,
  ipulse: number,
  fpulse: number,
): Variables {
  return { maxCredit: credit, connect, cps, ipulse: `${ipulse}`, fpulse: `${fpulse}` };
}

const at = (seconds: number): void => void (clock.now = toEpochMs(START + seconds * 1_000));

let calls = 0;
async function answered(variables: Variables): Promise<SampleLeg> {
  const leg = callOf((calls += 1), variables);
  expect((await anyStore().take(leg.plan, leg.record)).kind).toBe('taken');
  await anyStore().answer(leg.record, clock.now);
  return leg;
}

/** What the call is charged when it has talked so long, as text. */
async function charged(leg: SampleLeg, seconds: number): Promise<string> {
  const talk = { billedSeconds: Math.ceil(seconds), talkMs: seconds * 1_000 };
  const outcome = await anyStore().settle(leg.record, talk, () => '{}');
  const [payer] = leg.record.payers;
  if (outcome.kind !== 'settled' || payer === undefined) throw new Error('a call is settled once');
  return formatMicros(priceOf(payer.terms, outcome.billedSeconds));
}

/** When all calls of the customer end, in seconds from the start. */
async function endsAt(pool: Parameters<LiveStore['evaluate']>[0] = JOHN): Promise<readonly number[]> {
  const { next, ended } = await anyStore().evaluate(pool);
  return [...ended, ...next].map((end) => (end.endsAt - START) / 1_000);
}

describe('a price of connect, cps, ipulse and fpulse', () => {
  it('T19 credit 50, connect 3, cps .5, 30/6: cut after 90 s, and charged 48 and not 51', async () => {
    const leg = await answered(setMaxCredit('50', '3', '0.5', 30, 6));
    expect(await endsAt()).toEqual([90]);
    at(91.3);
    expect(await charged(leg, 91.3)).toBe('48.00');
  });

  it.each([
    [5, '33.00'],
    [60, '33.00'],
    [61, '33.50'],
    [90, '48.00'],
  ])(
    'T20 set_max_credit("100", "3.0", "0.5", 60, 1): %i s cost %s, the connect fee from the first',
    async (seconds, price) => {
      const leg = await answered(setMaxCredit('100', '3.0', '0.5', 60, 1));
      at(seconds);
      expect(await charged(leg, seconds)).toBe(price);
    },
  );

  it('a call of exactly two pulses is charged two, where cnxcc shows three', async () => {
    const leg = await answered(setMaxCredit('1000', '0', '1', 60, 60));
    at(120);
    expect(await charged(leg, 120)).toBe('120.00');
  });

  it('without fpulse it is by the minute, where cnxcc never charges at all', async () => {
    const leg = await answered(setMaxCredit('1000', '0', '1', 60, 0));
    at(61);
    expect(await charged(leg, 61)).toBe('120.00');
  });
});

describe('a pool that calls share', () => {
  it('of 100 pays a call by the second for 40 s and one by the minute beside it, and no pulse more', async () => {
    // Where cnxcc lets both talk to 121 s, at 242 of 100.
    const one = await answered(setMaxCredit('100', '0', '1', 1, 1));
    at(20);
    const other = await answered(setMaxCredit('100', '0', '1', 60, 60));
    expect(await endsAt()).toEqual([40, 40]);
    at(41);
    const prices = [await charged(one, 41), await charged(other, 21)];
    expect(prices).toEqual(['40.00', '60.00']);
  });

  it('is one pool, however many controllers each ask for it', async () => {
    const legs = await Promise.all(
      Array.from({ length: 6 }, () => answered(setMaxCredit('60', '0', '1', 1, 1))),
    );
    expect(await endsAt()).toEqual(legs.map(() => 10));
    at(12);
    const prices = await Promise.all(legs.map((leg) => charged(leg, 12)));
    expect(prices).toEqual(legs.map(() => '10.00'));
  });

  it('T17 of 1.00 admits one of thirty simultaneous calls by the minute at 1.00', async () => {
    const legs = Array.from({ length: 30 }, () =>
      callOf((calls += 1), { maxCredit: '1.00', cps: '0.016666', ipulse: '60', fpulse: '60' }),
    );
    const taken = await Promise.all(legs.map(({ plan, record }) => anyStore().take(plan, record)));
    expect(taken.filter(({ kind }) => kind === 'taken')).toHaveLength(1);
  });

  it('is raised to a larger max_credit, by the difference; a smaller one is ignored', async () => {
    await answered(setMaxCredit('10', '0', '1', 1, 1));
    at(4);
    await answered(setMaxCredit('5', '0', '1', 1, 1));
    // Six seconds for one are three for two.
    expect(await endsAt()).toEqual([7, 7]);
    await answered(setMaxCredit('19', '0', '1', 1, 1));
    expect(await endsAt()).toEqual([9, 9, 9]);
  });

  it('begins anew when its last call is over', async () => {
    const first = await answered(setMaxCredit('10', '0', '1', 1, 1));
    at(9);
    await charged(first, 9);
    await answered(setMaxCredit('10', '0', '1', 1, 1));
    expect(await endsAt()).toEqual([19]);
  });
});

describe('max_time', () => {
  it('is shared by the second, extended by update_max_time, and ends all calls together', async () => {
    await answered({ maxTime: '120' });
    at(30);
    await answered({ maxTime: '120' });
    expect(await endsAt(timePool(JOHN))).toEqual([75, 75]);
    const more = { transferId: 'update', amount: toMicros(micros('5') * 4n), currency: undefined };
    expect((await anyStore().extend(timePool(JOHN), more)).kind).toBe('moved');
    expect(await endsAt(timePool(JOHN))).toEqual([85, 85]);
  });

  it('and max_credit hold both, whichever ends first', async () => {
    await answered({ ...setMaxCredit('50', '0', '1', 1, 1), maxTime: '20' });
    expect([await endsAt(), await endsAt(timePool(JOHN))]).toEqual([[50], [20]]);
  });
});

describe('max_channels', () => {
  it('counts calls that ring and calls that talk, exactly, beside the credit', async () => {
    const pools = { ...setMaxCredit('100', '0', '1', 1, 1), maxChannels: '2' };
    const talking = await answered(pools);
    const ringing = callOf((calls += 1), pools);
    expect((await anyStore().take(ringing.plan, ringing.record)).kind).toBe('taken');
    const third = callOf((calls += 1), pools);
    expect(await anyStore().take(third.plan, third.record)).toMatchObject({
      kind: 'refused',
      refusal: { kind: 'count', bound: 2, inUse: 2 },
    });
    at(3);
    await charged(talking, 3);
    expect((await anyStore().take(third.plan, third.record)).kind).toBe('taken');
  });

  it('of 0 admits nobody', async () => {
    const { plan, record } = callOf((calls += 1), { maxChannels: '0' });
    expect((await anyStore().take(plan, record)).kind).toBe('refused');
  });
});
