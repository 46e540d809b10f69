import { afterEach, describe, expect, it } from 'vitest';
import type { Service } from '../../src/main.ts';
import type { LegTruth } from '../../src/simulator/ledger.ts';
import { freshRedis, redisUrl } from '../support/redis.ts';
import { allEnded, furnish, placeCalls, placedBy, settled, useGates } from './acts.ts';
import { createStage, eventually, micros, type Stage } from './stage.ts';

let stage: Stage;

afterEach(async () => {
  await stage.close();
});

const PAYS = { account: 'acme', wallet: 'EUR', tariff: 'standard' };
/** FreeSWITCH's own timer stands close behind the limit, so that one that is not renewed shows. */
const TIGHT = { TOLLGATE_DEADMAN_SLACK_SECONDS: '1' };

let controllers: readonly Service[] = [];

async function openStage(operator: object, count = 1, settings = {}): Promise<void> {
  await freshRedis();
  stage = await createStage(redisUrl());
  await furnish(stage, { balance: '10.00', operator: { ...operator } });
  const services: Service[] = [];
  for (let n = 0; n < count; n += 1) services.push(await stage.startController({ ...TIGHT, ...settings }));
  controllers = services;
  useGates(stage.sim, 'socket', services);
}

const limit = (operator: object): Promise<void> => stage.account({ ...PAYS, operator });

async function answeredCalls(count: number) {
  const calls = placeCalls(stage, count);
  const legs = await eventually(
    () => calls.flatMap((call) => placedBy(stage, call)),
    (placed) => placed.length === count && placed.every((leg) => leg.answeredMicros !== undefined),
  );
  await eventually(
    async () => await (await stage.live()).calls(undefined),
    (live) => live.filter(({ state }) => state === 'answered').length === count,
  );
  return { calls, legs };
}

const talkedMs = (leg: LegTruth | undefined): number =>
  stage.sim.core.nowTrueMs() - (leg?.answeredMicros ?? 0) / 1_000;

const untilTalked = (leg: LegTruth | undefined, ms: number) =>
  eventually(
    () => talkedMs(leg),
    (talked) => talked > ms,
  );

const lastedMs = ({ answeredMicros = 0, hungUpMicros = 0 }: LegTruth): number =>
  (hungUpMicros - answeredMicros) / 1_000;

describe.each([1, 2])('a running call, with %i controllers', (count) => {
  it('ends when it has lasted as long as it may since its limit was tightened', async () => {
    await openStage({}, count);
    const { calls, legs } = await answeredCalls(1);
    await limit({ maxCallSeconds: 2 });
    await allEnded(calls);
    const [cdr] = await settled(stage, 1);
    expect(cdr).toMatchObject({ billedSeconds: 2, cut: 'max_seconds', cause: 'ALLOTTED_TIMEOUT' });
    expect(legs.map(({ endedBy }) => endedBy)).toEqual(['api']);
    expect(await stage.balance('acme')).toBe(micros('10.00') - 33_334n);
    expect(await stage.findings()).toEqual([]);
  });

  it('that has lasted longer already ends at once, and is charged for what was spoken', async () => {
    await openStage({}, count);
    const { calls, legs } = await answeredCalls(1);
    await untilTalked(legs[0], 2_100);
    await limit({ maxCallSeconds: 1 });
    const changedAt = talkedMs(legs[0]);
    await allEnded(calls);
    const [cdr] = await settled(stage, 1);
    // Up to the end of the second in which the change came.
    expect(cdr).toMatchObject({ cut: 'max_seconds' });
    expect(cdr?.billedSeconds).toBeGreaterThanOrEqual(3);
    expect(cdr?.billedSeconds).toBeLessThanOrEqual(Math.ceil(changedAt / 1_000));
    expect(cdr?.billMicroseconds).toBeLessThan((changedAt + 2_500) * 1_000);
    expect(await stage.findings()).toEqual([]);
  });

  it('goes on when its limit is raised, past every timer of before', async () => {
    await openStage({ maxCallSeconds: 2 }, count);
    const { calls, legs } = await answeredCalls(1);
    await untilTalked(legs[0], 500);
    await limit({ maxCallSeconds: 5 });
    await allEnded(calls);
    const [cdr] = await settled(stage, 1);
    expect(cdr).toMatchObject({ billedSeconds: 5, cut: 'max_seconds' });
    expect(legs.map(({ endedBy }) => endedBy)).toEqual(['api']);
    expect(await stage.findings()).toEqual([]);
  });
});

