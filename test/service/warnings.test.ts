import { afterEach, expect, it } from 'vitest';
import { freshRedis, redisUrl } from '../support/redis.ts';
import { createStage, eventually, useDialplan, type Stage } from './stage.ts';

let stage: Stage;

afterEach(async () => {
  await stage.close();
});

it('warns the caller, and only the caller, before the money ends', async () => {
  await freshRedis();
  stage = await createStage(redisUrl());
  await stage.tariff('standard', 'prefix,rate,minimum,increment\n49,1.00,1,1\n');
  await stage.account({ account: 'acme', wallet: 'EUR', tariff: 'standard' });
  const service = await stage.startController({
    TOLLGATE_CUTOFF_WARNING_SECONDS: '[2, 1]',
    TOLLGATE_CUTOFF_WARNING_SOUND: 'warning.wav',
  });
  await stage.topUp('acme', '0.06');
  useDialplan(stage.sim, 'socket', service.socketPort);
  stage.sim.endpoint(/pstn/, { kind: 'answers', afterMs: 20 });

  const call = stage.sim.placeCall({ from: '1001', to: '4930123', variables: { tollgate_account: 'acme' } });
  const warnings = (): readonly { readonly text: string; readonly atMicros: number }[] =>
    stage.sim.commands().filter(({ text }) => text.includes('uuid_displace'));
  const truth = await eventually(
    () => call.truth,
    (seen) => seen?.endedMicros !== undefined,
  );
  expect(warnings().map(({ text }) => text)).toEqual([
    `api uuid_displace ${call.uuid} start warning.wav 0 m`,
    `api uuid_displace ${call.uuid} start warning.wav 0 m`,
  ]);
  const secondsLeft = warnings().map(({ atMicros }) =>
    Math.round(((truth?.hungUpMicros ?? 0) - atMicros) / 1_000_000),
  );
  expect(secondsLeft).toEqual([2, 1]);
});
