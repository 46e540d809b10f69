import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AccountPath } from '../../src/units/ids.ts';
import { EXACT_TEMPLATE } from '../cdrfiles/samples.ts';
import { createFiles, csvLeg, jsonLeg } from '../cli/cdr-files.ts';
import { CLI } from '../cli/cli-run.ts';
import { freshRedis, redisUrl } from '../support/redis.ts';
import { createStageCli } from './stage-cli.ts';
import { createStage, eventually, micros, type Stage } from './stage.ts';

let stage: Stage;
let folder: string;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tollgate-import-'));
  await freshRedis();
  stage = await createStage(redisUrl());
  await stage.tariff('standard', 'prefix,rate,minimum,increment\n49,0.06,1,1\n');
  await stage.account({ account: 'acme', wallet: 'EUR', tariff: 'standard' });
  await stage.account({ account: 'acme/alice', wallet: 'EUR', tariff: 'standard' });
});

afterEach(async () => {
  await stage.close();
  rmSync(folder, { recursive: true, force: true });
});

const PAYERS: readonly AccountPath[] = ['acme', 'acme/alice'] as AccountPath[];

async function balances(): Promise<readonly (readonly [bigint, bigint | undefined])[]> {
  const live = await stage.live();
  return await Promise.all(
    PAYERS.map(async (payer) => [await stage.balance(payer), (await live.wallet(payer))?.balance] as const),
  );
}

describe('what is charged from files', () => {
  it('reaches wallets that Redis did not have, each transfer once', async () => {
    const { write } = createFiles(folder);
    const { ask } = createStageCli(stage);
    for (let leg = 0; leg < 5; leg += 1) {
      write(`${leg}.json`, jsonLeg({ uuid: `aa-${leg}`, microseconds: 10_000_000 }));
    }
    expect(await ask('cdr', 'import', folder, '--apply')).toMatchObject({
      code: 0,
      json: { settled: 5, untold: 0, amounts: [{ amount: '0.10', currency: 'EUR' }] },
    });
    const each = [micros('-0.05'), micros('-0.05')];
    expect(await balances()).toEqual([each, each]);
    write('more.json', jsonLeg({ uuid: 'bb-1', microseconds: 10_000_000 }));
    await ask('cdr', 'import', folder, '--apply');
    const then = [micros('-0.06'), micros('-0.06')];
    expect(await balances()).toEqual([then, then]);
    expect(await stage.findings()).toEqual([]);
  });

  it('is brought to Redis by the same command, where Redis was away', async () => {
    const { write } = createFiles(folder);
    write('a.json', jsonLeg({ uuid: 'aa-1', microseconds: 10_000_000 }));
    await stage.topUp('acme', '1.00');
    await stage.topUp('acme/alice', '1.00');
    const away = createStageCli(stage, { TOLLGATE_REDIS_URL: 'redis://127.0.0.1:1' });
    expect(await away.ask('cdr', 'import', folder, '--apply')).toMatchObject({
      code: 1,
      json: { settled: 1, untold: 2 },
    });
    const charged = micros('0.99');
    expect(await balances()).toEqual([
      [charged, micros('1.00')],
      [charged, micros('1.00')],
    ]);
    const { ask } = createStageCli(stage);
    for (const _ of ['the rest', 'and no more']) {
      expect(await ask('cdr', 'import', folder, '--apply')).toMatchObject({
        code: 0,
        json: { settled: 0, untold: 0 },
      });
      expect(await balances()).toEqual([
        [charged, charged],
        [charged, charged],
      ]);
    }
  });

  it('is whole and charged once, however often the import is killed', async () => {
    const { write } = createFiles(folder);
    const lines = Array.from({ length: 900 }, (_, leg) =>
      csvLeg({ uuid: `cc-${leg}`, microseconds: 10_000_000 }),
    );
    write('Master.csv', lines.join(''));
    for (let leg = 0; leg < 300; leg += 1) {
      write(`${leg}.json`, jsonLeg({ uuid: `aa-${leg}`, microseconds: 10_000_000 }));
    }
    const { ask } = createStageCli(stage);
    for (const until of [1, 150, 500, 900]) await importUntil(until);
    const last = await ask('cdr', 'import', folder, '--template', EXACT_TEMPLATE, '--apply');
    expect(last).toMatchObject({ code: 0, json: { faults: [], remaining: { chargeable: 0 } } });
    expect(await stage.database.records.counts()).toMatchObject({
      cdrs: 1200,
      charges: 2400,
      transfers: 2400,
    });
    const [acme, alice] = await balances();
    expect([acme?.[0], alice?.[0]]).toEqual([micros('-12.00'), micros('-12.00')]);
    const reconciled = await ask('reconcile', '--from', '2026-01-01');
    expect(reconciled).toMatchObject({ code: 0, json: { legs: 1200 } });
    // What was cut off between the record and Redis has been brought there.
    expect([acme?.[1], alice?.[1]]).toEqual([micros('-12.00'), micros('-12.00')]);
    expect(await stage.findings()).toEqual([]);
  });
});

/** Ends the program without a word as soon as so many calls are on record. */
async function importUntil(cdrs: number): Promise<void> {
  const args = ['cdr', 'import', folder, '--template', EXACT_TEMPLATE, '--apply'];
  const child = spawn(process.execPath, [CLI, ...args], {
    env: { ...stage.environment() },
    stdio: 'ignore',
  });
  let isOver = false;
  const over = once(child, 'exit').then(() => {
    isOver = true;
  });
  await eventually(
    async () => isOver || (await stage.database.records.counts()).cdrs >= cdrs,
    (reached) => reached,
    60_000,
  );
  child.kill('SIGKILL');
  await over;
}
