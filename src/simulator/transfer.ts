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
  renewProfile(core, second, `uuid_br:${first.uuid}`, {});
  first.other = second.snapshot('originatee');
  second.other = first.snapshot('originator');
  second.callUuid = first.uuid;
  second.variables.set('call_uuid', first.uuid);
  first.assignment = { kind: 'join', with: second };
  second.assignment = { kind: 'exchange', with: first };
  wakeWatchers(core, first);
  wakeWatchers(core, second);
}

function renewProfile(core: Core, leg: Leg, what: string, change: Partial<Profile>): void {
  const nowMicros = core.nowMicros();
  const source = `${Math.floor(nowMicros / 1_000_000)}:${core.newUuid()}:${what}`;
  leg.variables.set('transfer_history', source);
  leg.variables.set('transfer_source', source);
  const { profile } = leg;
  // An outbound leg that enters the dialplan becomes the caller there.
  const isFlipped = leg.direction === 'outbound' && leg.variable('channel_cid_flipped') === undefined;
  const flipped: Partial<Profile> = isFlipped
    ? {
        callerName: profile.calleeName,
        callerNumber: profile.calleeNumber,
        calleeName: profile.callerName,
        calleeNumber: profile.callerNumber,
      }
    : {};
  if (isFlipped && what.startsWith('bl_xfer')) leg.variables.set('channel_cid_flipped', 'yes');
  leg.profile = {
    ...profile,
    ...(what.startsWith('bl_xfer') ? flipped : {}),
    ...change,
    index: profile.index + 1,
    createdMicros: nowMicros,
    transferSource: source,
  };
}
