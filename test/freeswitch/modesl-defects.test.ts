import { EventEmitter } from 'node:events';
import { createRequire } from 'node:module';
import { createServer, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createCallControl } from '../../src/freeswitch/call-control.ts';
import { command, executeCommand } from '../../src/freeswitch/command.ts';
import type { EslConnection } from '../../src/freeswitch/connection.ts';
import { decodeEvent } from '../../src/freeswitch/decode-event.ts';
import { DEFAULT_FRAME_LIMITS, Framer } from '../../src/freeswitch/framer.ts';
import { createSwitch, SUBSCRIBED_EVENTS } from '../../src/freeswitch/switch.ts';
import { systemTiming } from '../../src/freeswitch/timing.ts';
import { toToken } from '../../src/freeswitch/tokens.ts';
import { headerOf, readJsonEvent } from '../../src/freeswitch/wire-event.ts';
import { READING, nodeNamed } from './support/decode-bytes.ts';
import { createManualTiming } from './support/manual-timing.ts';
import { createMemoryLog } from './support/memory-log.ts';
import { endpointAt, eventNames, openConnection, type OpenedConnection } from './support/open-connection.ts';
import { callOut, channelData } from './support/outbound-caller.ts';
import {
  agreeable,
  apiResponse,
  commandReply,
  eventually,
  jsonEvent,
  listenAsFreeswitch,
  type Script,
  type ScriptedPeer,
} from './support/scripted-peer.ts';

// What is wrong with modesl 1.2.1, numbered as the audit numbered it: each defect is shown on bare modesl where
// that can be done without ending the process, and in every case the adapter is shown not to have it.

type BareConnection = EventEmitter & {
  readonly socket: Socket | null;
  api(name: string, argument: string, done: (event: BareEvent) => void): void;
  execute(application: string, argument: string, uuid: string): void;
  sendRecv(line: string, done: (event: BareEvent) => void): void;
  connected(): boolean;
};
type BareEvent = { getBody(): string; getHeader(name: string): string };
type BareModesl = {
  readonly Connection: new (
    host: string,
    port: number,
    password: string,
    ready: () => void,
  ) => BareConnection;
  readonly Parser: new (socket: EventEmitter) => EventEmitter;
};

const load = createRequire(import.meta.url);
const bare: BareModesl = load('modesl');
const loadForModesl = createRequire(load.resolve('modesl'));
const LEG = toToken('uuid', 'leg-1');

const peers: ScriptedPeer[] = [];
const connections: EslConnection[] = [];
const bareConnections: BareConnection[] = [];

afterEach(async () => {
  for (const connection of connections.splice(0)) connection.close();
  for (const connection of bareConnections.splice(0)) connection.socket?.destroy();
  await Promise.all(peers.splice(0).map((peer) => peer.close()));
});

describe('defect 1: a command in several segments, delayed 40 ms', () => {
  it('the adapter sends each command, headers and all, in one segment, and a pipeline in one too', async () => {
    const { peer, connection } = await open();
    await connection.ready;
    await connection.send(executeCommand(LEG, 'respond', toToken('sip reason', 'x')));
    await Promise.all(connection.sendAll([command('exit'), command('exit')]));
    expect(peer.chunks).toHaveLength(3);
    expect(peer.chunks.every((chunk) => chunk.endsWith('\n\n'))).toBe(true);
  });

  it('a hundred round trips take a fraction of the four seconds they would', async () => {
    const { connection } = await open();
    await connection.ready;
    const startedAt = performance.now();
    for (let round = 0; round < 100; round += 1) await connection.send(command('exit'));
    expect(performance.now() - startedAt).toBeLessThan(1_500);
  });
});

