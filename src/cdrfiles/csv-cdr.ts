import { toSwitchCdr, type CdrReading, type FieldFault, type FieldsOutcome } from './cdr-fields.ts';
import { readTemplateLine, type CsvTemplate } from './csv-template.ts';

/** Reads one line that mod_cdr_csv wrote by this template. */
export function readCsvCdr(line: string, template: CsvTemplate, reading: CdrReading): FieldsOutcome {
  const found = readTemplateLine(template, line);
  if (found.kind !== 'values') return { kind: 'fault', fault: lineFault(line, found.kind) };
  const { values } = found;
  return toSwitchCdr(
    {
      valueOf: (name) => values.get(name),
      coreUuid: values.get('core_uuid'),
      switchName: values.get('switchname'),
      direction: values.get('direction') ?? values.get('call_direction'),
      callerNumber: values.get('caller_id_number'),
      destination: values.get('destination_number'),
    },
    reading,
  );
}

function lineFault(line: string, kind: 'unlike' | 'shifted'): FieldFault {
  const expected =
    kind === 'shifted'
      ? 'columns that can be told apart: a value holds the text that separates them'
      : line.includes('\0')
        ? 'text in UTF-8'
        : 'a line as the template writes it';
  return { field: 'line', value: line, expected };
}
