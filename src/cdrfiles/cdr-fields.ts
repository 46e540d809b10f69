import { firstMomentAtWall } from '../units/time-zone.ts';
import { VARIABLES_WRITTEN } from '../calls/channel-variables.ts';
import { isTrue, readGateVariables } from '../calls/gate-variables.ts';
import type { CdrVariables, SwitchCdr } from '../reconcile/switch-cdr.ts';
import { cleanText } from '../units/clean-text.ts';
import { parseLegUuid, type LegUuid } from '../units/ids.ts';
import { toEpochMs, type EpochMs } from '../units/time.ts';

/** What a file says of one leg, before anything of it is believed. */
export type CdrFields = {
  /** A channel variable, decoded; undefined or empty: not there. */
  readonly valueOf: (name: string) => string | undefined;
  readonly coreUuid: string | undefined;
  readonly switchName: string | undefined;
  readonly direction: string | undefined;
  readonly callerNumber: string | undefined;
  readonly destination: string | undefined;
};

/** How fields are to be read. */
export type CdrReading = {
  /** Of this host: a call that ends after it is a slip of a clock, and would be priced by a tariff of another day. */
  readonly now: EpochMs;
  /** The time zone of the FreeSWITCH, for files that have local times only. */
  readonly zone: string;
  /** Channel variables that name the account where `tollgate_account` is unset, first found. */
  readonly accountVariables: readonly string[];
};

/** One field that cannot be what it says. */
export type FieldFault = { readonly field: string; readonly value: string; readonly expected: string };

export type FieldsOutcome = { readonly kind: 'cdr'; readonly cdr: SwitchCdr } | FaultOutcome;

type FaultOutcome = { readonly kind: 'fault'; readonly fault: FieldFault };

const TEXT_CHARACTERS_MAX = 256;
/** More than a dial has branches, over all the dials of a leg. */
const PLACED_LEGS_MAX = 128;
const MICROSECONDS_PER_SECOND = 1_000_000;
/** Clocks of two hosts differ, but not by more. */
const FUTURE_MS_MAX = 600_000;
/** The first FreeSWITCH is younger: an earlier moment is another column's number. */
const EARLIEST_MS = Date.UTC(2005, 0, 1);
/** `billusec` and the moments are of the same clock; a column that moved is further off. */
const DRIFT_MICROSECONDS_MAX = 1_000_000;
/** `billsec` is a difference of two floored clocks: under a second off in either direction. */
const BILLSEC_MICROSECONDS_OFF_MAX = 999_999;
/** Local times show one hour of the year twice. */
const STAMP_MICROSECONDS_OFF_MAX = 3_600_999_999;

const STAMP = /^(\d{4})-(\d{2})-(\d{2}) (\d{2}):(\d{2}):(\d{2})$/;
const WHOLE = /^\d{1,16}$/;

