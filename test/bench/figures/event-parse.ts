import { decodeEvent } from '../../../src/freeswitch/decode-event.ts';
import { DEFAULT_FRAME_LIMITS, Framer } from '../../../src/freeswitch/framer.ts';
import { readJsonEvent } from '../../../src/freeswitch/wire-event.ts';
import { parseNodeId } from '../../../src/units/ids.ts';
import { toEpochMs } from '../../../src/units/time.ts';
import { recordedBytes } from '../../freeswitch/support/recorded.ts';
import type { Figure } from '../figure.ts';
import { interleave } from '../rounds.ts';
import { rowOf } from '../row.ts';

/** A call of two legs as FreeSWITCH 1.10 sent it, in JSON. */
const RECORDING = '03-answered-bridged-json';
/** As a socket hands bytes over. */
const CHUNK_BYTES = 64 * 1024;

export const eventParse: Figure = {
  name: 'event-parse',
  title: 'event decoding against JSON.parse',
  needsRealRedis: false,
  async measure({ full }) {
    const bodies = eventBodies();
    const { stream, events } = asStream(bodies, full ? 4_000 : 1_500);
    const texts = Array.from(
      { length: events },
      (_, index) => bodies[index % bodies.length] ?? Buffer.alloc(0),
    );
    const adapter = (): number => {
      const node = parseNodeId('fs1');
      if (node === undefined) throw new Error('fs1 is a node');
      const framer = new Framer(DEFAULT_FRAME_LIMITS);
      const reading = { node, receivedAt: toEpochMs(Date.now()), accountFallbacks: ['accountcode'] };
      let decoded = 0;
      const micros = cpuMicros(() => {
        for (let from = 0; from < stream.length; from += CHUNK_BYTES) {
          framer.push(stream.subarray(from, from + CHUNK_BYTES), ({ body }) => {
            if (body === undefined) return;
            if (decodeEvent(readJsonEvent(body), reading) !== undefined) decoded += 1;
          });
        }
      });
      if (decoded === 0) throw new Error('the recording holds no event of ours');
      return micros / events;
    };
    const parse = (): number => {
      let headers = 0;
      const micros = cpuMicros(() => {
        for (const text of texts)
          headers += 'Event-Name' in (JSON.parse(text.toString('utf8')) as object) ? 1 : 0;
      });
      if (headers !== events) throw new Error('every event has a name');
      return micros / events;
    };
    adapter();
    parse();
    const found = await interleave(full ? 15 : 7, { adapter, parse });
    const bytes = Math.round(stream.length / events);
    return [
      rowOf({
        what: 'one event, from bytes to what the controller takes',
        unit: 'µs',
        measured: found.adapter,
        baselineWhat: 'JSON.parse alone of the same bytes',
        baseline: found.parse,
        note: `${bytes} bytes an event`,
      }),
    ];
  },
};

function eventBodies(): readonly Buffer[] {
  const bodies: Buffer[] = [];
  new Framer(DEFAULT_FRAME_LIMITS).push(recordedBytes(RECORDING), ({ contentType, body }) => {
    if (contentType === 'text/event-json' && body !== undefined) bodies.push(Buffer.from(body));
  });
  if (bodies.length === 0) throw new Error(`${RECORDING} holds no JSON event`);
  return bodies;
}

function asStream(
  bodies: readonly Buffer[],
  atLeast: number,
): { readonly stream: Buffer; readonly events: number } {
  const framed = bodies.flatMap((body) => [
    Buffer.from(`Content-Length: ${body.length}\nContent-Type: text/event-json\n\n`),
    body,
  ]);
  const times = Math.ceil(atLeast / bodies.length);
  const stream = Buffer.concat(Array.from({ length: times }, () => framed).flat());
  return { stream, events: times * bodies.length };
}

function cpuMicros(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}
