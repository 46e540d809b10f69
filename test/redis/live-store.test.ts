import { beforeEach, describe, expect, it } from 'vitest';
import type { Redis } from 'ioredis';
import type { LegRecord } from '../../src/admission/leg-record.ts';
import type { LiveStore } from '../../src/admission/live-store.ts';
import type { SlotPlan } from '../../src/admission/plan.ts';
import { toPriceTerms } from '../../src/rating/price.ts';
import { createLiveStore } from '../../src/redis/live-store.ts';
import {
  admissionIdOf,
  legKeyOf,
  type AccountPath,
  type LegKey,
  type LegUuid,
  type NodeId,
  type TariffName,
} from '../../src/units/ids.ts';
import { parseMicros, type Micros } from '../../src/units/money.ts';
import { toEpochMs, type EpochMs } from '../../src/units/time.ts';
import { freshRedis } from '../support/redis.ts';

const ACME = 'acme' as AccountPath;
const START = toEpochMs(1_800_000_000_000);
const micros = (text: string): Micros => parseMicros(text) as Micros;
const perSecondTerms = toPriceTerms({ perMinute: micros('1.00'), minimumSeconds: 1, incrementSeconds: 1 });
const keyOf = (n: number): LegKey => legKeyOf(admissionIdOf(`leg-${n}` as LegUuid, 1), 'a') as LegKey;

let redis: Redis;
let now: EpochMs;
let store: LiveStore;

beforeEach(async () => {
  redis = await freshRedis();
  now = START;
  store = createLiveStore(redis, {
    clock: () => now,
    clockRules: true,
    onDue: () => undefined,
    loadWallet: async () => ({ balance: micros('1.00'), credit: micros('0'), policy: 'unpaid' }),
  });
});

function planOf(n: number, bound: number | undefined): SlotPlan {
  return {
    slot: { kind: 'root', root: ACME },
    legKey: keyOf(n),
    takes: [
      {
        holder: { kind: 'account', path: ACME },
        counts: [{ counter: 'calls', bound }],
        perSecond: undefined,
      },
    ],
    holds: [{ wallet: ACME, terms: perSecondTerms }],
  };
}

function recordOf(n: number): LegRecord {
  const payer = {
    account: ACME,
    wallet: ACME,
    tariff: 't' as TariffName,
    tariffVersion: 1,
    rateId: 1,
    prefix: '49',
    currency: 'EUR',
    terms: perSecondTerms,
  };
  return {
    legKey: keyOf(n),
    admission: admissionIdOf(`leg-${n}` as LegUuid, 1),
    aLeg: `leg-${n}` as LegUuid,
    siblings: ['a'],
    uuid: undefined,
    node: 'fs1' as NodeId,
    coreUuid: 'core',
    account: ACME,
    direction: 'outbound',
    callerNumber: '1001',
    dialled: '4930123',
    destination: '4930123',
    routes: [],
    admittedAt: START,
    answeredAt: undefined,
    decision: 'admitted',
    funding: 'per_minute',
    payers: [payer],
    taken: [
      {
        slot: { kind: 'root', root: ACME },
        counted: [{ holder: { kind: 'account', path: ACME }, counters: ['calls'] }],
      },
    ],
  };
}

describe('the live store', () => {
  it('lets thirty callers on one dollar talk for sixty seconds between them', async () => {
    const outcomes = [];
    for (let n = 0; n < 30; n += 1) outcomes.push(await store.take(planOf(n, undefined), recordOf(n)));
    expect(outcomes.every((outcome) => outcome.kind === 'taken')).toBe(true);
    for (let n = 0; n < 30; n += 1) await store.answer(recordOf(n), START);
    now = toEpochMs(START + 999);
    expect((await store.evaluate(ACME)).ended).toHaveLength(0);
    now = toEpochMs(START + 1_000);
    // Thirty second pulses of 0.016667 would make 1.00002: one leg, the last by key, cannot have its own.
    expect((await store.evaluate(ACME)).ended).toEqual([{ legKey: keyOf(9), endsAt: START + 1_000 }]);
    now = toEpochMs(START + 2_000);
    // What is left (0.016647) is less than any leg's third pulse (0.016666).
    expect((await store.evaluate(ACME)).ended).toHaveLength(30);
    const view = await store.readWallet(ACME);
    expect((view?.balance ?? 0n) - (view?.committed ?? 0n)).toBeGreaterThanOrEqual(0n);
    for (let n = 0; n < 30; n += 1) {
      const outcome = await store.settle(recordOf(n), { billedSeconds: 3, talkMs: 2_400 }, () => '{}');
      expect(outcome.kind).toBe('settled');
    }
    const after = await store.readWallet(ACME);
    expect(after?.balance).toBeGreaterThanOrEqual(0n);
    expect(after?.balance).toBeLessThan(16_667n);
    expect(await redis.xlen('tollgate:{acme}:settlements')).toBe(30);
    expect((await store.usage({ kind: 'account', path: ACME })).calls).toBe(0);
    expect(await redis.keys('*legs')).toEqual([]);
  });

  it('admits exactly as many as the bound and names it when it refuses', async () => {
    await store.take(planOf(1, 2), recordOf(1));
    await store.take(planOf(2, 2), recordOf(2));
    const third = await store.take(planOf(3, 2), recordOf(3));
    expect(third).toMatchObject({
      kind: 'refused',
      refusal: { kind: 'count', counter: 'calls', bound: 2, inUse: 2 },
    });
    expect((await store.take(planOf(1, 2), recordOf(1))).kind).toBe('already');
    await store.release(recordOf(1));
    await store.release(recordOf(1));
    expect((await store.take(planOf(3, 2), recordOf(3))).kind).toBe('taken');
    expect((await store.usage({ kind: 'account', path: ACME })).calls).toBe(2);
  });
});
