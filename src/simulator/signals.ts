import { q850Of, sipAnswerOf } from './causes.ts';
import type { Core } from './core.ts';
import { localDateOf } from './event-bus.ts';
import type { Header } from './event.ts';
import { legHeaders } from './leg-headers.ts';
import type { CallState, ChannelState, Ender, Leg } from './leg.ts';

/** Fires a channel event; some put headers of their own before the leg's, some after. */
export function fireLeg(
  core: Core,
  leg: Leg,
  name: string,
  own: { readonly first?: readonly Header[]; readonly last?: readonly Header[] } = {},
): void {
  core.bus.fire(name, () => [...(own.first ?? []), ...legHeaders(leg, name), ...(own.last ?? [])]);
}

export function enterState(core: Core, leg: Leg, state: ChannelState): void {
  leg.enter(state);
  fireLeg(core, leg, 'CHANNEL_STATE');
}

/** CALLSTATE follows the event that caused it, which therefore still shows the old state. */
export function setCallState(core: Core, leg: Leg, callState: CallState): void {
  if (leg.callState === callState) return;
  const original = leg.callState;
  leg.callState = callState;
  fireLeg(core, leg, 'CHANNEL_CALLSTATE', { first: [['Original-Channel-Call-State', original]] });
}

export function wakeWatchers(core: Core, leg: Leg): void {
  for (const thread of leg.watchers) thread.wake(core.pickupMs);
}

export function markRinging(core: Core, leg: Leg): void {
  if (!leg.isUp || leg.isAnswered || leg.stamps.progress > 0) return;
  leg.stamps.progress = core.nowMicros();
  fireLeg(core, leg, 'CHANNEL_PROGRESS');
  setCallState(core, leg, 'RINGING');
  wakeWatchers(core, leg);
  if (leg.twin?.direction === 'outbound') markRinging(core, leg.twin);
}

export function markEarlyMedia(core: Core, leg: Leg): void {
  if (!leg.isUp || leg.isAnswered || leg.stamps.progressMedia > 0) return;
  leg.stamps.progressMedia = core.nowMicros();
  leg.variables.set('endpoint_disposition', 'EARLY MEDIA');
  fireLeg(core, leg, 'CHANNEL_PROGRESS_MEDIA');
  setCallState(core, leg, 'EARLY');
  wakeWatchers(core, leg);
  if (leg.twin?.direction === 'outbound') markEarlyMedia(core, leg.twin);
}

export function markAnswered(core: Core, leg: Leg): void {
  if (!leg.isUp || leg.isAnswered) return;
  // An inbound leg is given media on the way to its answer; loopbacks have none.
  if (leg.direction === 'inbound' && leg.twin === undefined) markEarlyMedia(core, leg);
  leg.stamps.answered = core.nowMicros();
  core.ledger.answered(leg.uuid);
  fireLeg(core, leg, 'CHANNEL_ANSWER');
  leg.variables.set('endpoint_disposition', 'ANSWER');
  setCallState(core, leg, 'ACTIVE');
  runOnAnswer(core, leg);
  leg.onAnswer?.();
  wakeWatchers(core, leg);
  if (leg.twin?.direction === 'outbound') markAnswered(core, leg.twin);
}

/** `execute_on_answer` and its numbered sisters: the name ends at the first space or colon. */
function runOnAnswer(core: Core, leg: Leg): void {
  for (const [name, value] of leg.variables) {
    if (typeof value !== 'string') continue;
    const [, first = '', rest = ''] = /^([^ :]*)[ :]?([^]*)$/.exec(value) ?? [];
    if (name.startsWith('execute_on_answer')) core.kernel.spawn(core.runApplication(leg, [first, rest]));
    else if (name.startsWith('api_on_answer')) core.kernel.spawn(discard(core.runApi(value)));
  }
}

function* discard(script: ReturnType<Core['runApi']>): ReturnType<Core['runApplication']> {
  yield* script;
}

/** Starts the end of a leg; its own thread does the rest. False when it was already going. */
export function hangUp(core: Core, leg: Leg, cause: string, by: Ender | 'shutdown'): boolean {
  if (!leg.isUp) return false;
  if (by === 'caller' || by === 'far-end') noteSipEnd(leg, cause);
  leg.cause = cause;
  leg.stateNumber = 10;
  core.ledger.hungUp(leg.uuid, cause, by);
  if (leg.direction === 'inbound' && !leg.isAnswered && by !== 'caller') {
    const refusal = leg.variable('sip_refusal');
    core.ledger.refused(leg.uuid, refusal === undefined ? sipAnswerOf(cause).status : Number(refusal));
  }
  if (leg.bridgedWith?.isUp === true) noteEnd(leg.bridgedWith, leg);
  fireLeg(core, leg, 'CHANNEL_HANGUP');
  if (leg.hasRemoteEnded && leg.isAnswered) leg.variables.set('sip_hangup_disposition', 'recv_bye');
  wakeWatchers(core, leg);
  const twin = leg.twin;
  if (twin?.isUp === true) core.kernel.after(core.pickupMs, () => hangUp(core, twin, cause, 'other-leg'));
  return true;
}

