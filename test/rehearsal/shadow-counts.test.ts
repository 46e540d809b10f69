import type { Redis } from 'ioredis';
import { beforeEach, describe, expect, it } from 'vitest';
import type { AccountLookup } from '../../src/accounts/account-tree.ts';
import type { LegRecord } from '../../src/admission/leg-record.ts';
import type { LiveStore } from '../../src/admission/live-store.ts';
import type { Decision } from '../../src/records/records.ts';
import type { PoolId } from '../../src/units/ids.ts';
import { toEpochMs, type EpochMs } from '../../src/units/time.ts';
import { accountsOf, money } from '../controller/world.ts';
import { createVirtualTime, type VirtualTime } from '../model/virtual-time.ts';
import { freshRedis } from '../support/redis.ts';
import { BALANCE, createDesk, type Desk } from './shadow-desk.ts';

/** Half past nine in Berlin. */
const MORNING = Date.UTC(2026, 5, 15, 7, 30);

let redis: Redis;
let time: VirtualTime;
let accounts: AccountLookup;
let decisions: Decision[];
let controller: Desk;
let calls: number;

type Shadow = Readonly<Record<string, unknown>>;
type Call = { readonly record: LegRecord; answeredAt: EpochMs | undefined };

beforeEach(async () => {
  redis = await freshRedis();
  time = createVirtualTime(MORNING);
  decisions = [];
  calls = 0;
});

function open(shadow: Shadow, operator: Shadow = {}): void {
  read(shadow, operator);
  controller = start();
}

function read(shadow: Shadow | undefined, operator: Shadow = {}): void {
  const paying = { wallet: 'EUR', tariff: 'standard', operator };
  accounts = accountsOf([{ account: 'acme', ...paying, ...(shadow === undefined ? {} : { shadow }) }]);
}

/** A controller that comes up on what there is in Redis. */
const start = (): Desk => createDesk(redis, { time, accounts: () => accounts, decisions });

async function ask(): Promise<Call> {
  calls += 1;
  const answer = await controller.ask('acme', calls);
  if (answer.kind !== 'admitted') throw new Error(answer.refusal.words);
  return { record: answer.record, answeredAt: undefined };
}

async function answer(call: Call): Promise<Call> {
  call.answeredAt = time.now();
  await controller.answer(call.record, call.answeredAt);
  return call;
}

const talk = async (): Promise<Call> => await answer(await ask());

async function hangUp({ record, answeredAt }: Call): Promise<void> {
  await controller.hangUp(record, answeredAt);
}

async function talkFor(seconds: number): Promise<Call> {
  const call = await talk();
  pass(seconds);
  await hangUp(call);
  return call;
}

function pass(seconds: number): void {
  time.moveTo(time.now() + seconds * 1000);
}

/** Timers that are due by then do what they do. */
async function passLooking(seconds: number): Promise<void> {
  for (let left = seconds; left > 0; left -= 5) {
    pass(Math.min(5, left));
    time.fire();
    await controller.whatIf.idle();
  }
}

/** What was said since it was last asked. */
async function said(): Promise<readonly string[]> {
  await controller.whatIf.idle();
  return decisions.splice(0).map(({ verdict, reason, inputs }) => {
    const { words } = inputs;
    return typeof words === 'string' ? `${verdict}: ${words}` : `${verdict}: ${reason}`;
  });
}

/** What is left of it, in micros. */
async function left(meaning: string): Promise<string | undefined> {
  const view = await readPool(meaning);
  return view && `${view.balance - view.committed}`;
}

async function readPool(meaning: string): ReturnType<LiveStore['readWallet']> {
  const countedAs = accounts.nodes[0]?.shadow?.countedAs;
  return await controller.store.readWallet(`acme#shadow.${countedAs}.${meaning}` as PoolId);
}

async function shadowKeys(): Promise<readonly string[]> {
  return (await redis.keys('*shadow*')).toSorted();
}

