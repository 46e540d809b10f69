import { createServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { EslBusyError, EslClosedError, type CloseReason } from '../../src/freeswitch/close-reason.ts';
import { command } from '../../src/freeswitch/command.ts';
import type { EslConnection } from '../../src/freeswitch/connection.ts';
import { createManualTiming } from './support/manual-timing.ts';
import { endpointAt, eventNames, openConnection, type OpenedConnection } from './support/open-connection.ts';
import {
  agreeable,
  apiResponse,
  commandReply,
  eventually,
  jsonEvent,
  listenAsFreeswitch,
  notice,
  type Script,
  type ScriptedPeer,
} from './support/scripted-peer.ts';

const EXIT = command('exit');
const SHOW = command('api show channels as json');

const peers: ScriptedPeer[] = [];
const connections: EslConnection[] = [];

afterEach(async () => {
  for (const connection of connections.splice(0)) connection.close();
  await Promise.all(peers.splice(0).map((peer) => peer.close()));
});

describe('a connection', () => {
  it('sends the password and then nothing that it was not asked to send', async () => {
    const { peer, connection } = await open();
    await connection.ready;
    await connection.send(SHOW);
    expect(peer.commands).toEqual(['auth ClueCon', 'api show channels as json']);
  });

  it('gives each command its own reply, whichever kind FreeSWITCH answers with', async () => {
    const { connection } = await open((text, socket) => {
      if (text === 'api show channels as json') return apiResponse('listing');
      if (text === 'exit') return commandReply('+OK bye');
      if (text.startsWith('api uuid_kill')) return commandReply('-ERR permission denied');
      return agreeable(text, socket);
    });
    await connection.ready;
    const commands = [SHOW, EXIT, command('api uuid_kill'), SHOW, EXIT];
    await expect(Promise.all(connection.sendAll(commands))).resolves.toEqual([
      'listing',
      '+OK bye',
      '-ERR permission denied',
      'listing',
      '+OK bye',
    ]);
    expect(connection.pendingCount).toBe(0);
  });

  it('delivers events between replies, in order', async () => {
    const { connection, events } = await open((text, socket) =>
      text === 'exit'
        ? jsonEvent({ 'Event-Name': 'A' }) + commandReply('+OK') + jsonEvent({ 'Event-Name': 'B' })
        : agreeable(text, socket),
    );
    await connection.ready;
    await connection.send(EXIT);
    expect(eventNames(events)).toEqual(['A', 'B']);
  });

  it('ends with a timeout when a reply stays away, because a queue cannot skip', async () => {
    const timing = createManualTiming();
    const { peer, connection } = await open(silentAfterExit(undefined), { timing });
    await connection.ready;
    const replies = Promise.allSettled(connection.sendAll([EXIT, SHOW]));
    await eventually(() => expect(peer.commands).toContain('api show channels as json'));
    timing.advance(20_000);
    expect((await replies).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await expect(connection.closed).resolves.toBe('timeout');
  });

  it('ends when a reply left out lets a body answer what has none', async () => {
    const { connection } = await open((text, socket) =>
      text === 'exit' ? undefined : agreeable(text, socket),
    );
    await connection.ready;
    const replies = await Promise.allSettled(connection.sendAll([EXIT, SHOW]));
    expect(replies.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await expect(connection.closed).resolves.toBe('framing');
  });

  it('ends when a reply comes that nobody waits for, such as one after its time', async () => {
    const { peer, connection } = await open();
    await connection.ready;
    peer.sockets[0]?.write(commandReply('+OK'));
    await expect(connection.closed).resolves.toBe('framing');
  });

  it('refuses more commands than may wait, and stays open', async () => {
    const { connection } = await open(
      (text, socket) => (text === 'exit' ? undefined : agreeable(text, socket)),
      {
        pendingMax: 2,
      },
    );
    await connection.ready;
    const waiting = connection.sendAll([EXIT, EXIT]).map((reply) => reply.catch(() => undefined));
    await expect(connection.send(EXIT)).rejects.toThrow(EslBusyError);
    expect(connection.state).toBe('ready');
    connection.close();
    await Promise.all(waiting);
  });

  it('keeps delivering when a handler throws', async () => {
    const names: unknown[] = [];
    const { peer, connection, log } = await open(agreeable, {
      onEvent: (event) => {
        names.push(event['Event-Name']);
        throw new Error('a bug');
      },
    });
    await connection.ready;
    peer.sockets[0]?.write(jsonEvent({ 'Event-Name': 'A' }) + jsonEvent({ 'Event-Name': 'B' }));
    await eventually(() => expect(names).toEqual(['A', 'B']));
    expect(log.lines.filter(({ level }) => level === 'error')).toHaveLength(2);
  });

  it('matches background jobs by their own id', async () => {
    const jobs: string[] = [];
    const { peer, connection } = await open((text, socket) => {
      const job = /Job-UUID: (.+)/.exec(text)?.[1];
      if (job === undefined) return agreeable(text, socket);
      jobs.push(job);
      return commandReply(`+OK Job-UUID: ${job}`);
    });
    await connection.ready;
    const results = Promise.all([
      connection.sendJob(command('bgapi uuid_kill')),
      connection.sendJob(command('bgapi uuid_dump')),
    ]);
    await eventually(() => expect(jobs).toHaveLength(2));
    const done = jobs.map((job, index) =>
      jsonEvent({ 'Event-Name': 'BACKGROUND_JOB', 'Job-UUID': job, _body: `+OK ${index}` }),
    );
    peer.sockets[0]?.write(done.toReversed().join(''));
    await expect(results).resolves.toEqual(['+OK 0', '+OK 1']);
  });
});

describe('the end of a connection', () => {
  it.each<readonly [CloseReason, string, Script]>([
    ['auth', 'a wrong password', () => commandReply('-ERR invalid')],
    ['framing', 'a length that is no number', () => 'Content-Type: api/response\nContent-Length: NaN\n\n'],
    ['framing', 'an event that is not JSON', () => 'Content-Length: 3\nContent-Type: text/event-json\n\n{"a'],
    ['framing', 'an event that is no object', () => 'Content-Length: 2\nContent-Type: text/event-json\n\n[]'],
    ['limit', 'a huge body', () => 'Content-Type: api/response\nContent-Length: 2147483647\n\n'],
    ['limit', 'a huge header', () => `Content-Type: ${'x'.repeat(1_100_000)}`],
    ['shutdown-notice', 'a shutdown', () => notice('The system is being shut down.\n')],
    ['lost-events-notice', 'lost events', () => notice('killed listener because of lost events\n')],
    [
      'acl',
      'a rejection',
      () => 'Content-Type: text/rude-rejection\nContent-Length: 24\n\nAccess Denied, go away.\n',
    ],
    ['framing', 'a second greeting', () => 'Content-Type: auth/request\n\nContent-Type: auth/request\n\n'],
  ])('is %s after %s', async (reason, _, script) => {
    const { connection } = await open(script);
    await expect(connection.ready).rejects.toThrow(EslClosedError);
    await expect(connection.closed).resolves.toBe(reason);
  });

  it('is refused where nobody listens', async () => {
    const probe = createServer();
    await new Promise<void>((resolve) => {
      probe.listen(0, '127.0.0.1', resolve);
    });
    const address = probe.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    await new Promise((resolve) => {
      probe.close(resolve);
    });
    const { connection } = openConnection(endpointAt(port));
    await expect(connection.closed).resolves.toBe('refused');
    await expect(connection.ready).rejects.toThrow('refused');
  });

  it('is a timeout where the peer accepts and stays silent', async () => {
    const timing = createManualTiming();
    const peer = await track(listenAsFreeswitch(agreeable, ''));
    const { connection } = openConnection(endpointAt(peer.port), { timing });
    await eventually(() => expect(peer.sockets).toHaveLength(1));
    timing.advance(20_000);
    await expect(connection.closed).resolves.toBe('timeout');
  });

  it('is the rejection when the greeting is one', async () => {
    const rejection = 'Content-Type: text/rude-rejection\nContent-Length: 24\n\nAccess Denied, go away.\n';
    const peer = await track(listenAsFreeswitch(agreeable, rejection));
    const { connection } = openConnection(endpointAt(peer.port));
    await expect(connection.closed).resolves.toBe('acl');
  });

  describe.each<readonly [string, CloseReason, (peer: ScriptedPeer) => void]>([
    ['FIN', 'peer-end', (peer) => peer.sockets[0]?.end()],
    ['RST', 'reset', (peer) => peer.sockets[0]?.resetAndDestroy()],
  ])('after a %s', (_, reason, cut) => {
    it.each<readonly [string, string]>([
      ['before the greeting', ''],
      ['inside the greeting', 'Content-Type: auth/req'],
    ])('%s', async (__, greeting) => {
      const peer = await track(listenAsFreeswitch(() => undefined, greeting));
      const { connection } = openConnection(endpointAt(peer.port));
      await eventually(() => expect(peer.sockets).toHaveLength(1));
      cut(peer);
      await expect(connection.closed).resolves.toBe(reason);
      await expect(connection.ready).rejects.toThrow(EslClosedError);
    });

    it.each<readonly [string, string | undefined]>([
      ['between command and reply', undefined],
      ['inside a header', 'Content-Type: api/resp'],
      ['between the two newlines', 'Content-Type: api/response\nContent-Length: 5\n'],
      ['inside a body', 'Content-Type: api/response\nContent-Length: 5\n\nhel'],
    ])('%s rejects what is pending, once', async (__, part) => {
      const { peer, connection } = await open(silentAfterExit(part));
      await connection.ready;
      const replies = Promise.allSettled(connection.sendAll([EXIT, SHOW, EXIT]));
      await eventually(() => expect(peer.commands.length).toBeGreaterThanOrEqual(4));
      cut(peer);
      expect((await replies).map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
      // FIN may cross with unread bytes; either way the connection is over and says so once.
      await expect(connection.closed).resolves.toBe(reason);
      await expect(connection.send(EXIT)).rejects.toThrow(EslClosedError);
      expect(connection.state).toBe('closed');
    });
  });

  it('is local, and at once, when it is ours', async () => {
    const { connection } = await open();
    await connection.ready;
    connection.close();
    connection.close();
    await expect(connection.closed).resolves.toBe('local');
    await expect(connection.send(EXIT)).rejects.toThrow(EslClosedError);
  });

  it('is not a lingering notice: the last events are still to come', async () => {
    const { peer, connection, events } = await open();
    await connection.ready;
    peer.sockets[0]?.write(
      'Content-Type: text/disconnect-notice\nContent-Disposition: linger\nContent-Length: 0\n\n' +
        jsonEvent({ 'Event-Name': 'CHANNEL_HANGUP_COMPLETE' }),
    );
    await eventually(() => expect(eventNames(events)).toEqual(['CHANNEL_HANGUP_COMPLETE']));
    expect(connection.state).toBe('ready');
  });

  it('never writes the password to the log', async () => {
    const { connection, log } = await open(() => commandReply('-ERR invalid'));
    await connection.closed;
    expect(JSON.stringify(log.lines)).not.toContain('ClueCon');
  });
});

/** Answers well up to `exit`, that with a part of a message, and nothing after it. */
function silentAfterExit(part: string | undefined): Script {
  let silent = false;
  return (text, socket) => {
    if (silent) return undefined;
    silent = text === 'exit';
    return silent ? part : agreeable(text, socket);
  };
}

async function open(
  script: Script = agreeable,
  options: Parameters<typeof openConnection>[1] = {},
): Promise<OpenedConnection & { readonly peer: ScriptedPeer }> {
  const peer = await track(listenAsFreeswitch(script));
  const opened = openConnection(endpointAt(peer.port), options);
  connections.push(opened.connection);
  return { ...opened, peer };
}

async function track(listening: Promise<ScriptedPeer>): Promise<ScriptedPeer> {
  const peer = await listening;
  peers.push(peer);
  return peer;
}