/** This one says its cause twice, before the leg's headers and among them. */
export function fireHangupComplete(core: Core, leg: Leg): void {
  fireLeg(core, leg, 'CHANNEL_HANGUP_COMPLETE', { first: [['Hangup-Cause', leg.cause ?? 'NONE']] });
}

/** The other leg of a bridge is told why this one went, whatever its own cause will be (09, 17). */
function noteEnd(other: Leg, ended: Leg): void {
  other.variables.set('last_bridge_hangup_cause', ended.cause ?? 'NORMAL_CLEARING');
  const proto = ended.variable('proto_specific_hangup_cause');
  if (proto !== undefined) other.variables.set('last_bridge_proto_specific_hangup_cause', proto);
}

/** What the SIP stack writes when the other side ends the call: a BYE, a CANCEL or a refusal. */
function noteSipEnd(leg: Leg, cause: string): void {
  const { status, phrase } = leg.isAnswered ? { status: 200, phrase: 'OK' } : sipAnswerOf(cause);
  leg.hasRemoteEnded = true;
  if (!leg.isAnswered) {
    leg.variables.set('sip_hangup_disposition', leg.direction === 'inbound' ? 'recv_cancel' : 'recv_refuse');
    leg.variables.set('sip_invite_failure_status', String(status));
    leg.variables.set('sip_invite_failure_phrase', phrase);
  }
  leg.variables.set('sip_term_status', String(status));
  leg.variables.set('proto_specific_hangup_cause', `sip:${status}`);
  leg.variables.set('sip_term_cause', String(status === 487 ? 487 : q850Of(cause)));
}

const STAMP_NAMES = [
  'start',
  'profile_start',
  'answer',
  'bridge',
  'progress',
  'progress_media',
  'end',
] as const;

/**
 * The figures that only HANGUP_COMPLETE and DESTROY carry. `billsec` is a difference of two floored clocks and
 * so may be one second off either way; `billusec` is exact. Both are FreeSWITCH's doing.
 */
export function setDurations(leg: Leg): void {
  const { created, answered, bridged, progress, progressMedia, hungUp } = leg.stamps;
  const moments = [created, leg.profile.createdMicros, answered, bridged, progress, progressMedia, hungUp];
  const set = (name: string, value: string | number): void => void leg.variables.set(name, String(value));
  set('hangup_cause', leg.cause ?? 'NONE');
  set('hangup_cause_q850', q850Of(leg.cause ?? 'NONE'));
  set('digits_dialed', 'none');
  for (const [index, name] of STAMP_NAMES.entries()) {
    const seconds = Math.floor((moments[index] ?? 0) / 1_000_000);
    if (seconds > 0) set(`${name}_stamp`, localDateOf(seconds));
  }
  for (const [index, name] of STAMP_NAMES.entries()) {
    const micros = moments[index] ?? 0;
    set(`${name}_epoch`, Math.floor(micros / 1_000_000));
    set(`${name}_uepoch`, micros);
  }
  if (leg.application[0] !== '') set('last_app', leg.application[0]);
  if (leg.application[1] !== '') set('last_arg', leg.application[1]);
  const { callerName, callerNumber } = leg.profile;
  set('caller_id', callerName === '' ? callerNumber : `"${callerName}" <${callerNumber}>`);
  const spans: readonly (readonly [name: string, from: number, to: number])[] = [
    ['duration', created, hungUp],
    ['bill', answered, hungUp],
    ['progress', created, progress],
    ['answer', created, answered],
    ['wait', created, bridged],
    ['progress_media', created, progressMedia],
    ['flow_bill', created, hungUp],
  ];
  for (const [unit, perUnit] of UNITS) {
    for (const [name, from, to] of spans) {
      const span = from === 0 || to === 0 ? 0 : Math.floor(to / perUnit) - Math.floor(from / perUnit);
      set(name === 'duration' ? DURATION_NAMES[unit] : `${name}${unit}`, span);
    }
  }
}

const UNITS = [
  ['sec', 1_000_000],
  ['msec', 1000],
  ['usec', 1],
] as const;
const DURATION_NAMES = { sec: 'duration', msec: 'mduration', usec: 'uduration' } as const;
