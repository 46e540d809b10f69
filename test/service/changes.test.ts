import { afterEach, describe, expect, it } from 'vitest';
import type { AccountPath, LegUuid } from '../../src/units/ids.ts';
import { freshRedis, redisUrl } from '../support/redis.ts';
import { allEnded, furnish, placeCalls, placedBy, settled, useGates } from './acts.ts';
import { createStageCli } from './stage-cli.ts';
import { createStage, eventually, micros, type Stage } from './stage.ts';

let stage: Stage;

afterEach(async () => {
  await stage.close();
});

async function openStage(balance: string, operator: Readonly<Record<string, unknown>> = {}): Promise<void> {
  await freshRedis();
  stage = await createStage(redisUrl());
  await furnish(stage, { balance, operator });
  const service = await stage.startController();
  useGates(stage.sim, 'socket', [service]);
}

async function answeredCalls(count: number) {
  const calls = placeCalls(stage, count);
  const legs = await eventually(
    () => calls.flatMap((call) => placedBy(stage, call)),
    (placed) => placed.length === count && placed.every((leg) => leg.answeredMicros !== undefined),
  );
  await eventually(
    async () => await (await stage.live()).calls(undefined),
    (live) => live.filter(({ state }) => state === 'answered').length === count,
  );
  return { calls, legs };
}

/** From the change to the end of all the legs, in ms. */
async function endedAfter(change: () => Promise<unknown>, uuids: readonly string[]): Promise<number> {
  const before = stage.sim.core.nowTrueMs();
  await change();
  const ends = await eventually(
    () => uuids.map((uuid) => stage.sim.leg(uuid)?.hungUpMicros),
    (all) => all.every((end) => end !== undefined),
  );
  return Math.max(...ends.map((end = 0) => end / 1_000)) - before;
}

describe('a running call', () => {
  it('that is topped up while it talks goes on, as far as the new money carries it', async () => {
    await openStage('0.06');
    const { calls, legs } = await answeredCalls(1);
    await eventually(
      () => stage.sim.core.nowTrueMs() - (legs[0]?.answeredMicros ?? 0) / 1_000,
      (talkedMs) => talkedMs > 1_300,
    );
    await stage.topUp('acme', '0.02');
    await allEnded(calls);
    const [cdr] = await settled(stage, 1);
    expect(cdr).toMatchObject({ billedSeconds: 4, cut: 'credit' });
    expect(await stage.balance('acme')).toBe(micros('0.08') - 66_667n);
    expect(await stage.findings()).toEqual([]);
  });

  it('that is topped up again and again is not ended by a timer of before', async () => {
    await openStage('0.034');
    const { calls, legs } = await answeredCalls(1);
    for (let seconds = 1; seconds < 5; seconds += 1) {
      await eventually(
        () => stage.sim.core.nowTrueMs() - (legs[0]?.answeredMicros ?? 0) / 1_000,
        (talkedMs) => talkedMs > seconds * 1_000 - 800,
      );
      await stage.topUp('acme', '0.016667');
    }
    await allEnded(calls);
    const [cdr] = await settled(stage, 1);
    expect(cdr).toMatchObject({ billedSeconds: 6, cut: 'credit' });
    expect(legs[0]?.endedBy).toBe('api');
    expect(await stage.findings()).toEqual([]);
  });

  it('ends in under a second when its credit is taken away', async () => {
    await openStage('0', { allowPostpay: true, maxPostpay: '5.00' });
    const { legs } = await answeredCalls(1);
    const afterMs = await endedAfter(
      () => stage.account({ account: 'acme', wallet: 'EUR', tariff: 'standard' }),
      legs.map(({ uuid }) => uuid),
    );
    expect(afterMs).toBeLessThan(2_000);
    const [cdr] = await settled(stage, 1);
    expect(cdr).toMatchObject({ cut: 'credit' });
    expect(await stage.findings()).toEqual([]);
  });

  it('ends in under a second when its money turns out to be a mistake', async () => {
    await openStage('10.00');
    const { legs } = await answeredCalls(1);
    const correction = ['--amount', '-9.99', '--id', 'TICKET-7', '--reference', 'another customer paid'];
    const afterMs = await endedAfter(
      () => createStageCli(stage).run('account', 'adjust', 'acme', ...correction),
      legs.map(({ uuid }) => uuid),
    );
    expect(afterMs).toBeLessThan(2_000);
    const [cdr] = await settled(stage, 1);
    expect(cdr).toMatchObject({ cut: 'credit' });
    expect(await stage.findings()).toEqual([]);
  });

  it('is killed in under a second, by itself or with all of its account', async () => {
    await openStage('10.00');
    const { legs } = await answeredCalls(3);
    const live = await stage.live();
    const [first, ...others] = legs.map(({ uuid }) => uuid);
    expect(await endedAfter(() => live.killLeg(first as LegUuid), [first ?? ''])).toBeLessThan(1_000);
    expect(await endedAfter(() => live.killAccount('acme' as AccountPath), others)).toBeLessThan(1_000);
    const cdrs = await settled(stage, 3);
    expect(cdrs.map(({ cause }) => cause)).toEqual(Array(3).fill('CALL_REJECTED'));
    expect(await stage.findings()).toEqual([]);
  });
});

describe('of a wallet that is empty', () => {
  it('every call ends at once where onExhaustion is "all"', async () => {
    await openStage('0.10', { onExhaustion: 'all' });
    let answersAfterMs = 0;
    stage.sim.endpoint(/pstn/, () => ({ kind: 'answers', afterMs: (answersAfterMs += 500) }));
    const { calls, legs } = await answeredCalls(3);
    await allEnded(calls);
    const ends = legs.map(({ hungUpMicros = 0 }) => hungUpMicros / 1_000);
    expect(Math.max(...ends) - Math.min(...ends)).toBeLessThan(450);
    const cdrs = await settled(stage, 3);
    expect(cdrs.map(({ cut }) => cut)).toEqual(Array(3).fill('credit'));
    expect(await stage.balance('acme')).toBeGreaterThanOrEqual(0n);
    expect(await stage.findings()).toEqual([]);
  });
});
