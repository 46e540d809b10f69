import { DatabaseSync } from 'node:sqlite';
import { afterEach, describe, expect, it } from 'vitest';
import { startRedis, type StartedRedis } from '../../src/servers/redis-server.ts';
import type { LegUuid } from '../../src/units/ids.ts';
import { connectTestRedis, freshRedis, needRealRedis, redisUrl } from '../support/redis.ts';
import { allEnded, furnish, placeCalls, placedBy, settled, useGates } from './acts.ts';
import { createStage, eventually, micros, type Stage } from './stage.ts';

let stage: Stage;
let ownRedis: StartedRedis | undefined;

afterEach(async () => {
  await stage.close();
  await ownRedis?.stop();
  ownRedis = undefined;
});

async function openStage(
  balance: string,
  settings: Readonly<Record<string, string>> = {},
  url = redisUrl(),
): Promise<void> {
  if (url === redisUrl()) await freshRedis();
  stage = await createStage(url);
  await furnish(stage, { balance });
  const service = await stage.startController(settings);
  useGates(stage.sim, 'socket', [service]);
}

async function answeredCall() {
  const [call] = placeCalls(stage, 1);
  if (call === undefined) throw new Error('one was placed');
  const [leg] = await eventually(
    () => placedBy(stage, call),
    ([first]) => first?.answeredMicros !== undefined,
  );
  if (leg === undefined) throw new Error('one was answered');
  await eventually(
    async () => await (await stage.live()).calls(undefined),
    (calls) => calls.some(({ uuid, state }) => uuid === leg.uuid && state === 'answered'),
  );
  return { call, leg };
}

describe('an Event Socket that is cut', () => {
  it('loses no money and leaks nothing: what ended meanwhile is settled, what began is adopted', async () => {
    await openStage('10.00', { TOLLGATE_CONTROLLER_RESYNC_MS: '1000' });
    const ended = await answeredCall();
    const goesOn = await answeredCall();
    stage.sim.refuseConnections();
    stage.sim.cutAll();
    await eventually(
      () => stage.sim.connectionCount,
      (count) => count === 0,
    );
    ended.call.hangup();
    await allEnded([ended.call]);
    await stage.sim.acceptConnections();
    const [gone] = await settled(stage, 1);
    expect(gone).toMatchObject({ legUuid: ended.leg.uuid, estimated: true });
    goesOn.call.hangup();
    const cdrs = await settled(stage, 2);
    expect(cdrs.find(({ legUuid }) => legUuid === goesOn.leg.uuid)).toMatchObject({ estimated: false });
    expect(await stage.findings()).toEqual([]);
    expect(await (await stage.live()).calls(undefined)).toEqual([]);
  });

  it('does not stop a cutoff that falls after it is back', async () => {
    await openStage('0.07');
    const { leg } = await answeredCall();
    stage.sim.cutAll();
    const [cdr] = await settled(stage, 1);
    expect(cdr).toMatchObject({ legUuid: leg.uuid, billedSeconds: 4, cut: 'credit', estimated: false });
    expect(await stage.balance('acme')).toBe(micros('0.07') - 66_667n);
  });
});

describe('a FreeSWITCH that dies', () => {
  it('and comes back another has its legs settled as estimated, once, and takes new calls', async () => {
    await openStage('10.00');
    await answeredCall();
    await answeredCall();
    await stage.sim.restart();
    const cdrs = await settled(stage, 2);
    expect(cdrs.map(({ estimated }) => estimated)).toEqual([true, true]);
    expect(await (await stage.live()).calls(undefined)).toEqual([]);

    const { call } = await eventually(answeredOnceKnown, (found) => found.answered);
    call.hangup();
    const after = await settled(stage, 3);
    expect(after.filter(({ estimated }) => !estimated)).toHaveLength(1);
    const charges = after.map(({ billedSeconds }) => BigInt(Math.ceil((billedSeconds * 1_000_000) / 60)));
    const sum = charges.reduce((total, price) => total + price, 0n);
    expect(await stage.balance('acme')).toBe(micros('10.00') - sum);
    expect(await stage.findings()).toEqual([]);
  });

  it('orderly has said how long its calls were: nothing is estimated', async () => {
    await openStage('10.00');
    await answeredCall();
    await stage.sim.shutdown();
    const [cdr] = await settled(stage, 1);
    expect(cdr).toMatchObject({ estimated: false, cause: 'SYSTEM_SHUTDOWN' });
    expect(await stage.findings()).toEqual([]);
  });
});

/** A FreeSWITCH that has just come back is known only once the controller has found it again. */
async function answeredOnceKnown() {
  const [call] = placeCalls(stage, 1);
  if (call === undefined) throw new Error('one was placed');
  const legs = await eventually(
    () => ({ legs: placedBy(stage, call), ended: call.truth?.endedMicros !== undefined }),
    ({ legs: placed, ended }) => ended || placed[0]?.answeredMicros !== undefined,
  );
  return { call, answered: !legs.ended };
}

