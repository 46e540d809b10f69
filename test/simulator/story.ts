import type { WireEvent } from './esl-client.ts';

/** How a header is compared: two calls never have the same ids and times, but they have the same shape. */
type Comparison = 'text' | 'role' | 'moment' | 'presence' | 'sign' | 'roles';

/** The headers that a controller reads, and what must agree between a recorded event and a simulated one. */
export const CONTROLLER_HEADERS: Readonly<Record<string, Comparison>> = {
  'Core-UUID': 'presence',
  'FreeSWITCH-Hostname': 'presence',
  'FreeSWITCH-Switchname': 'presence',
  'Event-Date-Timestamp': 'presence',
  'Event-Sequence': 'presence',
  'Channel-State': 'text',
  'Channel-State-Number': 'text',
  'Channel-Call-State': 'text',
  'Answer-State': 'text',
  'Unique-ID': 'role',
  'Old-Unique-ID': 'presence',
  'Call-Direction': 'text',
  'Channel-HIT-Dialplan': 'text',
  'Channel-Call-UUID': 'role',
  'Hangup-Cause': 'text',
  'Caller-Unique-ID': 'role',
  'Caller-Direction': 'text',
  'Caller-Caller-ID-Number': 'text',
  'Caller-Destination-Number': 'text',
  'Caller-Context': 'text',
  'Caller-RDNIS': 'text',
  'Caller-Profile-Index': 'text',
  'Caller-Profile-Created-Time': 'moment',
  'Caller-Channel-Created-Time': 'moment',
  'Caller-Channel-Progress-Time': 'moment',
  'Caller-Channel-Progress-Media-Time': 'moment',
  'Caller-Channel-Answered-Time': 'moment',
  'Caller-Channel-Bridged-Time': 'moment',
  'Caller-Channel-Hangup-Time': 'moment',
  'Other-Type': 'text',
  'Other-Leg-Unique-ID': 'role',
  'Other-Leg-Direction': 'text',
  'Bridge-A-Unique-ID': 'role',
  'Bridge-B-Unique-ID': 'role',
  Application: 'text',
  variable_uuid: 'role',
  variable_direction: 'text',
  variable_originator: 'role',
  variable_originating_leg_uuid: 'role',
  variable_signal_bond: 'role',
  variable_bridge_uuid: 'role',
  variable_last_bridge_to: 'role',
  variable_originated_legs: 'roles',
  variable_originate_causes: 'roles',
  variable_originate_disposition: 'text',
  variable_DIALSTATUS: 'text',
  variable_endpoint_disposition: 'text',
  variable_loopback_leg: 'text',
  variable_other_loopback_leg_uuid: 'role',
  variable_hangup_after_bridge: 'text',
  variable_last_bridge_hangup_cause: 'text',
  variable_originate_failed_cause: 'text',
  variable_proto_specific_hangup_cause: 'text',
  variable_sip_hangup_disposition: 'text',
  variable_hangup_cause: 'text',
  variable_hangup_cause_q850: 'text',
  variable_start_uepoch: 'moment',
  variable_answer_uepoch: 'moment',
  variable_bridge_uepoch: 'moment',
  variable_progress_uepoch: 'moment',
  variable_end_uepoch: 'moment',
  variable_start_epoch: 'moment',
  variable_end_epoch: 'moment',
  variable_billsec: 'presence',
  variable_billmsec: 'sign',
  variable_billusec: 'sign',
  variable_duration: 'presence',
  variable_uduration: 'presence',
};

/** Two threads of the real switch race for these: the recordings themselves disagree (02 and 06). */
const RACES = new Set([
  'CHANNEL_HANGUP_COMPLETE Channel-Call-UUID',
  'CHANNEL_STATE Channel-Call-UUID',
  'CHANNEL_CALLSTATE Channel-Call-UUID',
  'CHANNEL_PROGRESS Channel-State',
  'CHANNEL_PROGRESS Channel-State-Number',
]);

/** Media negotiation, which the simulator does not do. */
const UNPLAYED = new Set(['CODEC', 'CALL_UPDATE']);

export type StoryEvent = { readonly name: string; readonly headers: Readonly<Record<string, string>> };

/** What a recording and a simulation have in common: for each leg, by its role, its events in order. */
export type Story = Readonly<Record<string, readonly StoryEvent[]>>;

export function tellStory(events: readonly WireEvent[]): Story {
  const roles = rolesOf(events);
  const story: Record<string, StoryEvent[]> = {};
  for (const event of events) {
    const role = roles.get(event['Unique-ID'] ?? '');
    const name = event['Event-Name'] ?? '';
    if (role === undefined || UNPLAYED.has(name)) continue;
    (story[role] ??= []).push({ name, headers: normalize(event, roles) });
  }
  return story;
}

/** `inbound 3001`, `outbound 3001`, and so on: direction and first destination, numbered when there are several. */
function rolesOf(events: readonly WireEvent[]): ReadonlyMap<string, string> {
  const roles = new Map<string, string>();
  const counts = new Map<string, number>();
  const born = events.filter((event) => event['Event-Name'] === 'CHANNEL_CREATE');
  for (const event of [...born, ...events]) {
    const uuid = event['Unique-ID'];
    const number = event['Caller-Destination-Number'];
    if (uuid === undefined || number === undefined || roles.has(uuid)) continue;
    const role = `${event['Call-Direction']} ${number}`;
    const count = (counts.get(role) ?? 0) + 1;
    counts.set(role, count);
    roles.set(uuid, count === 1 ? role : `${role} #${count}`);
  }
  return roles;
}

function normalize(event: WireEvent, roles: ReadonlyMap<string, string>): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {};
  for (const [name, comparison] of Object.entries(CONTROLLER_HEADERS)) {
    if (RACES.has(`${event['Event-Name']} ${name}`)) continue;
    const value = event[name];
    if (value !== undefined) headers[name] = normalizeValue(value, comparison, roles);
  }
  return headers;
}

function normalizeValue(value: string, comparison: Comparison, roles: ReadonlyMap<string, string>): string {
  switch (comparison) {
    case 'text':
      return value;
    case 'role':
      return roles.get(value) ?? 'somebody else';
    case 'moment':
      return value === '0' ? 'not yet' : 'a moment';
    case 'presence':
      return 'there';
    case 'sign':
      return Number(value) > 0 ? 'positive' : 'zero';
    case 'roles': {
      let text = value;
      for (const [uuid, role] of roles) text = text.replaceAll(uuid, role);
      return text.replaceAll(UUID, 'somebody else');
    }
  }
}

const UUID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;

/** `role NAME` of every event in order of arrival, for rules about the order between legs. */
export function orderOf(events: readonly WireEvent[]): readonly string[] {
  const roles = rolesOf(events);
  return events.flatMap((event) => {
    const role = roles.get(event['Unique-ID'] ?? '');
    return role === undefined ? [] : `${role} ${event['Event-Name']}`;
  });
}
