import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openDatabase } from '../../src/database/database.ts';
import { fillRecord, liveCalls } from '../charging/charged-record.ts';
import { createFiles, jsonLeg } from './cdr-files.ts';
import { createCli } from './cli-run.ts';

const SPAN = ['--from', '1970-01-01', '--to', '1970-01-10'];

/** A record of calls that were charged live. */
async function createCharged() {
  const cli = createCli({});
  const database = await openDatabase({ url: join(cli.folder, 'record.sqlite') });
  await fillRecord(database, liveCalls(30, 3));
  await database.close();
  return cli;
}

describe('a name that nothing has', () => {
  it.each([
    ['rerate plan', ['--account', 'acme/nobody'], 'no account acme/nobody'],
    ['rerate plan', ['--tariff', 'retial'], 'no tariff retial'],
    ['whatif', ['--tariff', 'retail', '--account', 'acme/nobody'], 'no account acme/nobody'],
    ['reconcile', ['--account', 'acme/nobody'], 'no account acme/nobody'],
    ['shadow report', ['--account', 'acme/nobody'], 'no account acme/nobody'],
    ['statement acme/nobody', [], 'no account acme/nobody'],
    ['statement acme/nobody', ['--csv'], 'no account acme/nobody'],
    ['statement acme/shop/till', ['--csv'], 'acme/shop/till has no wallet'],
  ])('is told, and no empty result given for it: %s %j', async (command, flags, told) => {
    const { run, ask } = await createCharged();
    const args = [...command.split(' '), ...SPAN, ...flags];
    expect(await run(...args)).toEqual({ code: 1, out: '', err: `${told}\n` });
    expect(await ask(...args)).toEqual({ error: told });
    expect(await ask('rerate', 'list')).toEqual([]);
  });

  it('is none of an account that was removed, whose calls are on record', async () => {
    const { run, ask } = await createCharged();
    expect((await run('account', 'remove', 'acme/cheap')).code).toBe(0);
    const ofRemoved = ['--account', 'acme/cheap'];
    expect((await run('rerate', 'plan', ...SPAN, ...ofRemoved)).code).toBe(0);
    expect((await run('reconcile', ...SPAN, ...ofRemoved)).err).toBe('');
    const statement = await ask('statement', 'acme/cheap', ...SPAN);
    expect(statement).toMatchObject({ account: 'acme/cheap', statements: [{ currency: 'EUR' }] });
  });

  it('of a run is told although there is no Redis', async () => {
    const { run } = createCli();
    for (const change of ['apply', 'revert']) {
      expect(await run('rerate', change, 'nope')).toMatchObject({ code: 1, err: 'there is no run nope\n' });
    }
  });
});

describe('--csv beside --json', () => {
  it.each([
    ['statement acme', SPAN],
    ['whatif --tariff retail', SPAN],
    ['reconcile', SPAN],
    ['rerate show may', []],
    ['tariff show retail', []],
    ['tariff diff retail retail', []],
  ])('gives the JSON alone: %s', async (command, flags: readonly string[]) => {
    const { run } = await createCharged();
    await run('rerate', 'plan', ...SPAN, '--id', 'may');
    const asked = [...command.split(' '), ...flags, '--json'];
    const { out } = await run(...asked, '--csv');
    expect(JSON.parse(out)).toEqual(expect.anything());
    expect(out.trimEnd().split('\n').at(0)).toMatch(/^[[{]/);
  });
});

describe('a file of CDRs whose name says nothing', () => {
  it.each([['cdr import'], ['reconcile --from 2026-07-01 --cdr']])(
    'is refused without --format, and read with it: %s',
    async (command) => {
      const { run, folder } = createCli({});
      const { write } = createFiles(mkdtempSync(join(folder, 'cdrs-')));
      const file = write('leg.txt', jsonLeg({ uuid: 'aa-1' }));
      const refused = await run(...command.split(' '), file);
      expect(refused).toMatchObject({ code: 2, out: '' });
      expect(refused.err).toContain(`${file}: expected a name that ends in .json, .xml or .csv, or --format`);
      const read = await run(...command.split(' '), file, '--format', 'json', '--json');
      expect(JSON.parse(read.out)).toMatchObject({ files: { read: 1 } });
    },
  );
});
