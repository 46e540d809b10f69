import { afterEach, describe, expect, it } from 'vitest';
import { freshRedis, redisUrl } from '../support/redis.ts';
import { allEnded, furnish, placeCalls, placedBy, settled, useGates } from './acts.ts';
import { startProcess, type ServiceProcess } from './service-process.ts';
import { createStage, eventually, micros, type Stage } from './stage.ts';

let stage: Stage;
const processes: ServiceProcess[] = [];

afterEach(async () => {
  for (const process of processes.splice(0)) await process.kill9();
  await stage.close();
});

async function openStage(balance: string): Promise<void> {
  await freshRedis();
  stage = await createStage(redisUrl());
  await furnish(stage, { balance });
}

/** Where the time of a take-over is what is shown; elsewhere the lease of the dead is only waited for. */
const USUAL = { TOLLGATE_CONTROLLER_LEASE_MS: '3000' };
/** FreeSWITCH itself ends no call of those that are to be ended by a controller. */
const PATIENT = { TOLLGATE_DEADMAN_SLACK_SECONDS: '60' };

async function startChild(settings: Readonly<Record<string, string>> = {}): Promise<ServiceProcess> {
  const child = await startProcess(stage.environment({ TOLLGATE_CONTROLLER_LEASE_MS: '1000', ...settings }));
  processes.push(child);
  return child;
}

async function answeredCall() {
  const [call] = placeCalls(stage, 1);
  if (call === undefined) throw new Error('one was placed');
  const [leg] = await eventually(
    () => placedBy(stage, call),
    ([first]) => first?.answeredMicros !== undefined,
  );
  if (leg === undefined) throw new Error('one was answered');
  // Metered, not only answered.
  await eventually(
    async () => await (await stage.live()).calls(undefined),
    ([first]) => first?.state === 'answered',
  );
  return { call, leg };
}

/** How long after its last paid second the leg was told to end, in ms. */
function lateMs(uuid: string, paidSeconds: number): number {
  const { killReceivedMicros = Number.NaN, answeredMicros = Number.NaN } = stage.sim.leg(uuid) ?? {};
  return (killReceivedMicros - answeredMicros) / 1_000 - paidSeconds * 1_000;
}

