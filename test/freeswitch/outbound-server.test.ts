import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { GateAnswer, GateRequest } from '../../src/calls/gate.ts';
import { LEAVE_TO_DIALPLAN } from '../../src/freeswitch/gate-failure.ts';
import {
  createOutboundServer,
  type OutboundServer,
  type OutboundServerOptions,
} from '../../src/freeswitch/outbound-server.ts';
import { systemTiming } from '../../src/freeswitch/timing.ts';
import { nodeNamed } from './support/decode-bytes.ts';
import { createManualTiming } from './support/manual-timing.ts';
import { createMemoryLog, type MemoryLog } from './support/memory-log.ts';
import { callOut, channelData, executed, type Mode, type OutboundCaller } from './support/outbound-caller.ts';
import { recordedBytes } from './support/recorded.ts';
import { eventually } from './support/scripted-peer.ts';

const VARIABLES = new Map([
  ['tollgate_decision', 'admit'],
  ['nolocal:execute_on_answer', 'sched_hangup +62 ALLOTTED_TIMEOUT'],
]);
const LIST = 'tollgate_decision=admit;nolocal:execute_on_answer=sched_hangup +62 ALLOTTED_TIMEOUT';
const MULTISET = execute('multiset', `^^;${LIST}`);
const SETVAR = `api uuid_setvar_multi leg-1 ${LIST}`;
const OVER = 'hangup_after_bridge=true';
const HANGUP = 'sendmsg\ncall-command: hangup\nhangup-cause: CALL_REJECTED';
const RESPOND = execute('respond', '402 Payment Required');
const BRIDGE = execute('bridge', 'sofia/gateway/x/3001');
const ADMIT: GateAnswer = { variables: VARIABLES, verb: { kind: 'continue' } };
const REFUSE: GateAnswer = {
  variables: VARIABLES,
  verb: { kind: 'refuse', sipCode: 402, sipReason: 'Payment Required', cause: 'CALL_REJECTED' },
};
const BRIDGED: GateAnswer = {
  variables: VARIABLES,
  verb: { kind: 'bridge', dialString: 'sofia/gateway/x/3001' },
};

const servers: OutboundServer[] = [];
const callers: OutboundCaller[] = [];

afterEach(async () => {
  for (const { socket } of callers.splice(0)) socket.destroy();
  await Promise.all(servers.splice(0).map((server) => server.close(0)));
});