/** Only the wallet that holds was charged, and by the whole talk. */
async function charged(seconds: number): Promise<void> {
  const wallet = await controller.store.readWallet('acme' as PoolId);
  expect(wallet?.balance).toBe(money(BALANCE) - BigInt(seconds) * 10_000n);
  expect(wallet?.legs).toEqual([]);
}

const allotments = (seconds: number, cycle = 'daily'): Shadow => ({
  allotments: { international: { seconds, cycle, minimum: 1, increment: 1 } },
});
const LAST = { fundingOrder: ['allotment'] };

describe('shadow limits that name an allotment', () => {
  it('refuse nothing as long as it is exactly used up, and tell of the call after it', async () => {
    open({ ...allotments(5), ...LAST });
    await talkFor(2);
    await talkFor(3);
    expect(await said()).toEqual(['admitted: allotment', 'admitted: allotment']);
    expect(await left('allotment.international')).toBe('0');
    await talkFor(4);
    expect(await said()).toEqual([
      'refused: the allotment international of acme has 0 s left; the call needs 1 s to begin',
    ]);
    await charged(9);
  });

  it('tell where they would have ended a call that went on for a second more', async () => {
    open({ ...allotments(5), ...LAST });
    await talkFor(6);
    expect(await said()).toEqual([
      'admitted: allotment',
      'cut: the allotment international of acme would have ended this call of 6 s after 5 s',
    ]);
    await charged(6);
  });

  it('tell of calls that talk at once where it would have run dry for them', async () => {
    open({ ...allotments(10), ...LAST });
    const both = [await talk(), await talk()];
    pass(7);
    for (const call of both) await hangUp(call);
    expect(await said()).toEqual([
      'admitted: allotment',
      'admitted: allotment',
      'cut: the allotment international of acme would have ended this call of 7 s after 5 s',
      'cut: the allotment international of acme would have ended this call of 7 s after 5 s',
    ]);
    expect(await left('allotment.international')).toBe('0');
    await charged(14);
  });

  it('of thirty that ask at once would have let through as many as there are seconds for', async () => {
    open({ ...allotments(10), ...LAST });
    const asked = await Promise.all(Array.from({ length: 30 }, ask));
    const verdicts = await said();
    expect(verdicts.filter((verdict) => verdict === 'admitted: allotment')).toHaveLength(10);
    expect(verdicts.filter((verdict) => verdict.includes('has 0 s left'))).toHaveLength(20);
    for (const call of asked) await hangUp(call);
    expect(await said()).toEqual([]);
    // Nobody talked.
    expect(await left('allotment.international')).toBe('10000000');
    await charged(0);
    expect(await shadowKeys()).toHaveLength(1);
  });

  it('of two controllers that judge at once count together', async () => {
    open({ ...allotments(10), ...LAST });
    const one = controller;
    const other = start();
    const asked = await Promise.all(
      Array.from({ length: 30 }, async (_, n) => {
        controller = n % 2 === 0 ? one : other;
        return await ask();
      }),
    );
    await Promise.all([one.whatIf.idle(), other.whatIf.idle()]);
    expect((await said()).filter((verdict) => verdict === 'admitted: allotment')).toHaveLength(10);
    // Whoever hears of a call counts it, whoever has judged it.
    for (const call of asked) await answer(call);
    pass(1);
    for (const call of asked) await hangUp(call);
    expect(await said()).toEqual([]);
    expect(await left('allotment.international')).toBe('0');
  });

  it('fill it anew when its cycle ends, and split a call that talks over it', async () => {
    // Ten seconds before the hour.
    time.moveTo(Date.UTC(2026, 5, 15, 7, 59, 50));
    open({ ...allotments(30, 'hourly'), ...LAST });
    const call = await talk();
    pass(15);
    expect(await left('allotment.international')).toBe('24000000');
    pass(5);
    await hangUp(call);
    expect(await said()).toEqual(['admitted: allotment']);
    expect(await left('allotment.international')).toBe('20000000');
    pass(3_600);
    expect(await left('allotment.international')).toBe('30000000');
  });

  it('try its cycle by another clock', async () => {
    // Ten seconds to midnight in Berlin; in UTC it is ten at night.
    time.moveTo(Date.UTC(2026, 5, 15, 21, 59, 50));
    open({ timeZone: 'Europe/Berlin', ...LAST }, { ...allotments(60) });
    await talkFor(5);
    expect((await readPool('allotment.international'))?.refill?.endsAt).toBe(Date.UTC(2026, 5, 15, 22));
    pass(10);
    expect(await left('allotment.international')).toBe('60000000');
  });

  it('hold what is not answered, and give it back', async () => {
    open({ ...allotments(1), ...LAST });
    const rings = await ask();
    await said();
    await talkFor(1);
    expect(await said()).toEqual([expect.stringContaining('has 0 s left')]);
    const [home] = rings.record.taken;
    if (home === undefined) throw new Error('it is counted');
    await controller.store.giveBack(home.slot, rings.record.legKey, rings.record, 'unanswered');
    await said();
    await talkFor(1);
    expect(await said()).toEqual(['admitted: allotment']);
  });

  it('draw on nothing for a call that they would have refused for something else', async () => {
    open({ ...allotments(10), ...LAST, calls: 1 });
    const first = await talk();
    await talkFor(2);
    expect(await said()).toEqual(['admitted: allotment', 'refused: acme has 1 of 1 calls in use']);
    await hangUp(first);
    expect(await left('allotment.international')).toBe('8000000');
  });

  it('leave the one that holds alone, and are left alone by it', async () => {
    open({ ...allotments(3), ...LAST }, { ...allotments(60) });
    await talkFor(4);
    expect(await said()).toEqual([
      'admitted: allotment',
      'cut: the allotment international of acme would have ended this call of 4 s after 3 s',
    ]);
    const real = await controller.store.readWallet('acme#allotment.international' as PoolId);
    expect(real?.balance).toBe(56_000_000n);
  });
});

