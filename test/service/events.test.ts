import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Service } from '../../src/main.ts';
import type { SimulatedCall } from '../../src/simulator/inbound-call.ts';
import type { AccountPath } from '../../src/units/ids.ts';
import { freshRedis, redisUrl } from '../support/redis.ts';
import { allEnded, furnish, placeCalls, placedBy, settled, useGates } from './acts.ts';
import { createStage, eventually, micros, type Stage } from './stage.ts';

const SECOND = 16_667n;
let stage: Stage;
let service: Service;

beforeEach(async () => {
  await freshRedis();
  stage = await createStage(redisUrl());
  await furnish(stage, { balance: '10.00', operator: { calls: 2 } });
  await stage.account({ account: 'crowd', wallet: 'EUR', tariff: 'standard' });
  await stage.topUp('crowd', '10.00');
  service = await stage.startController({ TOLLGATE_CONTROLLER_RESYNC_MS: '1000' });
  useGates(stage.sim, 'socket', [service]);
});

afterEach(async () => {
  await stage.close();
});

/** What is charged for so many seconds of talk, and nothing held, counted or bound any more. */
const asCharged = (seconds: bigint) => ({
  charged: (seconds * 1_000_000n + 59n) / 60n,
  wallet: { committed: 0n, legs: 0 },
  findings: [],
  // Two fit, so nothing was left behind of the calls before.
  answeredOfThree: 2,
});

async function outcome() {
  const live = await stage.live();
  await eventually(
    async () => await live.calls(undefined),
    (calls) => calls.length === 0,
  );
  const wallet = await live.wallet('acme' as AccountPath);
  const charged = micros('10.00') - (await stage.balance('acme'));
  const findings = await stage.findings();
  const calls = placeCalls(stage, 3);
  const fates = await eventually(
    () => calls.map(({ truth }) => [truth?.answeredMicros, truth?.endedMicros]),
    (all) => all.every(([answered, ended]) => answered !== undefined || ended !== undefined),
  );
  const answeredOfThree = fates.filter(([answered]) => answered !== undefined).length;
  return { charged, wallet, findings, answeredOfThree };
}

function callFor(ms: number): SimulatedCall {
  const [call] = placeCalls(stage, 1, () => ({ hangsUpAfterAnswerMs: ms }));
  if (call === undefined) throw new Error('one was placed');
  return call;
}

describe('a call of which FreeSWITCH tells', () => {
  it('everything twice is counted and charged once', async () => {
    stage.sim.faults.onEvent(() => 'duplicate');
    await allEnded([callFor(300)]);
    await settled(stage, 1);
    expect(await outcome()).toMatchObject(asCharged(1n));
  });

  it.each([
    ['the ANSWER before the CREATE', 'CHANNEL_CREATE', 'CHANNEL_ANSWER'],
    ['the HANGUP before the CREATE', 'CHANNEL_CREATE', 'CHANNEL_HANGUP'],
    ['the HANGUP before the ANSWER', 'CHANNEL_ANSWER', 'CHANNEL_HANGUP'],
    ['the HANGUP_COMPLETE before the HANGUP', 'CHANNEL_HANGUP', 'CHANNEL_HANGUP_COMPLETE'],
    ['the HANGUP_COMPLETE before the ANSWER', 'CHANNEL_ANSWER', 'CHANNEL_HANGUP_COMPLETE'],
  ])('%s is charged the same', async (_, late, early) => {
    stage.sim.faults.onEvent((event) => {
      if (event.name !== late || event.header('Call-Direction') !== 'outbound') return undefined;
      const uuid = event.header('Unique-ID');
      return { holdUntil: (next) => next.name === early && next.header('Unique-ID') === uuid };
    });
    await allEnded([callFor(300)]);
    const [cdr] = await settled(stage, 1);
    expect(cdr).toMatchObject({ billedSeconds: 1, estimated: false });
    stage.sim.faults.clear();
    expect(await outcome()).toMatchObject(asCharged(1n));
  });

  it.each(['CHANNEL_CREATE', 'CHANNEL_ANSWER', 'CHANNEL_HANGUP', 'CHANNEL_BRIDGE'])(
    'no %s is charged the same',
    async (lost) => {
      stage.sim.faults.onEvent((event) => (event.name === lost ? 'drop' : undefined));
      await allEnded([callFor(300)]);
      const [cdr] = await settled(stage, 1);
      expect(cdr).toMatchObject({ billedSeconds: 1, estimated: false });
      stage.sim.faults.clear();
      expect(await outcome()).toMatchObject(asCharged(1n));
    },
  );

  it('no end at all is settled as an estimate once it was missed twice', async () => {
    stage.sim.faults.onEvent((event) =>
      event.name.startsWith('CHANNEL_HANGUP') || event.name === 'CHANNEL_DESTROY' ? 'drop' : undefined,
    );
    await allEnded([callFor(1_500)]);
    const [cdr] = await settled(stage, 1);
    expect(cdr).toMatchObject({ estimated: true });
    expect(cdr?.billedSeconds).toBeLessThanOrEqual(2);
    stage.sim.faults.clear();
    expect(await outcome()).toMatchObject(asCharged(BigInt(cdr?.billedSeconds ?? 0)));
  });

  it('the end only long after frees its place at once and its money then', async () => {
    stage.sim.faults.hangupCompleteDelayMs = 1_500;
    const [first, second] = [callFor(300), callFor(300)];
    await allEnded([first, second]);
    expect(await stage.cdrs('acme')).toEqual([]);
    const [third] = placeCalls(stage, 1, () => ({ hangsUpAfterAnswerMs: 300 }));
    await eventually(
      () => third?.truth?.answeredMicros,
      (answered) => answered !== undefined,
    );
    await settled(stage, 3);
    stage.sim.faults.clear();
    expect(micros('10.00') - (await stage.balance('acme'))).toBe(3n * SECOND);
    expect(await stage.findings()).toEqual([]);
  });
});

