import type { Core } from './core.ts';
import { joinLegs } from './bridge.ts';
import { legHeaders } from './leg-headers.ts';
import type { Action, Leg } from './leg.ts';
import { enterState, fireHangupComplete, fireLeg, hangUp, setCallState, setDurations } from './signals.ts';
import { waitUntil, type Script } from './thread.ts';

/** The life of one leg on its own thread, from CREATE to DESTROY. */
export function* runSession(core: Core, leg: Leg): Script {
  if (leg.direction === 'inbound' && leg.twin === undefined) fireNew(core, leg);
  leg.enter('CS_INIT');
  fireLeg(core, leg, 'CHANNEL_STATE');
  leg.stateNumber = 2;
  if (leg.other?.role === 'originator') {
    leg.callUuid = leg.other.uuid;
    leg.variables.set('call_uuid', leg.callUuid);
  }
  fireLeg(core, leg, 'CHANNEL_CREATE');
  if (leg.direction === 'outbound') {
    fireLeg(core, leg, 'CHANNEL_ORIGINATE');
    if (leg.isUp) enterState(core, leg, 'CS_ROUTING');
  } else {
    leg.enter('CS_ROUTING');
    setCallState(core, leg, 'RINGING');
  }
  while (leg.isUp) yield* carryOut(core, leg);
  yield* endSession(core, leg);
}

/** The first event of all, before anything is known of the caller. */
function fireNew(core: Core, leg: Leg): void {
  leg.enter('CS_NEW');
  core.bus.fire('CHANNEL_STATE', () => {
    return legHeaders(leg, 'CHANNEL_STATE').filter(([name]) => !name.startsWith('Caller-'));
  });
}

/** One assignment, until it is done or replaced. What returns with nothing left to do ends the leg. */
function* carryOut(core: Core, leg: Leg): Script {
  const mine = leg.assignment;
  const isOver = (): boolean => !leg.isUp || leg.assignment !== mine;
  switch (mine.kind) {
    case 'route':
      yield* runActions(core, leg, route(core, leg));
      break;
    case 'run':
      enterState(core, leg, 'CS_EXECUTE');
      yield* runActions(core, leg, mine.actions);
      break;
    case 'park':
      enterState(core, leg, 'CS_PARK');
      yield* park(core, leg);
      break;
    case 'consume':
      enterState(core, leg, 'CS_CONSUME_MEDIA');
      yield* waitUntil(core.kernel, isOver);
      return;
    case 'exchange':
      yield* exchange(core, leg, mine.with);
      break;
    case 'join':
      yield* waitUntil(core.kernel, isOver, core.pickupMs);
      if (isOver() || !mine.with.isUp) break;
      enterState(core, leg, 'CS_SOFT_EXECUTE');
      mine.with.callUuid = leg.uuid;
      mine.with.variables.set('call_uuid', leg.uuid);
      yield* joinLegs(core, leg, mine.with);
      break;
  }
  if (!isOver()) hangUp(core, leg, 'NORMAL_CLEARING', 'dialplan');
}

/** Bridged on the other leg's thread. Ends by itself only when that leg died before it could start. */
function* exchange(core: Core, leg: Leg, other: Leg): Script {
  const mine = leg.assignment;
  const thread = core.kernel.current;
  if (thread !== undefined) other.watchers.add(thread);
  const isOver = (): boolean => !leg.isUp || leg.assignment !== mine;
  while (!isOver() && (other.isUp || leg.bridgedWith === other)) {
    const message = leg.messages.shift();
    if (message === undefined) yield { forMs: undefined };
    else yield* core.runApplication(leg, [message.application, message.argument]);
  }
  if (thread !== undefined) other.watchers.delete(thread);
}

/** The dialplan is asked anew each time, so a transferred leg sees it with its variables of now. */
function route(core: Core, leg: Leg): readonly Action[] {
  leg.isDialplanHit = true;
  enterState(core, leg, 'CS_ROUTING');
  const actions = actionsFor(core, leg, leg.profile.destination, leg.profile.context);
  if (actions.length === 0) hangUp(core, leg, 'NO_ROUTE_DESTINATION', 'dialplan');
  else {
    leg.variables.set('DP_MATCH', [leg.profile.destination, leg.profile.destination]);
    enterState(core, leg, 'CS_EXECUTE');
  }
  return actions;
}

