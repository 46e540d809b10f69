import { isTrue, readGateVariables } from '../calls/gate-variables.ts';
import type { LegFacts, LegTimes, SwitchEvent } from '../calls/switch-event.ts';
import { cleanText } from '../units/clean-text.ts';
import { parseLegUuid, type NodeId } from '../units/ids.ts';
import { toEpochMs, type EpochMs } from '../units/time.ts';
import { headerOf, type WireEvent } from './wire-event.ts';

export type Reading = {
  readonly node: NodeId;
  readonly receivedAt: EpochMs;
  /** Channel variables that name the account where `tollgate_account` is unset, first found. */
  readonly accountFallbacks: readonly string[];
};

const TEXT_CHARACTERS_MAX = 256;

/** Turns a wire event, plain or JSON, into ours. Undefined for what is not about a leg or a node of ours. */
export function decodeEvent(event: WireEvent, reading: Reading): SwitchEvent | undefined {
  const name = headerOf(event, 'Event-Name');
  if (name === 'HEARTBEAT') {
    return {
      kind: 'heartbeat',
      node: reading.node,
      coreUuid: text(event, 'Core-UUID'),
      occurredAt: moment(event, 'Event-Date-Timestamp') ?? reading.receivedAt,
      receivedAt: reading.receivedAt,
      liveLegs: count(event, 'Session-Count'),
    };
  }
  if (name === 'SHUTDOWN') {
    const { node, receivedAt } = reading;
    return { kind: 'shutdown', node, coreUuid: text(event, 'Core-UUID'), receivedAt };
  }
  if (name === undefined || !name.startsWith('CHANNEL_')) return undefined;
  const leg = decodeLeg(event, reading);
  return leg === undefined ? undefined : decodeChannelEvent(name, leg, event);
}

/** What a channel event, an outbound socket's channel data or `uuid_dump` says of its leg. */
export function decodeLeg(event: WireEvent, reading: Reading): LegFacts | undefined {
  const uuid = parseLegUuid(headerOf(event, 'Unique-ID') ?? '');
  if (uuid === undefined) return undefined;
  const placedBy =
    headerOf(event, 'variable_originator') ??
    // `Other-Leg` names a leg's present partner as well; only `originator` says that it placed this one.
    (headerOf(event, 'Other-Type') === 'originator'
      ? headerOf(event, 'Other-Leg-Unique-ID')
      : // A pair's far end says `inbound` and has no originator; whoever dialled the pair placed it.
        headerOf(event, 'variable_other_loopback_from_uuid'));
  return {
    uuid,
    node: reading.node,
    coreUuid: text(event, 'Core-UUID'),
    direction: headerOf(event, 'Call-Direction') === 'outbound' ? 'outbound' : 'inbound',
    occurredAt: moment(event, 'Event-Date-Timestamp') ?? reading.receivedAt,
    receivedAt: reading.receivedAt,
    answeredAt: moment(event, 'Caller-Channel-Answered-Time'),
    createdAt: moment(event, 'Caller-Channel-Created-Time'),
    originator: parseLegUuid(placedBy ?? ''),
    callerNumber: text(event, 'Caller-Caller-ID-Number'),
    callerName: text(event, 'Caller-Caller-ID-Name'),
    destination: text(event, 'Caller-Destination-Number'),
    context: text(event, 'Caller-Context'),
    loopback:
      isTrue(headerOf(event, 'variable_is_loopback')) ||
      (headerOf(event, 'Channel-Name')?.startsWith('loopback/') ?? false),
    gate: readGateVariables((name) => headerOf(event, `variable_${name}`), reading.accountFallbacks),
  };
}

