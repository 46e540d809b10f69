/**
 * Cuts the Event Socket's byte stream into messages. Linear in the bytes it is given, whatever their chunking:
 * nothing is searched twice and what must be kept is copied into a buffer that doubles.
 *
 * FreeSWITCH gives up in mid-message on a reader that was slow for ten minutes and then goes on, so a stream
 * that looks odd once cannot be trusted again: everything unexpected throws, and the connection ends.
 */
export type Frame = {
  readonly contentType: string;
  /** Header values as sent: only the answer to an outbound `connect` is percent-encoded. */
  readonly headers: ReadonlyMap<string, string>;
  /** Valid only until `push` returns: the bytes are overwritten by those that follow. */
  readonly body: Buffer | undefined;
};

export type FrameLimits = { readonly headerBytesMax: number; readonly bodyBytesMax: number };

export const DEFAULT_FRAME_LIMITS: FrameLimits = {
  // The largest header block is the answer to an outbound `connect`, some tens of kilobytes with long SDP.
  headerBytesMax: 1024 * 1024,
  // `show channels as json` takes about 1 KB a channel.
  bodyBytesMax: 64 * 1024 * 1024,
};

export class FramingError extends Error {
  override readonly name = 'FramingError';
  readonly reason: 'framing' | 'limit';

  constructor(reason: 'framing' | 'limit', message: string) {
    super(message);
    this.reason = reason;
  }
}

const HEADER_END = Buffer.from('\n\n');
const FOREIGN_HEADER_END = Buffer.from('\r\n\r\n');
const NEWLINE = 0x0a;
const KEPT_BYTES_MIN = 16 * 1024;
const KEPT_BYTES_IDLE_MAX = 1024 * 1024;
const EMPTY = Buffer.alloc(0);

/** The types FreeSWITCH sends. A header block of another type is more likely the middle of a message. */
const CONTENT_TYPES: ReadonlySet<string> = new Set([
  'auth/request',
  'command/reply',
  'api/response',
  'text/event-json',
  'text/event-plain',
  'text/disconnect-notice',
  'text/rude-rejection',
  'log/data',
]);

type Head = {
  readonly contentType: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly bodyBytes: number | undefined;
};

export class Framer {
  readonly #limits: FrameLimits;
  #bytes: Buffer = EMPTY;
  #from = 0;
  #to = 0;
  /** How far the header search has come. */
  #searched = 0;
  #head: Head | undefined;

  constructor(limits: FrameLimits) {
    this.#limits = limits;
  }

  push(chunk: Buffer, onFrame: (frame: Frame) => void): void {
    if (this.#from < this.#to) {
      this.#keep(chunk);
      this.#cut(onFrame);
    } else {
      // Nothing is waiting: whole messages are cut out of the chunk itself, and only the rest is copied.
      const kept = this.#bytes.length > KEPT_BYTES_IDLE_MAX ? EMPTY : this.#bytes;
      [this.#bytes, this.#from, this.#to, this.#searched] = [chunk, 0, chunk.length, 0];
      this.#cut(onFrame);
      const rest = this.#bytes.subarray(this.#from, this.#to);
      const searched = this.#searched - this.#from;
      [this.#bytes, this.#from, this.#to, this.#searched] = [kept, 0, 0, 0];
      this.#keep(rest);
      this.#searched = Math.max(0, searched);
    }
  }

  #keep(bytes: Buffer): void {
    const waiting = this.#to - this.#from;
    const wanted = waiting + bytes.length;
    if (this.#to + bytes.length > this.#bytes.length) {
      const room =
        wanted * 2 <= this.#bytes.length ? this.#bytes : Buffer.allocUnsafeSlow(this.#roomFor(wanted));
      this.#bytes.copy(room, 0, this.#from, this.#to);
      this.#searched = Math.max(0, this.#searched - this.#from);
      [this.#bytes, this.#from, this.#to] = [room, 0, waiting];
    }
    bytes.copy(this.#bytes, this.#to);
    this.#to += bytes.length;
  }

  #roomFor(wanted: number): number {
    // A body of known length is given its place at once.
    const body = this.#head?.bodyBytes ?? 0;
    return Math.max(KEPT_BYTES_MIN, body, wanted * 2);
  }

  #cut(onFrame: (frame: Frame) => void): void {
    for (;;) {
      this.#head ??= this.#nextHead();
      const head = this.#head;
      if (head === undefined) return;
      const bodyBytes = head.bodyBytes ?? 0;
      if (this.#to - this.#from < bodyBytes) return;
      const body = head.bodyBytes === undefined ? undefined : this.#take(bodyBytes);
      this.#head = undefined;
      this.#searched = this.#from;
      onFrame({ contentType: head.contentType, headers: head.headers, body });
    }
  }

  #take(bytes: number): Buffer {
    const taken = this.#bytes.subarray(this.#from, this.#from + bytes);
    this.#from += bytes;
    return taken;
  }

  #nextHead(): Head | undefined {
    const arrived = this.#bytes.subarray(0, this.#to);
    if (this.#from < this.#to && arrived[this.#from] === NEWLINE) {
      throw new FramingError('framing', 'a blank line stands where a header is due');
    }
    const end = arrived.indexOf(HEADER_END, this.#searched);
    const length = (end === -1 ? this.#to : end) - this.#from;
    if (length > this.#limits.headerBytesMax) throw new FramingError('limit', `a header of ${length} bytes`);
    if (end === -1) {
      if (arrived.includes(FOREIGN_HEADER_END, this.#searched)) {
        throw new FramingError('framing', 'lines end in CRLF');
      }
      // The end of a header may be cut anywhere, so its last three bytes are looked at again.
      this.#searched = Math.max(this.#from, this.#to - (FOREIGN_HEADER_END.length - 1));
      return undefined;
    }
    const head = this.#readHead(arrived.toString('utf8', this.#from, end));
    this.#from = end + HEADER_END.length;
    return head;
  }

  #readHead(text: string): Head {
    const headers = readHeaderLines(text);
    const contentType = headers.get('Content-Type');
    if (contentType === undefined || !CONTENT_TYPES.has(contentType)) {
      throw new FramingError('framing', 'a message of no known type');
    }
    const bodyBytes = readLength(headers.get('Content-Length'));
    if (bodyBytes !== undefined && bodyBytes > this.#limits.bodyBytesMax) {
      throw new FramingError('limit', `a body of ${bodyBytes} bytes`);
    }
    if (bodyBytes === undefined && contentType.startsWith('text/event-')) {
      throw new FramingError('framing', 'an event without a length');
    }
    return { contentType, headers, bodyBytes };
  }
}

function readLength(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,15}$/.test(text)) throw new FramingError('framing', 'a length that is no number');
  return Number(text);
}

/** Splits `Name: value` lines. The first of two equal names holds, except that two lengths are one too many. */
export function readHeaderLines(text: string): Map<string, string> {
  const headers = new Map<string, string>();
  for (const line of text.split('\n')) {
    const colon = line.indexOf(': ');
    // FreeSWITCH writes an empty value as nothing after the colon.
    const nameEnd = colon === -1 && line.endsWith(':') ? line.length - 1 : colon;
    if (nameEnd <= 0) throw new FramingError('framing', 'a header line without a name');
    const name = line.slice(0, nameEnd);
    const value = line.slice(nameEnd + 2);
    const earlier = headers.get(name);
    if (earlier === undefined) headers.set(name, value);
    else if (name === 'Content-Length') throw new FramingError('framing', 'two lengths in one header');
  }
  return headers;
}
