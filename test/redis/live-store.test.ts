import type { Redis } from 'ioredis';
import { beforeEach, describe, expect, it } from 'vitest';
import type { LegRecord } from '../../src/admission/leg-record.ts';
import type { LiveStore } from '../../src/admission/live-store.ts';
import { createLiveStore } from '../../src/live-store/live-store.ts';
import { toPriceTerms } from '../../src/rating/price.ts';
import type { AccountPath, LegUuid, RouteName } from '../../src/units/ids.ts';
import { toMicros } from '../../src/units/money.ts';
import { toEpochMs, type EpochMs } from '../../src/units/time.ts';
import { freshRedis } from '../support/redis.ts';
import { ACME, micros, sampleLeg, START, termsOf, type SampleLeg } from './samples.ts';

const HOLDER = { kind: 'account', path: ACME } as const;
const CHANNEL = 'channel-1' as LegUuid;

let redis: Redis;
let now: EpochMs;
let store: LiveStore;

beforeEach(async () => {
  redis = await freshRedis();
  now = START;
  store = createLiveStore(redis, {
    clock: () => now,
    clockRules: true,
    lostPools: async () => [],
    onDue: () => undefined,
    loadWallet: async () => ({ balance: micros('1.00'), credit: micros('0'), policy: 'unpaid' }),
  });
});

function countedLeg(name: number, bounds: { calls?: number; perSecond?: number }): SampleLeg {
  const counts = [{ counter: 'calls' as const, bound: bounds.calls }];
  return sampleLeg(name, { takes: [{ holder: HOLDER, counts, perSecond: bounds.perSecond }] });
}

describe('counting', () => {
  it('admits exactly as many as the bound and names it when it refuses', async () => {
    const [first, second, third] = [1, 2, 3].map((n) => countedLeg(n, { calls: 2 })) as [
      SampleLeg,
      SampleLeg,
      SampleLeg,
    ];
    await store.take(first.plan, first.record);
    await store.take(second.plan, second.record);
    expect(await store.take(third.plan, third.record)).toMatchObject({
      kind: 'refused',
      refusal: { kind: 'count', holder: HOLDER, counter: 'calls', bound: 2, inUse: 2 },
      uses: [{ holder: HOLDER, before: { calls: 2 } }],
    });
    await store.release(first.record);
    await store.release(first.record);
    expect((await store.take(third.plan, third.record)).kind).toBe('taken');
    expect((await store.usage(HOLDER)).calls).toBe(2);
  });

  it('lets as many pass in any sliding second, to the millisecond', async () => {
    const asked: string[] = [];
    for (const [n, ms] of [0, 400, 999, 1_000, 1_399, 1_400, 1_999, 2_000].entries()) {
      now = toEpochMs(START + ms);
      const { plan, record } = countedLeg(n, { perSecond: 2 });
      asked.push(`${ms} ${(await store.take(plan, record)).kind}`);
    }
    expect(asked).toEqual([
      '0 taken',
      '400 taken',
      '999 refused',
      '1000 taken',
      '1399 refused',
      '1400 taken',
      '1999 refused',
      '2000 taken',
    ]);
  });

  it('counts admissions that nobody limits, where that is asked for', async () => {
    const recent: unknown[] = [];
    for (const name of [1, 2, 3]) {
      const { plan, record } = sampleLeg(name, {
        takes: [{ holder: HOLDER, counts: [], perSecond: 'counted' }],
      });
      const outcome = await store.take(plan, record);
      recent.push(outcome.kind === 'taken' && outcome.uses[0]?.recent);
    }
    expect(recent).toEqual([0, 1, 2]);
  });

  it.each([
    ['no tick of what another slot has refused', 'refused', 'taken'],
    ['the tick of what rang and nobody answered', 'unanswered', 'refused'],
  ] as const)('leaves %s', async (_, why, then) => {
    const [first, second] = [countedLeg(1, { perSecond: 1 }), countedLeg(2, { perSecond: 1 })];
    await store.take(first.plan, first.record);
    await store.giveBack(first.plan.slot, first.record.legKey, first.record, why);
    expect((await store.take(second.plan, second.record)).kind).toBe(then);
  });
});

