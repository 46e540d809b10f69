import { FramingError, readHeaderLines } from './framer.ts';

/** An event's headers as FreeSWITCH sent them: a JSON object's own properties, or a plain block's lines. */
export type WireEvent = { readonly [name: string]: unknown };

const EMPTY_IN_PLAIN = '_undef_';
const PERCENT_RUN = /(?:%[0-9A-Fa-f]{2})+/g;

/** The header's text, or undefined where it is missing. Repeated headers read as FreeSWITCH's own `ARRAY::a|:b`. */
export function headerOf(event: WireEvent, name: string): string | undefined {
  if (!Object.hasOwn(event, name)) return undefined;
  const value = event[name];
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return `ARRAY::${value.map(String).join('|:')}`;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}

export function readJsonEvent(body: Buffer): WireEvent {
  let parsed: unknown;
  try {
    // Bytes that are no UTF-8 (a Latin-1 caller name) become U+FFFD here instead of an error.
    parsed = JSON.parse(body.toString('utf8'));
  } catch {
    throw new FramingError('framing', 'an event that is not JSON');
  }
  if (!isRecord(parsed)) throw new FramingError('framing', 'an event that is not an object');
  return parsed;
}

/** A plain event: percent-encoded headers and, after an empty line, a body of its own length. */
export function readPlainEvent(body: Buffer): WireEvent {
  const text = body.toString('utf8');
  const end = text.indexOf('\n\n');
  const event = decodeHeaders(readHeaderLines((end === -1 ? text : text.slice(0, end)).trimEnd()));
  return end === -1 || text.length === end + 2 ? event : { ...event, _body: text.slice(end + 2) };
}

/** Decodes a header block of which every value is percent-encoded: a plain event, or the answer to `connect`. */
export function decodeHeaders(headers: ReadonlyMap<string, string>): WireEvent {
  const event: Record<string, unknown> = {};
  for (const [name, value] of headers) {
    // Defined, not assigned: a header may have any name, `__proto__` included.
    Object.defineProperty(event, name, { value: decodePercent(value), enumerable: true });
  }
  return event;
}

/**
 * Percent-decoding that never fails. FreeSWITCH encodes byte by byte and leaves an existing `%XX` alone, so
 * `%E9`, which is no UTF-8, comes with any Latin-1 caller name or as plain text from a stranger.
 */
export function decodePercent(text: string): string {
  if (text === EMPTY_IN_PLAIN) return '';
  if (!text.includes('%')) return text;
  return text.replace(PERCENT_RUN, (run) => Buffer.from(run.replaceAll('%', ''), 'hex').toString('utf8'));
}

export function isRecord(value: unknown): value is WireEvent {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
