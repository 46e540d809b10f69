import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SimulatedCall } from '../../src/simulator/inbound-call.ts';
import { freshRedis, redisUrl } from '../support/redis.ts';
import { allEnded, placedBy, settled, useGates } from './acts.ts';
import { createStage, eventually, micros, type Stage } from './stage.ts';

let stage: Stage;

beforeEach(async () => {
  await freshRedis();
  stage = await createStage(redisUrl());
  await stage.tariff('standard', 'prefix,rate,minimum,increment\n49,1.00,1,1\n');
  stage.sim.endpoint(/pstn/, { kind: 'answers', afterMs: 20 });
});

afterEach(async () => {
  await stage.close();
});

const call = (account: string, hangsUpAfterAnswerMs?: number): SimulatedCall =>
  stage.sim.placeCall({
    from: '1001',
    to: '4930123',
    variables: { tollgate_account: account },
    ...(hangsUpAfterAnswerMs === undefined ? {} : { hangsUpAfterAnswerMs }),
  });

const decisionOf = async (placed: SimulatedCall): Promise<string | undefined> =>
  await eventually(
    () => placed.truth?.variable('tollgate_decision'),
    (decision) => decision !== undefined,
  );

async function answered(placed: SimulatedCall): Promise<void> {
  await eventually(
    () => placedBy(stage, placed)[0]?.answeredMicros,
    (at) => at !== undefined,
  );
}

async function open(
  operator: Readonly<Record<string, unknown>>,
  balance: string,
  desk?: Readonly<Record<string, unknown>>,
): Promise<void> {
  await stage.account({ account: 'acme', wallet: 'EUR', tariff: 'standard', operator });
  if (desk !== undefined) await stage.account({ account: 'acme/desk', ...desk });
  if (balance !== '0') await stage.topUp('acme', balance);
  useGates(stage.sim, 'socket', [await stage.startController()]);
}

const SOFT = { softLimitOutbound: true };

describe('a soft limit', () => {
  it.each([
    ['a limit of none', { calls: 0 }, '1.00'],
    ['calls per second', { callsPerSecond: 0 }, '1.00'],
    ['no money at all', {}, '0'],
    ['neither balance nor credit to be spent', { allowPrepay: false }, '1.00'],
    ['calls of no length', { maxCallSeconds: 0 }, '1.00'],
    ['a first pulse that is too dear', { maxCallCost: '0.01' }, '1.00'],
  ] as const)('lets a call go on that is refused for %s, and charges it', async (_, limit, balance) => {
    await open({ ...SOFT, ...limit }, balance);
    const placed = call('acme', 1_200);
    expect(await decisionOf(placed)).toBe('soft');
    expect(placed.truth?.variable('tollgate_funded_seconds')).toBe('unlimited');
    await allEnded([placed]);
    const [cdr] = await settled(stage, 1);
    expect(cdr).toMatchObject({ decision: 'soft', funding: 'per_minute', billedSeconds: 2 });
    expect(cdr?.cut).toBeUndefined();
    expect(await stage.balance('acme')).toBe(micros(balance) - 33_334n);
    expect(await stage.findings()).toEqual([]);
    const [decision] = await eventually(
      () => stage.database.records.decisionsOf(placed.uuid as never),
      (rows) => rows.length > 0,
    );
    expect(decision?.inputs).toMatchObject({
      softened: [{ holder: 'acme' }],
      words: expect.stringMatching(/^goes on although /),
    });
  });

  it('is none for a call that nobody refuses, nor for the other direction', async () => {
    await open({ softLimitInbound: true, calls: 1 }, '1.00');
    expect(await decisionOf(call('acme'))).toBe('admitted');
    expect(await decisionOf(call('acme'))).toBe('refused');
  });

  it('frees its own account alone', async () => {
    await open({ calls: 0 }, '1.00', { operator: { ...SOFT, calls: 0 } });
    const refused = call('acme/desk');
    expect(await decisionOf(refused)).toBe('refused');
    expect(refused.truth?.variable('tollgate_account_limited')).toBe('acme');
  });

  it('leaves the money of the account above it to be asked for', async () => {
    await open({}, '0.02', { wallet: 'EUR', operator: SOFT });
    const placed = call('acme/desk');
    expect(await decisionOf(placed)).toBe('soft');
    await allEnded([placed]);
    const [cdr] = await settled(stage, 1);
    // The reseller's money ends the call; the client pays for as long and goes below zero.
    expect(cdr).toMatchObject({ decision: 'soft', billedSeconds: 1, cut: 'credit' });
    expect(await stage.balance('acme')).toBe(micros('0.02') - 16_667n);
    expect(await stage.balance('acme/desk')).toBe(0n - 16_667n);
    expect(await stage.findings()).toEqual([]);
  });

  it('neither holds money that others have nor lets them spend what it costs', async () => {
    await open({ ...SOFT, calls: 1 }, '0.050001');
    const first = call('acme');
    expect(await decisionOf(first)).toBe('admitted');
    await answered(first);
    const soft = call('acme', 700);
    expect(await decisionOf(soft)).toBe('soft');
    await allEnded([soft, first]);
    const cdrs = await settled(stage, 2);
    const billed = Object.fromEntries(cdrs.map(({ decision, billedSeconds }) => [decision, billedSeconds]));
    // Three seconds of money: one is the soft call's once it has ended.
    expect(billed).toEqual({ admitted: 2, soft: 1 });
    expect(cdrs.find(({ decision }) => decision === 'admitted')?.cut).toBe('credit');
    expect(await stage.findings()).toEqual([]);
  });
});
