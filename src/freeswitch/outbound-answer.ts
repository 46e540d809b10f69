import type { GateAnswer } from '../calls/gate.ts';
import type { LegFacts } from '../calls/switch-event.ts';
import { assertNever } from '../units/assert.ts';
import {
  command,
  executeCommand,
  hangupCommand,
  multisetCommand,
  setVariablesCommand,
  toRespondArgument,
  type EslCommand,
} from './command.ts';
import { END_WITH_BRIDGE } from './gate-failure.ts';
import { toToken } from './tokens.ts';
import { headerOf, type WireEvent } from './wire-event.ts';

/** How the dialplan called `socket`: alone, with `async`, or with `async full`. */
export type OutboundMode = 'sync' | 'async' | 'async-full';

export type OutboundPlan = {
  /** Sent in one write. */
  readonly commands: readonly EslCommand[];
  /** The application after whose end `exit` is sent; undefined where `exit` is sent already or not needed. */
  readonly exitAfter: 'multiset' | 'bridge' | undefined;
  /** The socket stays for as long as the call lasts. */
  readonly staysOpen: boolean;
};

export const EXIT_PLAN: OutboundPlan = {
  commands: [command('exit')],
  exitAfter: undefined,
  staysOpen: false,
};

export function readOutboundMode(channel: WireEvent): OutboundMode {
  if (headerOf(channel, 'Socket-Mode') !== 'async') return 'sync';
  return headerOf(channel, 'Control') === 'full' ? 'async-full' : 'async';
}

/**
 * The commands that carry an answer out.
 *
 * A synchronous socket executes each message before it reads the next, so everything goes in one write, `exit`
 * last. An asynchronous one queues its messages for the channel, which takes one every 20 ms, and an `exit`
 * read meanwhile lets the dialplan go on without them: with `full` the variables are therefore set by `api`,
 * which is carried out at once, and otherwise `exit` waits for the application's end.
 * `bridge` keeps its socket until it is over, as the socket's end would send the call on in the dialplan.
 */
export function planOutboundAnswer(answer: GateAnswer, mode: OutboundMode, leg: LegFacts): OutboundPlan {
  const { verb } = answer;
  const variables = new Map([...answer.variables, ...(verb.kind === 'bridge' ? END_WITH_BRIDGE : [])]);
  const set = setCommands(variables, mode, leg);
  const exit = command('exit');
  switch (verb.kind) {
    case 'continue':
      return mode === 'async' && set.length > 0
        ? { commands: [command('myevents json'), ...set], exitAfter: 'multiset', staysOpen: false }
        : { commands: [...set, exit], exitAfter: undefined, staysOpen: false };
    case 'refuse': {
      const respond = executeCommand(undefined, 'respond', toRespondArgument(verb.sipCode, verb.sipReason));
      // A leg that knows no SIP answer is hung up all the same; for one that does this comes too late to matter.
      const hangup = hangupCommand(verb.cause);
      const ending = leg.answeredAt === undefined ? [respond, hangup] : [hangup];
      const last = mode === 'sync' ? [exit] : [];
      return { commands: [...set, ...ending, ...last], exitAfter: undefined, staysOpen: false };
    }
    case 'bridge': {
      const bridge = executeCommand(undefined, 'bridge', toToken('dial string', verb.dialString));
      return mode === 'sync'
        ? { commands: [...set, bridge, exit], exitAfter: undefined, staysOpen: true }
        : { commands: [command('myevents json'), ...set, bridge], exitAfter: 'bridge', staysOpen: true };
    }
    default:
      return assertNever(verb, 'gate verb');
  }
}

function setCommands(
  variables: GateAnswer['variables'],
  mode: OutboundMode,
  leg: LegFacts,
): readonly EslCommand[] {
  if (variables.size === 0) return [];
  return [
    mode === 'async-full'
      ? setVariablesCommand(toToken('uuid', leg.uuid), variables)
      : multisetCommand(variables),
  ];
}
