export type HeaderValue = string | readonly string[];
export type Header = readonly [name: string, value: HeaderValue];
export type EventFormat = 'plain' | 'json' | 'xml';

/**
 * One event. The same object goes to every listener and is put into bytes once per format, because a switch
 * with several controllers would otherwise spend most of its time on JSON.
 */
export class SwitchEvent {
  readonly name: string;
  readonly subclass: string | undefined;
  readonly headers: readonly Header[];
  readonly body: string | undefined;
  readonly #frames = new Map<EventFormat, Buffer>();

  constructor(name: string, headers: readonly Header[], extra: { subclass?: string; body?: string } = {}) {
    this.name = name;
    this.subclass = extra.subclass;
    this.headers = headers;
    this.body = extra.body;
  }

  get uuid(): string | undefined {
    return this.header('Unique-ID');
  }

  header(name: string): string | undefined {
    const wanted = name.toLowerCase();
    for (const [key, value] of this.headers) {
      if (key.toLowerCase() === wanted) return textOf(value);
    }
    return undefined;
  }

  frame(format: EventFormat): Buffer {
    const known = this.#frames.get(format);
    if (known !== undefined) return known;
    const body = bodyOf(this, format);
    const head = Buffer.from(`Content-Length: ${body.length}\nContent-Type: text/event-${format}\n\n`);
    const frame = Buffer.concat([head, body]);
    this.#frames.set(format, frame);
    return frame;
  }
}

function bodyOf(event: SwitchEvent, format: EventFormat): Buffer {
  switch (format) {
    case 'plain':
      return plainOf(event);
    case 'json':
      return jsonOf(event);
    case 'xml':
      return Buffer.from(xmlOf(event));
  }
}

function plainOf(event: SwitchEvent): Buffer {
  const head = plainHeaders(event.headers);
  if (event.body === undefined) return Buffer.from(`${head}\n`);
  const body = toBytes(event.body);
  return Buffer.concat([Buffer.from(`${head}Content-Length: ${body.length}\n\n`), body]);
}

export function plainHeaders(headers: readonly Header[]): string {
  let text = '';
  for (const [name, value] of headers) text += `${name}: ${percentEncode(textOf(value))}\n`;
  return text;
}

/**
 * The JSON object of an event, also what `uuid_dump … json` answers. Built pair by pair, because a header that
 * stands twice is written twice (`Hangup-Cause` of every HANGUP_COMPLETE) and no object can hold that.
 */
export function jsonOf(event: SwitchEvent): Buffer {
  const pairs = event.headers.map(([name, value]) => `"${name}":${quoted(value)}`);
  if (event.body !== undefined) {
    pairs.push(`"Content-Length":"${toBytes(event.body).length}"`, `"_body":${JSON.stringify(event.body)}`);
  }
  return withLoneBytes(`{${pairs.join(',')}}`);
}

