import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { createRecordClaim } from '../../src/redis/record-claim.ts';
import { runProgram, CLI } from '../cli/cli-run.ts';
import { temporaryFolder } from '../database/databases.ts';
import { connectTestRedis, freshRedis, redisUrl } from '../support/redis.ts';
import { furnish } from './acts.ts';
import { createStage, micros, type Stage } from './stage.ts';

let stage: Stage;

afterEach(() => stage.close());

const SHORT_LEASE = { TOLLGATE_CONTROLLER_LEASE_MS: '400' };

/** What a controller on another host would say. */
function elsewhere() {
  const claim = createRecordClaim(connectTestRedis(), { leaseMs: 60_000 });
  return claim.hold({ identity: 'sqlite:1:another', words: 'SQLite (/var/lib/record on host beta)' });
}

describe('controllers that share a Redis', () => {
  it('share a record too: one on another host, with SQLite, does not start, and says why', async () => {
    await freshRedis();
    stage = await createStage(redisUrl());
    await elsewhere();
    await expect(stage.startController(SHORT_LEASE)).rejects.toMatchObject({
      name: 'ForeignRecordError',
      message: expect.stringMatching(
        /keep their record in SQLite \(\/var\/lib\/record on host beta\), and here .* need the same PostgreSQL/,
      ),
    });
  });

  it('start on one host with one file, and again after all of them have moved to another', async () => {
    await freshRedis();
    stage = await createStage(redisUrl());
    const services = [await stage.startController(SHORT_LEASE), await stage.startController(SHORT_LEASE)];
    await expect(
      stage.startController({
        ...SHORT_LEASE,
        TOLLGATE_DATABASE_URL: join(temporaryFolder(), 'other.sqlite'),
      }),
    ).rejects.toMatchObject({ name: 'ForeignRecordError' });
    for (const service of services) await service.stop();
    await stage.startController({
      ...SHORT_LEASE,
      TOLLGATE_DATABASE_URL: join(temporaryFolder(), 'other.sqlite'),
    });
  });

  it('are not given money that is on another record: nothing is written', async () => {
    await freshRedis();
    stage = await createStage(redisUrl());
    await furnish(stage, { balance: '1.00' });
    await elsewhere();
    const topUp = ['account', 'topup', 'acme', '--amount', '5.00', '--id', 'INVOICE-1'];
    const run = await runProgram([process.execPath, CLI, ...topUp], { environment: stage.environment() });
    expect(run).toMatchObject({ code: 1, out: '', err: expect.stringContaining('on host beta') });
    expect(await stage.balance('acme')).toBe(micros('1.00'));
  });
});
