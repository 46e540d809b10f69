import { randomBytes } from 'node:crypto';
import type { CallControl, ChannelRow, DeadmanTask } from '../calls/switch.ts';
import { cleanText } from '../units/clean-text.ts';
import { parseLegUuid, type NodeId } from '../units/ids.ts';
import {
  command,
  executeCommand,
  setVariablesCommand,
  toRespondArgument,
  type EslCommand,
} from './command.ts';
import { decodeLeg, decodeTimes } from './decode-event.ts';
import type { Timing } from './timing.ts';
import { joinTokens, literal, toToken, type SafeToken, type TokenKind } from './tokens.ts';
import { headerOf, isRecord, readJsonEvent, type WireEvent } from './wire-event.ts';

/** FreeSWITCH answered, and the answer is no. */
export class EslCommandError extends Error {
  override readonly name = 'EslCommandError';

  constructor(what: string, reply: string) {
    super(`${what}: ${cleanText(reply.trim(), REPLY_CHARACTERS_MAX)}`);
  }
}

export type CallControlOptions = {
  readonly node: NodeId;
  readonly accountFallbacks: readonly string[];
  readonly timing: Timing;
  /** Sends the commands on one connection in one segment; rejects at once where none is ready. */
  send(commands: readonly EslCommand[]): Promise<readonly string[]>;
};

const REPLY_CHARACTERS_MAX = 120;
const ALLOTTED_TIMEOUT = literal('ALLOTTED_TIMEOUT');
/** Both shapes in which FreeSWITCH says that it knows no such leg; a leg on its way down is one. */
const UNKNOWN_LEG = /^-ERR (?:No such channel|invalid session id)/i;
const ANSWERED_CALL_STATES: ReadonlySet<unknown> = new Set(['ACTIVE', 'HELD', 'UNHELD']);

/** What each application takes as its argument. */
const ARGUMENT_KINDS: ReadonlyMap<string, TokenKind> = new Map([
  ['bridge', 'dial string'],
  ['hangup', 'cause'],
  ['playback', 'sound'],
]);

/** The only place that spells FreeSWITCH's commands on inbound connections. */
export function createCallControl(options: CallControlOptions): CallControl {
  const { node, accountFallbacks, timing } = options;

  async function ask(one: EslCommand): Promise<string> {
    const [reply = ''] = await options.send([one]);
    return reply;
  }

  async function tell(what: string, commands: readonly EslCommand[]): Promise<'done' | 'gone'> {
    const replies = await options.send(commands);
    if (replies.some((reply) => UNKNOWN_LEG.test(reply))) return 'gone';
    const refused = replies.find((reply) => !reply.startsWith('+OK'));
    if (refused !== undefined) throw new EslCommandError(what, refused);
    return 'done';
  }

  async function start(what: string, commands: readonly EslCommand[]): Promise<'started' | 'gone'> {
    return (await tell(what, commands)) === 'done' ? 'started' : 'gone';
  }

  return {
    kill: async (uuid, cause, ...others) => {
      const why = toToken('cause', cause);
      const legs = [uuid, ...others].map((leg) => toToken('uuid', leg));
      return start(
        'uuid_kill',
        legs.map((leg) => command('api uuid_kill', leg, why)),
      );
    },

    setVariables: async (uuid, variables) => {
      const done = await tell('uuid_setvar_multi', setVariables(toToken('uuid', uuid), variables));
      return done === 'done' ? 'set' : 'gone';
    },

    goOn: async (uuid, variables, to) => {
      const leg = toToken('uuid', uuid);
      const transfer = command(
        'api uuid_transfer',
        leg,
        toToken('extension', to.extension),
        literal('XML'),
        toToken('context', to.context),
      );
      return start('uuid_transfer', [...setVariables(leg, variables), transfer]);
    },

    execute: async (uuid, variables, application, argument) => {
      const leg = toToken('uuid', uuid);
      const execute = executeCommand(leg, application, argumentOf(application, argument));
      return start(application, [...setVariables(leg, variables), execute]);
    },

    armDeadman: async (uuid, seconds, previous) => {
      const leg = toToken('uuid', uuid);
      // A group of its own for every task: ids start again when FreeSWITCH does, and a task deleted by an id
      // of an earlier life would leave some other leg unguarded.
      const group = toToken('dead-man group', `tollgate_${uuid}.${randomBytes(6).toString('hex')}`);
      const after = joinTokens('+', [literal(''), toToken('seconds', String(seconds))]);
      const kill = joinTokens(' ', [literal('uuid_kill'), leg, ALLOTTED_TIMEOUT]);
      const reply = await ask(command('api sched_api', after, group, kill));
      if (!reply.startsWith('+OK')) throw new EslCommandError('sched_api', reply);
      if (previous !== undefined) await ask(deleteTasks(toToken('dead-man group', previous)));
      return toDeadmanTask(group);
    },

    disarmDeadman: async (task) => {
      await ask(deleteTasks(toToken('dead-man group', task)));
    },

    dropScheduledHangup: async (uuid) => {
      await ask(deleteTasks(toToken('uuid', uuid)));
    },

    warn: async (uuid, file) =>
      start('uuid_displace', [
        command(
          'api uuid_displace',
          toToken('uuid', uuid),
          literal('start'),
          toToken('sound', file),
          literal('0'),
          literal('m'),
        ),
      ]),

    channels: async () => readChannelRows(await ask(command('api show channels as json'))),

    inspect: async (uuid) => {
      const reply = await ask(command('api uuid_dump', toToken('uuid', uuid), literal('json')));
      if (UNKNOWN_LEG.test(reply)) return undefined;
      if (!reply.startsWith('{')) throw new EslCommandError('uuid_dump', reply);
      const event = readJsonEvent(Buffer.from(reply));
      const leg = decodeLeg(event, { node, accountFallbacks, receivedAt: timing.now() });
      return leg === undefined ? undefined : { leg, times: decodeTimes(event) };
    },
  };
}

