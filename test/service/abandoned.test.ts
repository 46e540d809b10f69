import { Redis } from 'ioredis';
import { afterEach, expect, it } from 'vitest';
import type { AccountPath } from '../../src/units/ids.ts';
import { startRedis, type StartedRedis } from '../../src/servers/redis-server.ts';
import { needRealRedis } from '../support/redis.ts';
import { createStage, eventually, micros, useDialplan, type Stage } from './stage.ts';

let stage: Stage;
let server: StartedRedis;

afterEach(async () => {
  await stage.close();
  await server.stop();
});

// Symptom: a caller who gave up while the gate was deciding kept a place and a hold until the next comparison of
// channels. Cause: the channel had ended before any variable could say what had been admitted for it.
it('gives back at once what was admitted for a caller who had left by then', async (context) => {
  needRealRedis(context);
  server = await startRedis({ ownServer: true });
  stage = await createStage(server.url);
  await stage.tariff('standard', 'prefix,rate,minimum,increment\n49,1.00,1,1\n');
  await stage.account({ account: 'acme', wallet: 'EUR', tariff: 'standard', operator: { calls: 1 } });
  const service = await stage.startController();
  await stage.topUp('acme', '1.00');
  useDialplan(stage.sim, 'socket', service.socketPort);
  stage.sim.endpoint(/pstn/, { kind: 'answers', afterMs: 20 });
  const live = await stage.live();

  const pauser = new Redis(server.url);
  await pauser.call('CLIENT', 'PAUSE', '600', 'WRITE');
  const call = stage.sim.placeCall({
    from: '1001',
    to: '4930123',
    variables: { tollgate_account: 'acme' },
    hangsUpAfterMs: 200,
  });
  await eventually(
    () => call.truth?.endedMicros,
    (ended) => ended !== undefined,
  );
  pauser.disconnect();
  // Taken when Redis went on, and given back well before channels are compared again (30 s).
  await eventually(
    async () => (await stage.database.records.counts()).decisions,
    (decisions) => decisions > 0,
  );
  const left = await eventually(
    () => live.calls('acme' as AccountPath),
    (calls) => calls.length === 0,
    5_000,
  );
  expect(left).toEqual([]);
  expect(await live.wallet('acme' as AccountPath)).toMatchObject({ available: micros('1.00'), legs: 0 });
  expect(await stage.findings()).toEqual([]);
});
