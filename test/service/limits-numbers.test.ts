import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SimulatedCall } from '../../src/simulator/inbound-call.ts';
import { freshRedis, redisUrl } from '../support/redis.ts';
import { allEnded, useGates } from './acts.ts';
import { createStage, eventually, type Stage } from './stage.ts';

let stage: Stage;

const DESK = {
  account: 'acme/desk',
  operator: {
    perNumber: [
      { pattern: String.raw`^\+49300$`, calls: 0 },
      { pattern: String.raw`^\+49301`, calls: 2 },
      { pattern: String.raw`^\+4930`, calls: 'unlimited' },
      { pattern: '.', calls: 1 },
    ],
  },
};

beforeEach(async () => {
  await freshRedis();
  stage = await createStage(redisUrl());
  await stage.account({ account: 'acme' });
  await stage.account(DESK);
  useGates(stage.sim, 'socket', [await stage.startController()], () => [
    ['answer', ''],
    ['park', ''],
  ]);
});

afterEach(async () => {
  await stage.close();
});

function ring(to: string): SimulatedCall {
  return stage.sim.placeCall({
    from: '0804188581',
    to,
    variables: { tollgate_callee: 'acme/desk', tollgate_route: 'trunk' },
  });
}

const decisionsOf = async (calls: readonly SimulatedCall[]): Promise<readonly (string | undefined)[]> => {
  const decisions = (): readonly (string | undefined)[] =>
    calls.map((call) => call.truth?.variable('tollgate_decision'));
  return await eventually(decisions, (all) => all.every((decision) => decision !== undefined));
};

const limitsOf = (call: SimulatedCall): readonly (string | undefined)[] =>
  ['tollgate_reason', 'tollgate_limit', 'tollgate_account_limited'].map((name) => call.truth?.variable(name));

const PASSES = 'admitted';

describe('calls at once to a number', () => {
  it.each([
    ['none', '49300', 1, ['refused']],
    ['exactly so many', '493011', 3, [PASSES, PASSES, 'refused']],
    ['without a bound', '49302', 3, [PASSES, PASSES, PASSES]],
    ['by the last rule', '4989', 2, [PASSES, 'refused']],
  ])('%s', async (_, number, count, expected) => {
    const decisions: (string | undefined)[] = [];
    const calls: SimulatedCall[] = [];
    for (let n = 0; n < count; n += 1) {
      const call = ring(number);
      calls.push(call);
      decisions.push(...(await decisionsOf([call])));
    }
    expect(decisions).toEqual(expected);
    const refused = calls.filter((__, n) => expected[n] === 'refused');
    expect(refused.map(limitsOf)).toEqual(refused.map(() => ['limit_reached', 'perNumber', 'acme/desk']));
  });

  it('are counted apart, and one that ends makes room', async () => {
    const held = [ring('493011'), ring('493011'), ring('493012')];
    expect(await decisionsOf(held)).toEqual([PASSES, PASSES, PASSES]);
    held[0]?.hangup();
    await allEnded(held.slice(0, 1));
    await eventually(
      async () => (await decisionsOf([ring('493011')]))[0],
      (decision) => decision === PASSES,
    );
    expect(await decisionsOf([ring('493011')])).toEqual(['refused']);
    expect(await stage.findings()).toEqual([]);
  });
});
