import { readdirSync, readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readJsonCdr } from '../../src/cdrfiles/json-cdr.ts';
import { jsonOf, READING, UUID, VARIABLES } from './samples.ts';

const FOLDER = new URL('../fixtures/transcripts/', import.meta.url);

function read(text: string | Uint8Array) {
  return readJsonCdr(typeof text === 'string' ? Buffer.from(text) : text, READING);
}

/** As FreeSWITCH does it, letters and digits apart. */
function encoded(text: string): string {
  return [...Buffer.from(text)]
    .map((byte) => String.fromCodePoint(byte))
    .map((char) =>
      /[A-Za-z0-9/,.()_-]/.test(char)
        ? char
        : `%${(char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(2, '0')}`,
    )
    .join('');
}

describe('a CDR of mod_json_cdr', () => {
  const files = readdirSync(FOLDER).filter((name) => name.endsWith('.cdr.json'));

  it.each(files)('that a FreeSWITCH wrote is read: %s', (name) => {
    const text = readFileSync(new URL(name, FOLDER));
    const raw = JSON.parse(text.toString()) as { readonly variables: Readonly<Record<string, string>> };
    const { uuid, billusec, billsec, hangup_cause: cause, direction } = raw.variables;
    expect(read(text)).toMatchObject({
      kind: 'cdr',
      cdr: {
        uuid,
        direction,
        billMicroseconds: Number(billusec),
        billsec: Number(billsec),
        cause,
        switchName: 'fsrig',
      },
    });
  });

  it('says what was first dialled, not where the leg was transferred to', () => {
    expect(read(jsonOf())).toMatchObject({
      cdr: { destination: '4930123', callerNumber: '1001', gate: { account: 'acme/alice' } },
    });
  });

  it('is the same with plain and with percent-encoded values', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (name) => {
        const variables = { ...VARIABLES, tollgate_destination: `+49 ${name}`, caller_id: name };
        const asEncoded = Object.fromEntries(
          Object.entries(variables).map(([key, value]) => [key, encoded(value)]),
        );
        const plain = read(jsonOf({ variables }));
        expect(plain.kind).toBe('cdr');
        expect(read(jsonOf({ variables: asEncoded }))).toEqual(plain);
      }),
    );
  });

  it('keeps a leg whose caller has a name in Latin-1', () => {
    const variables = Object.fromEntries(
      Object.entries({ ...VARIABLES, tollgate_callee: 'X' }).map(([key, value]) => [key, encoded(value)]),
    );
    const encodedName = jsonOf({ variables: { ...variables, tollgate_callee: 'Andr%E9' } });
    expect(read(encodedName)).toMatchObject({ kind: 'cdr', cdr: { gate: { callee: 'Andr\u{FFFD}' } } });
    const plain = Buffer.from(jsonOf({ variables: { ...VARIABLES, tollgate_callee: 'André' } }), 'latin1');
    expect(read(plain)).toMatchObject({ kind: 'cdr', cdr: { gate: { callee: 'Andr\u{FFFD}' } } });
  });

  it('is unfinished wherever it is cut, until its last bracket is there', () => {
    const whole = Buffer.from(jsonOf().trimEnd());
    fc.assert(
      fc.property(fc.integer({ min: 0, max: whole.length - 1 }), (length) => {
        const cut = read(whole.subarray(0, length));
        expect(cut).toMatchObject({ kind: 'fault', fault: { field: 'file' } });
      }),
    );
    expect(read(whole.subarray(0, whole.length - 4))).toMatchObject({ unfinished: true });
    expect(read(whole)).toMatchObject({ kind: 'cdr', cdr: { uuid: UUID } });
  });

  it.each([
    ['no JSON', 'hello }', 'file', 'JSON as mod_json_cdr writes it'],
    ['another document', '[1, 2]', 'variables', 'the channel variables of a leg'],
    ['variables that are a list', '{"variables":[]}', 'variables', 'the channel variables of a leg'],
    ['UTF-16', Buffer.from(jsonOf(), 'utf16le'), 'file', 'text in UTF-8'],
    ['no uuid', without('uuid'), 'uuid', "a channel's uuid"],
    ['a uuid that is a command', changed({ uuid: 'x; rm -rf' }), 'uuid', "a channel's uuid"],
    ['a number for a uuid', changed({ uuid: ['a'] }), 'uuid', "a channel's uuid"],
    ['no start', without('start_uepoch', 'start_stamp'), 'start_uepoch', 'when the leg began'],
    ['a start of 1970', changed({ start_uepoch: '5' }), 'start_uepoch', 'microseconds since 1970'],
    ['a start in words', changed({ start_uepoch: 'now' }), 'start_uepoch', 'microseconds since 1970'],
    [
      'an end before its start',
      changed({ end_uepoch: '1795331500000000' }),
      'end_uepoch',
      'no end before 2026-11-22T07:11:47.643Z',
    ],
    [
      'an end in the future',
      changed({ start_uepoch: '1895331507643034', answer_uepoch: '0', end_uepoch: '1895331507643034' }),
      'end_uepoch',
      'a moment that has passed',
    ],
    ['a duration in words', changed({ billusec: '4s' }), 'billusec', 'the microseconds from answer to end'],
    ['a negative duration', changed({ billusec: '-1' }), 'billusec', 'the microseconds from answer to end'],
    [
      'a duration that does not fit its moments',
      changed({ billusec: '9039940', billsec: '9' }),
      'billusec',
      'the microseconds from answer to end',
    ],
    ['seconds that do not fit', changed({ billsec: '6' }), 'billsec', 'the 4 s from answer to end'],
    [
      'talk that nobody answered',
      changed({ answer_uepoch: '0', billusec: '1000000', billsec: '1' }),
      'billsec',
      'nothing, for nobody answered',
    ],
  ])('with %s is refused, and named', (_, text, field, expected) => {
    expect(read(text)).toMatchObject({ kind: 'fault', fault: { field, expected } });
  });

  it('names the line of what is no JSON', () => {
    expect(read('{\n"variables":\n{"uuid" "x"}}\n')).toMatchObject({ kind: 'fault', line: 3 });
  });

  it('is never read past what it may be: hostile bytes are a fault or a leg, and nothing else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(read(bytes).kind).toBe('fault');
      }),
    );
    expect(read(`{"a":${'['.repeat(200_000)}`).kind).toBe('fault');
  });
});

function changed(values: Readonly<Record<string, unknown>>): string {
  return jsonOf({ variables: { ...VARIABLES, ...values } });
}

function without(...names: readonly string[]): string {
  return changed(Object.fromEntries(names.map((name) => [name, ''])));
}
