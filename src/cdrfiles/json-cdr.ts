import { toSwitchCdr, type CdrReading, type FieldFault } from './cdr-fields.ts';
import type { SwitchCdr } from '../reconcile/switch-cdr.ts';
import { variableReader } from './variable-text.ts';

/** A file with one leg in it. `unfinished`: it ends too early, as while FreeSWITCH is still writing. */
export type OneLeg =
  | { readonly kind: 'cdr'; readonly cdr: SwitchCdr }
  | {
      readonly kind: 'fault';
      readonly line: number;
      readonly fault: FieldFault;
      readonly unfinished: boolean;
    };

/** Reads what mod_json_cdr wrote of one leg. */
export function readJsonCdr(bytes: Uint8Array, reading: CdrReading): OneLeg {
  // A name in another encoding spoils the name only.
  const text = new TextDecoder('utf-8').decode(bytes);
  if (text.includes('\0')) return { kind: 'fault', line: 1, fault: notUtf8(text), unfinished: false };
  const parsed = parseJson(text);
  if (parsed.kind === 'unreadable') {
    const fault = { field: 'file', value: text, expected: 'JSON as mod_json_cdr writes it' };
    return { kind: 'fault', line: parsed.line, fault, unfinished: !text.trimEnd().endsWith('}') };
  }
  const document = recordOf(parsed.value);
  const variables = recordOf(document?.['variables']);
  if (document === undefined || variables === undefined) {
    const fault = { field: 'variables', value: '', expected: 'the channel variables of a leg' };
    return { kind: 'fault', line: 1, fault, unfinished: false };
  }
  const valueOf = variableReader(textsOf(variables));
  const profile = firstProfile(document['callflow']);
  const channel = recordOf(document['channel_data']);
  const outcome = toSwitchCdr(
    {
      valueOf,
      coreUuid: textOf(document['core-uuid']),
      switchName: textOf(document['switchname']),
      direction: textOf(channel?.['direction']) ?? valueOf('direction'),
      callerNumber: textOf(profile?.['caller_id_number']),
      destination: textOf(profile?.['destination_number']),
    },
    reading,
  );
  return outcome.kind === 'cdr' ? outcome : { ...outcome, line: 1, unfinished: false };
}

/** Two bytes a letter, or no text at all. */
export function notUtf8(value: string): FieldFault {
  return { field: 'file', value, expected: 'text in UTF-8' };
}

type Parsed =
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'unreadable'; readonly line: number };

function parseJson(text: string): Parsed {
  try {
    return { kind: 'value', value: JSON.parse(text) as unknown };
  } catch (error) {
    // It says where in words only; without a place the text ended too early.
    const [, at] = /at position (\d+)/.exec(error instanceof Error ? error.message : '') ?? [];
    return { kind: 'unreadable', line: lineAt(text, at === undefined ? text.length : Number(at)) };
  }
}

function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at !== -1 && at < offset - 1; at = text.indexOf('\n', at + 1)) line += 1;
  return line;
}

/** The latest profile comes first; the one a leg began with is the last, and says what was dialled. */
function firstProfile(callflow: unknown): Readonly<Record<string, unknown>> | undefined {
  const flows: readonly unknown[] = Array.isArray(callflow) ? callflow : [callflow];
  return recordOf(recordOf(flows.at(-1))?.['caller_profile']);
}

function textsOf(variables: Readonly<Record<string, unknown>>): ReadonlyMap<string, string> {
  const texts = new Map<string, string>();
  for (const [name, value] of Object.entries(variables)) {
    const text = textOf(value);
    if (text !== undefined) texts.set(name, text);
  }
  return texts;
}

function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : undefined;
}
