import type { SwitchEvent } from '../../../src/calls/switch-event.ts';
import { parseNodeId, type NodeId } from '../../../src/units/ids.ts';
import { toEpochMs } from '../../../src/units/time.ts';
import { decodeEvent, type Reading } from '../../../src/freeswitch/decode-event.ts';
import { DEFAULT_FRAME_LIMITS, Framer } from '../../../src/freeswitch/framer.ts';
import { readJsonEvent, readPlainEvent, type WireEvent } from '../../../src/freeswitch/wire-event.ts';

export function nodeNamed(name: string): NodeId {
  const node = parseNodeId(name);
  if (node === undefined) throw new Error(`not a node: ${name}`);
  return node;
}

export const READING: Reading = {
  node: nodeNamed('fs1'),
  receivedAt: toEpochMs(1_795_331_600_000),
  accountFallbacks: ['accountcode'],
};

export function wireEventsOf(bytes: Buffer): readonly WireEvent[] {
  const events: WireEvent[] = [];
  new Framer(DEFAULT_FRAME_LIMITS).push(bytes, ({ contentType, body }) => {
    if (body === undefined) return;
    if (contentType === 'text/event-json') events.push(readJsonEvent(body));
    if (contentType === 'text/event-plain') events.push(readPlainEvent(body));
  });
  return events;
}

export function switchEventsOf(bytes: Buffer): readonly SwitchEvent[] {
  return wireEventsOf(bytes)
    .map((event) => decodeEvent(event, READING))
    .filter((event) => event !== undefined);
}
