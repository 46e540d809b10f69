import { afterEach, describe, expect, it } from 'vitest';
import { returnPostgresRecord, takePostgresRecord, ownPostgres } from '../support/postgres.ts';
import { freshRedis, redisUrl } from '../support/redis.ts';
import { allEnded, furnish, placeCalls, settled, useGates } from './acts.ts';
import { createStage, eventually, micros, type Stage } from './stage.ts';

let stage: Stage | undefined;

afterEach(async () => {
  await stage?.close();
  stage = undefined;
});

async function openStage(databaseUrl: string): Promise<Stage> {
  await freshRedis();
  stage = await createStage(redisUrl(), { databaseUrl });
  await furnish(stage, { balance: '10.00' });
  useGates(stage.sim, 'socket', [await stage.startController()]);
  return stage;
}

async function answeredCall(on: Stage) {
  const live = await on.live();
  const before = new Set((await live.calls(undefined)).map(({ uuid }) => uuid));
  const [call] = placeCalls(on, 1);
  if (call === undefined) throw new Error('one was placed');
  await eventually(
    () => live.calls(undefined),
    (calls) => calls.some(({ uuid, state }) => state === 'answered' && !before.has(uuid)),
  );
  return call;
}

describe('the service with its record in PostgreSQL', () => {
  it('admits, cuts and charges as it does with any other, and the record proves itself', async () => {
    const url = await takePostgresRecord();
    const opened = await openStage(url);
    await opened.account({ account: 'acme/short', wallet: 'EUR', tariff: 'standard' });
    await opened.topUp('acme/short', '0.05');
    const [short] = placeCalls(opened, 1, () => ({ variables: { tollgate_account: 'acme/short' } }));
    const long = await answeredCall(opened);
    await allEnded(short === undefined ? [] : [short]);
    long.hangup();
    const cdrs = await settled(opened, 2);
    expect(cdrs.find(({ account }) => account === 'acme/short')).toMatchObject({
      billedSeconds: 3,
      cut: 'credit',
    });
    expect(await opened.balance('acme/short')).toBe(micros('0.05') - 50_000n);
    expect(await opened.findings()).toEqual([]);
    await opened.close();
    stage = undefined;
    await returnPostgresRecord(url);
  });

  it('goes on deciding calls while the server is down, and writes their CDRs when it is back', async () => {
    const postgres = await ownPostgres();
    const opened = await openStage(postgres.url('postgres'));
    const before = await answeredCall(opened);
    await postgres.crash();
    before.hangup();
    const meanwhile = await answeredCall(opened);
    meanwhile.hangup();
    await allEnded([before, meanwhile]);
    await postgres.restart();
    const cdrs = await settled(opened, 2);
    expect(cdrs.map(({ estimated }) => estimated)).toEqual([false, false]);
    const after = await answeredCall(opened);
    after.hangup();
    await settled(opened, 3);
    expect(await opened.findings()).toEqual([]);
  });
});
