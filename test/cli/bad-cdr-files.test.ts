import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { EXACT_TEMPLATE, xmlOf } from '../cdrfiles/samples.ts';
import { createAliceBooks } from './alice-books.ts';
import { csvLeg, jsonLeg, variablesOf, type FileLeg } from './cdr-files.ts';

const utf16 = (text: string): Uint8Array => Buffer.from(text, 'utf16le');
const latin1 = (text: string): Uint8Array => Buffer.from(text, 'latin1');
const xmlLeg = (leg: FileLeg): string => xmlOf(variablesOf(leg));

const good = { uuid: 'aa-1', microseconds: 1e6 };
const other = { uuid: 'aa-1', microseconds: 2e6 };
const named = { uuid: 'aa-2', microseconds: 1e6, changes: { caller_id_name: 'Müller' } };
const FUTURE_US = Date.UTC(2026, 7, 2) * 1000;
const future = {
  uuid: 'aa-3',
  microseconds: 1e6,
  changes: {
    start_uepoch: `${FUTURE_US}`,
    answer_uepoch: `${FUTURE_US}`,
    end_uepoch: `${FUTURE_US + 1e6}`,
  },
};
/** The uuid where the direction belongs, and each further value one column further on. */
const shifted = `"x",${csvLeg({ ...good, uuid: 'aa-4' })}`.replace(/,"4930123"\n$/, '\n');

type BadFile = readonly [name: string, content: string | Uint8Array, fault: string | undefined];

const NAME_TEMPLATE = `${EXACT_TEMPLATE},"\${caller_id_name}"`;

const OF_LINES: readonly BadFile[] = [
  ['truncated.csv', csvLeg({ ...good, uuid: 'aa-5' }).slice(0, 99), '1: a line as the template writes it'],
  ['utf16.csv', utf16(csvLeg({ ...good, uuid: 'aa-6' }).trimEnd()), '1: text in UTF-8'],
  ['shifted.csv', shifted, '1: inbound or outbound'],
  ['future.csv', csvLeg(future), '1: a moment that has passed'],
  [
    'twice.csv',
    `${csvLeg(good)}${csvLeg(other)}${csvLeg(good)}`,
    '2: the figures of FOLDER/twice.csv:1, which stand',
  ],
];

function ofOneLeg(ending: string, write: (leg: FileLeg) => string): readonly BadFile[] {
  const syntax = ending === 'json' ? 'JSON as mod_json_cdr writes it' : 'XML as mod_xml_cdr writes it';
  const truncated = write({ ...good, uuid: 'aa-5' }).slice(0, 300);
  const lastLine = truncated.split('\n').length;
  return [
    [`truncated.${ending}`, truncated, `${lastLine}: ${syntax}, to its end`],
    [`utf16.${ending}`, utf16(write({ ...good, uuid: 'aa-6' })), '1: text in UTF-8'],
    [`future.${ending}`, write(future), '1: a moment that has passed'],
    [`a.${ending}`, write(good), undefined],
    [`latin1.${ending}`, latin1(write(named)), undefined],
  ];
}

type Report = {
  readonly settled: number;
  readonly faults: readonly { readonly file: string; readonly line: number; readonly expected: string }[];
};

describe('bad files of CDRs', () => {
  it.each([
    ['mod_cdr_csv', OF_LINES, 1],
    ['mod_json_cdr', ofOneLeg('json', jsonLeg), 2],
    ['mod_xml_cdr', ofOneLeg('xml', xmlLeg), 2],
  ] as const)(
    'of %s are told with their lines, and only what is sound is charged, once',
    async (_, bad, sound) => {
      const { ask, run, folder, write } = await createAliceBooks({});
      for (const [name, content] of bad) write(name, content);
      const command = ['cdr', 'import', folder, '--template', EXACT_TEMPLATE, '--apply'];
      const report = (await ask(...command)) as Report;
      const told = report.faults.map(({ file, line, expected }) => `${file}:${line}: ${expected}`);
      expect(told.toSorted()).toEqual(
        bad
          .flatMap(([name, , fault]) => (fault === undefined ? [] : [`${join(folder, name)}:${fault}`]))
          .map((line) => line.replace('FOLDER', folder))
          .toSorted(),
      );
      expect(report.settled).toBe(sound);
      const balance = { balance: { amount: `-0.00${sound}` } };
      expect(await ask('account', 'show', 'acme/alice')).toMatchObject(balance);
      expect((await run(...command)).code).toBe(0);
      expect(await ask(...command)).toMatchObject({ settled: 0, faults: [] });
      expect(await ask('account', 'show', 'acme/alice')).toMatchObject(balance);
      expect((await run('verify', '--record-only')).code).toBe(0);
    },
  );

  it('that contradict one another across formats leave the first as it is', async () => {
    const { ask, folder, write } = await createAliceBooks({});
    const first = write('a.json', jsonLeg(good));
    await ask('cdr', 'import', folder, '--template', EXACT_TEMPLATE, '--apply');
    const [csv, xml] = [write('Master.csv', csvLeg(other)), write('a.xml', xmlLeg(other))];
    const { faults, settled } = (await ask(
      'cdr',
      'import',
      folder,
      '--template',
      EXACT_TEMPLATE,
      '--apply',
    )) as Report;
    expect(settled).toBe(0);
    expect(faults.map(({ file, line }) => `${file}:${line}`).toSorted()).toEqual(
      [`${csv}:1`, `${xml}:1`].toSorted(),
    );
    expect(faults.every(({ expected }) => expected === `the figures of ${first}:1, which stand`)).toBe(true);
  });

  it('may spoil a name in Latin-1, and nothing else of a line', async () => {
    const { ask, folder, write } = await createAliceBooks({});
    const line = `${csvLeg(named).trimEnd()},"Müller"\n`;
    write('Master.csv', latin1(line));
    const report = await ask('cdr', 'import', folder, '--template', NAME_TEMPLATE, '--apply');
    expect(report).toMatchObject({ settled: 1, faults: [] });
  });
});
