import type { Message } from './connection.ts';
import { locate } from './core.ts';
import type { EslSession, Reply } from './esl-session.ts';
import type { Leg } from './leg.ts';
import { parseCause } from './causes.ts';
import { hangUp } from './signals.ts';
import type { Script } from './thread.ts';
import { lookUp } from './variables.ts';

const NOT_FOUND = { kind: 'command', text: '-ERR command not found' } as const;
const NO_SESSION = { kind: 'command', text: '-ERR not controlling a session' } as const;
const LOG_LEVELS = ['console', 'alert', 'crit', 'err', 'warning', 'notice', 'info', 'debug'];

/** Carries out one command of an authenticated client (or one that wants to be) and says what it is told. */
export function* answerVerb(session: EslSession, message: Message): Script<Reply> {
  const space = message.line.indexOf(' ');
  const verb = (space === -1 ? message.line : message.line.slice(0, space)).toLowerCase();
  const argument = space === -1 ? '' : message.line.slice(space + 1);
  if (verb === 'exit' || verb === '...') return { kind: 'bye', text: '+OK bye' };
  if (!session.isAuthenticated) return authenticate(session, verb, argument);
  const { control } = session;
  const isRestricted = control !== undefined && !control.isFull;
  switch (verb) {
    case 'sendmsg':
      return yield* sendMessage(session, argument.trim(), message);
    case 'filter':
      return argument === '' ? NOT_FOUND : command(session.interests.filter(argument));
    case 'connect':
      return control === undefined ? NOT_FOUND : { kind: 'connect', leg: control.leg };
    case 'getvar': {
      // Unset says the same as an unknown verb: nobody wrote a reply, so the default one is sent.
      const value = control === undefined ? undefined : lookUp(session.core, control.leg, argument);
      return value === undefined ? NOT_FOUND : command(value);
    }
    case 'resume':
      return control === undefined ? NOT_FOUND : command('+OK');
    case 'divert_events':
      return control === undefined ? command('-ERR not controlling a session.') : command('+OK');
    case 'myevents':
      return subscribeOwn(session, argument);
    default:
      return isRestricted ? NOT_FOUND : yield* answerFullVerb(session, verb, argument, message);
  }
}

/** Verbs that an outbound connection has only with `full`. */
function* answerFullVerb(
  session: EslSession,
  verb: string,
  argument: string,
  message: Message,
): Script<Reply> {
  const { interests, control } = session;
  const words = argument.split(/\s+/).filter((word) => word !== '');
  switch (verb) {
    case 'api':
      if (argument === '') return NOT_FOUND;
      if (session.core.faults.isApiDenied) return command('-ERR permission denied');
      return { kind: 'api', body: yield* runApi(session, argument) };
    case 'bgapi':
      return argument === '' ? NOT_FOUND : startJob(session, argument, message.headers.get('job-uuid'));
    case 'event':
      return command(interests.subscribe(words));
    case 'nixevent':
      return command(interests.nix(words));
    case 'noevents':
      return command(interests.stop());
    case 'linger':
      if (control === undefined) return NO_SESSION;
      session.lingerSeconds = argument === '' ? -1 : Number.parseInt(argument, 10);
      return command(argument === '' ? '+OK will linger' : `+OK will linger ${argument} seconds`);
    case 'nolinger':
      if (control === undefined) return NO_SESSION;
      session.lingerSeconds = undefined;
      return command('+OK will not linger');
    case 'log': {
      const level = LOG_LEVELS.indexOf(argument.toLowerCase() || 'debug');
      return command(
        level === -1 ? '-ERR invalid log level' : `+OK log level ${LOG_LEVELS[level]} [${level}]`,
      );
    }
    case 'nolog':
      return command('+OK no longer logging');
    case 'sendevent':
      return command(`+OK ${sendEvent(session, argument, message)}`);
    default:
      return NOT_FOUND;
  }
}

function command(text: string): Reply {
  return { kind: 'command', text };
}

/** Whatever is not the right password ends the connection, with the reply of an unknown command if need be. */
function authenticate(session: EslSession, verb: string, argument: string): Reply {
  if (verb !== 'auth') return { kind: 'bye', text: NOT_FOUND.text };
  if (argument !== session.password) return { kind: 'bye', text: '-ERR invalid' };
  session.isAuthenticated = true;
  return command('+OK accepted');
}

