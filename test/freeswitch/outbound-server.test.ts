import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { GateAnswer } from '../../src/calls/gate.ts';
import { ADMIT, call, callers, MULTISET, open } from './support/gate-stage.ts';
import { createManualTiming } from './support/manual-timing.ts';
import { callOut, channelData } from './support/outbound-caller.ts';
import { eventually } from './support/scripted-peer.ts';

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
