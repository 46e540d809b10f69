import { readdirSync, readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readCsvCdr } from '../../src/cdrfiles/csv-cdr.ts';
import { DEFAULT_TEMPLATE, parseTemplate, readTemplateLine } from '../../src/cdrfiles/csv-template.ts';
import { EXACT_TEMPLATE, READING, templateOf, UUID, VARIABLES } from './samples.ts';

const FOLDER = new URL('../fixtures/transcripts/', import.meta.url);

/** As FreeSWITCH expands a template: every value as it is. */
function lineOf(values: Readonly<Record<string, string>>, template = DEFAULT_TEMPLATE): string {
  return template.replaceAll(/\$\{([^}]*)\}/g, (_, name: string) => values[name] ?? '');
}

describe('a line of mod_cdr_csv', () => {
  const lines = readdirSync(FOLDER)
    .filter((name) => name.endsWith('.cdr.csv'))
    .flatMap((name) => readFileSync(new URL(name, FOLDER), 'utf8').split('\n'))
    .filter((line) => line !== '');

  it('that a FreeSWITCH wrote by its own template is read, whatever the name of its caller', () => {
    expect(lines.length).toBeGreaterThan(40);
    const read = lines.map((line) => readCsvCdr(line, templateOf(), READING));
    expect(read.filter(({ kind }) => kind !== 'cdr')).toEqual([]);
    const names = lines.filter((line) => line.includes(String.raw`\"q\"`));
    expect(names.length).toBeGreaterThan(0);
  });

  it('has neither direction nor exact duration by that template, and its times are local ones', () => {
    const line = lines.find((each) => each.includes(UUID)) ?? '';
    const inZone = readCsvCdr(line, templateOf(), { ...READING, zone: 'Europe/Berlin' });
    expect(inZone).toMatchObject({
      kind: 'cdr',
      cdr: {
        direction: undefined,
        billMicroseconds: undefined,
        billsec: 4,
        startedAt: Date.UTC(2026, 10, 22, 6, 11, 47),
        answeredAt: Date.UTC(2026, 10, 22, 6, 11, 48),
      },
    });
  });

  it('has everything by a template of machine fields', () => {
    const values = { ...VARIABLES, caller_id_number: '1001', destination_number: '4930123' };
    expect(readCsvCdr(lineOf(values, EXACT_TEMPLATE), templateOf(EXACT_TEMPLATE), READING)).toMatchObject({
      kind: 'cdr',
      cdr: { uuid: UUID, direction: 'outbound', billMicroseconds: 4_039_940, destination: '4930123' },
    });
  });

  it('has an exact duration where only the moments are exact', () => {
    const template = '${uuid};${start_uepoch};${answer_uepoch};${end_uepoch}';
    expect(readCsvCdr(lineOf(VARIABLES, template), templateOf(template), READING)).toMatchObject({
      cdr: { billMicroseconds: 4_039_940, billsec: 4 },
    });
  });

  it('gives back what was written, or says that its columns cannot be told apart', () => {
    const part = fc.constantFrom('"', ',', '","', 'a', '1', '\\', ' ', '');
    const value = fc.array(part, { maxLength: 6 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(
        fc.array(value, { minLength: 2, maxLength: 5 }),
        fc.constantFrom('","', ',', '" "'),
        (values, between) => {
          const names = values.map((_, index) => `v${index}`);
          const template = { names, literals: ['"', ...names.slice(1).map(() => between), '"'] };
          const read = readTemplateLine(template, `"${values.join(between)}"`);
          const hidden = { kind: 'shifted' };
          const whole = {
            kind: 'values',
            values: new Map(names.map((name, index) => [name, values[index]])),
          };
          // A value without any of the text between two columns never hides them.
          const mayHide = values.join('').includes(between[0] ?? '');
          expect(mayHide ? [hidden, whole] : [whole]).toContainEqual(read);
        },
      ),
    );
  });

  it('takes linear time, however a caller is called', () => {
    const name = '","'.repeat(20_000);
    const read = readCsvCdr(lineOf({ ...VARIABLES, caller_id_name: name }), templateOf(), READING);
    expect(read).toMatchObject({ kind: 'fault', fault: { field: 'line' } });
  });

  it.each([
    ['fewer columns', '"1001","2002"', 'line', 'a line as the template writes it'],
    [
      'more columns',
      `${lineOf(VARIABLES, EXACT_TEMPLATE)},"x"`,
      'line',
      'columns that can be told apart: a value holds the text that separates them',
    ],
    [
      'a caller who is called by a separator',
      lineOf({ ...VARIABLES, caller_id_number: '1","2' }, EXACT_TEMPLATE),
      'line',
      'columns that can be told apart: a value holds the text that separates them',
    ],
    [
      'columns that moved',
      lineOf({ ...VARIABLES, uuid: 'outbound', direction: UUID }, EXACT_TEMPLATE),
      'direction',
      'inbound or outbound',
    ],
    [
      'UTF-16',
      Buffer.from(lineOf(VARIABLES, EXACT_TEMPLATE), 'utf16le').toString('utf8'),
      'line',
      'text in UTF-8',
    ],
    [
      'a start in the future',
      lineOf(
        {
          ...VARIABLES,
          start_uepoch: '1895331507643034',
          answer_uepoch: '',
          end_uepoch: '1895331507643034',
          billsec: '0',
          billusec: '0',
        },
        EXACT_TEMPLATE,
      ),
      'end_uepoch',
      'a moment that has passed',
    ],
  ])('with %s is refused, and says so', (_, line, field, expected) => {
    expect(readCsvCdr(line, templateOf(EXACT_TEMPLATE), READING)).toMatchObject({
      kind: 'fault',
      fault: { field, expected },
    });
  });

  it.each(['2026-13-01 00:00:00', '2026-02-30 00:00:00', '01.02.2026', '2026-02-01T00:00:00'])(
    'refuses the local time %s',
    (stamp) => {
      const values = {
        ...VARIABLES,
        start_stamp: stamp,
        start_uepoch: '',
        answer_stamp: stamp,
        end_stamp: stamp,
      };
      expect(readCsvCdr(lineOf(values), templateOf(), READING)).toMatchObject({
        kind: 'fault',
        fault: { field: 'start_stamp', value: stamp },
      });
    },
  );
});

describe('a template', () => {
  it.each([
    ['', '${uuid}, for nothing else names a leg'],
    ['"${start_uepoch}"', '${uuid}, for nothing else names a leg'],
    ['${uuid}${start_uepoch}', 'text between any two variables, to tell them apart'],
    ['${uuid},${uuid}', 'each variable once'],
    ['${uuid},${answer_uepoch}', '${start_uepoch}, or in seconds or as a stamp'],
    ['${uuid},${start_epoch}', '${end_uepoch}, or in seconds or as a stamp'],
    ['${uuid},${start_epoch},${end_epoch}', '${answer_uepoch}, or in seconds or as a stamp'],
    ['${uuid},${start_stamp},${answer_epoch},${end_epoch}', '${billusec}, the duration that is charged'],
  ])('%j needs %s', (text, expected) => {
    expect(parseTemplate(text)).toMatchObject({ kind: 'fault', fault: { field: '--template', expected } });
  });

  it('may be a statement of SQL', () => {
    const sql = `INSERT INTO cdr VALUES ("\${uuid}","\${start_stamp}","\${answer_stamp}","\${end_stamp}","\${billsec}");`;
    const values = { ...VARIABLES, answer_stamp: '2026-11-22 07:11:48', end_stamp: '2026-11-22 07:11:52' };
    expect(readCsvCdr(lineOf(values, sql), templateOf(sql), READING)).toMatchObject({
      cdr: { uuid: UUID, billsec: 4 },
    });
  });
});