describe('defect 2: a percent sign ends the process', () => {
  it('bare modesl throws from its data handler', () => {
    const socket = parsed();
    const event = Buffer.from('Caller-Caller-ID-Name: 100%E9\n\n');
    expect(() => socket.emit('data', event)).toThrow(URIError);
  });

  it('the adapter takes it in a plain event, a reply text and the answer to connect', async () => {
    const body = 'Event-Name: A\nCaller-Caller-ID-Name: 100%E9\n\n';
    const plain = `Content-Length: ${body.length}\nContent-Type: text/event-plain\n\n${body}`;
    const { connection, events } = await open((text, socket) =>
      text === 'exit' ? plain + commandReply('-ERR invalid session id [%E9%]') : agreeable(text, socket),
    );
    await connection.ready;
    await expect(connection.send(command('exit'))).resolves.toBe('-ERR invalid session id [%E9%]');
    expect(events.map((event) => headerOf(event, 'Caller-Caller-ID-Name'))).toEqual(['100\uFFFD']);

    const { channel } = await acceptOne(channelData('sync', { 'Caller-Caller-ID-Name': '100%E9' }));
    expect(headerOf(await channel, 'Caller-Caller-ID-Name')).toBe('100\uFFFD');
  });
});

describe('defects 3 and 4: replies are miscounted', () => {
  it('bare modesl gives the answer about one leg to the question about another', async () => {
    const connection = await openBare((text, socket) => {
      if (text.startsWith('api uuid_exists AAA')) return commandReply('-ERR permission denied');
      if (text.startsWith('api uuid_exists')) return apiResponse(`about ${text.slice(-3)}`);
      return agreeable(text, socket);
    });
    const about = await new Promise<string>((resolve) => {
      connection.api('uuid_exists', 'AAA', (event) => resolve(event.getBody()));
      connection.api('uuid_exists', 'BBB', () => undefined);
    });
    expect(about).toBe('about BBB');
  });

  it('bare modesl takes the reply to an execute for that of the next command', async () => {
    const connection = await openBare((text, socket) => {
      if (text.startsWith('sendmsg')) return commandReply('+OK executed');
      return text === 'filter x' ? commandReply('+OK filter added') : agreeable(text, socket);
    });
    connection.execute('answer', '', 'leg-1');
    const reply = await new Promise<string>((resolve) => {
      connection.sendRecv('filter x', (event) => resolve(event.getHeader('Reply-Text')));
    });
    expect(reply).toBe('+OK executed');
  });

  it('the adapter keeps one queue for both kinds', async () => {
    const { connection } = await open((text, socket) => {
      if (text.startsWith('sendmsg')) return commandReply('+OK executed');
      if (text.startsWith('api uuid_kill')) return commandReply('-ERR permission denied');
      return text.startsWith('api uuid_dump') ? apiResponse('dumped') : agreeable(text, socket);
    });
    await connection.ready;
    const execute = executeCommand(LEG, 'respond', toToken('sip reason', 'x'));
    const commands = [execute, command('api uuid_kill', LEG), command('api uuid_dump', LEG), execute];
    await expect(Promise.all(connection.sendAll(commands))).resolves.toEqual([
      '+OK executed',
      '-ERR permission denied',
      'dumped',
      '+OK executed',
    ]);
  });
});

describe('defect 5: death is not reported', () => {
  it('bare modesl still calls itself connected after a reset, and never answers', async () => {
    const connection = await openBare((text, socket) =>
      text.startsWith('api') ? undefined : agreeable(text, socket),
    );
    let answered = false;
    connection.api('status', '', () => {
      answered = true;
    });
    const failed = new Promise((resolve) => {
      connection.on('error', resolve);
    });
    await eventually(() => expect(peers[0]?.commands).toContain('api status'));
    peers[0]?.sockets[0]?.resetAndDestroy();
    await failed;
    expect(connection.connected()).toBe(true);
    expect(answered).toBe(false);
  });

  it('the adapter says so once and rejects what is pending (see the tests of the connection)', async () => {
    const { peer, connection } = await open((text, socket) =>
      text === 'exit' ? undefined : agreeable(text, socket),
    );
    await connection.ready;
    const pending = connection.send(command('exit'));
    peer.sockets[0]?.resetAndDestroy();
    await expect(pending).rejects.toThrow('reset');
    await expect(connection.closed).resolves.toBe('reset');
  });
});

