import type { Header } from './event.ts';
import type { Direction, Leg, LegStamps, Profile } from './leg.ts';

/** These events carry no variables, unless the whole switch goes down (17); every other channel event does. */
const WITHOUT_VARIABLES = new Set([
  'CHANNEL_STATE',
  'CHANNEL_CALLSTATE',
  'CHANNEL_OUTGOING',
  'CHANNEL_APPLICATION',
  'CODEC',
  'CALL_UPDATE',
  'PRIVATE_COMMAND',
]);

/** The headers of a channel event after the common ones, in FreeSWITCH's order. */
export function legHeaders(leg: Leg, event: string): Header[] {
  const headers: Header[] = [
    ['Channel-State', leg.runningState],
    ['Channel-Call-State', leg.callState],
    ['Channel-State-Number', String(leg.stateNumber)],
    ['Channel-Name', leg.name],
    ['Unique-ID', leg.uuid],
    ['Call-Direction', leg.direction],
    ['Presence-Call-Direction', leg.direction],
    ['Channel-HIT-Dialplan', String(leg.isDialplanHit)],
    ['Channel-Call-UUID', leg.callUuid],
    ['Answer-State', answerStateOf(leg)],
  ];
  if (leg.cause !== undefined) headers.push(['Hangup-Cause', leg.cause]);
  if (leg.stamps.progressMedia > 0 || leg.isAnswered) headers.push(...CODEC_HEADERS);
  pushProfile(headers, 'Caller', leg);
  if (leg.other !== undefined) {
    headers.push(['Other-Type', leg.other.role]);
    pushProfile(headers, 'Other-Leg', leg.other);
  }
  if (leg.cause === 'SYSTEM_SHUTDOWN' || !WITHOUT_VARIABLES.has(event)) {
    for (const [name, value] of leg.variables) headers.push([`variable_${name}`, value]);
  }
  return headers;
}

/** The first block of the reply to an outbound `connect`: the profile once more, under another prefix. */
export function connectHeaders(leg: Leg): Header[] {
  const headers: Header[] = [];
  pushProfile(headers, 'Channel', leg);
  return [...headers, ...legHeaders(leg, 'CHANNEL_DATA')];
}

export function answerStateOf(leg: Leg): string {
  if (leg.cause !== undefined) return 'hangup';
  if (leg.isAnswered) return 'answered';
  return leg.stamps.progressMedia > 0 ? 'early' : 'ringing';
}

const CODEC_HEADERS: readonly Header[] = ['Read', 'Write'].flatMap((side): Header[] => [
  [`Channel-${side}-Codec-Name`, 'PCMU'],
  [`Channel-${side}-Codec-Rate`, '8000'],
  [`Channel-${side}-Codec-Bit-Rate`, '64000'],
]);

/** What a profile block is made of: a leg, or the copy of one that another leg keeps. */
type Described = {
  readonly uuid: string;
  readonly name: string;
  readonly direction: Direction;
  readonly profile: Profile;
  readonly stamps: Readonly<LegStamps>;
};

function pushProfile(headers: Header[], prefix: string, of: Described): void {
  const { profile, stamps } = of;
  const text = (name: string, value: string): void => {
    // FreeSWITCH leaves a header out rather than sending it empty.
    if (value !== '') headers.push([`${prefix}-${name}`, value]);
  };
  text('Direction', of.direction);
  text('Logical-Direction', of.direction);
  text('Username', profile.username);
  text('Dialplan', profile.dialplan);
  text('Caller-ID-Name', profile.callerName);
  text('Caller-ID-Number', profile.callerNumber);
  text('Orig-Caller-ID-Name', profile.originalCallerName);
  text('Orig-Caller-ID-Number', profile.originalCallerNumber);
  text('Callee-ID-Name', profile.calleeName);
  text('Callee-ID-Number', profile.calleeNumber);
  text('Network-Addr', profile.networkAddress);
  text('ANI', profile.originalCallerNumber);
  text('Destination-Number', profile.destination);
  text('Unique-ID', of.uuid);
  text('Source', profile.source);
  text('Transfer-Source', profile.transferSource);
  text('Context', profile.context);
  text('RDNIS', profile.redirectedFrom);
  text('Channel-Name', of.name);
  if (prefix !== 'Other-Leg') text('Profile-Index', String(profile.index));
  text('Profile-Created-Time', String(profile.createdMicros));
  text('Channel-Created-Time', String(stamps.created));
  text('Channel-Answered-Time', String(stamps.answered));
  text('Channel-Progress-Time', String(stamps.progress));
  text('Channel-Progress-Media-Time', String(stamps.progressMedia));
  text('Channel-Hangup-Time', String(stamps.hungUp));
  text('Channel-Transfer-Time', '0');
  text('Channel-Resurrect-Time', '0');
  text('Channel-Bridged-Time', String(stamps.bridged));
  text('Channel-Last-Hold', '0');
  text('Channel-Hold-Accum', '0');
  text('Screen-Bit', 'true');
  text('Privacy-Hide-Name', 'false');
  text('Privacy-Hide-Number', 'false');
}