describe('a running call', () => {
  it('goes on for as long as it likes when its limit is taken away', async () => {
    await openStage({ maxCallSeconds: 2 });
    const { calls, legs } = await answeredCalls(1);
    await untilTalked(legs[0], 500);
    await limit({});
    await untilTalked(legs[0], 4_500);
    expect(legs[0]?.hungUpMicros).toBeUndefined();
    calls[0]?.hangup();
    const [cdr] = await settled(stage, 1);
    expect(cdr?.billedSeconds).toBeGreaterThanOrEqual(5);
    expect(cdr?.cut).toBeUndefined();
    expect(await stage.findings()).toEqual([]);
  });

  it('follows what one call may cost as well', async () => {
    await openStage({ maxCallCost: '0.02' });
    const { calls, legs } = await answeredCalls(1);
    await limit({ maxCallCost: '0.06' });
    await allEnded(calls);
    const [cdr] = await settled(stage, 1);
    expect(cdr).toMatchObject({ billedSeconds: 3, cut: 'max_cost' });
    expect(legs.map(({ endedBy }) => endedBy)).toEqual(['api']);
  });

  it('is limited by what changed while it rang', async () => {
    await openStage({ maxCallSeconds: 2 });
    stage.sim.endpoint(/pstn/, { kind: 'answers', afterMs: 1_000 });
    const calls = placeCalls(stage, 1);
    await eventually(
      async () => (await (await stage.live()).calls(undefined)).length,
      (count) => count === 1,
    );
    await limit({ maxCallSeconds: 4 });
    await allEnded(calls);
    const [cdr] = await settled(stage, 1);
    expect(cdr).toMatchObject({ billedSeconds: 4, cut: 'max_seconds' });
    expect(await stage.findings()).toEqual([]);
  });

  it('of an account that is changed otherwise is left alone', async () => {
    await openStage({ maxCallSeconds: 2 });
    const { calls } = await answeredCalls(1);
    await limit({ maxCallSeconds: 2, calls: 7 });
    await stage.account({ account: 'acme/other', operator: { maxCallSeconds: 1 } });
    await allEnded(calls);
    const [cdr] = await settled(stage, 1);
    expect(cdr).toMatchObject({ billedSeconds: 2, cut: 'max_seconds' });
  });
});

it('a limit that changed while no controller was there holds for the calls that went on', async () => {
  await openStage({});
  const [first] = controllers;
  const { calls } = await answeredCalls(1);
  await first?.stop();
  await limit({ maxCallSeconds: 3 });
  await stage.startController(TIGHT);
  await allEnded(calls);
  const [cdr] = await settled(stage, 1);
  expect(cdr).toMatchObject({ cut: 'max_seconds', estimated: false });
  // As late as the start of a service may be on a busy machine.
  expect(cdr?.billedSeconds).toBeGreaterThanOrEqual(3);
  expect(await stage.findings()).toEqual([]);
});

it('calls that end shortly one after the other all end in time', async () => {
  await openStage({ maxCallSeconds: 1 });
  let answersAfterMs = 0;
  stage.sim.endpoint(/pstn/, () => ({ kind: 'answers', afterMs: (answersAfterMs += 200) }));
  const { calls, legs } = await answeredCalls(4);
  await allEnded(calls);
  expect(legs.map((leg) => lastedMs(leg) < 2_500)).toEqual([true, true, true, true]);
  const cdrs = await settled(stage, 4);
  expect(cdrs.map(({ cut }) => cut)).toEqual(Array(4).fill('max_seconds'));
});

it('the caller, and only the caller, is warned before a call has lasted as long as it may', async () => {
  await openStage({ maxCallSeconds: 4 }, 1, {
    TOLLGATE_CUTOFF_WARNING_SECONDS: '[3, 1]',
    TOLLGATE_CUTOFF_WARNING_SOUND: 'warning.wav',
  });
  const [call] = placeCalls(stage, 1);
  const truth = await eventually(
    () => call?.truth,
    (seen) => seen?.endedMicros !== undefined,
  );
  const warnings = stage.sim.commands().filter(({ text }) => text.includes('uuid_displace'));
  expect(warnings.map(({ text }) => text)).toEqual(
    Array(2).fill(`api uuid_displace ${call?.uuid} start warning.wav 0 m`),
  );
  const secondsLeft = warnings.map(({ atMicros }) =>
    Math.round(((truth?.hungUpMicros ?? 0) - atMicros) / 1_000_000),
  );
  expect(secondsLeft).toEqual([3, 1]);
});
