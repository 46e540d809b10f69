import { LEG_COMMANDS, type ApiCommand } from './api-legs.ts';
import type { Core } from './core.ts';
import { parseDialString } from './dial-string.ts';
import { localDateOf } from './event-bus.ts';
import { originate } from './originate.ts';
import { show } from './show-tables.ts';
import { wakeWatchers } from './signals.ts';
import type { Script } from './thread.ts';
import { flipParties, transferLeg } from './transfer.ts';
import { globalVariable } from './variables.ts';

const VERSION = '1.10.12-release git a88d069 2024-08-02 21:02:27Z 64bit';
const LONG_VERSION =
  '1.10.12-release+git~20240802T210227Z~a88d069d6f~64bit (git a88d069 2024-08-02 21:02:27Z 64bit)';
const ORIGINATE_USAGE =
  '-USAGE: <call url> <exten>|&<application_name>(<app_args>) [<dialplan>] [<context>] [<cid_name>] [<cid_num>] [<timeout_sec>]\n';
const SESSIONS_MAX = 10_000;

/** What concerns the switch and no single leg. Fixed answers are those of the recorded switch. */
const SYSTEM_COMMANDS: Readonly<Record<string, ApiCommand>> = {
  status: (core) => statusText(core),
  version: () => `FreeSWITCH Version ${LONG_VERSION}\n`,
  uptime: (core) => `${Math.floor((core.nowTrueMs() - core.startedMicros / 1000) / 1000)}\n`,
  hostname: (core) => core.hostname,
  switchname: (core) => core.switchname,
  global_getvar: (core, name) => globalVariable(core, name.trim()) ?? '',
  eval: (core, text) =>
    text.replaceAll(/\$\{([^${}]*)\}/g, (_, name: string) => globalVariable(core, name) ?? ''),
  strepoch: (core) => String(Math.floor(core.nowMicros() / 1_000_000)),
  strftime: (core) => localDateOf(Math.floor(core.nowMicros() / 1_000_000)),
  show: (core, argument) => show(core, argument),
  originate: (core, argument) => originateCall(core, argument),
  create_uuid: (core) => core.newUuid(),
  reloadxml: () => '+OK [Success]\n',
  module_exists: (_, name) =>
    String(/^mod_(?:sofia|event_socket|commands|dptools|loopback)$/.test(name.trim())),
  unload: () => '-ERR [No such module!]\n',
  limit_usage: () => '0',
  expr: (_, text) => sumOf(text),
  db: () => '',
  hash: (core, argument) => hash(core, argument.split('/')),
  nibblebill: () => '',
  uuid_limit_release: () => 'USAGE: uuid_limit_release <uuid> <backend> [realm] [resource]\n',
  fsctl: (core, argument) => fsctl(core, argument.trim().split(' ')),
};

/** One api command, by name. The names are case-sensitive, as FreeSWITCH's are; empty means it wrote nothing. */
export function* runApi(core: Core, text: string): Script<string> {
  const space = text.indexOf(' ');
  const name = space === -1 ? text : text.slice(0, space);
  const argument = space === -1 ? '' : text.slice(space + 1);
  const known = Object.hasOwn(SYSTEM_COMMANDS, name) ? SYSTEM_COMMANDS[name] : undefined;
  const command = known ?? (Object.hasOwn(LEG_COMMANDS, name) ? LEG_COMMANDS[name] : undefined);
  if (command === undefined) return `-ERR ${name} Command not found!\n`;
  const answer = command(core, argument);
  return typeof answer === 'string' ? answer : yield* answer;
}

/** Blocks until somebody answers. The cause of a failure is the whole of the answer. */
function* originateCall(core: Core, argument: string): Script<string> {
  const [target, ...words] = splitTarget(argument);
  const [extension, dialplan = 'XML', context = 'default', , , timeout] = words;
  if (target === undefined || extension === undefined) return ORIGINATE_USAGE;
  const limitMs = timeout === undefined ? undefined : Number.parseInt(timeout, 10) * 1000;
  const result = yield* originate(core, parseDialString(target), undefined, limitMs);
  if (result.kind === 'failed') return `-ERR ${result.cause}\n`;
  const { leg } = result;
  const application = /^&(\w+)(?:\(([^]*)\))?$/.exec(extension);
  if (application === null) {
    transferLeg(core, leg, { extension, dialplan, context });
  } else {
    flipParties(leg);
    leg.isDialplanHit = true;
    leg.assignment = { kind: 'run', actions: [[application[1] ?? '', application[2] ?? '']] };
  }
  wakeWatchers(core, leg);
  return `+OK ${leg.uuid}\n`;
}