/** Reads the fields of one leg. The first that is wrong refuses it: where one column moved, all did. */
export function toSwitchCdr(fields: CdrFields, reading: CdrReading): FieldsOutcome {
  const value = (name: string): string => fields.valueOf(name) ?? '';

  const uuid = parseLegUuid(value('uuid'));
  if (uuid === undefined) return refuse('uuid', value('uuid'), "a channel's uuid");
  const direction = fields.direction ?? '';
  if (!isDirection(direction)) return refuse('direction', direction, 'inbound or outbound');

  const moments = { start: 0, answer: 0, end: 0 };
  const exact = { answer: 0, end: 0 };
  for (const name of ['start', 'answer', 'end'] as const) {
    const moment = momentOf(name, fields, reading.zone);
    if (moment.kind === 'fault') return moment;
    moments[name] = moment.ms;
    if (name !== 'start') exact[name] = moment.microseconds ?? 0;
  }
  const { start, answer, end } = moments;
  if (start === 0) return refuse('start_uepoch', '', 'when the leg began');
  if (end < start || end < answer) return refuse('end_uepoch', asTime(end), `no end before ${asTime(start)}`);
  if (end > reading.now + FUTURE_MS_MAX) return refuse('end_uepoch', asTime(end), 'a moment that has passed');

  const talk = talkOf(fields, moments, exact);
  if (talk.kind === 'fault') return talk;
  const text = (raw: string | undefined): string => cleanText(raw ?? '', TEXT_CHARACTERS_MAX);
  const optional = (raw: string | undefined): string | undefined =>
    raw === undefined || raw === '' ? undefined : text(raw);
  const cause = value('hangup_cause');
  return {
    kind: 'cdr',
    cdr: {
      uuid,
      coreUuid: optional(fields.coreUuid),
      switchName: optional(fields.switchName),
      direction: direction === '' ? undefined : direction,
      callerNumber: text(fields.callerNumber),
      destination: text(fields.destination),
      startedAt: toEpochMs(start),
      answeredAt: answer === 0 ? undefined : toEpochMs(answer),
      endedAt: toEpochMs(end),
      billMicroseconds: talk.billMicroseconds,
      billsec: talk.billsec,
      cause: /^[A-Z0-9_]{1,64}$/.test(cause) ? cause : 'UNKNOWN',
      originator: parseLegUuid(fields.valueOf('originator') ?? value('other_loopback_from_uuid')),
      bLeg: parseLegUuid(value('bleg_uuid')),
      placedLegs: placedLegsOf(value('originated_legs')),
      loopback: isTrue(fields.valueOf('is_loopback')) || value('channel_name').startsWith('loopback/'),
      gate: gateOf(fields, reading),
    },
  };
}

/** `uuid;name;number`, or several of them in FreeSWITCH's own array: `ARRAY::…|:…`. */
function placedLegsOf(text: string): readonly LegUuid[] {
  const entries = text
    .replace(/^ARRAY::/, '')
    .split('|:')
    .slice(0, PLACED_LEGS_MAX);
  return entries.flatMap((entry) => parseLegUuid(entry.split(';')[0] ?? '') ?? []);
}

function gateOf({ valueOf }: CdrFields, { accountVariables }: CdrReading): CdrVariables {
  const read = readGateVariables(valueOf, accountVariables);
  const { account, callee, forwarder, routes, options, destination, admission, branch, home, metered } = read;
  const written = (name: string): string | undefined => {
    const value = valueOf(name) ?? '';
    return value === '' ? undefined : cleanText(value, TEXT_CHARACTERS_MAX);
  };
  return {
    account,
    callee,
    forwarder,
    routes,
    options,
    destination,
    admission,
    branch,
    home,
    metered,
    bridge: read.bridge,
    ...(read.customer && { customer: read.customer }),
    decision: written(VARIABLES_WRITTEN.decision.name),
    admittedDestination: written(VARIABLES_WRITTEN.admittedDestination.name),
  };
}

function isDirection(text: string): text is 'inbound' | 'outbound' | '' {
  return text === 'inbound' || text === 'outbound' || text === '';
}

type Moment =
  | { readonly kind: 'moment'; readonly ms: number; readonly microseconds: number | undefined }
  | FaultOutcome;

/** The most exact that the file has of it; zero where FreeSWITCH has none, which it writes as 0 or nothing. */
function momentOf(name: 'start' | 'answer' | 'end', { valueOf }: CdrFields, zone: string): Moment {
  const readings = [
    { field: `${name}_uepoch`, read: (text: string) => wholeOf(text) },
    { field: `${name}_epoch`, read: (text: string) => scaled(wholeOf(text)) },
    { field: `${name}_stamp`, read: (text: string) => scaled(secondsOfStamp(text, zone)) },
  ];
  for (const { field, read } of readings) {
    const text = valueOf(field) ?? '';
    if (text === '' || text === '0') continue;
    const microseconds = read(text);
    if (microseconds === undefined || microseconds / 1000 < EARLIEST_MS) {
      return refuse(field, text, EXPECTED_MOMENTS[field] ?? '');
    }
    const exact = field.endsWith('_uepoch') ? microseconds : undefined;
    return { kind: 'moment', ms: Math.floor(microseconds / 1000), microseconds: exact };
  }
  return { kind: 'moment', ms: 0, microseconds: undefined };
}

