import { describe, expect, it } from 'vitest';
import { SUBSCRIBED_EVENTS } from '../../src/freeswitch/switch.ts';
import { createManualTiming } from './support/manual-timing.ts';
import { agreeable, apiResponse, eventually, jsonEvent } from './support/scripted-peer.ts';
import { created, heartbeat, listen, NODE, open, uuidsOf } from './support/switch-stage.ts';

describe('the event stream', () => {
  it('asks for the core uuid first, then subscribes to exactly what it reads, as JSON', async () => {
    const { one, peer } = await open();
    const heard = listen(one);
    await eventually(() => expect(heard.ups).toHaveLength(1));
    expect(peer.commands).toEqual([
      'auth ClueCon',
      'api global_getvar core_uuid',
      `event json ${SUBSCRIBED_EVENTS.join(' ')}`,
    ]);
    expect(heard.ups).toEqual([{ node: NODE, coreUuid: 'core-1', restarted: false }]);
  });

  it('keeps events while onUp runs, and then gives them in order', async () => {
    const { one, peer } = await open();
    const gate = Promise.withResolvers<void>();
    const heard = listen(one, () => gate.promise);
    await eventually(() => expect(heard.ups).toHaveLength(1));
    peer.sockets[0]?.write(['a', 'b', 'c'].map((uuid) => jsonEvent(created(uuid))).join(''));
    // A reply behind the events proves that they have been read.
    await eventually(() => expect(one.health().lagMs).toBeGreaterThanOrEqual(0));
    peer.sockets[0]?.write(jsonEvent(created('d')));
    expect(heard.events).toEqual([]);
    gate.resolve();
    await eventually(() => expect(uuidsOf(heard.events)).toEqual(['a', 'b', 'c', 'd']));
    peer.sockets[0]?.write(jsonEvent(created('e')));
    await eventually(() => expect(uuidsOf(heard.events)).toEqual(['a', 'b', 'c', 'd', 'e']));
  });

  it('tells a restart from a broken line by the core uuid', async () => {
    const timing = createManualTiming();
    let core = 'core-1';
    const { one, peer } = await open(
      (command, socket) => (command.includes('core_uuid') ? apiResponse(core) : agreeable(command, socket)),
      { timing },
    );
    const heard = listen(one);
    for (const next of ['core-1', 'core-2', 'core-2']) {
      await eventually(() => expect(heard.ups.length).toBe(heard.downs.length + 1));
      core = next;
      peer.sockets.at(-1)?.destroy();
      await eventually(() => expect(heard.downs.length).toBe(heard.ups.length));
      timing.advance(5_000);
    }
    await eventually(() => expect(heard.ups).toHaveLength(4));
    expect(heard.ups.map(({ restarted }) => restarted)).toEqual([false, false, true, false]);
  });

  it('drops what it kept when the connection ends while onUp runs', async () => {
    const timing = createManualTiming();
    const { one, peer } = await open(agreeable, { timing });
    const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const heard = listen(one, () => gates[heard.ups.length - 1]?.promise ?? Promise.resolve());
    await eventually(() => expect(heard.ups).toHaveLength(1));
    peer.sockets[0]?.end(jsonEvent(created('stale')));
    await eventually(() => expect(heard.downs).toHaveLength(1));
    gates[0]?.resolve();
    await eventually(() => expect(timing.waiting()).toHaveLength(1));
    timing.advance(5_000);
    await eventually(() => expect(heard.ups).toHaveLength(2));
    peer.sockets[1]?.write(jsonEvent(created('fresh')));
    gates[1]?.resolve();
    await eventually(() => expect(uuidsOf(heard.events)).toEqual(['fresh']));
  });

  it('tries again when onUp fails, and tells of the same restart again', async () => {
    const timing = createManualTiming();
    let core = 'core-1';
    const { one, peer } = await open(
      (line, socket) => (line.includes('core_uuid') ? apiResponse(core) : agreeable(line, socket)),
      { timing },
    );
    const heard = listen(one, () =>
      heard.ups.length === 2 ? Promise.reject(new Error('no store')) : Promise.resolve(),
    );
    await eventually(() => expect(heard.ups).toHaveLength(1));
    core = 'core-2';
    peer.sockets[0]?.destroy();
    for (const downs of [1, 2]) {
      await eventually(() => expect(heard.downs).toHaveLength(downs));
      timing.advance(5_000);
    }
    await eventually(() => expect(heard.ups).toHaveLength(3));
    expect(heard.ups.map(({ restarted }) => restarted)).toEqual([false, true, true]);
  });

  it('ends a connection whose heartbeat stays away, and not one whose heart beats', async () => {
    const timing = createManualTiming();
    const { one, peer } = await open(agreeable, { timing });
    const heard = listen(one);
    await eventually(() => expect(heard.ups).toHaveLength(1));
    for (let beat = 1; beat <= 5; beat += 1) {
      timing.advance(20_000);
      peer.sockets[0]?.write(jsonEvent(heartbeat(timing)));
      await eventually(() => expect(heard.events).toHaveLength(beat));
    }
    timing.advance(49_999);
    expect(heard.downs).toEqual([]);
    timing.advance(1);
    await eventually(() => expect(heard.downs).toEqual([{ node: NODE, reason: 'timeout' }]));
  });

  it('says how far events lag, whatever the two clocks differ by, and gives up on hopeless ones', async () => {
    const timing = createManualTiming();
    const { one, peer, log } = await open(agreeable, { timing });
    const heard = listen(one);
    await eventually(() => expect(heard.ups).toHaveLength(1));
    const skewMs = 3_600_000;
    const sendLate = async (lateMs: number, count: number): Promise<void> => {
      peer.sockets[0]?.write(jsonEvent(created(`e${count}`, timing.now() - skewMs - lateMs)));
      await eventually(() => expect(heard.events).toHaveLength(count));
    };
    await sendLate(0, 1);
    expect(one.health().lagMs).toBe(0);
    await sendLate(4_000, 2);
    expect(one.health().lagMs).toBe(4_000);
    await sendLate(100, 3);
    expect(one.health().lagMs).toBe(100);
    expect(log.lines.filter(({ message }) => /lag/.test(message)).map(({ message }) => message)).toEqual([
      'events lag',
      'events no longer lag',
    ]);
    await sendLate(16_000, 4);
    await eventually(() => expect(heard.downs).toEqual([{ node: NODE, reason: 'lost-events-notice' }]));
  });

  it('survives a listener that throws', async () => {
    const { one, peer } = await open();
    const uuids: string[] = [];
    one.startEvents({
      onUp: () => Promise.resolve(),
      onDown: () => undefined,
      onEvent: (event) => {
        uuids.push(...uuidsOf([event]));
        throw new Error('a bug');
      },
    });
    await eventually(() => expect(peer.commands).toHaveLength(3));
    peer.sockets[0]?.write(jsonEvent(created('a')) + jsonEvent(created('b')));
    await eventually(() => expect(uuids).toEqual(['a', 'b']));
  });

  it('is silent once it is stopped, and can be taken again', async () => {
    const { one, peer } = await open();
    one.start();
    const first = listen(one);
    await eventually(() => expect(first.ups).toHaveLength(1));
    one.stopEvents();
    await eventually(() => expect(one.health().up).toBe(true));
    const second = listen(one);
    await eventually(() => expect(second.ups).toHaveLength(1));
    for (const socket of peer.sockets) if (!socket.destroyed) socket.write(jsonEvent(created('a')));
    await eventually(() => expect(uuidsOf(second.events)).toEqual(['a']));
    expect(first.events).toEqual([]);
    expect(first.downs).toEqual([]);
  });

  it('stops when stop is called at any point, and then hears nothing', async () => {
    const { one } = await open((command, socket) =>
      command.startsWith('event') ? undefined : agreeable(command, socket),
    );
    one.start();
    const heard = listen(one);
    await eventually(() => expect(one.health().coreUuid).toBe('core-1'));
    await one.stop();
    expect(heard.ups).toEqual([]);
    expect(heard.downs).toEqual([]);
    expect(one.health().up).toBe(false);
  });
});
