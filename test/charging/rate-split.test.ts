import * as fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import type { AccountLookup } from '../../src/accounts/account-tree.ts';
import { decide } from '../../src/admission/decide.ts';
import { chosenParts, withFunded } from '../../src/admission/funded.ts';
import type { LegRecord } from '../../src/admission/leg-record.ts';
import type { LiveStore } from '../../src/admission/live-store.ts';
import { splitRecord } from '../../src/admission/rate-split.ts';
import { reprice, type RatingBooks } from '../../src/charging/finished-call.ts';
import { rateFirst, FIRST_WAY } from '../../src/charging/first-rating.ts';
import { settlementOf } from '../../src/controller/settlement.ts';
import { allotmentPool } from '../../src/credit/pools.ts';
import { continuationAt } from '../../src/cutting/going-on.ts';
import { parseClock, type RatePeriod } from '../../src/rating/rate-period.ts';
import type { Settlement } from '../../src/records/records.ts';
import { createLiveStore } from '../../src/live-store/live-store.ts';
import type { Directory } from '../../src/state/directory.ts';
import { admissionIdOf, legKeyOf, type LegKey, type LegUuid } from '../../src/units/ids.ts';
import { addMs, toEpochMs, type EpochMs } from '../../src/units/time.ts';
import { createPools } from '../../src/wiring/pools.ts';
import { accountsOf, money, questionOf, tariffOf } from '../controller/world.ts';
import { ACME } from '../redis/samples.ts';
import { freshRedis } from '../support/redis.ts';

const period = (from: string, until: string): RatePeriod => ({
  days: 127,
  fromMinute: parseClock(from) ?? 0,
  untilMinute: parseClock(until) ?? 0,
});
/** By day a cent a second in pulses of six; in the evening half of it by the second; at night nothing. */
const TARIFFS = tariffOf('times', [
  { prefix: '49', rate: '0.60', minimumSeconds: 6, incrementSeconds: 6, period: period('08:00', '18:00') },
  { prefix: '49', rate: '0.30', minimumSeconds: 1, incrementSeconds: 1, period: period('18:00', '22:00') },
  { prefix: '49', rate: '0', period: period('22:00', '08:00') },
]);
const POLICY = {
  unrated: 'refuse',
  unratedInbound: 'allow',
  unfunded: 'refuse',
  customerCurrency: 'EUR',
  periods: 'split',
} as const;
const ACCOUNTS = accountsOf([{ account: 'acme', wallet: 'EUR', tariff: 'times' }]);
/** So many seconds a day are paid for in advance. */
const withAllotment = (seconds: number, operator: object = {}): AccountLookup =>
  accountsOf([
    {
      account: 'acme',
      wallet: 'EUR',
      tariff: 'times',
      operator: { allotments: { international: { seconds, cycle: 'daily' } }, ...operator },
    },
  ]);
const BOOKS: RatingBooks = { accounts: ACCOUNTS, tariffs: TARIFFS, policy: POLICY };
const at = (hour: number, minute = 0, second = 0): EpochMs =>
  toEpochMs(Date.UTC(2026, 5, 15, hour, minute, second));

let now: EpochMs;
let store: LiveStore;
let accounts: AccountLookup;

beforeEach(async () => {
  await open('10.00');
});

async function open(balance: string, known: AccountLookup = ACCOUNTS): Promise<void> {
  const redis = await freshRedis();
  accounts = known;
  const records = { toldBalance: async () => money(balance), paidSince: async () => [] };
  const directory = { tariffs: () => TARIFFS } as Directory;
  store = createLiveStore(redis, {
    clock: () => now,
    clockRules: true,
    lostPools: async () => [],
    onDue: () => undefined,
    ...createPools(
      records,
      () => known,
      () => now,
    ),
    goingOn: (record, goesOn, from) => continuationAt({ policy: POLICY, directory }, record, goesOn, from),
  });
}