const EXPECTED_MOMENTS: Readonly<Record<string, string>> = Object.fromEntries(
  ['start', 'answer', 'end'].flatMap((name) => [
    [`${name}_uepoch`, 'microseconds since 1970'],
    [`${name}_epoch`, 'seconds since 1970'],
    [`${name}_stamp`, 'a local time such as 2026-08-01 12:00:00'],
  ]),
);

function wholeOf(text: string): number | undefined {
  const number = WHOLE.test(text) ? Number(text) : undefined;
  return number !== undefined && Number.isSafeInteger(number) ? number : undefined;
}

function scaled(seconds: number | undefined): number | undefined {
  const microseconds = seconds === undefined ? undefined : seconds * MICROSECONDS_PER_SECOND;
  return Number.isSafeInteger(microseconds) ? microseconds : undefined;
}

function secondsOfStamp(text: string, zone: string): number | undefined {
  const parts = STAMP.exec(text)?.slice(1).map(Number);
  if (parts === undefined) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts;
  const wallMs = Date.UTC(year, month - 1, day, hour, minute, second);
  if (new Date(wallMs).toISOString().slice(0, 19).replace('T', ' ') !== text) return undefined;
  return Math.floor(firstMomentAtWall(zone, wallMs) / 1000);
}

type Talk =
  | { readonly kind: 'talk'; readonly billMicroseconds: number | undefined; readonly billsec: number }
  | FaultOutcome;

/** How long the leg talked, by figures that agree with one another. */
function talkOf(
  { valueOf }: CdrFields,
  { answer, end }: { readonly answer: number; readonly end: number },
  exact: { readonly answer: number; readonly end: number },
): Talk {
  const value = (name: string): string => valueOf(name) ?? '';
  const billusec = durationOf(value('billusec'), exact);
  const text = value('billsec');
  if (billusec === 'wrong')
    return refuse('billusec', value('billusec'), 'the microseconds from answer to end');
  if (text !== '' && !WHOLE.test(text)) return refuse('billsec', text, 'whole seconds');
  if (text === '' && billusec === undefined) return refuse('billusec', '', 'how long the leg talked');
  const billsec = text === '' ? Math.floor((billusec ?? 0) / MICROSECONDS_PER_SECOND) : Number(text);
  if (answer === 0) {
    const isSilent = billsec === 0 && (billusec ?? 0) === 0;
    if (!isSilent) return refuse('billsec', text, 'nothing, for nobody answered');
    return { kind: 'talk', billMicroseconds: 0, billsec };
  }
  const microseconds = billusec ?? (end - answer) * 1000;
  const isLocal = billusec === undefined && value('end_epoch') === '';
  const off = Math.abs(billsec * MICROSECONDS_PER_SECOND - microseconds);
  if (off > (isLocal ? STAMP_MICROSECONDS_OFF_MAX : BILLSEC_MICROSECONDS_OFF_MAX)) {
    const seconds = Math.floor(microseconds / MICROSECONDS_PER_SECOND);
    return refuse('billsec', text, `the ${seconds} s from answer to end`);
  }
  return { kind: 'talk', billMicroseconds: billusec, billsec };
}

/** Undefined: the file has no exact duration. */
function durationOf(
  text: string,
  exact: { readonly answer: number; readonly end: number },
): number | undefined | 'wrong' {
  const between = exact.end - exact.answer;
  const isExact = exact.end !== 0 && exact.answer !== 0;
  if (text === '') return isExact ? between : undefined;
  const microseconds = wholeOf(text);
  if (microseconds === undefined) return 'wrong';
  return isExact && Math.abs(microseconds - between) > DRIFT_MICROSECONDS_MAX ? 'wrong' : microseconds;
}

function refuse(field: string, value: string, expected: string): FaultOutcome {
  return { kind: 'fault', fault: { field, value, expected } };
}

function asTime(ms: number): string {
  return ms === 0 ? '' : new Date(ms).toISOString();
}
