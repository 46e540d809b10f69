import { afterEach, describe, expect, it } from 'vitest';
import type { Service } from '../../src/main.ts';
import { freshRedis, redisUrl } from '../support/redis.ts';
import { createStage, eventually, micros, useDialplan, type Stage } from './stage.ts';

let stage: Stage;

afterEach(async () => {
  await stage.close();
});

/** One account on one tariff with so much money, and a carrier that answers. */
async function setTheStage(gate: 'socket' | 'park', money: string): Promise<Service> {
  await freshRedis();
  stage = await createStage(redisUrl());
  await stage.tariff('standard', 'prefix,rate,minimum,increment\n49,1.00,1,1\n');
  await stage.account({ account: 'acme', wallet: 'EUR', tariff: 'standard' });
  const service = await stage.startController();
  await stage.topUp('acme', money);
  useDialplan(stage.sim, gate, service.socketPort);
  stage.sim.endpoint(/pstn/, { kind: 'answers', afterMs: 50 });
  return service;
}

describe.each(['socket', 'park'] as const)('a call through the gate %s', (gate) => {
  it('is admitted, metered, settled and proved', async () => {
    await setTheStage(gate, '10.00');
    const call = stage.sim.placeCall({
      from: '1001',
      to: '4930123',
      variables: { tollgate_account: 'acme' },
      hangsUpAfterAnswerMs: 1500,
    });
    await eventually(
      () => call.truth?.endedMicros,
      (ended) => ended !== undefined,
    );
    const cdrs = await eventually(
      () => stage.cdrs('acme'),
      (rows) => rows.length === 1,
    );
    expect(cdrs[0]).toMatchObject({
      account: 'acme',
      direction: 'outbound',
      billedSeconds: 2,
      destination: '4930123',
    });
    expect(await stage.balance('acme')).toBe(micros('10.00') - 33_334n);
    expect(await stage.findings()).toEqual([]);
  });

  it('is cut at the second its money ends', async () => {
    const service = await setTheStage(gate, '0.04');
    const call = stage.sim.placeCall({
      from: '1001',
      to: '4930123',
      variables: { tollgate_account: 'acme' },
    });
    await eventually(
      () => call.truth?.endedMicros,
      (ended) => ended !== undefined,
    );
    const [cdr] = await eventually(
      () => stage.cdrs('acme'),
      (rows) => rows.length === 1,
    );
    expect(cdr).toMatchObject({ billedSeconds: 2, cut: 'credit', cause: 'ALLOTTED_TIMEOUT' });
    const [lateMs] = service.controller.cutoffs.latenessMs();
    expect(lateMs).toBeGreaterThanOrEqual(-5);
    expect(await stage.balance('acme')).toBe(micros('0.04') - 33_334n);
    expect(await stage.findings()).toEqual([]);
  });
});
