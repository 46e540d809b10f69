import { scheduleHangup } from './applications.ts';
import { parseCause } from './causes.ts';
import { locate, type Core } from './core.ts';
import { fromBytes, jsonOf, plainHeaders, SwitchEvent, textOf } from './event.ts';
import { legHeaders } from './leg-headers.ts';
import type { Leg } from './leg.ts';
import { hangUp, markAnswered } from './signals.ts';
import type { Script } from './thread.ts';
import { crossLegs, parkLeg, parseDestination, transferLeg } from './transfer.ts';
import { lookUp, setVariable, splitAssignment } from './variables.ts';

/** An api command: its argument in, its answer out, newline and all. */
export type ApiCommand = (core: Core, argument: string) => string | Script<string>;

const OK = '+OK\n';
const NO_CHANNEL = '-ERR No such channel!\n';

/** What can be done to legs from outside. The wording of each refusal is that of the recordings (01c). */
export const LEG_COMMANDS: Readonly<Record<string, ApiCommand>> = {
  uuid_exists: (core, uuid) => String(locate(core, uuid.trim()) !== undefined),

  uuid_getvar(core, argument) {
    const [uuid = '', name = ''] = argument.split(' ');
    if (name === '') return '-USAGE: <uuid> <var>\n';
    const leg = locate(core, uuid);
    return leg === undefined ? NO_CHANNEL : (lookUp(core, leg, name) ?? '_undef_');
  },

  uuid_setvar(core, argument) {
    const [, uuid = '', name = '', value = ''] = /^(\S+) (\S+) ?([^]*)$/.exec(argument) ?? [];
    if (name === '') return '-USAGE: <uuid> <var> [value]\n';
    const leg = locate(core, uuid);
    if (leg === undefined) return NO_CHANNEL;
    setVariable(leg, name, value, 'unchecked');
    return OK;
  },

  // Each part is checked on its own: a refused one does not keep the others from being set.
  uuid_setvar_multi(core, argument) {
    const [, uuid = '', list = ''] = /^(\S+) ([^]*)$/.exec(argument) ?? [];
    if (list === '') return '-USAGE: <uuid> <var>=<value>;<var>=<value>...\n';
    const leg = locate(core, uuid);
    if (leg === undefined) return NO_CHANNEL;
    for (const part of list.split(';')) if (part.includes('=')) setVariable(leg, ...splitAssignment(part));
    return OK;
  },

  uuid_dump(core, argument) {
    const [uuid = '', format] = argument.split(' ');
    const leg = locate(core, uuid);
    if (leg === undefined) return NO_CHANNEL;
    const headers = [...core.bus.base('CHANNEL_DATA'), ...legHeaders(leg, 'CHANNEL_DATA')];
    if (format?.toLowerCase() === 'json') return fromBytes(jsonOf(new SwitchEvent('CHANNEL_DATA', headers)));
    return `${plainHeaders(headers)}\n`;
  },

  uuid_kill(core, argument) {
    const [uuid = '', cause = 'NORMAL_CLEARING'] = argument.split(' ');
    if (uuid === '') return '-USAGE: <uuid> [cause]\n';
    // Noted even when it comes too late, for measuring how late a cut was.
    core.ledger.killReceived(uuid);
    const leg = locate(core, uuid);
    if (leg === undefined) return NO_CHANNEL;
    if (!core.faults.isUnkillable(uuid)) hangUp(core, leg, parseCause(cause), core.actor);
    return OK;
  },

  uuid_transfer(core, argument) {
    const [uuid = '', ...words] = argument.split(' ').filter((word) => word !== '');
    if (words.length === 0) return '-USAGE: <uuid> [-bleg|-both] <dest-exten> [<dialplan>] [<context>]\n';
    const leg = locate(core, uuid);
    if (leg === undefined) return NO_CHANNEL;
    const which = /^-(?:bleg|both)$/.test(words[0] ?? '') ? words.shift() : undefined;
    const other = leg.bridgedWith;
    // The other leg first: the one that runs the bridge must find both gone when it wakes.
    if (which !== undefined && other !== undefined) transferLeg(core, other, parseDestination(other, words));
    if (which !== '-bleg') transferLeg(core, leg, parseDestination(leg, words));
    return OK;
  },

  uuid_bridge(core, argument) {
    const [first = '', second = ''] = argument.split(' ');
    if (second === '') return '-USAGE: <uuid> <other_uuid>\n';
    const [aLeg, bLeg] = [locate(core, first), locate(core, second)];
    if (aLeg === undefined || bLeg === undefined || aLeg === bLeg) return '-ERR Invalid uuid\n';
    crossLegs(core, aLeg, bLeg);
    return `+OK ${bLeg.uuid}\n`;
  },

  uuid_park: (core, uuid) => onLeg(core, uuid.trim(), NO_CHANNEL, (leg) => parkLeg(core, leg)),
  uuid_answer: (core, uuid) => onLeg(core, uuid.trim(), '-ERROR\n', (leg) => markAnswered(core, leg)),
  uuid_pre_answer: (core, uuid) => onLeg(core, uuid.trim(), '-ERROR\n', () => undefined),

  uuid_displace(core, argument) {
    const [uuid = '', verb = '', file = ''] = argument.split(' ');
    if (file === '') return '-USAGE: <uuid> [start|stop] <path> [<limit>] [mux]\n';
    if (locate(core, uuid) === undefined) return '-ERR Cannot locate session!\n';
    return verb === 'start' || verb === 'stop' ? '+OK Success\n' : '-ERR Operation failed\n';
  },

  uuid_broadcast(core, argument) {
    const [uuid = '', path = ''] = argument.split(' ');
    if (path === '') return '-USAGE: <uuid> <path> [aleg|bleg|holdb|both]\n';
    const leg = locate(core, uuid);
    if (leg === undefined) return '-ERR invalid uuid\n';
    const [, application = 'playback', file = path] = /^([a-z_]+)(?:!\w+)?::([^]*)$/.exec(path) ?? [];
    leg.messages.push({ application, argument: file, uuid: undefined, loops: 1, onDone: undefined });
    for (const thread of leg.watchers) thread.wake(core.pickupMs);
    return '+OK Message sent\n';
  },

  uuid_session_heartbeat: (core, argument) =>
    locate(core, argument.split(' ')[0]) === undefined
      ? '-ERR Cannot locate session. USAGE: uuid_session_heartbeat <uuid> [sched] [0|<seconds>]\n'
      : OK,

  hupall(core, argument) {
    const [cause = '', name = '', value = ''] = argument.split(' ');
    const parsed = parseCause(cause || 'MANAGER_REQUEST');
    // With no complete pair to match, this is every call of the switch.
    const isMatched = name !== '' && value !== '';
    for (const leg of core.legs.values()) {
      if (isMatched && textOf(leg.variables.get(name) ?? '') !== value) continue;
      core.ledger.killReceived(leg.uuid);
      hangUp(core, leg, parsed, 'api');
    }
    return isMatched
      ? `+OK hangup all channels matching [${name}]=[${value}] with cause: ${parsed}\n`
      : `+OK hangup all channels with cause ${parsed}\n`;
  },

  sched_hangup(core, argument) {
    const [when = '', uuid = '', cause] = argument.split(' ');
    if (uuid === '') return '-USAGE: [+]<time> <uuid> [<cause>]\n';
    return onLeg(core, uuid, NO_CHANNEL, (leg) => {
      if (/^\+0+$/.test(when)) hangUp(core, leg, parseCause(cause ?? 'ALLOTTED_TIMEOUT'), 'scheduler');
      else scheduleHangup(core, leg, when, cause);
    });
  },

  sched_api(core, argument) {
    const [, when = '', group = '', text = ''] = /^(@?\+?\d+) (\S+) ([^]+)$/.exec(argument) ?? [];
    if (text === '') return '-ERR Invalid syntax. USAGE: [+@]<time> <group_name> <command_string>[&]\n';
    const id = core.scheduler.add(when.replace('@', ''), 'api', group === 'none' ? '' : group, () => {
      core.kernel.spawn(runAndForget(core, text));
    });
    return `+OK Added: ${id}\n`;
  },

  sched_del: (core, argument) =>
    argument.trim() === ''
      ? '-USAGE: <task_id>|<group_id>\n'
      : `+OK Deleted: ${core.scheduler.delete(argument.trim())}\n`,
};

function* runAndForget(core: Core, text: string): Script {
  // Commands that end legs do not pause, so the name of who is acting cannot leak into another thread.
  core.actor = 'scheduler';
  const script = core.runApi(text);
  const first = script.next();
  core.actor = 'api';
  if (first.done !== true) yield* script;
}

function onLeg(core: Core, uuid: string, otherwise: string, action: (leg: Leg) => void): string {
  const leg = locate(core, uuid);
  if (leg === undefined) return otherwise;
  action(leg);
  return OK;
}