describe('a call at the socket gate', () => {
  it('is asked about with what FreeSWITCH tells of it, percent signs and all', async () => {
    const { port, requests } = await open();
    await call(port, 'sync', {
      'Caller-Caller-ID-Name': '100%E9%zz%',
      variable_tollgate_account: 'acme%2Falice',
      variable_export_vars: 'a,b',
    });
    await eventually(() => expect(requests).toHaveLength(1));
    expect(requests[0]).toMatchObject({
      via: 'socket',
      leg: {
        uuid: 'leg-1',
        node: 'fs1',
        coreUuid: 'core-1',
        destination: '3001',
        callerName: '100\uFFFD%zz%',
        gate: { account: 'acme/alice', exportVars: 'a,b' },
      },
    });
  });

  it('is asked about from recorded channel data', async () => {
    const recorded = recordedBytes('12a-outbound-full-linger-bridge-caller-hangs-up');
    const data = recorded.subarray(0, recorded.indexOf('\n\n') + 2);
    const { port, requests } = await open(() => Promise.resolve(ADMIT), { nodeOf: () => nodeNamed('fs1') });
    const caller = await callOut(port, data);
    callers.push(caller);
    await eventually(() => expect(requests).toHaveLength(1));
    expect(requests[0]?.leg).toMatchObject({
      destination: '1000',
      callerName: 'Alice',
      answeredAt: undefined,
    });
    // Recorded as `async full`: the variables go by `api`.
    await eventually(() =>
      expect(caller.commands).toEqual(['connect', expect.stringContaining('api uuid_setvar_multi'), 'exit']),
    );
  });

  it.each<readonly [string, Mode, GateAnswer, Record<string, string>, readonly string[]]>([
    ['goes on', 'sync', ADMIT, {}, [MULTISET, 'exit']],
    ['goes on', 'async full', ADMIT, {}, [SETVAR, 'exit']],
    ['goes on without variables', 'async', LEAVE_TO_DIALPLAN, {}, ['exit']],
    ['is refused', 'sync', REFUSE, {}, [MULTISET, RESPOND, HANGUP, 'exit']],
    ['is refused', 'async', REFUSE, {}, [MULTISET, RESPOND, HANGUP]],
    ['is refused', 'async full', REFUSE, {}, [SETVAR, RESPOND, HANGUP]],
    ['is refused though answered', 'sync', REFUSE, ANSWERED(), [MULTISET, HANGUP, 'exit']],
    ['is bridged', 'sync', BRIDGED, {}, [`${MULTISET};${OVER}`, BRIDGE, 'exit']],
    ['is bridged', 'async', BRIDGED, {}, ['myevents json', `${MULTISET};${OVER}`, BRIDGE]],
    ['is bridged', 'async full', BRIDGED, {}, ['myevents json', `${SETVAR};${OVER}`, BRIDGE]],
  ])(
    '%s (%s) in one write behind the one round trip of connect',
    async (_, mode, answer, fields, expected) => {
      const { port } = await open(() => Promise.resolve(answer));
      const caller = await call(port, mode, fields);
      await eventually(() => expect(caller.commands).toEqual(['connect', ...expected]));
      expect(caller.chunks).toEqual(['connect\n\n', `${expected.join('\n\n')}\n\n`]);
    },
  );

  it('waits, where messages are queued and cannot be overtaken, for the end of multiset before exit', async () => {
    const { port } = await open();
    const caller = await call(port, 'async');
    await eventually(() => expect(caller.commands).toEqual(['connect', 'myevents json', MULTISET]));
    caller.socket.write(executed('answer'));
    caller.socket.write(executed('multiset'));
    await eventually(() => expect(caller.commands).toEqual(['connect', 'myevents json', MULTISET, 'exit']));
    await eventually(() => expect(caller.closed()).toBe(true));
  });

  it('does not wait for ever for an application that says nothing', async () => {
    const timing = createManualTiming();
    const { port } = await open(() => Promise.resolve(ADMIT), { timing });
    const caller = await call(port, 'async');
    await eventually(() => expect(caller.commands).toHaveLength(3));
    timing.advance(500);
    await eventually(() => expect(caller.commands.at(-1)).toBe('exit'));
  });

  it('keeps the socket of a bridged call until the bridge is over', async () => {
    const timing = createManualTiming();
    const { port, server } = await open(() => Promise.resolve(BRIDGED), { timing });
    const caller = await call(port, 'async full');
    await eventually(() => expect(caller.commands).toHaveLength(4));
    timing.advance(24 * 3_600_000);
    expect(caller.closed()).toBe(false);
    expect(server.openSockets()).toBe(1);
    caller.socket.write(executed('bridge'));
    await eventually(() => expect(caller.commands.at(-1)).toBe('exit'));
    await eventually(() => expect(server.openSockets()).toBe(0));
  });

  it('is let go of when FreeSWITCH does not close after the answer', async () => {
    const timing = createManualTiming();
    const { port, server } = await open(() => Promise.resolve(REFUSE), { timing });
    await call(port, 'async full');
    await eventually(() => expect(timing.waiting()).toEqual([10_000]));
    timing.advance(10_000);
    await eventually(() => expect(server.openSockets()).toBe(0));
  });
});