/** An unknown uuid is accepted and then nothing comes. */
function subscribeOwn(session: EslSession, argument: string): Reply {
  const words = argument.split(/\s+/).filter((word) => word !== '');
  const uuid = session.control?.leg.uuid ?? words.shift();
  if (uuid === undefined) return NOT_FOUND;
  session.interests.subscribeOwn(uuid, words[0]);
  return command('+OK Events Enabled');
}

function* runApi(session: EslSession, text: string): Script<string> {
  session.core.bus.fire('API', () => {
    const [name = '', ...rest] = text.split(' ');
    return rest.length === 0
      ? [['API-Command', name]]
      : [
          ['API-Command', name],
          ['API-Command-Argument', rest.join(' ')],
        ];
  });
  const body = yield* session.core.runApi(text);
  return body === '' ? '-ERR no reply\n' : body;
}

/** The answer comes as an event, to every listener of BACKGROUND_JOB and not only to who asked. */
function startJob(session: EslSession, text: string, wanted: string | undefined): Reply {
  const { core } = session;
  const jobUuid = wanted ?? core.newUuid();
  const [name = '', ...rest] = text.split(' ');
  const job = function* (): Script {
    const body = yield* runApi(session, text);
    core.bus.fire(
      'BACKGROUND_JOB',
      () => [
        ['Job-UUID', jobUuid],
        ['Job-Command', name],
        ...(rest.length === 0 ? [] : [['Job-Command-Arg', rest.join(' ')] as const]),
      ],
      { body },
    );
  };
  core.kernel.spawn(job());
  return { kind: 'command', text: `+OK Job-UUID: ${jobUuid}`, jobUuid };
}

/** Any name is accepted and answered with an id, known or not (01c). */
function sendEvent(session: EslSession, name: string, message: Message): string {
  const uuid = session.core.newUuid();
  const subclass = message.headers.get('event-subclass');
  const own = [...message.headers].filter(([key]) => key !== 'event-subclass');
  session.core.bus.fire(name, () => [...own, ['Event-UUID', uuid]], {
    ...(subclass === undefined ? {} : { subclass }),
    ...(message.body === '' ? {} : { body: message.body }),
  });
  return uuid;
}

/** Says +OK to anything it can deliver, even to an unknown application, which will then kill the call. */
function* sendMessage(session: EslSession, uuid: string, message: Message): Script<Reply> {
  const { control, core } = session;
  const leg = control !== undefined && uuid === '' ? control.leg : locate(core, uuid);
  if (leg === undefined) return command(`-ERR invalid session id [${uuid}]`);
  const verb = message.headers.get('call-command')?.toLowerCase();
  if (verb === 'hangup') {
    core.ledger.killReceived(leg.uuid);
    const cause = parseCause(message.headers.get('hangup-cause') ?? '16');
    // The leg's thread takes it from its queue like everything else.
    core.kernel.after(core.pickupMs, () => hangUp(core, leg, cause, 'api'));
  }
  const application = message.headers.get('execute-app-name');
  if (verb === 'execute' && application !== undefined) {
    yield* deliver(session, leg, application, message);
  }
  return command('+OK');
}

/** To the leg's queue; its thread takes one application a round. */
function* deliver(session: EslSession, leg: Leg, application: string, message: Message): Script {
  const argument = message.headers.get('execute-app-arg') ?? message.body;
  const uuid = message.headers.get('event-uuid');
  const loops = Math.max(1, Number.parseInt(message.headers.get('loops') ?? '1', 10) || 1);
  const { core, control } = session;
  if (control?.isAsync === false && leg === control.leg) {
    // The leg's own thread serves this connection, so it runs the application before it answers.
    for (let round = 0; round < loops && leg.isUp; round += 1) {
      yield* core.runApplication(leg, [application, argument, uuid]);
    }
    return;
  }
  leg.messages.push({ application, argument, uuid, loops, onDone: undefined });
  for (const thread of leg.watchers) thread.wake(core.pickupMs);
}
