import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_FRAME_LIMITS, Framer, FramingError, type Frame } from '../../src/freeswitch/framer.ts';
import { recordedBytes } from './support/recorded.ts';
import { AUTH_REQUEST, apiResponse, commandReply, GOODBYE, jsonEvent } from './support/scripted-peer.ts';

const RECORDINGS = [
  '01a-auth-wrong-password',
  '01d-pipelined-and-crlf',
  '02-answered-bridged-plain',
  '03-answered-bridged-json',
  '11d-latin1-caller-name-plain',
  '11e-latin1-caller-name-json',
  '12a-outbound-full-linger-bridge-caller-hangs-up',
  '17-shutdown-excerpt',
];

describe('the framer', () => {
  it('cuts recorded traffic at every split point as it does in one piece', () => {
    // Replies of both kinds, a JSON event with the bytes of a Latin-1 name, a notice.
    const latin1 = recordedBytes('11e-latin1-caller-name-json');
    const traffic = Buffer.concat([recordedBytes('01d-pipelined-and-crlf'), latin1.subarray(0, 9_000)]);
    const whole = framesOf([traffic]);
    expect(whole.length).toBeGreaterThan(10);
    const splits = Array.from({ length: traffic.length - 1 }, (_, index) => index + 1);
    const wrong = splits.filter(
      (split) => !sameFrames(framesOf([traffic.subarray(0, split), traffic.subarray(split)]), whole),
    );
    expect(wrong).toEqual([]);
  });

  it.each(RECORDINGS)('cuts %s the same byte by byte', (name) => {
    const bytes = recordedBytes(name);
    const single = Array.from(bytes, (_, index) => bytes.subarray(index, index + 1));
    expect(sameFrames(framesOf(single), framesOf([bytes]))).toBe(true);
  });

  it('cuts any mix of messages, however it is chunked', () => {
    const message = fc.oneof(
      fc.constantFrom(
        AUTH_REQUEST,
        GOODBYE,
        commandReply('+OK'),
        commandReply('-ERR invalid session id [%]'),
      ),
      fc.string({ unit: 'binary', maxLength: 300 }).map(apiResponse),
      fc.dictionary(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary' })).map(jsonEvent),
    );
    fc.assert(
      fc.property(
        fc.array(message, { minLength: 1, maxLength: 12 }),
        fc.array(fc.nat(80)),
        (messages, cuts) => {
          const bytes = Buffer.from(messages.join(''));
          const frames = framesOf(chunksOf(bytes, cuts));
          expect(
            sameFrames(
              frames,
              messages.flatMap((one) => framesOf([Buffer.from(one)])),
            ),
          ).toBe(true);
          expect(frames).toHaveLength(messages.length);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('takes twenty thousand messages of one chunk', () => {
    expect(framesOf([Buffer.from(commandReply('+OK').repeat(20_000))])).toHaveLength(20_000);
  });

  it('takes a body of no bytes', () => {
    expect(framesOf([Buffer.from(apiResponse('') + commandReply('+OK'))]).map(({ body }) => body)).toEqual([
      '',
      undefined,
    ]);
  });

  it('takes time in proportion to the bytes, in chunks of a network packet too', () => {
    const body = 'x'.repeat(24 * 1024 * 1024);
    const bytes = Buffer.from(apiResponse(body));
    const chunks = Array.from({ length: Math.ceil(bytes.length / 1_448) }, (_, index) =>
      bytes.subarray(index * 1_448, (index + 1) * 1_448),
    );
    const startedAt = process.cpuUsage();
    expect(framesOf(chunks)).toHaveLength(1);
    // modesl takes some twenty seconds for this; quadratic work cannot pass.
    expect(process.cpuUsage(startedAt).user / 1_000).toBeLessThan(3_000);
  });

  it.each([
    ['a negative length', 'Content-Type: api/response\nContent-Length: -1\n\n'],
    ['a length that is no number', 'Content-Type: api/response\nContent-Length: NaN\n\n'],
    ['a length with a tail', 'Content-Type: api/response\nContent-Length: 5x\n\n'],
    ['two lengths', 'Content-Type: api/response\nContent-Length: 5\nContent-Length: 6\n\n'],
    ['no type', 'Content-Length: 5\n\nhello'],
    ['an unknown type', 'Content-Type: text/html\n\n'],
    ['an event without a length', 'Content-Type: text/event-json\n\n{}'],
    ['a line without a name', 'Content-Type: command/reply\n: x\n\n'],
    ['a line that is no header', 'Content-Type: command/reply\nhello\n\n'],
    ['lines that end in CRLF', 'Content-Type: auth/request\r\n\r\n'],
    ['an empty header', '\n\n'],
    ['a length one too small', lengthOff(-1)],
    ['a length one too large', lengthOff(1)],
    ['a length far too small', lengthOff(-20)],
  ])('gives up on %s', (_, bytes) => {
    expect(reasonOf(bytes)).toBe('framing');
  });

  it('gives up on a header without end', () => {
    expect(reasonOf('x'.repeat(2_000), { headerBytesMax: 1_000, bodyBytesMax: 1_000 })).toBe('limit');
    expect(
      reasonOf(`Content-Type: a${'b'.repeat(2_000)}\n\n`, { headerBytesMax: 1_000, bodyBytesMax: 1_000 }),
    ).toBe('limit');
  });

  it('gives up on a body that is larger than it takes, before it comes', () => {
    expect(reasonOf('Content-Type: api/response\nContent-Length: 67108865\n\n')).toBe('limit');
    expect(reasonOf('Content-Type: api/response\nContent-Length: 999999999999\n\n')).toBe('limit');
  });
});

type Seen = { readonly contentType: string; readonly headers: string; readonly body: string | undefined };

function framesOf(chunks: readonly Buffer[], limits = DEFAULT_FRAME_LIMITS): readonly Seen[] {
  const framer = new Framer(limits);
  const frames: Seen[] = [];
  const see = ({ contentType, headers, body }: Frame): void =>
    void frames.push({ contentType, headers: [...headers].join('\n'), body: body?.toString('latin1') });
  for (const chunk of chunks) framer.push(chunk, see);
  return frames;
}

function sameFrames(some: readonly Seen[], others: readonly Seen[]): boolean {
  return (
    some.length === others.length &&
    some.every(
      (frame, index) =>
        frame.contentType === others[index]?.contentType &&
        frame.headers === others[index].headers &&
        frame.body === others[index].body,
    )
  );
}

function chunksOf(bytes: Buffer, cuts: readonly number[]): readonly Buffer[] {
  const chunks: Buffer[] = [];
  let from = 0;
  for (const cut of cuts) {
    chunks.push(bytes.subarray(from, from + cut));
    from += cut;
  }
  return [...chunks, bytes.subarray(from)];
}

/** An event whose length is off, and the one after it. */
function lengthOff(by: number): string {
  const event = jsonEvent({ 'Event-Name': 'HEARTBEAT', 'Core-UUID': 'core-1' });
  const wrong = event.replace(/\d+/, (length) => String(Number(length) + by));
  return wrong + event + commandReply('+OK');
}

function reasonOf(bytes: string, limits = DEFAULT_FRAME_LIMITS): string {
  try {
    framesOf([Buffer.from(bytes)], limits);
  } catch (error) {
    return error instanceof FramingError ? error.reason : String(error);
  }
  return 'nothing wrong';
}
