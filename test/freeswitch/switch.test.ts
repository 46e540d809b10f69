import { describe, expect, it } from 'vitest';
import { backoffDelayMs } from '../../src/freeswitch/keep-connected.ts';
import { SwitchUnavailableError } from '../../src/freeswitch/switch.ts';
import { createManualTiming } from './support/manual-timing.ts';
import { endpointAt } from './support/open-connection.ts';
import { agreeable, eventually } from './support/scripted-peer.ts';
import { legNamed, open } from './support/switch-stage.ts';

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
