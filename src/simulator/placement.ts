import { nextSessionId, type Core } from './core.ts';
import type { Branch } from './dial-string.ts';
import type { HeaderValue } from './event.ts';
import { playFarEnd } from './far-end.ts';
import { Leg, type Profile } from './leg.ts';
import { fireLeg } from './signals.ts';
import { exportedVariables } from './variables.ts';

/** Either a leg that is on its way, or why there is none. */
export type Placement = { readonly leg: Leg } | { readonly cause: string };

/** Makes the leg of one branch of a dial string and starts it. All its variables are there at its CREATE. */
export function placeBranch(core: Core, branch: Branch, caller: Leg | undefined): Placement {
  const [endpoint = '', ...path] = branch.address.split('/');
  const farEnd = core.farEndFor(branch.address);
  if (endpoint === 'error') return { cause: path[0]?.toUpperCase() ?? 'NORMAL_CLEARING' };
  if (endpoint === 'loopback') return { leg: placeLoopback(core, branch, caller, path) };
  if (farEnd === undefined)
    return { cause: endpoint === 'user' ? 'SUBSCRIBER_ABSENT' : 'CHAN_NOT_IMPLEMENTED' };
  const destination = (path.at(-1) ?? '').replace(/@.*$/, '');
  const name = path[0] === 'gateway' ? `sofia/external/${destination}` : branch.address;
  const leg = newLeg(core, branch, caller, {
    name,
    destination,
    context: caller?.profile.context ?? 'default',
  });
  leg.variables.set('originate_endpoint', endpoint);
  leg.variables.set('sofia_profile_name', 'internal');
  launch(core, leg);
  playFarEnd(core, leg, farEnd);
  return { leg };
}

/** `loopback/<extension>[/<context>]` is two legs: one called, one that runs the dialplan in its place. */
function placeLoopback(core: Core, branch: Branch, caller: Leg | undefined, path: readonly string[]): Leg {
  const [destination = '', context = caller?.profile.context ?? 'default'] = path;
  const aHalf = newLeg(core, branch, caller, {
    name: `loopback/${destination}-a`,
    destination,
    context,
    callee: context,
  });
  if (branch.variables.get('origination_uuid') === aHalf.uuid) {
    // The channel existed under another id before it was renamed; other endpoints are born with the new one.
    fireLeg(core, aHalf, 'CHANNEL_UUID', { first: [['Old-Unique-ID', core.newUuid()]] });
  }
  const bHalf = new Leg({
    uuid: core.newUuid(),
    direction: 'inbound',
    name: `loopback/${destination}-b`,
    sessionId: nextSessionId(core),
    profile: aHalf.profile,
    createdMicros: core.nowMicros(),
  });
  setBasics(bHalf);
  for (const [name, value] of branch.variables) bHalf.variables.set(name, value);
  for (const [half, other, letter] of [
    [aHalf, bHalf, 'A'],
    [bHalf, aHalf, 'B'],
  ] as const) {
    half.twin = other;
    half.variables.set('other_loopback_leg_uuid', other.uuid);
    half.variables.set('loopback_leg', letter);
    half.variables.set('is_loopback', '1');
  }
  if (caller !== undefined) {
    aHalf.variables.set('loopback_from_uuid', caller.uuid);
    bHalf.variables.set('other_loopback_from_uuid', caller.uuid);
  }
  aHalf.variables.set('originate_endpoint', 'loopback');
  launch(core, aHalf);
  bHalf.assignment = { kind: 'route' };
  core.legs.set(bHalf.uuid, bHalf);
  core.ledger.created(bHalf);
  core.startSession(bHalf);
  return aHalf;
}

/** OUTGOING comes before the leg has a thread, and so before its variables are shown. */
function launch(core: Core, leg: Leg): void {
  core.legs.set(leg.uuid, leg);
  core.ledger.created(leg);
  fireLeg(core, leg, 'CHANNEL_OUTGOING');
  core.startSession(leg);
}

/** A loopback says its context where others say the number called (06b, 14). */
type LegTarget = { readonly destination: string; readonly context: string; readonly callee?: string };

function newLeg(
  core: Core,
  branch: Branch,
  caller: Leg | undefined,
  to: LegTarget & { readonly name: string },
): Leg {
  const variables = new Map<string, HeaderValue>();
  if (caller !== undefined) for (const [name, value] of exportedVariables(caller)) variables.set(name, value);
  for (const [name, value] of branch.variables) variables.set(name, value);
  const wanted = branch.variables.get('origination_uuid');
  // Asking for a uuid that is taken gets another one, and no complaint.
  const uuid = wanted === undefined || core.legs.has(wanted) ? core.newUuid() : wanted;
  const nowMicros = core.nowMicros();
  const leg = new Leg({
    uuid,
    direction: 'outbound',
    name: to.name,
    sessionId: nextSessionId(core),
    profile: profileOf(branch, caller, to, nowMicros),
    createdMicros: nowMicros,
  });
  setBasics(leg);
  leg.variables.set('is_outbound', 'true');
  if (caller !== undefined) {
    leg.other = caller.snapshot('originator');
    for (const name of ['originator', 'signal_bond', 'originating_leg_uuid'])
      leg.variables.set(name, caller.uuid);
  }
  leg.variables.set('originate_early_media', 'true');
  for (const [name, value] of variables) leg.variables.set(name, value);
  return leg;
}

/** The variables that stand on every leg. */
export function setBasics(leg: Leg): void {
  leg.variables.set('direction', leg.direction);
  leg.variables.set('uuid', leg.uuid);
  leg.variables.set('call_uuid', leg.callUuid);
  leg.variables.set('session_id', String(leg.sessionId));
  leg.variables.set('channel_name', leg.name);
}

/** The caller's own profile under the number called, with what the dial string says of the caller instead. */
function profileOf(branch: Branch, caller: Leg | undefined, to: LegTarget, nowMicros: number): Profile {
  const given = (name: string): string | undefined =>
    branch.variables.get(`origination_caller_id_${name}`) ?? caller?.variable(`effective_caller_id_${name}`);
  const from = caller?.profile;
  const callerName = given('name') ?? from?.callerName ?? '';
  const callerNumber = given('number') ?? from?.callerNumber ?? '0000000000';
  return {
    index: 1,
    createdMicros: nowMicros,
    username: from?.username ?? '',
    dialplan: from?.dialplan ?? '',
    callerName,
    callerNumber,
    originalCallerName: callerName,
    originalCallerNumber: callerNumber,
    calleeName: 'Outbound Call',
    calleeNumber: to.callee ?? to.destination,
    networkAddress: from?.networkAddress ?? '',
    destination: to.destination,
    redirectedFrom: from?.redirectedFrom ?? '',
    source: from?.source ?? 'src/switch_ivr_originate.c',
    transferSource: '',
    context: to.context,
  };
}