describe('a parked call', () => {
  beforeEach(() => {
    useGates(stage.sim, 'park', [service]);
  });

  it('of which FreeSWITCH tells twice, at once or later, is decided and sent on once', async () => {
    stage.sim.faults.onEvent((event) => (event.name === 'CHANNEL_PARK' ? 'duplicate' : undefined));
    await allEnded([callFor(300)]);
    await settled(stage, 1);
    stage.sim.faults.clear();
    const transfers = stage.sim.commands().filter(({ text }) => text.startsWith('api uuid_transfer'));
    expect(transfers).toHaveLength(1);
    expect(await outcome()).toMatchObject(asCharged(1n));
  });

  it('that nobody heard of is decided by whoever takes the events over', async () => {
    stage.sim.faults.onEvent((event) => (event.name === 'CHANNEL_PARK' ? 'drop' : undefined));
    const call = callFor(300);
    await eventually(
      () => call.truth?.variable('tollgate_ask'),
      (asks) => asks === 'true',
    );
    stage.sim.cutAll();
    await allEnded([call]);
    const [cdr] = await settled(stage, 1);
    expect(cdr).toMatchObject({ billedSeconds: 1 });
    stage.sim.faults.clear();
    expect(await outcome()).toMatchObject(asCharged(1n));
  });
});

it('hang-ups of legs that nobody ever saw change nothing', async () => {
  for (let n = 0; n < 20; n += 1) stage.sim.fireOrphanHangup();
  await allEnded([callFor(300)]);
  await settled(stage, 1);
  expect(await outcome()).toMatchObject(asCharged(1n));
});

it('a call whose caller hangs up while it rings holds nothing any more', async () => {
  stage.sim.endpoint(/pstn/, { kind: 'rings' });
  const calls = placeCalls(stage, 2);
  await eventually(
    () => calls.flatMap((call) => placedBy(stage, call)).length,
    (ringing) => ringing === 2,
  );
  for (const call of calls) call.hangup();
  await allEnded(calls);
  stage.sim.endpoint(/pstn/, { kind: 'answers', afterMs: 20 });
  expect(await outcome()).toMatchObject(asCharged(0n));
});

it('swapped and doubled at random, thirty calls are charged to the second they talked', async () => {
  let seed = 7;
  const random = (): number => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
  stage.sim.faults.onEvent(() => {
    const draw = random();
    if (draw < 0.15) return 'swap';
    if (draw < 0.3) return 'duplicate';
    return draw < 0.35 ? { delayMs: 150 } : undefined;
  });
  const calls = placeCalls(stage, 30, (n) => ({
    variables: { tollgate_account: 'crowd' },
    hangsUpAfterAnswerMs: 100 + n * 20,
  }));
  await allEnded(calls);
  stage.sim.faults.clear();
  const cdrs = await settled(stage, 30, 'crowd');
  for (const { legUuid, billedSeconds } of cdrs) {
    const { answeredMicros = 0, endedMicros = 0 } = stage.sim.leg(legUuid) ?? {};
    expect(billedSeconds).toBe(Math.ceil((endedMicros - answeredMicros) / 1_000_000));
  }
  expect(micros('10.00') - (await stage.balance('crowd'))).toBe(30n * SECOND);
  expect(await stage.findings()).toEqual([]);
});