describe('a leg', () => {
  const leg = sampleLeg(1, { holds: [{ wallet: ACME, terms: termsOf(1) }] });

  it('keeps its channel and its first answer, whatever callers know of them and in whatever order', async () => {
    await store.take(leg.plan, leg.record);
    await store.answer(leg.record, START);
    await store.bind(leg.record, CHANNEL);
    await store.answer(leg.record, toEpochMs(START + 500));
    const kept = { ...leg.record, uuid: CHANNEL, answeredAt: START };
    expect((await store.find(ACME, leg.record.legKey))?.record).toEqual(kept);
    expect(await store.liveLegs(ACME)).toEqual([kept]);
    expect(await store.take(leg.plan, leg.record)).toEqual({ kind: 'already', record: kept });
  });

  it('whose answer nobody reported is charged for the talk that was measured, as far as there is money', async () => {
    await store.take(leg.plan, leg.record);
    now = toEpochMs(START + 90_000);
    const settled = await store.settle(leg.record, { billedSeconds: 90, talkMs: 90_000 }, () => '{}');
    // 59 seconds are 0.983334; the 60th makes 1.00.
    expect(settled).toMatchObject({ kind: 'settled', billedSeconds: 60 });
    expect((await store.readWallet(ACME))?.balance).toBe(0n);
  });

  it('that costs nothing passes where an operator took the money away', async () => {
    await store.openWallet(ACME, { balance: micros('-5.00'), credit: micros('0'), policy: 'unpaid' });
    const free = sampleLeg(2, {
      holds: [{ wallet: ACME, terms: toPriceTerms({ perMinute: toMicros(0n) }) }],
    });
    expect((await store.take(free.plan, free.record)).kind).toBe('taken');
    expect((await store.take(leg.plan, leg.record)).kind).toBe('refused');
  });

  it('is hung up with all others at the instant at which one cannot pay, where the policy says all', async () => {
    await store.openWallet(ACME, { balance: micros('1.10'), credit: micros('0'), policy: 'all' });
    const long = sampleLeg(2, { holds: [{ wallet: ACME, terms: termsOf(60) }] });
    for (const { plan, record } of [leg, long]) {
      await store.take(plan, record);
      await store.answer(record, START);
    }
    now = toEpochMs(START + 30_000);
    const { ended } = await store.evaluate(ACME);
    // Beside the minute 0.10 buys six seconds; the seventh makes 0.116667.
    expect(ended.map(({ endsAt }) => endsAt - START)).toEqual([6_000, 6_000]);
  });

  it('is refused where none of its ways has enough, each of which only the exact sum can tell', async () => {
    const [first, second] = ['acme/first', 'acme/second'] as const;
    const wayOf = (wallet: string) => ({
      take: { kind: 'holds', holds: [{ wallet: wallet as AccountPath, terms: termsOf(60) }] } as const,
      part: undefined,
    });
    const wanting = sampleLeg(5, {
      firstOf: [{ payer: ACME, options: [wayOf(first), wayOf(second)], others: [] }],
    });
    for (const wallet of [first, second]) {
      const opening = { balance: micros('0.50'), credit: micros('0'), policy: 'unpaid' } as const;
      await store.openWallet(wallet as AccountPath, opening);
    }
    const outcome = await store.take(wanting.plan, wanting.record);
    expect(outcome).toMatchObject({
      kind: 'refused',
      refusal: { kind: 'credit', wallet: second },
      besides: [{ kind: 'credit', wallet: first }],
    });
  });

  it('holds of each wallet once, and only of wallets in its own slot', async () => {
    const hold = { wallet: ACME, terms: termsOf(1) };
    const twice = sampleLeg(3, { holds: [hold, hold] });
    await expect(store.take(twice.plan, twice.record)).rejects.toThrow('one amount of a wallet');
    const foreign = sampleLeg(4, { holds: [{ ...hold, wallet: 'other' as AccountPath }] });
    await expect(store.take(foreign.plan, foreign.record)).rejects.toThrow('its own slot');
  });
});

