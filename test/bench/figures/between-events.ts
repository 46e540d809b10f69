import { createCallStage, type CallStage } from '../call-stage.ts';
import { accountOf, openTenants, openWallet, placeCalls } from '../crowd.ts';
import type { Figure } from '../figure.ts';
import { pause } from '../load.ts';
import { redisCommands } from '../redis-meter.ts';
import { ratioAtMost, rowOf } from '../row.ts';

const CALLS = 500;
const RING_MS = 50;
/** Far from their cutoffs and from their dead-man timers. */
const FUNDED_SECONDS = 3_600;
/** Until the service has carried out what the answers lead to. */
const CALM_MS = 2_500;
/** Longer than the service's own rounds, shorter than the time between two comparisons with FreeSWITCH. */
const WATCHED_MS = 6_000;

export const betweenEvents: Figure = {
  name: 'between-events',
  title: 'a live call between events',
  needsRealRedis: true,
  async measure(bench) {
    const stage = await createCallStage(bench);
    try {
      await openTenants(stage);
      for (let index = 0; index < CALLS; index += 1)
        await openWallet(stage, accountOf(index), FUNDED_SECONDS);
      await stage.start();
      const idle = await commandsPerSecond(stage);
      await placeCalls(stage, { count: CALLS, ringMs: () => RING_MS, account: accountOf });
      await pause(CALM_MS);
      const live = await commandsPerSecond(stage);
      return [
        rowOf({
          what: `Redis commands while ${CALLS} calls are live and nothing happens`,
          unit: '/s',
          measured: [live],
          baselineWhat: 'the same service without a call',
          baseline: [idle],
          // Nothing that grows with the calls; what the service does by the clock varies by a few.
          target: ratioAtMost(1.3),
        }),
      ];
    } finally {
      await stage.close();
    }
  },
};

async function commandsPerSecond({ redis }: CallStage): Promise<number> {
  const before = await redisCommands(redis);
  await pause(WATCHED_MS);
  return ((await redisCommands(redis)) - before) / (WATCHED_MS / 1000);
}
