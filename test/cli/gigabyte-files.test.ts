import { appendFileSync, mkdtempSync, rmSync, statSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXACT_TEMPLATE } from '../cdrfiles/samples.ts';
import { createFiles, csvLeg } from './cdr-files.ts';
import { createCli } from './cli-run.ts';
import { measureProgram } from './measured-run.ts';

const GIGABYTE = 2 ** 30;
/** The program by itself has some 150 MB. */
const RSS_BYTES_MAX = 400 * 2 ** 20;

const folder = mkdtempSync(join(tmpdir(), 'tollgate-gigabytes-'));
const record = join(folder, 'record.sqlite');
const files = createFiles(folder);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A file with a line of a gigabyte in its middle. It has a hole there, so that it takes no room on the disk. */
function gigabyteFile(name: string, before: string, after: string): string {
  const path = files.write(name, before);
  truncateSync(path, statSync(path).size + GIGABYTE);
  appendFileSync(path, after);
  return path;
}

/** What a refused file must leave as it was. */
const { ask, run } = createCli({}, folder, record);

beforeAll(async () => {
  const rates = files.write('rates.csv', 'prefix,rate,minimum,increment\n49,0.06,1,1\n');
  await run('tariff', 'import', 'standard', rates, '--currency', 'EUR');
  await run('account', 'set', 'acme', '--calls', '5');
  await run('account', 'set', 'acme/alice', '--wallet', 'EUR', '--tariff', 'standard');
});

async function onRecord(): Promise<unknown> {
  return [await ask('account', 'list'), await ask('route', 'list'), await ask('tariff', 'list')];
}

describe('a line of a gigabyte', () => {
  it.each([
    ['tariff import standard', 'FILE:3: line'],
    ['whatif --from 2026-07-01 --to 2026-08-01 --replaces standard --rates', 'FILE:3: line'],
  ])('in a tariff refuses it: %s', async (command, place) => {
    const file = gigabyteFile('gigabyte.csv', 'prefix,rate\n44,0.01\n', '\n43,0.01\n');
    const before = await onRecord();
    const refused = await measureProgram([...command.split(' '), file], record);
    expect(refused).toMatchObject({ code: 2, out: '' });
    expect(refused.err).toContain(place.replace('FILE', file));
    expect(refused.rssBytesMax).toBeLessThan(RSS_BYTES_MAX);
    expect(await onRecord()).toEqual(before);
  });

  it('in CDRs is skipped: the legs around it are read, and files of one leg are refused', async () => {
    const cdrs = createFiles(mkdtempSync(join(folder, 'cdrs-'))).folder;
    const name = (file: string) => join(cdrs, file).slice(folder.length + 1);
    const csv = gigabyteFile(
      name('Master.csv'),
      csvLeg({ uuid: 'aa-1', microseconds: 1e6 }),
      `\n${csvLeg({ uuid: 'aa-2', microseconds: 1e6 })}`,
    );
    const json = gigabyteFile(name('a.cdr.json'), '{"variables":{"uuid":"', '"}}\n');
    const xml = gigabyteFile(name('a.cdr.xml'), '<cdr><variables><uuid>', '</uuid></variables></cdr>\n');
    const command = ['cdr', 'import', cdrs, '--template', EXACT_TEMPLATE, '--json'];
    const imported = await measureProgram(command, record);
    expect(imported.code).toBe(1);
    expect(imported.rssBytesMax).toBeLessThan(RSS_BYTES_MAX);
    const { legs, faults } = JSON.parse(imported.out) as {
      readonly legs: unknown;
      readonly faults: readonly { readonly file: string; readonly line: number; readonly expected: string }[];
    };
    expect(legs).toEqual({ new: 2, again: 0, completed: 0 });
    const told = faults.map(({ file, line, expected }) => `${file}:${line}: ${expected}`);
    expect(told.toSorted()).toEqual(
      [
        `${csv}:2: at most 65536 bytes`,
        `${json}:1: at most 4194304 bytes`,
        `${xml}:1: at most 4194304 bytes`,
      ].toSorted(),
    );
  });

  it.each([
    ['account apply FILE --yes', '- account: acme/eve\n  description: '],
    ['account apply FILE --yes', '{"accounts": [{"account": "acme/eve", "description": "'],
    ['account set --file FILE', '- account: acme/eve\n  description: '],
    ['route set --file FILE', '- route: carrier\n  calls: '],
    ['shadow set acme FILE', 'calls: '],
    ['account import-kazoo acme FILE --yes', '{"pvt_calls": '],
    ['whatif --from 2026-07-01 --to 2026-08-01 --limits FILE', '- account: acme/eve\n  description: '],
  ])('in a document refuses it: %s', async (command, begin) => {
    const file = gigabyteFile('gigabyte.doc', begin, '\n');
    const before = await onRecord();
    const args = command.split(' ').map((word) => (word === 'FILE' ? file : word));
    const refused = await measureProgram(args, record);
    expect(refused).toMatchObject({ code: 2, out: '' });
    expect(refused.err).toMatch(`: ${file}: expected at most 8388608 bytes`);
    expect(refused.rssBytesMax).toBeLessThan(RSS_BYTES_MAX);
    expect(await onRecord()).toEqual(before);
  });
});