describe('shadow limits that name maxSpend', () => {
  it('tell of calls that would not have begun, or not have lasted', async () => {
    open({ maxSpend: { day: '0.05' } });
    await talkFor(5);
    expect(await said()).toEqual(['admitted: per_minute']);
    await talkFor(1);
    expect(await said()).toEqual([
      'refused: acme may spend 0.00 more this day; the call needs 0.01 to begin',
    ]);
    pass(24 * 3_600);
    await talkFor(6);
    expect(await said()).toEqual([
      'admitted: per_minute',
      'cut: maxSpend day of acme would have ended this call of 6 s after 5 s',
    ]);
    await charged(12);
  });

  it('count what follows an allotment, while it is still talked', async () => {
    open({ ...allotments(2), maxSpend: { hour: '0.04' } });
    const call = await talk();
    await passLooking(5);
    // Three seconds are paid for, and the fourth has begun.
    expect(await left('spend.hour')).toBe('0');
    await talkFor(1);
    expect(await said()).toEqual([
      'admitted: allotment',
      expect.stringContaining('acme may spend 0.00 more this hour'),
    ]);
    await hangUp(call);
    expect(await said()).toEqual([
      'continued: the allotment international of acme would have lasted for 2 s of this call of 6 s, which would have gone on per minute',
    ]);
    await talkFor(1);
    expect(await said()).toEqual([expect.stringContaining('acme may spend 0.00 more this hour')]);
  });

  it('tell a call that went on per minute and would have been ended then', async () => {
    open({ ...allotments(2), maxSpend: { hour: '0.04' } });
    await talkFor(9);
    expect(await said()).toEqual([
      'admitted: allotment',
      'continued: the allotment international of acme would have lasted for 2 s of this call of 9 s, which would have gone on per minute',
      'cut: maxSpend hour of acme would have ended this call of 9 s after 6 s',
    ]);
    await charged(9);
  });

  it('count a call no longer than the longest that it could be', async () => {
    open({ maxSpend: { day: '1.00' }, maxCallSeconds: 3 });
    await talkFor(5);
    expect(await said()).toEqual([
      'admitted: per_minute',
      'cut: maxCallSeconds of acme would have ended this call of 5 s after 3 s',
    ]);
    expect(await left('spend.day')).toBe('970000');
  });

  it('hold what one call may cost against what it would have cost', async () => {
    open({ ...allotments(5), maxSpend: { day: '1.00' }, maxCallCost: '0.02' });
    await talkFor(4);
    expect(await said()).toEqual(['admitted: allotment']);
    await talkFor(5);
    expect(await said()).toEqual([
      'admitted: allotment',
      'continued: the allotment international of acme would have lasted for 1 s of this call of 5 s, which would have gone on per minute',
      'cut: maxCallCost of acme would have ended this call of 5 s after 3 s',
    ]);
    expect(await left('spend.day')).toBe('980000');
  });
});

