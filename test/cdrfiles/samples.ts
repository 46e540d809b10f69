import type { CdrReading } from '../../src/cdrfiles/cdr-fields.ts';
import { DEFAULT_TEMPLATE, parseTemplate, type CsvTemplate } from '../../src/cdrfiles/csv-template.ts';
import { toEpochMs } from '../../src/units/time.ts';

/** Long after the recordings. */
export const READING: CdrReading = {
  now: toEpochMs(Date.UTC(2026, 11, 1)),
  zone: 'UTC',
  accountVariables: ['accountcode'],
};

/** A template of machine fields, which no caller can write into. */
export const EXACT_TEMPLATE =
  '"${uuid}","${direction}","${start_uepoch}","${answer_uepoch}","${end_uepoch}","${billusec}","${billsec}","${hangup_cause}","${originator}","${accountcode}","${caller_id_number}","${destination_number}"';

export function templateOf(text: string = DEFAULT_TEMPLATE): CsvTemplate {
  const reading = parseTemplate(text);
  if (reading.kind === 'fault') throw new Error(reading.fault.expected);
  return reading.template;
}

export const UUID = '86923330-3188-4a45-b1a8-91e318b04f15';

/** The variables of a leg that talked for 4.03994 s. */
export const VARIABLES: Readonly<Record<string, string>> = {
  uuid: UUID,
  direction: 'outbound',
  originator: '14ba6049-38c2-4720-bddf-60ca5435ce1e',
  start_stamp: '2026-11-22 07:11:47',
  start_uepoch: '1795331507643034',
  answer_uepoch: '1795331508163094',
  end_uepoch: '1795331512203034',
  billsec: '4',
  billusec: '4039940',
  hangup_cause: 'NORMAL_CLEARING',
  accountcode: 'acme/alice',
};

export type LegDocument = {
  readonly variables?: Readonly<Record<string, unknown>>;
  readonly callflow?: unknown;
};

/** As mod_json_cdr writes it with `encode-values` off. */
export function jsonOf({ variables = VARIABLES, callflow = PROFILES }: LegDocument = {}): string {
  return `${JSON.stringify({
    'core-uuid': '7d9db474-0602-4ab5-b702-c16ab06e7ab1',
    switchname: 'fs1',
    channel_data: { state: 'CS_REPORTING', direction: 'outbound' },
    variables,
    callflow,
  })}\n`;
}

const PROFILES = [
  { caller_profile: { caller_id_number: '3001', destination_number: '9000' } },
  { caller_profile: { caller_id_number: '1001', destination_number: '4930123' } },
];

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

/** As mod_xml_cdr writes it: variables are percent-encoded, what is in the call flow is not. */
export function xmlOf(
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