/** Answered at that moment, as a controller does it. */
async function talk(answeredAt: EpochMs): Promise<LegRecord> {
  now = answeredAt;
  const admission = admissionIdOf('leg-1' as LegUuid, 1);
  const legKey = legKeyOf(admission, 'a') as LegKey;
  const question = { ...questionOf(accounts, { caller: 'acme' }), admission, legKey, at: now };
  const decided = decide(question, TARIFFS, POLICY);
  if (decided.kind === 'refused') throw new Error(decided.refusal.words);
  const taken = await store.take(decided.plan.home, decided.record);
  if (taken.kind !== 'taken') throw new Error(taken.kind);
  const taking = withFunded(decided.record, chosenParts(decided.plan.home, taken.chosen ?? []));
  const record = { ...splitRecord(taking, answeredAt, TARIFFS), answeredAt };
  await store.answer(record, answeredAt);
  return record;
}

async function hangUp(record: LegRecord, until: EpochMs): Promise<Settlement> {
  now = until;
  const talkMs = until - (record.answeredAt ?? until);
  let settled: Settlement | undefined;
  await store.settle(record, { billedSeconds: Math.ceil(talkMs / 1000), talkMs }, (final) => {
    const ending = {
      uuid: 'leg-1' as LegUuid,
      cause: 'NORMAL_CLEARING',
      answeredAt: record.answeredAt,
      endedAt: until,
      billMicroseconds: talkMs * 1000,
      billsec: 0,
      cut: undefined,
      estimated: false,
    };
    settled = settlementOf(record, ending, final);
    return '{}';
  });
  if (settled === undefined) throw new Error('the leg was settled');
  return settled;
}

const partsOf = ({ charges }: Settlement) =>
  charges.map((charge) => [
    charge.segment,
    charge.way === 'per_minute' ? charge.rateId : 0,
    charge.billedSeconds,
    charge.price,
  ]);

describe('a call that goes on into another time of day', () => {
  it('is charged by each rate from the end of the pulse in which its time begins', async () => {
    const record = await talk(at(17, 59, 50));
    const settled = await hangUp(record, at(18, 0, 30));
    expect(partsOf(settled)).toEqual([
      [1, 1, 12, money('0.12')],
      [2, 2, 28, money('0.14')],
    ]);
    expect((await store.readWallet(ACME))?.balance).toBe(money('9.74'));
  });

  it('ends at the instant up to which its money lasts over both rates', async () => {
    await open('0.20');
    const record = await talk(at(17, 59, 50));
    const { next } = await store.evaluate(ACME);
    // 12 s for 0.12, and 16 s for the rest.
    expect(next.map(({ endsAt }) => endsAt)).toEqual([at(18, 0, 18)]);
    now = at(18, 0, 18);
    await store.evaluate(ACME);
    const settled = await hangUp(record, at(18, 0, 19));
    expect(settled.cdr.billedSeconds).toBe(28);
    expect((await store.readWallet(ACME))?.balance).toBe(0n);
  });

  it('costs nothing at night, and ends in the morning where the money does not pay for it', async () => {
    await open('0.10');
    const record = await talk(at(21, 59, 50));
    // The day's first pulse is 0.06.
    expect((await store.evaluate(ACME)).next.map(({ endsAt }) => endsAt)).toEqual([at(32)]);
    expect(partsOf(await hangUp(record, at(23)))).toEqual([
      [1, 2, 10, money('0.05')],
      [2, 3, 3600, 0n],
    ]);
  });

  it('costs what its wallet was charged, and the same when it is rated again or imported', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 86_399 }),
        fc.oneof(fc.integer({ min: 0, max: 300_000 }), fc.integer({ min: 0, max: 80_000_000 })),
        async (second, talkMs) => {
          await open('10000.00');
          const answeredAt = addMs(at(0), second * 1000);
          const record = await talk(answeredAt);
          const settled = await hangUp(record, addMs(answeredAt, talkMs));
          const price = settled.charges.reduce((sum, charge) => sum + charge.price, 0n);
          expect((await store.readWallet(ACME))?.balance).toBe(money('10000.00') - price);
          const again = reprice(settled.cdr, settled.charges, BOOKS);
          expect(again.charges.map((charge, index) => charge === settled.charges[index])).toEqual(
            settled.charges.map(() => true),
          );
          expect(rateFirst(settled.cdr, BOOKS, FIRST_WAY)).toEqual({
            kind: 'rated',
            charges: settled.charges,
            funding: settled.cdr.funding,
          });
        },
      ),
      { numRuns: 60 },
    );
  });
});

