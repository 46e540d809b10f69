import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readJsonCdr } from '../../src/cdrfiles/json-cdr.ts';
import { readXmlCdr } from '../../src/cdrfiles/xml-cdr.ts';
import { jsonOf, READING, UUID, VARIABLES, xmlOf } from './samples.ts';

function read(text: string) {
  return readXmlCdr(Buffer.from(text), READING);
}

describe('a CDR of mod_xml_cdr', () => {
  it('says the same as one of mod_json_cdr', () => {
    const json = readJsonCdr(Buffer.from(jsonOf()), READING);
    expect(json).toMatchObject({ kind: 'cdr', cdr: { uuid: UUID, destination: '4930123' } });
    expect(read(xmlOf())).toEqual(json);
  });

  it('gives back any value and any number', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 40 }).map((each) => each.replaceAll(/\p{C}/gu, ''));
    fc.assert(
      fc.property(text, text, (callee, number) => {
        const variables = { ...VARIABLES, tollgate_callee: `x${callee}` };
        const json = jsonOf({
          variables,
          callflow: [{ caller_profile: { caller_id_number: '1001', destination_number: number } }],
        });
        expect(read(xmlOf(variables, { number }))).toEqual(readJsonCdr(Buffer.from(json), READING));
      }),
    );
  });

  it('may name a variable with a colon in it', () => {
    expect(read(xmlOf({ ...VARIABLES, 'nolocal:execute_on_answer_x': 'a b' })).kind).toBe('cdr');
  });

  const BOMB =
    '<!DOCTYPE cdr [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;"><!ENTITY c SYSTEM "file:///etc/passwd">]>';
  it.each([
    ['a document type', xmlOf(VARIABLES, { before: BOMB }), 'no document type'],
    [
      'an entity of its own',
      xmlOf({ ...VARIABLES }, { inside: '<x>&c;</x>' }),
      'XML as mod_xml_cdr writes it',
    ],
    ['another document', '<html></html>', 'a cdr'],
    ['UTF-16', Buffer.from(xmlOf(), 'utf16le').toString(), 'text in UTF-8'],
    ['two documents', xmlOf() + xmlOf(), 'XML as mod_xml_cdr writes it'],
    ['no document', 'hello', 'XML as mod_xml_cdr writes it'],
    ['nothing', '', "a channel's uuid"],
    ['an element that ends as another', '<cdr><a></b></cdr>', 'XML as mod_xml_cdr writes it'],
    [
      'elements without end in one another',
      `<cdr>${'<a>'.repeat(100_000)}`,
      'at most 64 elements in one another',
    ],
    ['no uuid', xmlOf({ ...VARIABLES, uuid: '' }), "a channel's uuid"],
  ])('with %s is refused, and says so', (_, text, expected) => {
    expect(read(text)).toMatchObject({ kind: 'fault', fault: { expected } });
  });

  it('is unfinished wherever it is cut, until its last element is closed', () => {
    const whole = xmlOf().trimEnd();
    fc.assert(
      fc.property(fc.integer({ min: 0, max: whole.length - 1 }), (length) => {
        expect(read(whole.slice(0, length)).kind).toBe('fault');
      }),
      { numRuns: 50 },
    );
    expect(read(whole.slice(0, -3))).toMatchObject({ kind: 'fault', unfinished: true });
  });

  it('names the line of what is no XML', () => {
    expect(read('<cdr>\n<a>\n</cdr>')).toMatchObject({ kind: 'fault', line: 3 });
  });
});
