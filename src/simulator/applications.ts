import { bridgeTo } from './bridge.ts';
import { causeOfSipStatus, parseCause } from './causes.ts';
import type { Core } from './core.ts';
import { parseVariables } from './dial-string.ts';
import type { Header } from './event.ts';
import type { Action, Leg } from './leg.ts';
import { connectOutbound } from './outbound-socket.ts';
import { actionsFor, park, runActions } from './session.ts';
import { fireLeg, hangUp, markAnswered, markEarlyMedia, markRinging } from './signals.ts';
import type { Script } from './thread.ts';
import { parseDestination, transferLeg } from './transfer.ts';
import { expand, exportVariable, setVariable, splitAssignment } from './variables.ts';

/** Those that take time are scripts; the rest are done when they return. */
type Application = (core: Core, leg: Leg, argument: string) => Script | void;

/** How long any sound file plays: long enough to be interrupted, short enough to wait for. */
const FILE_MS = 1000;

/** The dialplan's vocabulary. The last few are known so as not to end the call, and do nothing. */
const APPLICATIONS: Readonly<Record<string, Application>> = {
  answer: (core, leg) => markAnswered(core, leg),
  pre_answer: (core, leg) => markEarlyMedia(core, leg),
  ring_ready: (core, leg) => markRinging(core, leg),
  set: (_, leg, argument) => setVariable(leg, ...splitAssignment(argument)),
  multiset: (_, leg, argument) => {
    for (const [name, value] of parseVariables(argument.startsWith('^^') ? argument : `^^ ${argument}`)) {
      setVariable(leg, name, value);
    }
  },
  unset: (_, leg, argument) => void leg.variables.delete(argument.trim()),
  multiunset: (_, leg, argument) => {
    for (const name of parseVariables(argument.startsWith('^^') ? argument : `^^ ${argument}`).keys()) {
      leg.variables.delete(name);
    }
  },
  export: (_, leg, argument) => exportVariable(leg, ...splitAssignment(argument)),
  bridge: (core, leg, argument) => bridgeTo(core, leg, argument),
  park: (core, leg) => park(core, leg),
  socket: (core, leg, argument) => connectOutbound(core, leg, argument),
  hangup: (core, leg, argument) => void hangUp(core, leg, parseCause(argument || '16'), 'dialplan'),
  respond: (core, leg, argument) => respond(core, leg, argument),
  transfer: (core, leg, argument) => transferLeg(core, leg, parseDestination(leg, argument.split(' '))),
  execute_extension: (core, leg, argument) => {
    const to = parseDestination(leg, argument.split(' '));
    return runActions(core, leg, actionsFor(core, leg, to.extension, to.context));
  },
  sched_hangup: (core, leg, argument) => {
    const [when = '', cause] = argument.split(' ');
    scheduleHangup(core, leg, when, cause);
  },
  sched_cancel: (core, leg, argument) => void core.scheduler.delete(argument || leg.uuid),
  sleep: (core, leg, argument) => rest(core, leg, Number.parseInt(argument, 10) || 0),
  playback: (core, leg, argument) => play(core, leg, argument),
  echo: (core, leg) => rest(core, leg, undefined),
  event: (core, leg, argument) => fireOwn(core, leg, argument),
  displace_session: () => undefined,
  stop_displace_session: () => undefined,
  info: () => undefined,
  log: () => undefined,
  enable_heartbeat: () => undefined,
};

/** One application between its two events. What FreeSWITCH does not know ends the call. */
export function* runApplication(core: Core, leg: Leg, action: Action): Script {
  const [name, raw = '', uuid = core.newUuid()] = action;
  const application = Object.hasOwn(APPLICATIONS, name) ? APPLICATIONS[name] : undefined;
  if (application === undefined) {
    hangUp(core, leg, 'DESTINATION_OUT_OF_ORDER', 'dialplan');
    return;
  }
  const argument = expand(core, leg, raw);
  leg.application = [name, argument];
  leg.variables.set('current_application', name);
  if (argument === '') leg.variables.delete('current_application_data');
  else leg.variables.set('current_application_data', argument);
  const own: Header[] = [['Application', name]];
  if (argument !== '') own.push(['Application-Data', argument]);
  fireLeg(core, leg, 'CHANNEL_EXECUTE', { last: [...own, ['Application-UUID', uuid]] });
  const script = application(core, leg, argument);
  if (script !== undefined) yield* script;
  const last: Header[] = [...own, ['Application-Response', '_none_'], ['Application-UUID', uuid]];
  fireLeg(core, leg, 'CHANNEL_EXECUTE_COMPLETE', { last });
}

/** Its group is the leg's uuid, so that the task goes with the leg (and with `sched_cancel`). */
export function scheduleHangup(core: Core, leg: Leg, when: string, cause = 'ALLOTTED_TIMEOUT'): void {
  core.scheduler.add(when, 'switch_ivr_schedule_hangup', leg.uuid, () => {
    hangUp(core, leg, parseCause(cause), 'scheduler');
  });
}

/** A final SIP answer ends an unanswered call with the cause that answer stands for. */
function respond(core: Core, leg: Leg, argument: string): void {
  const status = Number.parseInt(argument, 10);
  if (leg.isAnswered || !(status >= 300)) return;
  leg.variables.set('sip_refusal', String(status));
  hangUp(core, leg, causeOfSipStatus(status), 'dialplan');
}

/** Passes time on the leg's thread; private messages are served meanwhile, as FreeSWITCH's media loops do. */
function* rest(core: Core, leg: Leg, forMs: number | undefined): Script {
  const mine = leg.assignment;
  const endsAtMs = forMs === undefined ? Infinity : core.nowTrueMs() + forMs;
  while (leg.isUp && leg.assignment === mine) {
    const message = leg.messages.shift();
    if (message !== undefined) {
      yield* runApplication(core, leg, [message.application, message.argument, message.uuid]);
      message.onDone?.();
      continue;
    }
    const leftMs = endsAtMs - core.nowTrueMs();
    if (leftMs <= 0) return;
    yield { forMs: leftMs === Infinity ? undefined : Math.ceil(leftMs) };
  }
}

/** `silence_stream://500` says how long; anything else is a second of sound. */
function* play(core: Core, leg: Leg, file: string): Script {
  if (!leg.isAnswered) markEarlyMedia(core, leg);
  const stated = /^silence_stream:\/\/(-?\d+)/.exec(file)?.[1];
  const lengthMs = stated === undefined ? FILE_MS : Number(stated);
  yield* rest(core, leg, lengthMs < 0 ? undefined : lengthMs);
}

/** An event of the dialplan's own: without a subclass it is a slim CHANNEL_APPLICATION of the leg. */
function fireOwn(core: Core, leg: Leg, argument: string): void {
  const fields = parseVariables(argument);
  const subclass = fields.get('Event-Subclass');
  const name = fields.get('Event-Name') ?? (subclass === undefined ? 'CHANNEL_APPLICATION' : 'CUSTOM');
  const last = [...fields].filter(([key]) => key !== 'Event-Name' && key !== 'Event-Subclass');
  if (subclass === undefined) fireLeg(core, leg, name, { last });
  else core.bus.fire(name, () => last, { subclass });
}