export function actionsFor(core: Core, leg: Leg, destination: string, context: string): readonly Action[] {
  return core.dialplanFor({
    uuid: leg.uuid,
    direction: leg.direction,
    from: leg.profile.callerNumber,
    destination,
    context,
    variable: (name) => leg.variable(name),
  });
}

/** In order, for as long as nobody gives the leg something else to do. */
export function* runActions(core: Core, leg: Leg, actions: readonly Action[]): Script {
  const mine = leg.assignment;
  for (const action of actions) {
    if (!leg.isUp || leg.assignment !== mine) return;
    yield* core.runApplication(leg, action);
  }
}

/** Waits to be told what to do: an application a round, until somebody takes the leg elsewhere. */
export function* park(core: Core, leg: Leg, isDone: () => boolean = () => false): Script {
  const mine = leg.assignment;
  const [seconds = '', cause = 'NORMAL_CLEARING'] = (leg.variable('park_timeout') ?? '').split(':');
  const limitMs = Number.parseFloat(seconds) * 1000;
  const deadlineMs = limitMs > 0 ? core.nowTrueMs() + limitMs : Infinity;
  leg.variables.delete('park_timeout');
  fireLeg(core, leg, 'CHANNEL_PARK');
  while (leg.isUp && leg.assignment === mine && !isDone()) {
    const message = leg.messages.shift();
    if (message !== undefined) {
      for (let round = 0; round < message.loops && leg.isUp; round += 1) {
        yield* core.runApplication(leg, [message.application, message.argument, message.uuid]);
      }
      message.onDone?.();
      if (leg.isUp && leg.messages.length > 0) yield { forMs: core.pickupMs };
      continue;
    }
    const leftMs = deadlineMs - core.nowTrueMs();
    if (leftMs <= 0) {
      hangUp(core, leg, cause, 'dialplan');
      break;
    }
    yield { forMs: leftMs === Infinity ? undefined : Math.ceil(leftMs) };
  }
  fireLeg(core, leg, 'CHANNEL_UNPARK');
}

/**
 * From the hang-up to the end. The moment of billing is taken here, on the leg's own thread, and not when the
 * hang-up was ordered: up to one pickup later, as on a real switch.
 */
function* endSession(core: Core, leg: Leg): Script {
  for (const alarm of leg.alarms) alarm.cancel();
  enterState(core, leg, 'CS_HANGUP');
  leg.stamps.hungUp = core.nowMicros();
  setDurations(leg);
  setCallState(core, leg, 'HANGUP');
  const isSip = leg.twin === undefined;
  if (isSip && !leg.variables.has('sip_hangup_disposition')) {
    leg.variables.set('sip_hangup_disposition', dispositionOf(leg));
  }
  enterState(core, leg, 'CS_REPORTING');
  core.ledger.ended(leg.uuid);
  // An outbound socket that does not linger is closed here: its HANGUP_COMPLETE is never delivered.
  leg.onGoingDown?.();
  if (core.faults.hangupCompleteDelayMs > 0) {
    yield* waitUntil(core.kernel, () => false, core.faults.hangupCompleteDelayMs);
  }
  fireHangupComplete(core, leg);
  yield* waitUntil(core.kernel, () => leg.isLingering?.() !== true);
  if (leg.stamps.bridged > 0) {
    leg.callUuid = leg.uuid;
    leg.variables.set('call_uuid', leg.uuid);
  }
  leg.stateNumber = 12;
  fireLeg(core, leg, 'CHANNEL_DESTROY');
  core.legs.delete(leg.uuid);
  core.scheduler.delete(leg.uuid);
  enterState(core, leg, 'CS_DESTROY');
  leg.watchers.clear();
}

function dispositionOf(leg: Leg): string {
  if (leg.isAnswered) return 'send_bye';
  return leg.direction === 'inbound' ? 'send_refuse' : 'send_cancel';
}