/** FreeSWITCH's own durations; undefined while it has none, which is until the leg is gone. */
export function decodeTimes(event: WireEvent): LegTimes | undefined {
  const endedAt = moment(event, 'variable_end_uepoch') ?? moment(event, 'Caller-Channel-Hangup-Time');
  if (endedAt === undefined) return undefined;
  const answeredMicroseconds =
    microseconds(event, 'variable_answer_uepoch') ?? microseconds(event, 'Caller-Channel-Answered-Time');
  const endedMicroseconds =
    microseconds(event, 'variable_end_uepoch') ?? microseconds(event, 'Caller-Channel-Hangup-Time') ?? 0;
  const spokenMicroseconds =
    answeredMicroseconds === undefined ? 0 : Math.max(0, endedMicroseconds - answeredMicroseconds);
  return {
    startedAt:
      moment(event, 'variable_start_uepoch') ?? moment(event, 'Caller-Channel-Created-Time') ?? endedAt,
    answeredAt: answeredMicroseconds === undefined ? undefined : floorToMs(answeredMicroseconds),
    endedAt,
    billMicroseconds: integer(event, 'variable_billusec') ?? spokenMicroseconds,
    billsec: integer(event, 'variable_billsec') ?? Math.floor(spokenMicroseconds / 1_000_000),
  };
}

function decodeChannelEvent(name: string, leg: LegFacts, event: WireEvent): SwitchEvent | undefined {
  switch (name) {
    case 'CHANNEL_CREATE':
      return { kind: 'created', leg };
    case 'CHANNEL_ANSWER':
      return { kind: 'answered', leg, answeredAt: leg.answeredAt ?? leg.occurredAt };
    case 'CHANNEL_BRIDGE':
    case 'CHANNEL_UNBRIDGE': {
      const aLeg = parseLegUuid(headerOf(event, 'Bridge-A-Unique-ID') ?? leg.uuid);
      const otherLeg = headerOf(event, 'Bridge-B-Unique-ID') ?? headerOf(event, 'Other-Leg-Unique-ID');
      const bLeg = parseLegUuid(otherLeg ?? '');
      if (aLeg === undefined || bLeg === undefined) return undefined;
      return { kind: name === 'CHANNEL_BRIDGE' ? 'bridged' : 'unbridged', leg, aLeg, bLeg };
    }
    case 'CHANNEL_HANGUP':
      return { kind: 'hung-up', leg, cause: hangupCause(event) };
    case 'CHANNEL_HANGUP_COMPLETE': {
      const nothing: LegTimes = {
        startedAt: leg.createdAt ?? leg.occurredAt,
        answeredAt: leg.answeredAt,
        endedAt: leg.occurredAt,
        billMicroseconds: Math.max(0, leg.occurredAt - (leg.answeredAt ?? leg.occurredAt)) * 1_000,
        billsec: 0,
      };
      return { kind: 'completed', leg, cause: hangupCause(event), times: decodeTimes(event) ?? nothing };
    }
    case 'CHANNEL_DESTROY':
      return { kind: 'destroyed', leg };
    case 'CHANNEL_PARK':
      return { kind: 'parked', leg };
    case 'CHANNEL_UUID': {
      const oldUuid = parseLegUuid(headerOf(event, 'Old-Unique-ID') ?? '');
      return oldUuid === undefined ? undefined : { kind: 'renamed', leg, oldUuid };
    }
    default:
      return undefined;
  }
}

function text(event: WireEvent, name: string): string {
  return cleanText(headerOf(event, name) ?? '', TEXT_CHARACTERS_MAX);
}

function hangupCause(event: WireEvent): string {
  const cause = headerOf(event, 'Hangup-Cause') ?? headerOf(event, 'variable_hangup_cause') ?? '';
  return /^[A-Z0-9_]{1,64}$/.test(cause) ? cause : 'UNKNOWN';
}

function integer(event: WireEvent, name: string): number | undefined {
  const digits = headerOf(event, name);
  return digits !== undefined && /^\d{1,16}$/.test(digits) ? Number(digits) : undefined;
}

function count(event: WireEvent, name: string): number {
  return integer(event, name) ?? 0;
}

/** FreeSWITCH writes zero for a moment that has not come. */
function microseconds(event: WireEvent, name: string): number | undefined {
  const value = integer(event, name);
  return value === 0 ? undefined : value;
}

function moment(event: WireEvent, name: string): EpochMs | undefined {
  const value = microseconds(event, name);
  return value === undefined ? undefined : floorToMs(value);
}

/** The one place where microseconds are floored. */
function floorToMs(epochMicroseconds: number): EpochMs {
  return toEpochMs(epochMicroseconds / 1_000);
}