describe('on a Redis Cluster', () => {
  it('every script and transaction has all its keys in one slot', async () => {
    const tags: string[][] = [];
    const send = redis.sendCommand.bind(redis);
    redis.sendCommand = (command, stream) => {
      const keys = command.getKeys().map(String);
      if (keys.length > 0) tags.push([...new Set(keys.map((key) => /\{(.+?)\}/.exec(key)?.[1] ?? 'none'))]);
      return send(command, stream);
    };
    const route = { kind: 'route', route: 'trunk' as RouteName } as const;
    const takes = [{ holder: route, counts: [{ counter: 'calls' as const, bound: 1 }], perSecond: 1 }];
    const { plan, others, record } = sampleLeg(1, {
      account: 'acme/retail' as AccountPath,
      takes: [{ holder: HOLDER, counts: [{ counter: 'calls', bound: 1 }], perSecond: 1 }],
      holds: [ACME, 'acme/retail' as AccountPath].map((wallet) => ({ wallet, terms: termsOf(60) })),
      others: [{ slot: route, takes }],
    });
    await store.take(plan, record);
    for (const other of others) await store.count(other);
    await store.bind(record, CHANNEL);
    await store.unbind(record, CHANNEL);
    await store.answer(record, START);
    await store.fund(ACME, 'top-up-1', micros('1.00'));
    await store.evaluate(ACME);
    await store.find(ACME, record.legKey);
    await store.liveLegs(ACME);
    await store.release(record);
    await store.settle(record, { billedSeconds: 1, talkMs: 1_000 }, () => '{}');
    for (const other of others) await store.giveBack(other.slot, record.legKey, record, 'unanswered');
    expect(tags.length).toBeGreaterThan(15);
    expect(tags.filter((used) => used.length > 1)).toEqual([]);
    expect(new Set(tags.flat())).toEqual(new Set(['acme', 'route:trunk']));
  });
});

describe('the length of a leg', () => {
  const cap = (seconds: number) => ({ seconds, reason: 'max_seconds', account: ACME }) as const;

  async function admitted(seconds: number | undefined): Promise<LegRecord> {
    const { plan, record } = sampleLeg('long', seconds === undefined ? {} : { cap: cap(seconds) });
    await store.take(plan, record);
    await store.bind(record, CHANNEL);
    return { ...record, uuid: CHANNEL };
  }
  const deadlines = async (after?: EpochMs) =>
    (await store.dueDeadlines(ACME, toEpochMs(START + 1_000_000), after)).map(({ endsAt }) => endsAt - START);
  const kept = async (record: LegRecord) => (await store.find(ACME, record.legKey))?.record.cap?.seconds;

  it('is limited anew, with its deadline, as often as one likes', async () => {
    const record = await admitted(10);
    await store.answer(record, START);
    expect(await deadlines()).toEqual([10_000]);
    for (const seconds of [5, 20, 20]) {
      expect((await store.limitLength(record, cap(seconds)))?.cap?.seconds).toBe(seconds);
      expect([await kept(record), await deadlines()]).toEqual([seconds, [seconds * 1_000]]);
    }
    expect(await deadlines(toEpochMs(START + 19_999))).toEqual([20_000]);
    expect(await deadlines(toEpochMs(START + 20_000))).toEqual([]);
    expect((await store.limitLength(record, undefined))?.cap).toBeUndefined();
    expect([await kept(record), await deadlines()]).toEqual([undefined, []]);
  });

  it('has no deadline before its answer', async () => {
    const record = await admitted(undefined);
    await store.limitLength(record, cap(7));
    expect([await kept(record), await deadlines()]).toEqual([7, []]);
    const limited = (await store.find(ACME, record.legKey))?.record;
    await store.answer(limited ?? record, START);
    expect(await deadlines()).toEqual([7_000]);
  });

  it('is nothing of a leg that is gone', async () => {
    const record = await admitted(10);
    await store.giveBack({ kind: 'root', root: ACME }, record.legKey, record, 'unanswered');
    expect(await store.limitLength(record, cap(5))).toBeUndefined();
    expect(await store.liveLegs(ACME)).toEqual([]);
  });
});