function setVariables(leg: SafeToken, variables: ReadonlyMap<string, string>): readonly EslCommand[] {
  return variables.size === 0 ? [] : [setVariablesCommand(leg, variables)];
}

function deleteTasks(group: SafeToken): EslCommand {
  return command('api sched_del', group);
}

/** A dead-man's handle is the group that its task is alone in. */
function toDeadmanTask(group: SafeToken): DeadmanTask {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the brand is given here and nowhere else
  return group as string as DeadmanTask;
}

function argumentOf(application: string, argument: string): SafeToken {
  if (application === 'respond') {
    const space = argument.indexOf(' ');
    return toRespondArgument(Number(argument.slice(0, space)), argument.slice(space + 1));
  }
  return toToken(ARGUMENT_KINDS.get(application) ?? 'application', argument);
}

/**
 * No rows are `{"row_count": 0}` without `rows`. A count that does not match means a listing that was cut, and
 * legs that only seem to be gone.
 */
function readChannelRows(reply: string): readonly ChannelRow[] {
  let listing: WireEvent;
  try {
    listing = readJsonEvent(Buffer.from(reply));
  } catch {
    throw new EslCommandError('show channels', reply);
  }
  const rows: readonly unknown[] = Array.isArray(listing['rows']) ? listing['rows'] : [];
  if (Number(listing['row_count']) !== rows.length) throw new EslCommandError('show channels', reply);
  return rows.map((row) => readChannelRow(row)).filter((row) => row !== undefined);
}

function readChannelRow(row: unknown): ChannelRow | undefined {
  const cells = isRecord(row) ? row : {};
  const uuid = parseLegUuid(headerOf(cells, 'uuid') ?? '');
  // A leg with an id that no command of ours may carry; it was never admitted and cannot be asked about.
  if (uuid === undefined) return undefined;
  return {
    uuid,
    direction: headerOf(cells, 'direction') === 'outbound' ? 'outbound' : 'inbound',
    createdEpochSeconds: Number(headerOf(cells, 'created_epoch') ?? 0),
    answered: ANSWERED_CALL_STATES.has(headerOf(cells, 'callstate')),
    destination: cleanText(headerOf(cells, 'dest') ?? '', REPLY_CHARACTERS_MAX),
    accountCode: cleanText(headerOf(cells, 'accountcode') ?? '', 520),
  };
}
