import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  fromBytes,
  jsonBytes,
  percentEncode,
  SwitchEvent,
  toBytes,
  type Header,
} from '../../src/simulator/event.ts';
import type { WireMessage } from './esl-client.ts';
import { readRecording } from './recording.ts';
import { Stage } from './stage.ts';

/** The header lines of a recorded plain event, decoded to bytes as the simulator keeps them. */
function plainHeadersOf(message: WireMessage): Header[] {
  const block = message.body.toString('latin1').split('\n\n')[0] ?? '';
  return block.split('\n').map((line): Header => {
    const value = line.slice(line.indexOf(': ') + 2);
    const bytes = value.replaceAll(/%([0-9A-F]{2})/g, (_, hex: string) =>
      String.fromCharCode(parseInt(hex, 16)),
    );
    return [line.split(': ')[0] ?? '', fromBytes(Buffer.from(bytes, 'latin1'))];
  });
}

const PAIR = /("(?:[^"\\]|\\.)*"):("(?:[^"\\]|\\.)*"|\[[^\]]*\])/g;

/** Pair by pair: a header may stand twice. */
function jsonHeadersOf(message: WireMessage): Header[] {
  const pairs = fromBytes(message.body).matchAll(PAIR);
  return [...pairs].map(([, name = '', value = '']) => [
    JSON.parse(name) as string,
    JSON.parse(value) as string,
  ]);
}

/** Where two frames part, with what follows: the whole of two events is more than anybody reads. */
function firstDifference(actual: Buffer, expected: Buffer): string {
  if (actual.equals(expected)) return 'none';
  let at = 0;
  while (actual[at] === expected[at]) at += 1;
  return `${actual.toString('latin1', at, at + 40)} instead of ${expected.toString('latin1', at, at + 40)}`;
}

describe('an event is put into bytes as FreeSWITCH does it:', () => {
  it.each(['02', '07b', '08b', '12a', '17'])('plain, as recorded in %s', (number) => {
    const events = readRecording(number).messages.filter(
      ({ headers }) => headers.get('Content-Type') === 'text/event-plain',
    );
    expect(events.length).toBeGreaterThan(3);
    for (const message of events) {
      const headers = plainHeadersOf(message);
      expect(firstDifference(new SwitchEvent('recorded', headers).frame('plain'), message.raw)).toBe('none');
    }
  });

  it.each(['03', '14b'])('json, as recorded in %s', (number) => {
    const events = readRecording(number).messages.filter(
      ({ headers, body }) => headers.get('Content-Type') === 'text/event-json' && !body.includes('"_body"'),
    );
    expect(events.length).toBeGreaterThan(3);
    for (const message of events) {
      const event = new SwitchEvent('recorded', jsonHeadersOf(message));
      expect(firstDifference(event.frame('json'), message.raw)).toBe('none');
    }
  });

  it('a body follows in plain with a second length, and is _body in json', () => {
    const event = new SwitchEvent('BACKGROUND_JOB', [['Job-UUID', 'x y']], { body: '+OK\n' });
    expect(event.frame('plain').toString()).toBe(
      'Content-Length: 39\nContent-Type: text/event-plain\n\nJob-UUID: x%20y\nContent-Length: 4\n\n+OK\n',
    );
    expect(event.frame('json').toString()).toContain(
      '{"Job-UUID":"x y","Content-Length":"4","_body":"+OK\\n"}',
    );
  });
});

describe('bytes that are no UTF-8', () => {
  it('survive the way through text, whatever they are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (array) => {
        const bytes = Buffer.from(array);
        expect(toBytes(fromBytes(bytes))).toEqual(bytes);
      }),
    );
  });

  it('stand raw in json and as %XX in plain; an existing %XX is left alone', () => {
    const name = fromBytes(Buffer.from('André', 'latin1'));
    expect(jsonBytes({ name })).toEqual(Buffer.from('{"name":"André"}', 'latin1'));
    expect(percentEncode(name)).toBe('Andr%E9');
    expect(percentEncode('André')).toBe('Andr%C3%A9');
    expect(percentEncode('100%E9 100%')).toBe('100%E9%20100%25');
    expect(jsonBytes({ name: '\\udce9' }).toString()).toBe(JSON.stringify({ name: '\\udce9' }));
  });

  it("come out of a stranger's call", async () => {
    await using stage = await Stage.open();
    stage.sim.dialplan(() => [['park']]);
    const json = await stage.login('event json CHANNEL_CREATE');
    const plain = await stage.login('event plain CHANNEL_CREATE');
    stage.sim.placeCall({ from: '1001', to: '1', callerName: fromBytes(Buffer.from('Andr\xe9', 'latin1')) });
    await stage.runUntil('both events', () => json.events.length + plain.events.length === 2);
    expect(json.bytes.includes(Buffer.from('"Caller-Caller-ID-Name":"Andr\xe9"', 'latin1'))).toBe(true);
    expect(plain.bytes.toString('latin1')).toContain('\nCaller-Caller-ID-Name: Andr%E9\n');
    expect(() => decodeURIComponent('Andr%E9')).toThrow(URIError);
  });
});
