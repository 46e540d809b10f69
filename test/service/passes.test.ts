import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Service } from '../../src/main.ts';
import type { AccountPath } from '../../src/units/ids.ts';
import { freshRedis, redisUrl } from '../support/redis.ts';
import { createStage, eventually, micros, type Stage } from './stage.ts';

let stage: Stage;
let service: Service;

const TARIFF = 'prefix,rate,minimum,increment,surcharge\n49,1.00,1,1,\n800,0,1,1,\n';

beforeEach(async () => {
  await freshRedis();
  stage = await createStage(redisUrl());
  await stage.tariff('standard', TARIFF);
  await stage.account({ account: 'acme', wallet: 'EUR', tariff: 'standard' });
  await stage.account({ account: 'acme/001' });
  await stage.account({ account: 'acme/002' });
});

afterEach(async () => {
  await stage.close();
});

const calls = async (): Promise<number> => (await (await stage.live()).calls('acme' as AccountPath)).length;

describe('a call that passes the gate again', () => {
  it('goes on holding what brought it here when an account forwards it (ruling 2)', async () => {
    service = await stage.startController();
    await stage.topUp('acme', '10.00');
    stage.sim.endpoint(/pstn/, { kind: 'answers', afterMs: 50 });
    stage.sim.dialplan((call) =>
      call.destination === '001'
        ? [
            ['socket', `127.0.0.1:${service.socketPort} async full`],
            // 001 does not answer: its rule sends the call out again, as a call of its own.
            ['set', 'tollgate_forwarder=acme/001'],
            ['unset', 'tollgate_callee'],
            ['unset', 'tollgate_route'],
            ['transfer', '4930123'],
          ]
        : [
            ['socket', `127.0.0.1:${service.socketPort} async full`],
            ['set', 'hangup_after_bridge=true'],
            ['bridge', 'sofia/gateway/pstn/4930123'],
          ],
    );
    const call = stage.sim.placeCall({
      from: '0804188581',
      to: '001',
      variables: { tollgate_callee: 'acme/001', tollgate_route: 'trunk' },
      hangsUpAfterAnswerMs: 700,
    });
    await eventually(calls, (count) => count === 2);
    const held = await (await stage.live()).calls('acme' as AccountPath);
    expect(held.map(({ direction, account }) => [direction, account])).toEqual([
      ['inbound', 'acme/001'],
      ['outbound', 'acme/001'],
    ]);
    await eventually(
      () => call.truth?.endedMicros,
      (ended) => ended !== undefined,
    );
    await eventually(
      () => stage.cdrs('acme'),
      (rows) => rows.length === 2,
    );
    expect(await calls()).toBe(0);
    expect(await stage.findings()).toEqual([]);
  });

  it('leaves no timer of an earlier pass on a call that costs nothing now', async () => {
    service = await stage.startController();
    await stage.topUp('acme', '0.05');
    stage.sim.endpoint(/pstn\/49/, { kind: 'rejects', cause: 'USER_BUSY' });
    stage.sim.endpoint(/pstn\/800/, { kind: 'answers', afterMs: 50 });
    stage.sim.dialplan((call) => [
      ['socket', `127.0.0.1:${service.socketPort} async full`],
      ['set', 'continue_on_fail=true'],
      ['set', 'hangup_after_bridge=true'],
      ['bridge', `sofia/gateway/pstn/${call.destination}`],
      ['transfer', '800111'],
    ]);
    const call = stage.sim.placeCall({
      from: '1001',
      to: '4930123',
      variables: { tollgate_account: 'acme' },
    });
    await eventually(
      () => call.truth?.answeredMicros,
      (answered) => answered !== undefined,
    );
    const free = stage.sim.legs().find((leg) => leg.name.includes('800111'));
    expect(free?.variable('execute_on_answer_tollgate')).toBeUndefined();
    call.hangup();
    await eventually(
      () => stage.cdrs('acme'),
      (rows) => rows.length === 1,
    );
    expect(await stage.balance('acme')).toBe(micros('0.05'));
    expect(await stage.findings()).toEqual([]);
  });
});

it('never kills an emergency call that came by no gate', async () => {
  service = await stage.startController({ TOLLGATE_GATES_UNGATED: 'kill' });
  stage.sim.endpoint(/pstn/, { kind: 'answers', afterMs: 20 });
  stage.sim.dialplan((call) => [['bridge', `sofia/gateway/pstn/${call.destination}`]]);
  const emergency = stage.sim.placeCall({ from: '1001', to: '112', hangsUpAfterAnswerMs: 600 });
  const other = stage.sim.placeCall({ from: '1001', to: '4930123' });
  await eventually(
    () => other.truth?.endedMicros,
    (ended) => ended !== undefined,
  );
  await eventually(
    () => emergency.truth?.endedMicros,
    (ended) => ended !== undefined,
  );
  expect(emergency.truth?.endedBy).toBe('caller');
});