const NEEDS_NO_QUOTING = /^[ !#-[\]-~]*$/;

/** A hundred headers an event make this the busiest line of the simulator, and nearly all are plain. */
function quoted(value: HeaderValue): string {
  return typeof value === 'string' && NEEDS_NO_QUOTING.test(value) ? `"${value}"` : JSON.stringify(value);
}

function xmlOf(event: SwitchEvent): string {
  const lines = event.headers.map(
    ([name, value]) => `    <${name}>${percentEncode(textOf(value))}</${name}>\n`,
  );
  const body = event.body === undefined ? '' : `  <body>${percentEncode(event.body)}</body>\n`;
  return `<event>\n  <headers>\n${lines.join('')}  </headers>\n${body}</event>`;
}

/** A repeated header reads `ARRAY::a|:b` wherever it must be one text. */
export function textOf(value: HeaderValue): string {
  return typeof value === 'string' ? value : `ARRAY::${value.join('|:')}`;
}

/** FreeSWITCH's own list; what it leaves raw (comma, slash, brackets) decoders must not trip over. */
const UNSAFE = new Set(Buffer.from('\r\n "#%&+:;<=>?@[\\]^`{|}'));
const NEEDS_NO_ENCODING = /^[!$'()*,\-./0-9A-Z_a-z~]*$/;
const ESCAPED = Array.from(
  { length: 256 },
  (_, byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`,
);

/**
 * Byte by byte, and an existing `%XX` is left alone: a caller's name `100%E9` therefore decodes to something
 * that is not UTF-8. That is FreeSWITCH's habit and the reason why plain values do not survive a round trip.
 */
export function percentEncode(text: string): string {
  if (NEEDS_NO_ENCODING.test(text)) return text;
  const bytes = toBytes(text);
  let encoded = '';
  for (let index = 0; index < bytes.length; index += 1) {
    const byte = bytes[index] ?? 0;
    const isKept = byte === 0x25 && isHexDigit(bytes[index + 1]) && isHexDigit(bytes[index + 2]);
    const isSafe = byte > 0x20 && byte < 0x7f && !UNSAFE.has(byte);
    encoded += isKept || isSafe ? String.fromCharCode(byte) : ESCAPED[byte];
  }
  return encoded;
}

function isHexDigit(byte: number | undefined): boolean {
  return byte !== undefined && /[0-9A-Fa-f]/.test(String.fromCharCode(byte));
}

/**
 * FreeSWITCH's values are bytes. Inside the simulator they are strings in which a byte that is not UTF-8 stands
 * as a lone low surrogate U+DC80..U+DCFF; these two functions are the only ones that know it.
 */
export function fromBytes(bytes: Buffer): string {
  const text = bytes.toString('utf8');
  if (!text.includes('�')) return text;
  let result = '';
  for (let index = 0; index < bytes.length;) {
    const length = utf8LengthAt(bytes, index);
    if (length === 0) result += String.fromCharCode(0xdc00 + (bytes[index] ?? 0));
    else result += bytes.toString('utf8', index, index + length);
    index += Math.max(1, length);
  }
  return result;
}

const LONE_BYTE = /[\udc80-\udcff]/u;

export function toBytes(text: string): Buffer {
  if (!LONE_BYTE.test(text)) return Buffer.from(text);
  const parts: Buffer[] = [];
  for (const char of text) {
    const code = char.charCodeAt(0);
    const isLoneByte = char.length === 1 && code >= 0xdc80 && code <= 0xdcff;
    parts.push(isLoneByte ? Buffer.from([code - 0xdc00]) : Buffer.from(char));
  }
  return Buffer.concat(parts);
}

/** JSON as cJSON prints it: no spaces, and bytes above ASCII raw whether they are UTF-8 or not. */
export function jsonBytes(value: unknown): Buffer {
  return withLoneBytes(JSON.stringify(value));
}

const ESCAPED_LONE_BYTE = /(?<=(?:^|[^\\])(?:\\\\)*)\\udc([89a-f][0-9a-f])/g;

function withLoneBytes(json: string): Buffer {
  if (!json.includes('\\udc')) return Buffer.from(json);
  const restore = (_: string, hex: string): string => String.fromCharCode(0xdc00 + parseInt(hex, 16));
  return toBytes(json.replaceAll(ESCAPED_LONE_BYTE, restore));
}

/** How long a well-formed UTF-8 sequence is here; 0 when there is none. */
function utf8LengthAt(bytes: Buffer, index: number): number {
  const lead = bytes[index] ?? 0;
  const length =
    lead < 0x80
      ? 1
      : lead >= 0xc2 && lead < 0xe0
        ? 2
        : lead >= 0xe0 && lead < 0xf0
          ? 3
          : lead < 0xf5 && lead >= 0xf0
            ? 4
            : 0;
  if (length === 0 || index + length > bytes.length) return 0;
  return bytes.toString('utf8', index, index + length).includes('�') ? 0 : length;
}
