import { afterEach } from 'vitest';
import type { GateAnswer, GateRequest } from '../../../src/calls/gate.ts';
import { LEAVE_TO_DIALPLAN } from '../../../src/freeswitch/gate-failure.ts';
import {
  createOutboundServer,
  type OutboundServer,
  type OutboundServerOptions,
} from '../../../src/freeswitch/outbound-server.ts';
import { systemTiming } from '../../../src/freeswitch/timing.ts';
import { nodeNamed } from './decode-bytes.ts';
import { createMemoryLog, type MemoryLog } from './memory-log.ts';
import { callOut, channelData, type Mode, type OutboundCaller } from './outbound-caller.ts';

export const VARIABLES = new Map([
  ['tollgate_decision', 'admit'],
  ['nolocal:execute_on_answer', 'sched_hangup +62 ALLOTTED_TIMEOUT'],
]);
export const LIST = 'tollgate_decision=admit;nolocal:execute_on_answer=sched_hangup +62 ALLOTTED_TIMEOUT';
export const MULTISET = execute('multiset', `^^;${LIST}`);
export const SETVAR = `api uuid_setvar_multi leg-1 ${LIST}`;
export const OVER = 'hangup_after_bridge=true';
export const HANGUP = 'sendmsg\ncall-command: hangup\nhangup-cause: CALL_REJECTED';
export const RESPOND = execute('respond', '402 Payment Required');
export const BRIDGE = execute('bridge', 'sofia/gateway/x/3001');
export const ADMIT: GateAnswer = { variables: VARIABLES, verb: { kind: 'continue' } };
export const REFUSE: GateAnswer = {
  variables: VARIABLES,
  verb: { kind: 'refuse', sipCode: 402, sipReason: 'Payment Required', cause: 'CALL_REJECTED' },
};
export const BRIDGED: GateAnswer = {
  variables: VARIABLES,
  verb: { kind: 'bridge', dialString: 'sofia/gateway/x/3001' },
};

const servers: OutboundServer[] = [];
export const callers: OutboundCaller[] = [];

afterEach(async () => {
  for (const { socket } of callers.splice(0)) socket.destroy();
  await Promise.all(servers.splice(0).map((server) => server.close(0)));
});

function execute(application: string, argument: string): string {
  return `sendmsg\ncall-command: execute\nexecute-app-name: ${application}\nexecute-app-arg: ${argument}`;
}

export async function call(
  port: number,
  mode: Mode,
  fields: Record<string, string> = {},
): Promise<OutboundCaller> {
  const caller = await callOut(port, channelData(mode, fields));
  callers.push(caller);
  return caller;
}

export async function open(
  keeper: (request: GateRequest) => Promise<GateAnswer> = () => Promise.resolve(ADMIT),
  options: Partial<OutboundServerOptions> = {},
): Promise<{
  readonly port: number;
  readonly server: OutboundServer;
  readonly requests: GateRequest[];
  readonly log: MemoryLog;
}> {
  const requests: GateRequest[] = [];
  const log = createMemoryLog();
  const server = createOutboundServer({
    host: '127.0.0.1',
    port: 0,
    accountFallbacks: ['accountcode'],
    nodeOf: (coreUuid) => (coreUuid === 'core-1' ? nodeNamed('fs1') : undefined),
    handshakeTimeoutMs: 5_000,
    decisionTimeoutMs: 3_000,
    socketsMax: 100,
    onFailure: LEAVE_TO_DIALPLAN,
    timing: systemTiming,
    log,
    keeper: (request) => {
      requests.push(request);
      return keeper(request);
    },
    ...options,
  });
  const { port } = await server.listen();
  servers.push(server);
  return { port, server, requests, log };
}
