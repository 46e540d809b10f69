import { afterEach, expect, it } from 'vitest';
import { freshRedis, redisUrl } from '../support/redis.ts';
import { allEnded, furnish, placeCalls, placedBy, settled, useGates } from './acts.ts';
import { measureCutoffs } from './cutoff-scenario.ts';
import { createStage, eventually, micros, type Stage } from './stage.ts';

let stage: Stage;

afterEach(async () => {
  await stage.close();
});

it.each(['own', 'one'] as const)(
  'forty calls whose money ends at one instant are all cut then, with wallets: %s',
  async (wallets) => {
    await freshRedis();
    stage = await createStage(redisUrl());
    const figures = await measureCutoffs(stage, { calls: 40, wallets, spreadMs: 0, fundedSeconds: 2 });
    expect(figures.wrong).toEqual([]);
    expect(figures.lateMs).toHaveLength(40);
    expect(figures.lateMs[0]).toBeGreaterThanOrEqual(-5);
    expect(figures.receivedLateMs[0]).toBeGreaterThanOrEqual(-5);
    expect(await stage.findings()).toEqual([]);
  },
);

it('a kill that FreeSWITCH is slow to answer delays no other cut of the wallet', async () => {
  await freshRedis();
  stage = await createStage(redisUrl());
  await furnish(stage, { balance: '0.05' });
  const service = await stage.startController();
  useGates(stage.sim, 'socket', [service]);
  // Three seconds of talk for two calls that begin a third of a second apart.
  let answersAfterMs = 50;
  stage.sim.endpoint(/pstn/, () => ({ kind: 'answers', afterMs: (answersAfterMs += 350) }));
  let kills = 0;
  stage.sim.faults.onReply((command) => {
    if (!command.startsWith('api uuid_kill')) return undefined;
    kills += 1;
    return kills <= 2 ? { delayMs: 3_000 } : undefined;
  });
  const calls = placeCalls(stage, 2);
  await allEnded(calls);
  const ends = calls
    .flatMap((call) => placedBy(stage, call))
    .map(
      ({ killReceivedMicros = 0, answeredMicros = 0 }) => (killReceivedMicros - answeredMicros) / 1_000_000,
    );
  // Behind one of the kills that take three seconds it would have been three seconds more.
  expect(ends.reduce((sum, seconds) => sum + Math.floor(seconds), 0)).toBeLessThanOrEqual(3);
  await settled(stage, 2);
  expect(await stage.findings()).toEqual([]);
});

it('a leg that does not die when it is told to is told again, and not charged for living on', async () => {
  await freshRedis();
  stage = await createStage(redisUrl());
  await furnish(stage, { balance: '0.02' });
  const service = await stage.startController();
  useGates(stage.sim, 'socket', [service]);
  stage.sim.faults.isUnkillable = () => true;
  const [call] = placeCalls(stage, 1);
  const [leg] = await eventually(
    () => (call === undefined ? [] : placedBy(stage, call)),
    (legs) => legs[0]?.killReceivedMicros !== undefined,
  );
  stage.sim.faults.isUnkillable = () => false;
  const [cdr] = await settled(stage, 1);
  expect(cdr).toMatchObject({ billedSeconds: 1, cut: 'credit', cause: 'ALLOTTED_TIMEOUT' });
  expect(cdr?.billMicroseconds).toBeGreaterThan(2_000_000);
  expect(leg?.killReceivedMicros).toBeDefined();
  expect(await stage.balance('acme')).toBe(micros('0.02') - 16_667n);
  expect(await stage.findings()).toEqual([]);
});
