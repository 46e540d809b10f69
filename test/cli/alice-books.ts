import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import type { LiveState } from '../../src/command-line/live-state.ts';
import { createFiles } from './cdr-files.ts';
import { createCli } from './cli-run.ts';

/** A record with acme, whose alice pays 0.06 a minute by the second for Germany, and a folder for CDRs. */
export async function createAliceBooks(live?: Partial<LiveState>) {
  const cli = createCli(live);
  const files = createFiles(mkdtempSync(join(cli.folder, 'cdrs-')));
  const rates = files.write('../rates.csv', 'prefix,rate,minimum,increment\n49,0.06,1,1\n');
  await cli.run('tariff', 'import', 'standard', rates, '--currency', 'EUR');
  await cli.run('account', 'set', 'acme');
  await cli.run('account', 'set', 'acme/alice', '--wallet', 'EUR', '--tariff', 'standard');
  return { ...cli, ...files };
}