describe('defect 6: a refused connection ends the process', () => {
  it('the adapter reports refusals of every kind as the reason of the end', async () => {
    const probe = await listenAsFreeswitch();
    await probe.close();
    const refused = track(openConnection(endpointAt(probe.port)));
    await expect(refused.connection.closed).resolves.toBe('refused');
    const { connection } = await open(() => commandReply('-ERR invalid'));
    await expect(connection.closed).resolves.toBe('auth');
  });
});

describe('defect 7: a line break in an argument is a second command', () => {
  it('the adapter has no way to write one: every argument is a token of a kind', () => {
    expect(() => toToken('uuid', 'x\n\napi fsctl shutdown')).toThrow('not a valid uuid');
    expect(() => toToken('variable value', 'x\nContent-Length: 2147483647')).toThrow(
      'not a valid variable value',
    );
  });
});

describe('defects 8 and 9: subscriptions nobody asked for', () => {
  it('bare modesl subscribes to the whole traffic of the switch', async () => {
    await openBare();
    await eventually(() =>
      expect(peers[0]?.commands).toContain('event json BACKGROUND_JOB CHANNEL_EXECUTE_COMPLETE'),
    );
  });

  it('the adapter sends one line of its own, and leaves the list it was given alone', async () => {
    const peer = await listenAsFreeswitch();
    peers.push(peer);
    const one = createSwitch({
      node: nodeNamed('fs1'),
      endpoint: endpointAt(peer.port),
      accountFallbacks: [],
      timing: createManualTiming(),
      log: createMemoryLog(),
      events: Object.freeze([...SUBSCRIBED_EVENTS]),
    });
    one.startEvents({ onUp: () => Promise.resolve(), onDown: () => undefined, onEvent: () => undefined });
    await eventually(() => expect(peer.commands).toHaveLength(3));
    expect(peer.commands.filter((text) => text.startsWith('event'))).toEqual([
      `event json ${SUBSCRIBED_EVENTS.join(' ')}`,
    ]);
    await one.stop();
  });

  it('the adapter subscribes to nothing on an outbound socket', async () => {
    const { channel, caller } = await acceptOne(channelData('sync'));
    await channel;
    expect((await caller).commands).toEqual(['connect']);
  });
});

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

/** A parser of modesl on a socket that is fed by hand. */
function parsed(): EventEmitter {
  const socket = new EventEmitter();
  new bare.Parser(socket).on('error', () => undefined);
  return socket;
}

async function openBare(script: Script = agreeable): Promise<BareConnection> {
  const peer = await listenAsFreeswitch(script);
  peers.push(peer);
  return new Promise((resolve) => {
    const connection = new bare.Connection('127.0.0.1', peer.port, 'ClueCon', () => resolve(connection));
    bareConnections.push(connection);
  });
}

async function open(
  script: Script = agreeable,
  options: Parameters<typeof openConnection>[1] = {},
): Promise<OpenedConnection & { readonly peer: ScriptedPeer }> {
  const peer = await listenAsFreeswitch(script);
  peers.push(peer);
  return { ...track(openConnection(endpointAt(peer.port), options)), peer };
}

function track(opened: OpenedConnection): OpenedConnection {
  connections.push(opened.connection);
  return opened;
}

/** One outbound connection, accepted by the adapter, of a caller that answers `connect` with the data. */
async function acceptOne(data: string): Promise<{
  readonly channel: EslConnection['ready'];
  readonly caller: ReturnType<typeof callOut>;
}> {
  const server = createServer({ noDelay: true });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const accepted = new Promise<Socket>((resolve) => {
    server.once('connection', resolve);
  });
  const caller = callOut(port, data);
  const { connection } = track(openConnection(await accepted));
  server.close();
  return { channel: connection.ready, caller };
}