describe('a controller that dies', () => {
  it('by SIGTERM leaves its calls running, and the next start cuts and charges them at their right instant', async () => {
    await openStage('0.24');
    const first = await startChild(PATIENT);
    useGates(stage.sim, 'socket', [first]);
    const { leg } = await answeredCall();
    expect(await first.stop()).toBe(0);
    expect(stage.sim.leg(leg.uuid)?.hungUpMicros).toBeUndefined();

    await startChild(PATIENT);
    const [cdr] = await settled(stage, 1);
    expect(cdr).toMatchObject({ billedSeconds: 14, cut: 'credit', estimated: false });
    expect(lateMs(leg.uuid, 14)).toBeGreaterThanOrEqual(-5);
    expect(lateMs(leg.uuid, 14)).toBeLessThan(1_500);
    expect(await stage.balance('acme')).toBe(micros('0.24') - 233_334n);
    expect(await stage.findings()).toEqual([]);
  });

  it('by kill -9 is replaced by a start that cuts the call at its right instant, and charges it once', async () => {
    await openStage('0.29');
    const first = await startChild(PATIENT);
    useGates(stage.sim, 'socket', [first]);
    const { leg } = await answeredCall();
    await first.kill9();

    // The lease of the dead one has to end first.
    await startChild(PATIENT);
    const [cdr] = await settled(stage, 1);
    expect(cdr).toMatchObject({ billedSeconds: 17, cut: 'credit', estimated: false });
    expect(lateMs(leg.uuid, 17)).toBeGreaterThanOrEqual(-5);
    expect(lateMs(leg.uuid, 17)).toBeLessThan(1_500);
    expect(await stage.balance('acme')).toBe(micros('0.29') - 283_334n);
    expect(await stage.findings()).toEqual([]);
  });

  it('by kill -9 until the money is over costs no more than was paid for, and FreeSWITCH itself ends the call', async () => {
    await openStage('0.02');
    const first = await startChild();
    useGates(stage.sim, 'socket', [first]);
    const { call, leg } = await answeredCall();
    await first.kill9();
    await allEnded([call]);
    const { answeredMicros = 0, hungUpMicros = 0, endedBy } = stage.sim.leg(leg.uuid) ?? {};
    expect(endedBy).toBe('scheduler');
    const talkedSeconds = (hungUpMicros - answeredMicros) / 1_000_000;
    expect(talkedSeconds).toBeGreaterThan(1);
    expect(talkedSeconds).toBeLessThan(5);

    await startChild();
    const [cdr] = await settled(stage, 1);
    expect(cdr).toMatchObject({ estimated: true });
    expect(cdr?.billedSeconds).toBeLessThanOrEqual(1);
    expect(await stage.balance('acme')).toBeGreaterThanOrEqual(micros('0.02') - 16_667n);
    expect(await stage.findings()).toEqual([]);
  });

  it('by kill -9 and is back too late cuts the call at once, and charges what was paid for', async () => {
    await openStage('0.02');
    const first = await startChild(PATIENT);
    useGates(stage.sim, 'socket', [first]);
    const { leg } = await answeredCall();
    await first.kill9();
    await eventually(
      () => stage.sim.core.nowTrueMs() - (leg.answeredMicros ?? 0) / 1_000,
      (talkedMs) => talkedMs > 2_000,
    );
    await startChild(PATIENT);
    const [cdr] = await settled(stage, 1);
    expect(cdr).toMatchObject({
      billedSeconds: 1,
      cut: 'credit',
      estimated: false,
      cause: 'ALLOTTED_TIMEOUT',
    });
    expect(await stage.balance('acme')).toBe(micros('0.02') - 16_667n);
    expect(await stage.findings()).toEqual([]);
  });

  it('is taken over by the other one within five seconds', async () => {
    await openStage('0.20');
    const owner = await startChild({ ...USUAL, TOLLGATE_CONTROLLER_ID: 'owner' });
    const other = await startChild({ ...USUAL, TOLLGATE_CONTROLLER_ID: 'other' });
    useGates(stage.sim, 'socket', [owner]);
    const { call } = await answeredCall();
    await owner.kill9();
    const diedAt = performance.now();
    useGates(stage.sim, 'socket', [other]);
    await eventually(
      () => other.log.some((line) => line.includes('taking the events of a node')),
      (taken) => taken,
    );
    expect(performance.now() - diedAt).toBeLessThan(5_000);
    const { call: second } = await answeredCall();
    call.hangup();
    second.hangup();
    const cdrs = await settled(stage, 2);
    expect(cdrs.map(({ estimated, cut }) => ({ estimated, cut }))).toEqual(
      cdrs.map(() => ({ estimated: false, cut: undefined })),
    );
    expect(await stage.findings()).toEqual([]);
  });

  it('cuts no call late while another lives: whoever is left cuts what is due meanwhile', async () => {
    await openStage('0.05');
    const owner = await startChild({ ...USUAL, ...PATIENT, TOLLGATE_CONTROLLER_ID: 'owner' });
    await startChild({ ...USUAL, ...PATIENT, TOLLGATE_CONTROLLER_ID: 'other' });
    useGates(stage.sim, 'socket', [owner]);
    const { leg } = await answeredCall();
    await owner.kill9();
    const [cdr] = await settled(stage, 1);
    expect(cdr).toMatchObject({ billedSeconds: 3, cut: 'credit' });
    expect(lateMs(leg.uuid, 3)).toBeGreaterThanOrEqual(-5);
    expect(lateMs(leg.uuid, 3)).toBeLessThan(5_000);
    expect(await stage.balance('acme')).toBe(micros('0.05') - 50_000n);
    expect(await stage.findings()).toEqual([]);
  });

  it('has what it did not see charged up to the moment at which whoever is left has ended it', async () => {
    await openStage('0.05');
    // The other one cuts the call long before it takes the events of its FreeSWITCH.
    const slow = { ...PATIENT, TOLLGATE_CONTROLLER_LEASE_MS: '8000' };
    const owner = await startChild({ ...slow, TOLLGATE_CONTROLLER_ID: 'owner' });
    await startChild({ ...slow, TOLLGATE_CONTROLLER_ID: 'other' });
    useGates(stage.sim, 'socket', [owner]);
    await answeredCall();
    await owner.kill9();
    const [cdr] = await settled(stage, 1);
    expect(cdr).toMatchObject({ billedSeconds: 3, cut: 'credit', estimated: true });
    expect(await stage.balance('acme')).toBe(micros('0.05') - 50_000n);
    expect(await stage.findings()).toEqual([]);
  });
});