describe('a Redis that goes away', () => {
  it('and comes back finds its calls metered, cuts them at their instant, and has lost nothing', async (context) => {
    needRealRedis(context);
    ownRedis = await startRedis({ ownServer: true, appendonly: true });
    await openStage('0.12', {}, ownRedis.url);
    const { leg } = await answeredCall();
    await ownRedis.restart();
    const [cdr] = await settled(stage, 1);
    expect(cdr).toMatchObject({ legUuid: leg.uuid, billedSeconds: 7, cut: 'credit' });
    const { killReceivedMicros = 0, answeredMicros = 0 } = stage.sim.leg(leg.uuid) ?? {};
    const lateMs = (killReceivedMicros - answeredMicros) / 1_000 - 7_000;
    expect(lateMs).toBeGreaterThanOrEqual(-5);
    expect(lateMs).toBeLessThan(1_500);
    expect(await stage.findings()).toEqual([]);
  });

  it.each([
    ['refuse', 503],
    ['allow', undefined],
  ] as const)('has new calls %sd as configured, and the service stays up', async (onDown, sipStatus) => {
    ownRedis = await startRedis({ ownServer: true, appendonly: true });
    await openStage(
      '10.00',
      { TOLLGATE_STORE_ON_DOWN: onDown, TOLLGATE_REDIS_COMMAND_TIMEOUT_MS: '500' },
      ownRedis.url,
    );
    const before = await answeredCall();
    await ownRedis.kill9();
    const [call] = placeCalls(stage, 1);
    const truth = await eventually(
      () => call?.truth,
      (now) => now?.answeredMicros !== undefined || now?.endedMicros !== undefined,
    );
    expect(truth?.sipStatus).toBe(sipStatus);
    expect(truth?.variable('tollgate_decision')).toBe(onDown === 'allow' ? 'store_down' : 'refused');
    call?.hangup();
    before.call.hangup();
    await allEnded([before.call]);
    await ownRedis.restart();
    // The other call's leg may have been found as one that came by no gate.
    const cdrs = await eventually(
      () => stage.cdrs('acme'),
      (rows) => rows.some(({ legUuid }) => legUuid === before.leg.uuid),
    );
    expect(cdrs.find(({ legUuid }) => legUuid === before.leg.uuid)).toMatchObject({ estimated: false });
    // Decided without a store, and on record all the same.
    const decisions = await eventually(
      () => stage.database.records.decisionsOf(call?.truth?.uuid as LegUuid),
      (rows) => rows.some((row) => row.verdict === 'store_down' || row.reason === 'store_down'),
    );
    // A call let through may be admitted late, once Redis is back: both are on record then.
    expect(decisions).toContainEqual(
      expect.objectContaining(
        onDown === 'allow'
          ? { kind: 'admission', verdict: 'store_down' }
          : { kind: 'refusal', reason: 'store_down' },
      ),
    );
    await eventually(
      () => stage.findings(),
      (findings) => findings.length === 0,
    );
    const after = await answeredCall();
    after.call.hangup();
    await settled(stage, cdrs.length + 1);
  });
});

it('a Redis that has lost all that it held gets the calls that talk again, cut and charged from their answer', async () => {
  await openStage('0.12', { TOLLGATE_CONTROLLER_RESYNC_MS: '500' });
  const { call, leg } = await answeredCall();
  await connectTestRedis().flushdb();
  await allEnded([call]);
  const [cdr] = await settled(stage, 1);
  // 0.12 at a euro a minute are seven seconds, counted from the answer.
  expect(cdr).toMatchObject({ legUuid: leg.uuid, billedSeconds: 7, cut: 'credit' });
  expect(await stage.balance('acme')).toBe(micros('0.003333'));
  expect(await stage.findings()).toEqual([]);
});

it('an SQL record that cannot be written delays no call, and gets every CDR when it can', async () => {
  await openStage('10.00');
  const locker = new DatabaseSync(stage.environment()['TOLLGATE_DATABASE_URL'] ?? '');
  locker.exec('BEGIN IMMEDIATE');
  const calls = [await answeredCall(), await answeredCall()];
  for (const { call } of calls) call.hangup();
  await allEnded(calls.map(({ call }) => call));
  await eventually(
    async () => await (await stage.live()).calls(undefined),
    (live) => live.length === 0,
  );
  expect(await stage.cdrs('acme')).toEqual([]);
  const third = await answeredCall();
  locker.exec('ROLLBACK');
  locker.close();
  third.call.hangup();
  await settled(stage, 3);
  expect(await stage.findings()).toEqual([]);
});
