import { afterEach, expect, it } from 'vitest';
import { askRedis } from '../../src/servers/redis-question.ts';
import { startRedis, type StartedRedis } from '../../src/servers/redis-server.ts';
import { furnish, placeCalls, useGates } from './acts.ts';
import { createStage, eventually, type Stage } from './stage.ts';

let stage: Stage;
let redis: StartedRedis;

afterEach(async () => {
  await stage.close();
  await redis.stop();
});

const WINDOW_MS = 2_500;
/**
 * The clock, leases, BullMQ and its sweep, the drain's poll: of these one window may see a round more than another,
 * some eighty commands. A single command for each call added would be more.
 */
const ROUND_COMMANDS_MAX = 120;

async function commandsProcessed(): Promise<number> {
  const stats = await askRedis(redis.url, ['INFO', 'commandstats']);
  const counts = [...stats.matchAll(/^cmdstat_\S+:calls=(\d+)/gm)].map(([, calls]) => Number(calls));
  return counts.reduce((sum, calls) => sum + calls, 0);
}

async function commandsWhileQuiet(): Promise<number> {
  const before = await commandsProcessed();
  await new Promise((resolve) => setTimeout(resolve, WINDOW_MS));
  return (await commandsProcessed()) - before;
}

async function answered(count: number): Promise<void> {
  await eventually(
    async () =>
      (await (await stage.live()).calls(undefined)).filter(({ state }) => state === 'answered').length,
    (live) => live === count,
    40_000,
  );
}

it('two hundred live calls cost Redis between events what ten do', { timeout: 90_000 }, async () => {
  // Its own: other tests would be counted as well.
  redis = await startRedis({ ownServer: true });
  stage = await createStage(redis.url);
  await furnish(stage, { balance: '9999.00' });
  // A resync reads; it is as often for one call as for many.
  const service = await stage.startController({
    TOLLGATE_CONTROLLER_RESYNC_MS: '600000',
    // All of them ask at once, and none may be left to the dialplan on a slow machine.
    TOLLGATE_GATES_DECISION_TIMEOUT_MS: '10000',
  });
  useGates(stage.sim, 'socket', [service]);
  placeCalls(stage, 10);
  await answered(10);
  const withTen = await commandsWhileQuiet();
  placeCalls(stage, 95);
  await answered(105);
  placeCalls(stage, 95);
  await answered(200);
  const withMany = await commandsWhileQuiet();
  expect(withTen).toBeGreaterThan(0);
  expect(withMany - withTen).toBeLessThan(ROUND_COMMANDS_MAX);
});