/** The dial string may hold spaces inside its brackets; `&app(args)` inside its parentheses. */
function splitTarget(argument: string): string[] {
  const words: string[] = [];
  let current = '';
  let depth = 0;
  for (const char of argument) {
    if ('{[('.includes(char)) depth += 1;
    else if ('}])'.includes(char)) depth -= 1;
    if (char === ' ' && depth === 0) {
      if (current !== '') words.push(current);
      current = '';
    } else current += char;
  }
  return current === '' ? words : [...words, current];
}

function statusText(core: Core): string {
  const upMicros = Math.floor(core.nowTrueMs() * 1000 - core.startedMicros);
  return [
    `UP ${spanText(upMicros)}`,
    `FreeSWITCH (Version ${VERSION}) is ready`,
    `${core.counts.sessions} session(s) since startup`,
    `${core.legs.size} session(s) - peak ${core.counts.peak}, last 5min ${core.counts.peak} `,
    `0 session(s) per Sec out of max 1000, peak ${core.counts.peak}, last 5min ${core.counts.peak} `,
    `${SESSIONS_MAX} session(s) max`,
    'min idle cpu 0.00/90.00',
    'Current Stack Size/Max 240K/240K',
    '',
  ].join('\n');
}

function spanText(micros: number): string {
  const units = [
    ['day', 86_400_000_000],
    ['hour', 3_600_000_000],
    ['minute', 60_000_000],
    ['second', 1_000_000],
    ['millisecond', 1000],
    ['microsecond', 1],
  ] as const;
  let rest = micros;
  const parts = units.map(([name, size]) => {
    const count = Math.floor(rest / size);
    rest -= count * size;
    return `${count} ${name}${count === 1 ? '' : 's'}`;
  });
  return `0 years, ${parts.join(', ')}`;
}

/** `insert/realm/key/value`, `select/realm/key`; a missing value is an empty answer. */
function hash(core: Core, [verb = '', realm = '', key = '', ...value]: readonly string[]): string {
  const name = `${realm}/${key}`;
  if (verb === 'insert') core.hash.set(name, value.join('/'));
  else if (verb === 'delete') core.hash.delete(name);
  else return core.hash.get(name) ?? '';
  return '+OK\n';
}

/** `expr` is good for a sum, which is what liveness checks send. */
function sumOf(text: string): string {
  const [, left = '0', right = '0'] = /^\s*(\d+)\s*\+\s*(\d+)\s*$/.exec(text) ?? [];
  return String(Number(left) + Number(right));
}

/** The few that a monitor asks for, and `shutdown`. */
function fsctl(core: Core, words: readonly string[]): string {
  switch (words[0] ?? '') {
    case 'sps':
      return '+OK sessions per second: 1000\n';
    case 'max_sessions':
      return `+OK max sessions: ${SESSIONS_MAX}\n`;
    case 'pause_check':
    case 'shutdown_check':
      return 'false';
    case 'shutdown':
      core.requestShutdown();
      return '+OK\n';
    default:
      return '-ERR invalid command\n';
  }
}

/** HEARTBEAT's own headers. */
export function heartbeatHeaders(core: Core): readonly (readonly [string, string])[] {
  const upMicros = Math.floor(core.nowTrueMs() * 1000 - core.startedMicros);
  const { sessions, peak } = core.counts;
  return [
    ['Event-Info', 'System Ready'],
    ['Up-Time', spanText(upMicros)],
    ['FreeSWITCH-Version', LONG_VERSION.split(' ')[0] ?? ''],
    ['Uptime-msec', String(Math.floor(upMicros / 1000))],
    ['Session-Count', String(core.legs.size)],
    ['Max-Sessions', String(SESSIONS_MAX)],
    ['Session-Per-Sec', '1000'],
    ['Session-Per-Sec-Last', '0'],
    ['Session-Per-Sec-Max', String(peak)],
    ['Session-Per-Sec-FiveMin', String(peak)],
    ['Session-Since-Startup', String(sessions)],
    ['Session-Peak-Max', String(peak)],
    ['Session-Peak-FiveMin', String(peak)],
    ['Idle-CPU', '90.000000'],
  ];
}
