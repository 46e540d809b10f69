import { joinTokens, literal, toToken, toVariableList, type SafeToken } from './tokens.ts';

/** One Event Socket command: its first line, and headers where it is a message. Made of checked tokens only. */
export type EslCommand = {
  readonly line: string;
  readonly headers: ReadonlyMap<MessageHeader, SafeToken>;
};

type MessageHeader = 'call-command' | 'execute-app-name' | 'execute-app-arg' | 'hangup-cause' | 'Job-UUID';

/** What a command may begin with; the rest are tokens. */
type Verb =
  | 'connect'
  | 'exit'
  | 'auth'
  | 'event json'
  | 'myevents json'
  | 'sendmsg'
  | `api ${ApiName}`
  | `bgapi ${ApiName}`;

type ApiName =
  | 'global_getvar core_uuid'
  | 'show channels as json'
  | 'uuid_kill'
  | 'uuid_setvar_multi'
  | 'uuid_transfer'
  | 'uuid_dump'
  | 'uuid_displace'
  | 'sched_api'
  | 'sched_del';

const NO_HEADERS: EslCommand['headers'] = new Map();

export function command(verb: Verb, ...tokens: readonly SafeToken[]): EslCommand {
  return { line: [verb, ...tokens].join(' '), headers: NO_HEADERS };
}

/** `sendmsg` that executes one application; without a uuid it is for the channel of an outbound socket. */
export function executeCommand(
  uuid: SafeToken | undefined,
  application: string,
  argument: SafeToken,
): EslCommand {
  const headers = new Map<MessageHeader, SafeToken>([
    ['call-command', literal('execute')],
    ['execute-app-name', toToken('application', application)],
    ['execute-app-arg', argument],
  ]);
  return { line: uuid === undefined ? 'sendmsg' : `sendmsg ${uuid}`, headers };
}

/** `sendmsg` that ends the channel of an outbound socket. */
export function hangupCommand(cause: string): EslCommand {
  const headers = new Map<MessageHeader, SafeToken>([
    ['call-command', literal('hangup')],
    ['hangup-cause', toToken('cause', cause)],
  ]);
  return { line: 'sendmsg', headers };
}

export function setVariablesCommand(uuid: SafeToken, variables: ReadonlyMap<string, string>): EslCommand {
  return command('api uuid_setvar_multi', uuid, toVariableList(variables));
}

export function multisetCommand(variables: ReadonlyMap<string, string>): EslCommand {
  return executeCommand(undefined, 'multiset', joinTokens('^^;', [literal(''), toVariableList(variables)]));
}

/** The SIP answer of the application `respond`. */
export function toRespondArgument(sipCode: number, sipReason: string): SafeToken {
  return joinTokens(' ', [toToken('sip code', String(sipCode)), toToken('sip reason', sipReason)]);
}