describe('when nobody decides', () => {
  it.each<readonly [string, () => Promise<GateAnswer>]>([
    ['rejects', () => Promise.reject(new Error('no store'))],
    [
      'throws',
      () => {
        throw new Error('a bug');
      },
    ],
  ])('a keeper that %s leaves the call to its dialplan, with no variable set', async (_, keeper) => {
    const { port, log } = await open(keeper);
    const caller = await call(port, 'sync');
    await eventually(() => expect(caller.commands).toEqual(['connect', 'exit']));
    expect(log.lines.filter(({ level }) => level === 'error')).toHaveLength(1);
  });

  it('a keeper that takes too long does the same, and its late answer changes nothing', async () => {
    const timing = createManualTiming();
    const late = Promise.withResolvers<GateAnswer>();
    const { port, requests } = await open(() => late.promise, { timing });
    const caller = await call(port, 'sync');
    await eventually(() => expect(requests).toHaveLength(1));
    timing.advance(2_999);
    expect(caller.commands).toEqual(['connect']);
    timing.advance(1);
    await eventually(() => expect(caller.commands).toEqual(['connect', 'exit']));
    late.resolve(REFUSE);
    await eventually(() => expect(caller.closed()).toBe(true));
    expect(caller.commands).toEqual(['connect', 'exit']);
  });

  it('the configured answer is given where there is one', async () => {
    const { port } = await open(() => Promise.reject(new Error('no store')), { onFailure: REFUSE });
    const caller = await call(port, 'sync');
    await eventually(() => expect(caller.commands).toEqual(['connect', MULTISET, RESPOND, HANGUP, 'exit']));
  });

  it('an answer that cannot be said safely is none', async () => {
    const verb = { kind: 'bridge', dialString: 'user/${caller_id_name}' } as const;
    const { port, log } = await open(() => Promise.resolve({ variables: VARIABLES, verb }));
    const caller = await call(port, 'sync');
    await eventually(() => expect(caller.commands).toEqual(['connect', 'exit']));
    await eventually(() => expect(caller.closed()).toBe(true));
    expect(log.lines.map(({ message }) => message)).toContain('gate answer cannot be sent');
  });

  it('a FreeSWITCH that is none of ours, or a leg without a name, is not asked about', async () => {
    const { port, requests } = await open();
    const stranger = await call(port, 'sync', { 'Core-UUID': 'core-9' });
    const nameless = await call(port, 'sync', { 'Unique-ID': 'a::b' });
    await eventually(() =>
      expect([stranger.commands, nameless.commands]).toEqual([
        ['connect', 'exit'],
        ['connect', 'exit'],
      ]),
    );
    expect(requests).toEqual([]);
  });
});

