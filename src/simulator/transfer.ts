import type { Core } from './core.ts';
import type { Leg, Profile } from './leg.ts';
import { wakeWatchers } from './signals.ts';

export type Destination = { readonly extension: string; readonly dialplan: string; readonly context: string };

/** `extension [dialplan] [context]`, the rest from where the leg is now. */
export function parseDestination(leg: Leg, words: readonly string[]): Destination {
  const [extension = '', dialplan = 'XML', context = leg.profile.context] = words;
  return { extension, dialplan, context };
}

/** The leg leaves whatever it does and enters the dialplan again. It keeps its uuid and its answer time. */
export function transferLeg(core: Core, leg: Leg, to: Destination): void {
  const route = `${to.extension}/${to.context}/${to.dialplan}`;
  renewProfile(core, leg, `bl_xfer:${route}`, {
    destination: to.extension,
    context: to.context,
    redirectedFrom: leg.profile.destination,
  });
  leg.other = undefined;
  leg.stamps.bridged = 0;
  leg.callUuid = leg.uuid;
  leg.variables.set('call_uuid', leg.uuid);
  leg.variables.delete('signal_bond');
  leg.bridgedWith?.variables.delete('signal_bond');
  leg.stateNumber = 2;
  leg.isDialplanHit = true;
  leg.assignment = { kind: 'route' };
  wakeWatchers(core, leg);
}

export function parkLeg(core: Core, leg: Leg): void {
  renewProfile(core, leg, 'bl_xfer:park/inline', {});
  leg.assignment = { kind: 'park' };
  wakeWatchers(core, leg);
}

/** `uuid_bridge`: both leave what they do, partners included, and are joined on the first leg's thread. */
export function crossLegs(core: Core, first: Leg, second: Leg): void {
  renewProfile(core, first, `uuid_br:${second.uuid}`, {
    calleeName: second.profile.callerName,
    calleeNumber: second.profile.callerNumber,
  });
  const { callerName, callerNumber } = first.profile;
  renewProfile(core, second, `uuid_br:${first.uuid}`, { callerName, callerNumber });
  first.other = second.snapshot('originatee');
  second.other = first.snapshot('originator');
  first.isDialplanHit = true;
  if (first.bridgedWith !== undefined) first.variables.set('last_bridge_hangup_cause', 'NORMAL_CLEARING');
  first.callUuid = first.uuid;
  first.variables.set('call_uuid', first.uuid);
  for (const [leg, other] of [
    [first, second],
    [second, first],
  ] as const) {
    leg.stateNumber = HIBERNATE_NUMBER;
    leg.variables.set('bridge_channel', other.name);
    leg.variables.set('bridge_uuid', other.uuid);
    leg.variables.set('signal_bond', other.uuid);
  }
  first.assignment = { kind: 'join', with: second };
  second.assignment = { kind: 'exchange', with: first };
  wakeWatchers(core, first);
  wakeWatchers(core, second);
}

/** Both legs sleep between leaving their threads' old work and being joined (08b). */
const HIBERNATE_NUMBER = 8;

/** An outbound leg that executes something becomes the caller there: its two parties change places. */
export function flipParties(leg: Leg): void {
  if (leg.direction !== 'outbound' || leg.variables.has('channel_cid_flipped')) return;
  const { callerName, callerNumber, calleeName, calleeNumber } = leg.profile;
  leg.variables.set('channel_cid_flipped', 'yes');
  leg.profile = {
    ...leg.profile,
    callerName: calleeName,
    callerNumber: calleeNumber,
    calleeName: callerName,
    calleeNumber: callerNumber,
  };
}

function renewProfile(core: Core, leg: Leg, what: string, change: Partial<Profile>): void {
  const nowMicros = core.nowMicros();
  const source = `${Math.floor(nowMicros / 1_000_000)}:${core.newUuid()}:${what}`;
  leg.variables.set('transfer_history', source);
  leg.variables.set('transfer_source', source);
  flipParties(leg);
  leg.profile = {
    ...leg.profile,
    ...change,
    index: leg.profile.index + 1,
    createdMicros: nowMicros,
    transferSource: source,
  };
}
