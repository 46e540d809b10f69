import { describe, expect, it } from 'vitest';
import type { GateAnswer } from '../../src/calls/gate.ts';
import { LEAVE_TO_DIALPLAN } from '../../src/freeswitch/gate-failure.ts';
import { nodeNamed } from './support/decode-bytes.ts';
import {
  ADMIT,
  BRIDGE,
  BRIDGED,
  call,
  callers,
  HANGUP,
  MULTISET,
  open,
  OVER,
  REFUSE,
  RESPOND,
  SETVAR,
  VARIABLES,
} from './support/gate-stage.ts';
import { createManualTiming } from './support/manual-timing.ts';
import { callOut, executed, type Mode } from './support/outbound-caller.ts';
import { recordedBytes } from './support/recorded.ts';
import { eventually } from './support/scripted-peer.ts';

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
    [
      'is refused though answered',
      'sync',
      REFUSE,
      { 'Caller-Channel-Answered-Time': '1795331507643034' },
      [MULTISET, HANGUP, 'exit'],
    ],
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
