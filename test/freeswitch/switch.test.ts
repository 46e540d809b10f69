import { afterEach, describe, expect, it } from 'vitest';
import type { SwitchEvent } from '../../src/calls/switch-event.ts';
import type { SwitchListener } from '../../src/calls/switch.ts';
import { parseLegUuid, type LegUuid } from '../../src/units/ids.ts';
import { backoffDelayMs } from '../../src/freeswitch/keep-connected.ts';
import {
  createSwitch,
  SUBSCRIBED_EVENTS,
  SwitchUnavailableError,
  type ConnectedSwitch,
  type SwitchOptions,
} from '../../src/freeswitch/switch.ts';
import { nodeNamed } from './support/decode-bytes.ts';
import { createManualTiming, type ManualTiming } from './support/manual-timing.ts';
import { createMemoryLog, type MemoryLog } from './support/memory-log.ts';
import { endpointAt } from './support/open-connection.ts';
import {
  agreeable,
  apiResponse,
  eventually,
  jsonEvent,
  listenAsFreeswitch,
  type Script,
  type ScriptedPeer,
} from './support/scripted-peer.ts';

const NODE = nodeNamed('fs1');

const peers: ScriptedPeer[] = [];
const switches: ConnectedSwitch[] = [];

afterEach(async () => {
  await Promise.all(switches.splice(0).map((one) => one.stop()));
  await Promise.all(peers.splice(0).map((peer) => peer.close()));
});

describe('command connections', () => {
  it('are not tried with a password that no command could carry', async () => {
    await expect(open(agreeable, { endpoint: endpointAt(1, 'a\n\napi fsctl shutdown') })).rejects.toThrow(
      'not a valid password: (hidden)',
    );
  });

  it('stand without the event stream, and say which FreeSWITCH it is', async () => {
    const { one, peer } = await open();
    one.start();
    await eventually(() => expect(one.health()).toMatchObject({ up: true, coreUuid: 'core-1' }));
    expect(peer.commands.some((command) => command.startsWith('event '))).toBe(false);
    expect(peer.sockets).toHaveLength(2);
  });

  it('reject at once where none is ready', async () => {
    const { one } = await open();
    await expect(one.control.channels()).rejects.toThrow(SwitchUnavailableError);
  });

  it('share the load: a command goes where fewest wait', async () => {
    const { one, peer } = await open((command, socket) =>
      command.startsWith('api uuid_dump') ? undefined : agreeable(command, socket),
    );
    one.start();
    await eventually(() =>
      expect(peer.commands.filter((line) => line.includes('core_uuid'))).toHaveLength(2),
    );
    await eventually(() => expect(one.health().up).toBe(true));
    const stuck = one.control.inspect(legNamed('a')).catch(() => 'rejected');
    await eventually(() => expect(peer.commands.some((line) => line.startsWith('api uuid_dump'))).toBe(true));
    await eventually(() => expect(one.control.channels()).resolves.toEqual([]));
    await one.stop();
    await expect(stuck).resolves.toBe('rejected');
  });

  it('come back for ever, later each time', async () => {
    const timing = createManualTiming(1);
    const { one, peer, log } = await open(agreeable, { timing, commandConnections: 1 });
    await peer.close();
    one.start();
    const delays: number[] = [];
    for (let attempt = 1; attempt <= 9; attempt += 1) {
      await eventually(() =>
        expect(log.lines.filter(({ message }) => message === 'event socket lost')).toHaveLength(attempt),
      );
      const [delayMs = 0] = timing.waiting();
      delays.push(delayMs);
      timing.advance(delayMs);
    }
    expect(delays).toEqual([100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000, 5_000]);
    // One line of trouble for the whole row.
    expect(log.lines.filter(({ level }) => level === 'warn')).toHaveLength(1);
  });

  it('start again with the shortest delay after a connection that stood', async () => {
    const timing = createManualTiming(1);
    const { one, peer } = await open(agreeable, { timing, commandConnections: 1 });
    one.start();
    for (let round = 1; round <= 3; round += 1) {
      await eventually(() => expect(one.health().up).toBe(true));
      peer.sockets.at(-1)?.destroy();
      await eventually(() => expect(one.health()).toMatchObject({ up: false, reconnects: round }));
      expect(timing.waiting()).toEqual([100]);
      timing.advance(100);
    }
  });
});

describe('the back-off', () => {
  it('leaves half of each delay to chance and never passes its limit', () => {
    const backoff = { firstMs: 100, maxMs: 5_000 };
    expect([0, 1, 2, 10, 10_000].map((failures) => backoffDelayMs(backoff, failures, 0))).toEqual([
      50, 100, 200, 2_500, 2_500,
    ]);
    expect(backoffDelayMs(backoff, 10_000, 0.999)).toBeLessThanOrEqual(5_000);
  });
});

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

type Heard = {
  readonly ups: Parameters<SwitchListener['onUp']>[0][];
  readonly downs: Parameters<SwitchListener['onDown']>[0][];
  readonly events: SwitchEvent[];
};

function listen(one: ConnectedSwitch, onUp: () => Promise<void> = () => Promise.resolve()): Heard {
  const heard: Heard = { ups: [], downs: [], events: [] };
  one.startEvents({
    onUp: (up) => {
      heard.ups.push(up);
      return onUp();
    },
    onDown: (down) => void heard.downs.push(down),
    onEvent: (event) => void heard.events.push(event),
  });
  return heard;
}

async function open(
  script: Script = agreeable,
  options: Partial<SwitchOptions> = {},
): Promise<{ readonly one: ConnectedSwitch; readonly peer: ScriptedPeer; readonly log: MemoryLog }> {
  const peer = await listenAsFreeswitch(script);
  peers.push(peer);
  const log = createMemoryLog();
  const one = createSwitch({
    node: NODE,
    endpoint: endpointAt(peer.port),
    accountFallbacks: ['accountcode'],
    timing: createManualTiming(),
    log,
    ...options,
  });
  switches.push(one);
  return { one, peer, log };
}

function created(uuid: string, occurredMs = 1_795_331_500_000): Record<string, string> {
  return {
    'Event-Name': 'CHANNEL_CREATE',
    'Unique-ID': uuid,
    'Call-Direction': 'inbound',
    'Event-Date-Timestamp': `${occurredMs}000`,
  };
}

function legNamed(text: string): LegUuid {
  const uuid = parseLegUuid(text);
  if (uuid === undefined) throw new Error(`not a leg: ${text}`);
  return uuid;
}

function heartbeat(timing: ManualTiming): Record<string, string> {
  return { 'Event-Name': 'HEARTBEAT', 'Session-Count': '1', 'Event-Date-Timestamp': `${timing.now()}000` };
}

function uuidsOf(events: readonly SwitchEvent[]): readonly string[] {
  return events.flatMap((event) => ('leg' in event ? [event.leg.uuid] : []));
}
