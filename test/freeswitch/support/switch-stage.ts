import { afterEach } from 'vitest';
import type { SwitchEvent } from '../../../src/calls/switch-event.ts';
import type { SwitchListener } from '../../../src/calls/switch.ts';
import { createSwitch, type ConnectedSwitch, type SwitchOptions } from '../../../src/freeswitch/switch.ts';
import { parseLegUuid, type LegUuid } from '../../../src/units/ids.ts';
import { nodeNamed } from './decode-bytes.ts';
import { createManualTiming, type ManualTiming } from './manual-timing.ts';
import { createMemoryLog, type MemoryLog } from './memory-log.ts';
import { endpointAt } from './open-connection.ts';
import { agreeable, listenAsFreeswitch, type Script, type ScriptedPeer } from './scripted-peer.ts';

export const NODE = nodeNamed('fs1');

const peers: ScriptedPeer[] = [];
const switches: ConnectedSwitch[] = [];

afterEach(async () => {
  await Promise.all(switches.splice(0).map((one) => one.stop()));
  await Promise.all(peers.splice(0).map((peer) => peer.close()));
});

export type Heard = {
  readonly ups: Parameters<SwitchListener['onUp']>[0][];
  readonly downs: Parameters<SwitchListener['onDown']>[0][];
  readonly events: SwitchEvent[];
};

export function listen(one: ConnectedSwitch, onUp: () => Promise<void> = () => Promise.resolve()): Heard {
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

export async function open(
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

export function created(uuid: string, occurredMs = 1_795_331_500_000): Record<string, string> {
  return {
    'Event-Name': 'CHANNEL_CREATE',
    'Unique-ID': uuid,
    'Call-Direction': 'inbound',
    'Event-Date-Timestamp': `${occurredMs}000`,
  };
}

export function legNamed(text: string): LegUuid {
  const uuid = parseLegUuid(text);
  if (uuid === undefined) throw new Error(`not a leg: ${text}`);
  return uuid;
}

export function heartbeat(timing: ManualTiming): Record<string, string> {
  return { 'Event-Name': 'HEARTBEAT', 'Session-Count': '1', 'Event-Date-Timestamp': `${timing.now()}000` };
}

export function uuidsOf(events: readonly SwitchEvent[]): readonly string[] {
  return events.flatMap((event) => ('leg' in event ? [event.leg.uuid] : []));
}
