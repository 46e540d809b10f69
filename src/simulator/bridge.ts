import type { Core } from './core.ts';
import { parseDialString } from './dial-string.ts';
import type { Header } from './event.ts';
import type { Assignment, Leg } from './leg.ts';
import { originate, secondsOf } from './originate.ts';
import { enterState, fireLeg, hangUp, markAnswered, wakeWatchers } from './signals.ts';
import type { Script } from './thread.ts';

/** The `bridge` application: place the legs, join the one that answers, and deal with what is left. */
export function* bridgeTo(core: Core, leg: Leg, dialString: string): Script {
  const limitMs = secondsOf(leg.variable('call_timeout'));
  const result = yield* originate(core, parseDialString(dialString), leg, limitMs);
  if (result.kind === 'connected') yield* joinLegs(core, leg, result.leg);
  else if (leg.isUp && !goesOnAfter(leg, result.cause)) hangUp(core, leg, result.cause, 'dialplan');
}

/** Without `continue_on_fail` a call whose bridge fails ends with that cause. */
function goesOnAfter(leg: Leg, cause: string): boolean {
  const causes = leg.variable('continue_on_fail');
  if (causes === undefined) return false;
  return leg.isTrue('continue_on_fail') || causes.toUpperCase().split(',').includes(cause);
}

/**
 * Two legs hear each other for as long as both are up and neither is given something else to do. This runs on
 * the first leg's thread and fires BRIDGE and UNBRIDGE once, on that leg.
 */
export function* joinLegs(core: Core, aLeg: Leg, bLeg: Leg): Script {
  const thread = core.kernel.current;
  const mine = aLeg.assignment;
  const exchange: Assignment = { kind: 'exchange', with: aLeg };
  const pair: readonly Header[] = [
    ['Bridge-A-Unique-ID', aLeg.uuid],
    ['Bridge-B-Unique-ID', bLeg.uuid],
  ];
  if (thread !== undefined) bLeg.watchers.add(thread);
  connect(core, aLeg, bLeg);
  fireLeg(core, aLeg, 'CHANNEL_BRIDGE', { first: pair });
  bLeg.assignment = exchange;
  enterState(core, bLeg, 'CS_EXCHANGE_MEDIA');
  wakeWatchers(core, bLeg);
  describe(aLeg, bLeg);
  describe(bLeg, aLeg);
  aLeg.variables.set('bridge_to', bLeg.uuid);

  const isJoined = (): boolean =>
    aLeg.isUp && bLeg.isUp && aLeg.assignment === mine && bLeg.assignment === exchange;
  while (isJoined()) {
    // Joined on early media: the answer comes later.
    if (bLeg.isAnswered) markAnswered(core, aLeg);
    const message = aLeg.messages.shift();
    if (message === undefined) yield { forMs: undefined };
    else yield* core.runApplication(aLeg, [message.application, message.argument]);
  }

  if (thread !== undefined) bLeg.watchers.delete(thread);
  const aHasLeft = aLeg.isUp && aLeg.assignment !== mine;
  const bHasLeft = bLeg.isUp && bLeg.assignment !== exchange;
  if (aLeg.bridgedWith === bLeg) aLeg.bridgedWith = undefined;
  if (bLeg.bridgedWith === aLeg) bLeg.bridgedWith = undefined;
  aLeg.variables.delete('bridge_to');
  if (bLeg.isUp && !bHasLeft) endOther(core, bLeg, aLeg, aHasLeft);
  aLeg.variables.set('last_bridge_role', 'originator');
  aLeg.variables.set('bridge_hangup_cause', bLeg.cause ?? aLeg.cause ?? 'NORMAL_CLEARING');
  bLeg.variables.set('bridge_hangup_cause', bLeg.cause ?? 'NORMAL_CLEARING');
  fireLeg(core, aLeg, 'CHANNEL_UNBRIDGE', { first: pair });
  // Its partner gone to somewhere else counts as well: the recorded caller is let go (07b, 08, 18).
  if (aLeg.isUp && !aHasLeft && aLeg.isTrue('hangup_after_bridge')) {
    hangUp(core, aLeg, 'NORMAL_CLEARING', 'other-leg');
  }
}

function connect(core: Core, aLeg: Leg, bLeg: Leg): void {
  const nowMicros = core.nowMicros();
  aLeg.bridgedWith = bLeg;
  bLeg.bridgedWith = aLeg;
  aLeg.stamps.bridged = nowMicros;
  bLeg.stamps.bridged = nowMicros;
  aLeg.other = bLeg.snapshot('originatee');
  bLeg.other ??= aLeg.snapshot('originator');
  aLeg.variables.set('signal_bond', bLeg.uuid);
  bLeg.variables.set('signal_bond', aLeg.uuid);
}

function describe(leg: Leg, other: Leg): void {
  leg.variables.set('last_bridge_to', other.uuid);
  leg.variables.set('bridge_channel', other.name);
  leg.variables.set('bridge_uuid', other.uuid);
}

/** The killed leg alone has the kill's cause; the other says NORMAL_CLEARING and where it came from (09). */
function endOther(core: Core, other: Leg, leg: Leg, hasLeft: boolean): void {
  const cause = leg.cause === 'ORIGINATOR_CANCEL' ? leg.cause : 'NORMAL_CLEARING';
  hangUp(core, other, cause, hasLeft ? 'transfer' : 'other-leg');
}
