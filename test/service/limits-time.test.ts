import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { freshRedis, redisUrl } from '../support/redis.ts';
import { allEnded, furnish, placeCalls, settled, useGates } from './acts.ts';
import { createStage, eventually, micros, type Stage } from './stage.ts';

let stage: Stage;

beforeEach(async () => {
  await freshRedis();
  stage = await createStage(redisUrl());
});

afterEach(async () => {
  await stage.close();
});

/** A second of talk at 1.00 a minute. */
const SECOND = 16_667n;

describe.each(['socket', 'park'] as const)('the longest and the dearest call, by the gate %s', (gate) => {
  it.each([
    ['one second', { maxCallSeconds: 1 }, 'max_seconds', 1, SECOND],
    ['exactly two seconds of money', { maxCallCost: '0.033334' }, 'max_cost', 2, 33_334n],
    ['a millionth less than two seconds of money', { maxCallCost: '0.033333' }, 'max_cost', 1, SECOND],
    ['the shorter of the two', { maxCallSeconds: 2, maxCallCost: '0.02' }, 'max_cost', 1, SECOND],
  ] as const)('%s', async (_, operator, cut, seconds, price) => {
    await furnish(stage, { balance: '1.00', operator });
    const service = await stage.startController();
    useGates(stage.sim, gate, [service]);
    const [call] = placeCalls(stage, 1);
    await allEnded(call === undefined ? [] : [call]);
    expect(call?.truth?.variable('tollgate_funded_seconds')).toBe(`${seconds}`);
    const [cdr] = await settled(stage, 1);
    expect(cdr).toMatchObject({ billedSeconds: seconds, cut, cause: 'ALLOTTED_TIMEOUT' });
    expect(cdr?.billMicroseconds).toBeLessThan((seconds + 1.5) * 1_000_000);
    expect(await stage.balance('acme')).toBe(micros('1.00') - price);
    expect(service.controller.cutoffs.latenessMs()[0]).toBeGreaterThanOrEqual(-5);
    const decisions = await eventually(
      () => stage.database.records.decisionsOf(call?.truth?.uuid as never),
      (rows) => rows.length === 2,
    );
    expect(decisions.map(({ kind, reason }) => [kind, reason])).toEqual([
      ['admission', 'per_minute'],
      ['cutoff', cut],
    ]);
    expect(await stage.findings()).toEqual([]);
  });
});

describe('the longest and the dearest call', () => {
  it.each([
    ['a call of no length', { maxCallSeconds: 0 }, 'maxCallSeconds'],
    ['a first pulse that is too dear', { maxCallCost: '0.016666' }, 'maxCallCost'],
    ['no cost at all', { maxCallCost: '0' }, 'maxCallCost'],
  ])('refuse %s', async (_, operator, limit) => {
    await furnish(stage, { balance: '1.00', operator });
    useGates(stage.sim, 'socket', [await stage.startController()]);
    const [call] = placeCalls(stage, 1);
    const truth = await eventually(
      () => call?.truth,
      (leg) => leg?.variable('tollgate_decision') !== undefined,
    );
    expect(
      ['tollgate_decision', 'tollgate_reason', 'tollgate_limit', 'tollgate_account_limited'].map((name) =>
        truth?.variable(name),
      ),
    ).toEqual(['refused', 'limit_reached', limit, 'acme']);
  });

  it('let a call that costs nothing last, and one that nobody limits', async () => {
    await furnish(stage, {
      balance: '1.00',
      tariff: 'prefix,rate,minimum,increment\n49,1.00,1,1\n49800,0,1,1\n',
      operator: { maxCallCost: '0' },
    });
    await stage.account({
      account: 'acme/all',
      operator: { maxCallSeconds: 'unlimited', maxCallCost: 'unlimited' },
    });
    useGates(stage.sim, 'socket', [await stage.startController()]);
    const calls = placeCalls(stage, 1, () => ({
      to: '498001',
      variables: { tollgate_account: 'acme/all' },
      hangsUpAfterAnswerMs: 1_200,
    }));
    await allEnded(calls);
    expect(calls[0]?.truth?.variable('tollgate_funded_seconds')).toBe('unlimited');
    const [cdr] = await settled(stage, 1);
    expect(cdr).toMatchObject({ billedSeconds: 2, funding: 'free' });
    expect(cdr?.cut).toBeUndefined();
  });

  it('end a call that nobody pays for, on its own leg, at the least of its chain', async () => {
    await stage.account({ account: 'acme', operator: { maxCallSeconds: 1 } });
    await stage.account({ account: 'acme/desk', operator: { maxCallSeconds: 2 } });
    useGates(stage.sim, 'socket', [await stage.startController()], () => [
      ['answer', ''],
      ['park', ''],
    ]);
    const call = stage.sim.placeCall({
      from: '0804188581',
      to: '4930123',
      variables: { tollgate_callee: 'acme/desk', tollgate_route: 'trunk' },
    });
    await allEnded([call]);
    const [cdr] = await settled(stage, 1, 'acme/desk');
    expect(cdr).toMatchObject({ billedSeconds: 1, cut: 'max_seconds', funding: 'none' });
    expect(await stage.findings()).toEqual([]);
  });

  it('hold while the controller that saw the answer is gone', async () => {
    await furnish(stage, { balance: '1.00', operator: { maxCallSeconds: 4 } });
    const first = await stage.startController();
    useGates(stage.sim, 'socket', [first]);
    const [call] = placeCalls(stage, 1);
    await eventually(
      async () => (await (await stage.live()).calls('acme' as never))[0]?.answeredAt,
      (answeredAt) => answeredAt !== undefined,
    );
    await first.stop();
    await stage.startController();
    await allEnded(call === undefined ? [] : [call]);
    const [cdr] = await settled(stage, 1);
    expect(cdr).toMatchObject({ billedSeconds: 4, cut: 'max_seconds' });
    expect(cdr?.billMicroseconds).toBeLessThan(5_500_000);
    expect(await stage.findings()).toEqual([]);
  });

  it('are not passed when FreeSWITCH is slow to end the call, nor charged', async () => {
    await furnish(stage, { balance: '1.00', operator: { maxCallSeconds: 1 } });
    useGates(stage.sim, 'socket', [await stage.startController()]);
    stage.sim.faults.isUnkillable = () => true;
    const [call] = placeCalls(stage, 1);
    await eventually(
      () => stage.sim.legs().filter((leg) => leg.killReceivedMicros !== undefined).length,
      (count) => count > 0,
    );
    stage.sim.faults.isUnkillable = () => false;
    await allEnded(call === undefined ? [] : [call]);
    const [cdr] = await settled(stage, 1);
    expect(cdr).toMatchObject({ billedSeconds: 1, cut: 'max_seconds' });
    expect(cdr?.billMicroseconds).toBeGreaterThan(2_000_000);
    expect(await stage.balance('acme')).toBe(micros('1.00') - SECOND);
  });
});