const INTERNATIONAL = allotmentPool(ACME, 'international');

/** As a controller does it when the seconds that were paid for in advance are gone. */
async function goOn(record: LegRecord): Promise<unknown> {
  const { ended } = await store.evaluate(INTERNATIONAL);
  const [allotment] = record.allotments;
  return ended.length === 0 || allotment === undefined ? undefined : await store.goOn(record, allotment);
}

describe('a call that goes on per minute after its allotment', () => {
  it('is charged by the rate of that moment, and by those of later times of day', async () => {
    await open('100.00', withAllotment(60));
    const record = await talk(at(17, 59, 50));
    now = at(18, 0, 51);
    expect(await goOn(record)).toMatchObject({ kind: 'continued', from: at(18, 0, 50) });
    const settled = await hangUp(record, at(22, 0, 10));
    expect(partsOf(settled)).toEqual([
      [1, 0, 60, 0n],
      [2, 2, 4 * 3600 - 50, money('71.75')],
      [3, 3, 10, 0n],
    ]);
  });

  it('ends at the instant up to which its money lasts over both rates, and no call costs more than it may', async () => {
    await open('0.20', withAllotment(60));
    const record = await talk(at(17, 58, 50));
    now = at(17, 59, 50);
    await goOn(record);
    expect((await store.evaluate(ACME)).next.map(({ endsAt }) => endsAt)).toEqual([at(18, 0, 18)]);
    await hangUp(record, at(18, 0, 10));
    await open('10.00', withAllotment(60, { maxCallCost: '0.20' }));
    const capped = await talk(at(17, 58, 50));
    now = at(17, 59, 50);
    await goOn(capped);
    expect((await store.dueDeadlines(ACME, at(20))).map(({ endsAt }) => endsAt)).toEqual([at(18, 0, 18)]);
    expect((await hangUp(capped, at(18, 0, 30))).cdr.billedSeconds).toBe(88);
  });

  it('is charged by day though it was admitted when it cost nothing', async () => {
    await open('0.10', withAllotment(60));
    const record = await talk(at(7, 58, 50));
    now = at(7, 59, 50);
    await goOn(record);
    // One pulse of the day's is 0.06, and two are more than there is.
    expect((await store.evaluate(ACME)).next.map(({ endsAt }) => endsAt)).toEqual([at(8, 0, 6)]);
    expect(partsOf(await hangUp(record, at(8, 1)))).toEqual([
      [1, 0, 60, 0n],
      [2, 3, 10, 0n],
      [3, 1, 6, money('0.06')],
    ]);
  });

  it('costs what its wallet was charged, and the same when it is rated again', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 86_399 }),
        fc.oneof(fc.integer({ min: 0, max: 300_000 }), fc.integer({ min: 0, max: 80_000_000 })),
        fc.oneof(fc.integer({ min: 60, max: 300 }), fc.integer({ min: 60, max: 40_000 })),
        fc.boolean(),
        async (second, talkMs, seconds, isSeen) => {
          const known = withAllotment(seconds);
          await open('10000.00', known);
          const answeredAt = addMs(at(0), second * 1000);
          const record = await talk(answeredAt);
          // Else it goes on in its settlement.
          if (isSeen && talkMs > seconds * 1000) {
            now = addMs(answeredAt, seconds * 1000 + (talkMs % 900));
            await goOn(record);
          }
          const settled = await hangUp(record, addMs(answeredAt, Math.max(talkMs, now - answeredAt)));
          const price = settled.charges.reduce((sum, charge) => sum + charge.price, 0n);
          expect((await store.readWallet(ACME))?.balance ?? money('10000.00')).toBe(
            money('10000.00') - price,
          );
          const again = reprice(settled.cdr, settled.charges, { ...BOOKS, accounts: known });
          expect(again.charges.map((charge, index) => charge === settled.charges[index])).toEqual(
            settled.charges.map(() => true),
          );
        },
      ),
      { numRuns: 150 },
    );
  });
});
