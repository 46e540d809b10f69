import convict from 'convict';
import { assert } from '../units/assert.ts';
import { CAUSE_KINDS } from './settings.ts';

/** The kinds of value a setting may have. Each says what it expects when it refuses. */
type Format = {
  readonly name: string;
  readonly expected: string;
  accepts(value: unknown): boolean;
  /** What the text of an environment variable means; text that means nothing comes back as it is, to be refused. */
  fromText(text: string): unknown;
};

const HOST = /^[A-Za-z0-9][A-Za-z0-9.:_-]{0,252}$/;
const NODE_ID = /^[a-z0-9][a-z0-9_.-]{0,63}$/;
const DURATION_MS_MAX = 86_400_000;
const NODE_FIELDS = new Set(['id', 'host', 'port', 'password']);
const CAUSE_FIELDS = new Set(['sipCode', 'reason', 'cause']);

const FORMATS: readonly Format[] = [
  {
    name: 'flag',
    expected: 'true or false',
    accepts: (value) => typeof value === 'boolean',
    fromText: (written) => (written === 'true' ? true : written === 'false' ? false : written),
  },
  wholeNumber('count', 0, 1_000_000, 'a whole number from 0 to 1000000'),
  wholeNumber('some', 1, 1_000_000, 'a whole number from 1 to 1000000'),
  wholeNumber('milliseconds', 1, DURATION_MS_MAX, 'whole milliseconds from 1 to 86400000'),
  wholeNumber('milliseconds-or-none', 0, DURATION_MS_MAX, 'whole milliseconds from 0 to 86400000'),
  wholeNumber('seconds', 1, 31_536_000, 'whole seconds from 1 to 31536000'),
  wholeNumber('tcp-port', 1, 65_535, 'a port from 1 to 65535'),
  wholeNumber('tcp-port-or-any', 0, 65_535, 'a port from 1 to 65535, or 0 for any free one'),
  wholeNumber('tcp-port-or-off', 0, 65_535, 'a port from 1 to 65535, or 0 for none'),
  text('host', HOST, 'a host name or an address'),
  text('secret', /^[^\r\n]{1,1000}$/, 'text of one line'),
  text('controller-id', /^[A-Za-z0-9_.-]{0,64}$/, 'at most 64 of A-Z a-z 0-9 _ . -, or nothing'),
  text(
    'redis-url',
    /^rediss?:\/\/[^\s]{1,1000}$/,
    'redis://host:port, rediss:// or redis://:password@host:port/db',
  ),
  text('currency', /^[A-Z]{3}$/, 'three capital letters such as EUR'),
  text(
    'database-url',
    /^(?!sqlite::memory:)(?:sqlite:|postgres(?:ql)?:\/\/|(?![A-Za-z][A-Za-z0-9+.-]*:))[^\s\0][^\r\n\0]{0,1000}$/,
    'the path of an SQLite file, or postgres://user:password@host:5432/database',
  ),
  list('variable-names', /^[A-Za-z_][A-Za-z0-9_.-]{0,63}$/, 'a list of channel variable names'),
  list('dialled-numbers', /^[+*#0-9]{1,32}$/, 'a list of dialled numbers, in quotes, such as ["112", "911"]'),
  json(
    'seconds-list',
    'a list of whole seconds from 1 to 3600, such as [60, 10]',
    (value) => Array.isArray(value) && value.length <= 8 && value.every(isWarningSecond),
  ),
  text('sound', /^[A-Za-z0-9_/.~][\w.:@+\-/,=*#()!~%;]{0,255}$/, 'a sound file or tone_stream://…'),
  json('nodes', 'a list of FreeSWITCH servers: {id, host, port, password}, each id once', areNodes),
  json('causes', `${CAUSE_KINDS.join(', ')}: {sipCode: 300 to 699, reason, cause}`, areCauses),
  json('document', 'fields and values', isRecord),
];

let added = false;

/** Teaches convict our formats; its table of formats is one for the process. */
export function addFormats(): void {
  if (added) return;
  added = true;
  for (const format of FORMATS) {
    convict.addFormat({
      name: format.name,
      validate(value: unknown) {
        const expected = complaintAbout(value, format.name);
        if (expected !== undefined) throw new Error(expected);
      },
      coerce: (value: unknown) => (typeof value === 'string' ? format.fromText(value) : value),
    });
  }
}

/** What a value should have been; undefined when it is right. `format` is as the schema has it: a name or the choices. */
export function complaintAbout(value: unknown, format: unknown): string | undefined {
  if (Array.isArray(format)) return format.includes(value) ? undefined : `one of ${format.join(', ')}`;
  const known = FORMATS.find(({ name }) => name === format);
  assert(known !== undefined, `the schema names a format that exists, and not ${String(format)}`);
  return known.accepts(value) ? undefined : known.expected;
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function wholeNumber(name: string, min: number, max: number, expected: string): Format {
  const accepts = (value: unknown) =>
    typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max;
  return {
    name,
    expected,
    accepts,
    fromText: (written) => (/^\d{1,15}$/.test(written) ? Number(written) : written),
  };
}

function text(name: string, pattern: RegExp, expected: string): Format {
  const accepts = (value: unknown) => typeof value === 'string' && pattern.test(value);
  return { name, expected, accepts, fromText: (written) => written };
}

function list(name: string, pattern: RegExp, expected: string): Format {
  const accepts = (value: unknown) =>
    Array.isArray(value) && value.every((item) => typeof item === 'string' && pattern.test(item));
  const fromText = (written: string) =>
    written
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== '');
  return { name, expected, accepts, fromText };
}

function json(name: string, expected: string, accepts: (value: unknown) => boolean): Format {
  const fromText = (written: string): unknown => {
    try {
      return JSON.parse(written);
    } catch {
      // Not JSON: the text itself is then refused, with what was expected.
      return written;
    }
  };
  return { name, expected: `${expected} (in the environment: as JSON)`, accepts, fromText };
}

function isWarningSecond(value: unknown): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 3600;
}

function areNodes(value: unknown): boolean {
  if (!Array.isArray(value)) return false;
  const ids = value.map((node: unknown) => (isRecord(node) ? node['id'] : undefined));
  return new Set(ids).size === ids.length && value.every(isNode);
}

function isNode(value: unknown): boolean {
  if (!isRecord(value) || !Object.keys(value).every((field) => NODE_FIELDS.has(field))) return false;
  const { id, host, port, password } = value;
  return (
    typeof id === 'string' &&
    NODE_ID.test(id) &&
    typeof host === 'string' &&
    HOST.test(host) &&
    typeof port === 'number' &&
    Number.isInteger(port) &&
    port >= 1 &&
    port <= 65_535 &&
    typeof password === 'string' &&
    /^[^\r\n]{1,1000}$/.test(password)
  );
}

function areCauses(value: unknown): boolean {
  if (!isRecord(value)) return false;
  const kinds: readonly string[] = CAUSE_KINDS;
  return Object.entries(value).every(([kind, cause]) => kinds.includes(kind) && isCause(cause));
}

/** Any of its fields may be left to the default. The reason reaches a FreeSWITCH command, so its letters are few. */
function isCause(value: unknown): boolean {
  if (!isRecord(value) || !Object.keys(value).every((field) => CAUSE_FIELDS.has(field))) return false;
  const { sipCode = 503, reason = 'Refused', cause = 'CALL_REJECTED' } = value;
  return (
    typeof sipCode === 'number' &&
    Number.isInteger(sipCode) &&
    sipCode >= 300 &&
    sipCode <= 699 &&
    typeof reason === 'string' &&
    /^[A-Za-z0-9][A-Za-z0-9 -]{0,63}$/.test(reason) &&
    typeof cause === 'string' &&
    /^[A-Z][A-Z0-9_]{1,63}$/.test(cause)
  );
}