describe('what shadow limits have counted', () => {
  it('outlives the controller that has counted it', async () => {
    open({ ...allotments(5), ...LAST });
    const call = await talk();
    pass(2);
    controller = start();
    await passLooking(5);
    await hangUp(call);
    expect(await said()).toEqual([
      'admitted: allotment',
      'cut: the allotment international of acme would have ended this call of 7 s after 5 s',
    ]);
    expect(await left('allotment.international')).toBe('0');
  });

  it('is brought up to what became of calls that nobody told of', async () => {
    open({ ...allotments(10), ...LAST });
    const missed = await ask();
    const lost = await ask();
    await said();
    // A controller died before it could count the answer of one and the end of the other.
    const { unnoticed } = controller;
    await unnoticed.answer(missed.record, time.now());
    await unnoticed.settle(lost.record, { billedSeconds: 0, talkMs: 0 }, () => '{}');
    controller = start();
    await passLooking(5);
    expect(await left('allotment.international')).toBe('3000000');
    await passLooking(30);
    const view = await readPool('allotment.international');
    expect(view?.legs.map(({ state }) => state.kind)).toEqual(['ended']);
    await hangUp({ ...missed, answeredAt: toEpochMs(MORNING) });
    expect(await said()).toEqual([expect.stringContaining('would have ended this call of 35 s after 9 s')]);
  });

  it('begins anew when the document says otherwise of it, and stays when it says more of the same', async () => {
    open({ ...allotments(5), ...LAST });
    await talkFor(3);
    read({ ...allotments(5), ...LAST, calls: 9 });
    controller.whatIf.limitsChanged();
    await said();
    expect(await left('allotment.international')).toBe('2000000');
    const up = await talk();
    read({ ...allotments(6), ...LAST });
    controller.whatIf.limitsChanged();
    await said();
    expect(await shadowKeys()).toEqual([]);
    await talkFor(2);
    await hangUp(up);
    // The call that was up is counted by no document any more.
    expect(await left('allotment.international')).toBe('4000000');
    expect(await said()).toEqual(['admitted: allotment']);
  });

  it('is gone when the document is, whoever was there to see it', async () => {
    open({ ...allotments(5), maxSpend: { day: '1.00' } });
    await talkFor(3);
    await talk();
    expect(await shadowKeys()).not.toEqual([]);
    read(undefined);
    controller = start();
    await passLooking(5);
    expect(await shadowKeys()).toEqual([]);
  });

  it('follows what the account itself says of the amount', async () => {
    open({ maxSpend: { day: '1.00' } }, { ...allotments(5) });
    await talkFor(3);
    read({ maxSpend: { day: '1.00' } }, { ...allotments(60) });
    controller.whatIf.limitsChanged();
    await said();
    expect(await left('allotment.international')).toBe('57000000');
  });

  it('is counted anew in a Redis that was lost, and calls that are up then are not', async () => {
    open({ ...allotments(5), ...LAST });
    await talkFor(3);
    const call = await talk();
    await redis.flushdb();
    expect((await controller.store.answer(call.record, time.now())).kind).toBe('gone');
    await said();
    await talkFor(4);
    expect(await said()).toEqual(['admitted: allotment']);
    expect(await left('allotment.international')).toBe('1000000');
  });
});
