import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readJsonCdr } from '../../src/cdrfiles/json-cdr.ts';
import { readXmlCdr } from '../../src/cdrfiles/xml-cdr.ts';
import { jsonOf, READING, UUID, VARIABLES } from './samples.ts';

function read(text: string) {
  return readXmlCdr(Buffer.from(text), READING);
}

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

/** As mod_xml_cdr writes it: variables are percent-encoded, what is in the call flow is not. */
function xmlOf(
  variables: Readonly<Record<string, string>> = VARIABLES,
  { number = '4930123', before = '<?xml version="1.0"?>\n', inside = '' } = {},
): string {
  const elements = Object.entries(variables).map(
    ([name, value]) => `    <${name}>${escaped(encodeURIComponent(value))}</${name}>`,
  );
  return `${before}<cdr core-uuid="7d9db474-0602-4ab5-b702-c16ab06e7ab1" switchname="fs1">
  <channel_data>
    <state>CS_REPORTING</state>
    <direction>outbound</direction>
  </channel_data>
  <variables>
${elements.join('\n')}
  </variables>${inside}
  <app_log><application app_name="set" app_data="a=b"></application></app_log>
  <callflow dialplan="XML" profile_index="2">
    <caller_profile><caller_id_number>3001</caller_id_number><destination_number>9000</destination_number></caller_profile>
  </callflow>
  <callflow dialplan="XML" profile_index="1">
    <caller_profile>
      <caller_id_number>1001</caller_id_number>
      <destination_number>${escaped(number)}</destination_number>
      <originator><originator_caller_profile><destination_number>666</destination_number></originator_caller_profile></originator>
    </caller_profile>
    <times><created_time>1795331507643034</created_time></times>
  </callflow>
</cdr>
`;
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
