import { afterEach, describe, expect, it } from 'vitest';
import type { AccountPath } from '../../src/units/ids.ts';
import { freshRedis, redisUrl } from '../support/redis.ts';
import { allEnded, furnish, placeCalls, settled, useGates } from './acts.ts';
import { createStage, micros, type Stage } from './stage.ts';

const CALLERS = 30;
const DOLLAR = micros('1.00');
let stage: Stage;
let watch: Watch;

afterEach(async () => {
  await watch.stop();
  await stage.close();
});

type Watch = { stop(): Promise<readonly bigint[]> };

/** What is available at every instant that can be looked at, until it is stopped. */
function watchAvailable(): Watch {
  const seen: bigint[] = [];
  const watching = new AbortController();
  const loop = (async () => {
    const live = await stage.live();
    while (!watching.signal.aborted) {
      const wallet = await live.wallet('acme' as AccountPath);
      if (wallet !== undefined) seen.push(wallet.available);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  })();
  return {
    async stop() {
      watching.abort();
      await loop;
      return seen;
    },
  };
}

async function openStage(controllers: number, gate: 'socket' | 'park', tariff: string): Promise<void> {
  await freshRedis();
  stage = await createStage(redisUrl());
  await furnish(stage, { balance: '1.00', tariff });
  const services = [];
  for (let n = 0; n < controllers; n += 1) services.push(await stage.startController());
  useGates(stage.sim, gate, services);
  watch = watchAvailable();
}

async function charged(): Promise<bigint> {
  return DOLLAR - (await stage.balance('acme'));
}

describe.each([
  ['the gate socket, one controller', 'socket', 1],
  ['the gate park, one controller', 'park', 1],
  ['the gate socket, two controllers', 'socket', 2],
] as const)('thirty callers on one dollar through %s', (_, gate, controllers) => {
  it('talk until it is spent, are all cut, and leave less than the next second costs', async () => {
    await openStage(controllers, gate, 'prefix,rate,minimum,increment\n49,1.00,1,1\n');
    const calls = placeCalls(stage, CALLERS);
    await allEnded(calls);
    const cdrs = await settled(stage, CALLERS);

    expect(cdrs.map(({ cut, cause }) => ({ cut, cause }))).toEqual(
      cdrs.map(() => ({ cut: 'credit', cause: 'ALLOTTED_TIMEOUT' })),
    );
    const spent = await charged();
    expect(spent).toBeLessThanOrEqual(DOLLAR);
    expect(spent).toBeGreaterThan(DOLLAR - 16_667n);
    expect((await watch.stop()).filter((available) => available < 0n)).toEqual([]);
    expect(await stage.findings()).toEqual([]);
  });

  it('are one caller where a pulse costs all of it, and he is cut at its end', async () => {
    await openStage(controllers, gate, 'prefix,rate,minimum,increment\n49,30.00,2,2\n');
    const calls = placeCalls(stage, CALLERS);
    await allEnded(calls);
    const cdrs = await settled(stage, 1);

    expect(cdrs).toHaveLength(1);
    expect(cdrs[0]).toMatchObject({ billedSeconds: 2, cut: 'credit' });
    expect(await charged()).toBe(DOLLAR);
    const refused = calls.filter((call) => call.truth?.answeredMicros === undefined);
    expect(refused.map((call) => call.truth?.sipStatus)).toEqual(Array(CALLERS - 1).fill(402));
    expect((await watch.stop()).filter((available) => available < 0n)).toEqual([]);
    expect(await stage.findings()).toEqual([]);
  });
});

it('thirty callers in pulses of a minute are one, who pays the minute he has begun', async () => {
  await openStage(2, 'socket', 'prefix,rate,minimum,increment\n49,1.00,60,60\n');
  const calls = placeCalls(stage, CALLERS, () => ({ hangsUpAfterAnswerMs: 700 }));
  await allEnded(calls);
  const cdrs = await settled(stage, 1);

  expect(cdrs).toHaveLength(1);
  expect(cdrs[0]).toMatchObject({ billedSeconds: 1, cut: undefined });
  expect(await charged()).toBe(DOLLAR);
  expect(calls.filter((call) => call.truth?.sipStatus === 402)).toHaveLength(CALLERS - 1);
  expect(await stage.findings()).toEqual([]);
});