describe('the gate server', () => {
  it('outlives hostile bytes at any point', async () => {
    const { port, server } = await open();
    const hostile = [
      'GET / HTTP/1.1\r\nHost: x\r\n\r\n',
      '\n\n',
      Buffer.alloc(300_000, 0x41),
      Buffer.from([0xff, 0xfe, 0x00, 0x0a, 0x0a]),
      'Content-Type: auth/request\n\n',
      'Content-Type: api/response\nContent-Length: -5\n\n',
      'Content-Type: text/event-json\nContent-Length: 1\n\n{',
      'Content-Type: command/reply\nReply-Text: +OK\n\n'.repeat(50),
      'Content-Type: text/rude-rejection\nContent-Length: 0\n\n',
    ];
    for (const bytes of hostile) callers.push(await callOut(port, bytes));
    await eventually(() => expect(server.openSockets()).toBe(0));
    const caller = await call(port, 'sync');
    await eventually(() => expect(caller.commands).toEqual(['connect', MULTISET, 'exit']));
  });

  it('outlives a reset at any point', async () => {
    const held = Promise.withResolvers<GateAnswer>();
    const { port, server, requests } = await open(() => held.promise);
    const atOnce = connect(port, '127.0.0.1');
    atOnce.on('error', () => undefined);
    atOnce.on('connect', () => atOnce.resetAndDestroy());
    callers.push(
      await callOut(port, channelData('sync'), (command, socket) => {
        if (command === 'connect') socket.resetAndDestroy();
      }),
    );
    const whileDeciding = await call(port, 'sync');
    await eventually(() => expect(requests).toHaveLength(1));
    whileDeciding.socket.resetAndDestroy();
    await eventually(() => expect(server.openSockets()).toBe(0));
    held.resolve(ADMIT);
    const caller = await call(port, 'sync');
    await eventually(() => expect(caller.commands).toEqual(['connect', MULTISET, 'exit']));
  });

  it('gives up on a handshake that does not come', async () => {
    const timing = createManualTiming();
    const { port, server } = await open(() => Promise.resolve(ADMIT), { timing });
    callers.push(await callOut(port, 'Event-Name: CHANNEL_DATA\n'));
    await eventually(() => expect(server.openSockets()).toBe(1));
    timing.advance(5_000);
    await eventually(() => expect(server.openSockets()).toBe(0));
  });

  it('turns away what is more than it may hold, so that the dialplan goes on at once', async () => {
    const held = Promise.withResolvers<GateAnswer>();
    const { port, server, log } = await open(() => held.promise, { socketsMax: 2 });
    await call(port, 'sync');
    await call(port, 'sync');
    const third = await call(port, 'sync');
    await eventually(() => expect(third.closed()).toBe(true));
    expect(third.commands).toEqual([]);
    expect(server.openSockets()).toBe(2);
    expect(log.lines.map(({ message }) => message)).toContain('too many gate sockets');
    held.resolve(ADMIT);
  });

  it('says so when its port is taken', async () => {
    const { port } = await open();
    await expect(open(undefined, { port })).rejects.toThrow('EADDRINUSE');
  });

  it('lets those at the gate pass before it closes, and then takes no more', async () => {
    const held = Promise.withResolvers<GateAnswer>();
    const { port, server, requests } = await open(() => held.promise);
    const caller = await call(port, 'sync');
    await eventually(() => expect(requests).toHaveLength(1));
    const closing = server.close(3_000);
    held.resolve(ADMIT);
    await closing;
    expect(caller.commands).toEqual(['connect', MULTISET, 'exit']);
    const late = await call(port, 'sync');
    await eventually(() => expect(late.closed()).toBe(true));
    expect(late.commands).toEqual([]);
  });
});

function execute(application: string, argument: string): string {
  return `sendmsg\ncall-command: execute\nexecute-app-name: ${application}\nexecute-app-arg: ${argument}`;
}

function ANSWERED(): Record<string, string> {
  return { 'Caller-Channel-Answered-Time': '1795331507643034' };
}

async function call(port: number, mode: Mode, fields: Record<string, string> = {}): Promise<OutboundCaller> {
  const caller = await callOut(port, channelData(mode, fields));
  callers.push(caller);
  return caller;
}

async function open(
  keeper: (request: GateRequest) => Promise<GateAnswer> = () => Promise.resolve(ADMIT),
  options: Partial<OutboundServerOptions> = {},
): Promise<{
  readonly port: number;
  readonly server: OutboundServer;
  readonly requests: GateRequest[];
  readonly log: MemoryLog;
}> {
  const requests: GateRequest[] = [];
  const log = createMemoryLog();
  const server = createOutboundServer({
    host: '127.0.0.1',
    port: 0,
    accountFallbacks: ['accountcode'],
    nodeOf: (coreUuid) => (coreUuid === 'core-1' ? nodeNamed('fs1') : undefined),
    handshakeTimeoutMs: 5_000,
    decisionTimeoutMs: 3_000,
    socketsMax: 100,
    onFailure: LEAVE_TO_DIALPLAN,
    timing: systemTiming,
    log,
    keeper: (request) => {
      requests.push(request);
      return keeper(request);
    },
    ...options,
  });
  const { port } = await server.listen();
  servers.push(server);
  return { port, server, requests, log };
}
