import { afterEach, describe, expect, it } from 'vitest';
import { freshRedis, redisUrl } from '../support/redis.ts';
import { allEnded, furnish, placeCalls, placedBy, settled, useGates } from './acts.ts';
import { createStage, eventually, micros, type Stage } from './stage.ts';

let stage: Stage;

afterEach(async () => {
  await stage.close();
});

async function openStage(balance: string, settings: Readonly<Record<string, string>>): Promise<void> {
  await freshRedis();
  stage = await createStage(redisUrl());
  await furnish(stage, { balance, operator: { calls: 1 } });
  const service = await stage.startController(settings);
  useGates(stage.sim, 'socket', [service]);
}

/** A dialplan that somebody forgot to lead through a gate. */
function forgetTheGate(): void {
  stage.sim.dialplan(({ destination }) => [
    ['set', 'hangup_after_bridge=true'],
    ['bridge', `sofia/gateway/pstn/${destination}`],
  ]);
}

describe('a call that came by no gate', () => {
  it('is admitted, counted and charged where the policy is to admit', async () => {
    await openStage('10.00', { TOLLGATE_GATES_UNGATED: 'admit' });
    forgetTheGate();
    stage.sim.endpoint(/pstn/, { kind: 'answers', afterMs: 150 });
    const [call] = placeCalls(stage, 1, () => ({ hangsUpAfterAnswerMs: 500 }));
    if (call !== undefined) await allEnded([call]);
    const cdrs = await settled(stage, 1);
    expect(cdrs).toHaveLength(1);
    expect(cdrs[0]).toMatchObject({ billedSeconds: 1, direction: 'outbound', decision: 'admitted' });
    expect(await stage.balance('acme')).toBe(micros('10.00') - 16_667n);
    expect(await stage.findings()).toEqual([]);
  });

  it('is killed where nobody can pay for it, even if it would be admitted', async () => {
    await openStage('0', { TOLLGATE_GATES_UNGATED: 'admit' });
    forgetTheGate();
    const calls = placeCalls(stage, 1);
    await allEnded(calls);
    expect(await stage.cdrs('acme')).toEqual([]);
    expect(await stage.findings()).toEqual([]);
  });

  it('is killed where the policy is to kill', async () => {
    await openStage('10.00', { TOLLGATE_GATES_UNGATED: 'kill' });
    forgetTheGate();
    stage.sim.endpoint(/pstn/, { kind: 'answers', afterMs: 300 });
    const calls = placeCalls(stage, 1);
    await allEnded(calls);
    expect(calls[0]?.truth?.answeredMicros).toBeUndefined();
    expect(await stage.balance('acme')).toBe(micros('10.00'));
  });

  it('is left alone where the policy is to ignore', async () => {
    await openStage('10.00', { TOLLGATE_GATES_UNGATED: 'ignore' });
    forgetTheGate();
    const calls = placeCalls(stage, 1, () => ({ hangsUpAfterAnswerMs: 500 }));
    await allEnded(calls);
    expect(calls[0]?.truth?.answeredMicros).toBeDefined();
    expect(await stage.balance('acme')).toBe(micros('10.00'));
    expect(await (await stage.live()).calls(undefined)).toEqual([]);
  });
});

describe('a fork', () => {
  const fork = (dials: readonly string[]): Readonly<Record<string, string>> => ({
    tollgate_account: 'acme',
    tollgate_bridge: JSON.stringify(
      dials.map((number) => ({ dial: `sofia/gateway/pstn/${number}`, destination: number, route: 'trunk' })),
    ),
  });

  it('rings the branches that are admitted, and charges the one that answers', async () => {
    await openStage('10.00', {});
    await stage.account({ account: 'acme', wallet: 'EUR', tariff: 'standard', operator: { calls: 2 } });
    stage.sim.endpoint(/pstn/, (address) => ({
      kind: 'answers',
      afterMs: address.endsWith('2') ? 100 : 5_000,
    }));
    const [call] = placeCalls(stage, 1, () => ({ variables: fork(['4930001', '4930002', '4930003']) }));
    if (call === undefined) throw new Error('one was placed');
    await eventually(
      () => call.truth?.answeredMicros,
      (answered) => answered !== undefined,
    );
    expect(placedBy(stage, call).map(({ destination }) => destination)).toEqual(['4930001', '4930002']);
    // The loser's place is free at once.
    await eventually(
      async () => (await (await stage.live()).calls(undefined)).length,
      (count) => count === 1,
      1_000,
    );
    const [next] = placeCalls(stage, 1, () => ({ variables: fork(['4930002']) }));
    await eventually(
      () => next?.truth?.answeredMicros,
      (answered) => answered !== undefined,
    );
    call.hangup();
    next?.hangup();
    const cdrs = await settled(stage, 2);
    expect(cdrs.map(({ destination }) => destination)).toEqual(['4930002', '4930002']);
    expect(await stage.balance('acme')).toBe(micros('10.00') - 2n * 16_667n);
    expect(await stage.findings()).toEqual([]);
  });

  it('of which no branch is admitted is refused by the reason of the first', async () => {
    await openStage('0', {});
    const calls = placeCalls(stage, 1, () => ({ variables: fork(['4930001', '4930002']) }));
    await allEnded(calls);
    expect(calls[0]?.truth?.sipStatus).toBe(402);
    expect(await stage.findings()).toEqual([]);
  });
});

describe('a second pass of the gate', () => {
  it('gives back what the first one held and nobody answered', async () => {
    await openStage('10.00', {});
    const service = await stage.startController();
    // Busy, so the call is sent on to a second number.
    useGates(stage.sim, 'socket', [service], ({ destination }) => [
      ['set', 'hangup_after_bridge=true'],
      ['set', 'continue_on_fail=USER_BUSY'],
      ['bridge', `sofia/gateway/pstn/${destination}`],
      ['transfer', '4930002 XML public'],
    ]);
    stage.sim.endpoint(/pstn/, (address) =>
      address.endsWith('1') ? { kind: 'rejects', cause: 'USER_BUSY' } : { kind: 'answers', afterMs: 50 },
    );
    const [call] = placeCalls(stage, 1, () => ({ to: '4930001' }));
    if (call === undefined) throw new Error('one was placed');
    await eventually(
      () => call.truth?.answeredMicros,
      (answered) => answered !== undefined,
    );
    expect(call.truth?.variable('tollgate_admission')).toBe(`${call.uuid}.2`);
    expect(await (await stage.live()).calls(undefined)).toHaveLength(1);
    call.hangup();
    const [cdr] = await settled(stage, 1);
    expect(cdr).toMatchObject({ destination: '4930002' });
    expect(await stage.findings()).toEqual([]);
  });
});

it('a refused call goes on to its announcement where refusals continue, and that is left alone', async () => {
  await openStage('0', { TOLLGATE_GATES_REFUSAL: 'continue' });
  const services = stage.sim;
  const socketPort = (await stage.startController({ TOLLGATE_GATES_REFUSAL: 'continue' })).socketPort;
  services.dialplan((call) =>
    call.variable('tollgate_decision') === 'refused'
      ? [['answer'], ['playback', 'silence_stream://700'], ['hangup', call.variable('tollgate_cause') ?? '']]
      : [
          ['socket', `127.0.0.1:${socketPort} async full`],
          ['transfer', call.destination],
        ],
  );
  const calls = placeCalls(stage, 1);
  await allEnded(calls);
  const { answeredMicros = 0, endedMicros = 0 } = calls[0]?.truth ?? {};
  expect(endedMicros - answeredMicros).toBeGreaterThan(600_000);
  expect(await (await stage.live()).calls(undefined)).toEqual([]);
});
