import { describe, expect, it } from 'vitest';
import { createCallControl } from '../../src/freeswitch/call-control.ts';
import { command } from '../../src/freeswitch/command.ts';
import { decodeEvent } from '../../src/freeswitch/decode-event.ts';
import { DEFAULT_FRAME_LIMITS, Framer } from '../../src/freeswitch/framer.ts';
import { systemTiming } from '../../src/freeswitch/timing.ts';
import { toToken } from '../../src/freeswitch/tokens.ts';
import { headerOf, readJsonEvent } from '../../src/freeswitch/wire-event.ts';
import { nodeNamed, READING } from './support/decode-bytes.ts';
import { acceptOne, loadForModesl, open, parsed } from './support/modesl-stage.ts';
import { eventNames } from './support/open-connection.ts';
import { agreeable, apiResponse, commandReply, eventually, jsonEvent } from './support/scripted-peer.ts';

// The second half of the audit's list: what modesl does with what it is sent, and what it is made of.

const LEG = toToken('uuid', 'leg-1');

describe('defects 10 and 13: buffering and parsing that grow with the square of the input', () => {
  it('the adapter takes a large listing in time, and many messages of one chunk (see the tests of the framer)', () => {
    const framer = new Framer(DEFAULT_FRAME_LIMITS);
    const bytes = Buffer.from(apiResponse('x'.repeat(20 * 1024 * 1024)) + commandReply('+OK').repeat(20_000));
    const startedAt = process.cpuUsage();
    let frames = 0;
    for (let from = 0; from < bytes.length; from += 65_536) {
      framer.push(bytes.subarray(from, from + 65_536), () => {
        frames += 1;
      });
    }
    expect(frames).toBe(20_001);
    expect(process.cpuUsage(startedAt).user / 1_000).toBeLessThan(1_500);
  });
});

describe('defect 11: each background job walks all listeners', () => {
  it('the adapter matches two thousand jobs by their ids in time', async () => {
    const { connection } = await open((text, socket) => {
      const job = /Job-UUID: (.+)/.exec(text)?.[1];
      if (job === undefined) return agreeable(text, socket);
      return (
        commandReply(`+OK Job-UUID: ${job}`) +
        jsonEvent({ 'Event-Name': 'BACKGROUND_JOB', 'Job-UUID': job, _body: `+OK ${job}` })
      );
    });
    await connection.ready;
    const startedAt = process.cpuUsage();
    const jobs = Array.from({ length: 2_000 }, () => connection.sendJob(command('bgapi uuid_kill', LEG)));
    const results = await Promise.all(jobs);
    expect(new Set(results).size).toBe(2_000);
    expect(process.cpuUsage(startedAt).user / 1_000).toBeLessThan(2_000);
  });
});

describe('defect 12: an exception of a listener stops the parser', () => {
  it('the adapter delivers the rest of the chunk', async () => {
    const names: unknown[] = [];
    const { peer, connection } = await open(agreeable, {
      onEvent: (event) => {
        names.push(event['Event-Name']);
        if (names.length === 1) throw new Error('a bug');
      },
    });
    await connection.ready;
    peer.sockets[0]?.write(['A', 'B', 'C'].map((name) => jsonEvent({ 'Event-Name': name })).join(''));
    await eventually(() => expect(names).toEqual(['A', 'B', 'C']));
  });
});

describe('defect 14: malformed input', () => {
  it.each([
    ['throws on XML that is none', 'Content-Length: 5\nContent-Type: text/event-xml\n\n<a><b'],
    ['throws on a type it cannot parse as a header', 'Content-Length: -1%\n\n'],
  ])('bare modesl %s', (_, bytes) => {
    const socket = parsed();
    expect(() => socket.emit('data', Buffer.from(bytes))).toThrow(/./);
  });

  it.each([
    'Content-Type: api/response\nContent-Length: -1\n\n',
    'Content-Type: api/response\nContent-Length: NaN\n\n',
    'Content-Type: auth/request\r\n\r\n',
    'Content-Length: 5\nContent-Type: text/event-xml\n\n<a><b',
    'Content-Length: 5\nContent-Type: text/event-json\n\n{"a":',
  ])('the adapter ends the connection on %j', async (bytes) => {
    const { peer, connection } = await open();
    await connection.ready;
    peer.sockets[0]?.write(bytes);
    await expect(connection.closed).resolves.toBe('framing');
  });
});

describe('defect 15: the server of modesl', () => {
  it('is not used: ours outlives a reset before the handshake (see the tests of the gate server)', async () => {
    const { channel, caller } = await acceptOne('Event-Name: CHANNEL_DATA\n');
    (await caller).socket.resetAndDestroy();
    await expect(channel).rejects.toThrow('reset');
  });
});

describe('defect 16: a caller named -ERR blinds the listing', () => {
  it('the adapter reads the listing as JSON and looks at its count', async () => {
    const listing = JSON.stringify({ row_count: 1, rows: [{ uuid: 'a', cid_name: '-ERR no luck' }] });
    const control = createCallControl({
      node: nodeNamed('fs1'),
      accountFallbacks: [],
      timing: systemTiming,
      send: () => Promise.resolve([listing]),
    });
    await expect(control.channels()).resolves.toHaveLength(1);
  });
});

describe('defects 17 and 18: events', () => {
  it('the adapter reads repeated headers as FreeSWITCH writes them in plain', () => {
    const event = readJsonEvent(Buffer.from('{"variable_DP_MATCH":["3001","x"]}'));
    expect(headerOf(event, 'variable_DP_MATCH')).toBe('ARRAY::3001|:x');
  });

  it('the adapter dispatches by no name that a caller can choose', async () => {
    const { peer, connection, events } = await open();
    await connection.ready;
    const hostile = {
      'Event-Name': 'CHANNEL_CREATE',
      'Unique-ID': 'x::**::BACKGROUND_JOB',
      'Job-UUID': 'error',
    };
    peer.sockets[0]?.write(jsonEvent(hostile));
    await eventually(() => expect(eventNames(events)).toEqual(['CHANNEL_CREATE']));
    expect(decodeEvent(hostile, READING)).toBeUndefined();
  });
});

describe('defects 19 and 20: what modesl is made of', () => {
  it('warns of nothing while the adapter uses it', async () => {
    const warnings: Error[] = [];
    const onWarning = (warning: Error): void => void warnings.push(warning);
    process.on('warning', onWarning);
    const { connection } = await open();
    await connection.ready;
    await connection.send(command('exit'));
    process.off('warning', onWarning);
    expect(warnings).toEqual([]);
  });

  it.each([
    ['xml2js', '0.6.2'],
    ['uuid', '11.1.1'],
    ['eventemitter2', '6.4.9'],
  ])('%s is the version without the advisory, %s', (name, version) => {
    const { version: installed }: { version: string } = loadForModesl(`${name}/package.json`);
    expect(installed).toBe(version);
  });
});
