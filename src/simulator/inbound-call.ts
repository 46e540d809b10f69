import { nextSessionId, type Core } from './core.ts';
import { Leg } from './leg.ts';
import type { LegTruth } from './ledger.ts';
import { setBasics } from './placement.ts';
import { hangUp } from './signals.ts';
import { transferLeg } from './transfer.ts';
import { setVariable } from './variables.ts';

export type CallRequest = {
  readonly from: string;
  readonly to: string;
  /** May hold bytes that are no UTF-8; `fromBytes` makes such a text. */
  readonly callerName?: string;
  readonly context?: string;
  readonly variables?: Readonly<Record<string, string>>;
  readonly uuid?: string;
  /** The caller gives up or hangs up so long after the INVITE, whatever has become of the call. */
  readonly hangsUpAfterMs?: number;
  /** The caller hangs up so long after its call was answered. */
  readonly hangsUpAfterAnswerMs?: number;
};

/** The caller's side of a call that was placed. */
export type SimulatedCall = {
  readonly uuid: string;
  /** A CANCEL before the answer (ORIGINATOR_CANCEL), a BYE after it. */
  hangup(cause?: string): void;
  /** A REFER: the other leg goes to the extension and the caller's own leg ends. */
  refer(extension: string, context?: string): void;
  readonly truth: LegTruth | undefined;
};

/** All callers live on this host; their ports tell them apart. */
const CALLER_ADDRESS = '127.0.0.1';

export function startInboundCall(core: Core, request: CallRequest): SimulatedCall {
  const leg = newInboundLeg(core, request);
  core.legs.set(leg.uuid, leg);
  core.ledger.created(leg);
  leg.assignment = { kind: 'route' };
  core.startSession(leg);
  const hangup = (cause?: string): void => {
    const usual = leg.isAnswered ? 'NORMAL_CLEARING' : 'ORIGINATOR_CANCEL';
    core.kernel.run(() => hangUp(core, leg, cause ?? usual, 'caller'));
  };
  if (request.hangsUpAfterMs !== undefined)
    leg.alarms.push(core.kernel.after(request.hangsUpAfterMs, hangup));
  const { hangsUpAfterAnswerMs } = request;
  if (hangsUpAfterAnswerMs !== undefined) {
    leg.onAnswer = () => void leg.alarms.push(core.kernel.after(hangsUpAfterAnswerMs, hangup));
  }
  return {
    uuid: leg.uuid,
    hangup,
    refer(extension, context = leg.profile.context) {
      const other = leg.bridgedWith;
      if (other === undefined) return;
      leg.variables.set('endpoint_disposition', 'BLIND_TRANSFER');
      core.kernel.run(() => transferLeg(core, other, { extension, dialplan: 'XML', context }));
    },
    get truth() {
      return core.ledger.leg(leg.uuid);
    },
  };
}

/** The leg of an INVITE, with the variables that SIP puts on it. */
export function newInboundLeg(core: Core, request: CallRequest): Leg {
  const { from, to, callerName = request.from } = request;
  const uuid = request.uuid === undefined || core.legs.has(request.uuid) ? core.newUuid() : request.uuid;
  const sessionId = nextSessionId(core);
  const nowMicros = core.nowMicros();
  const callerPort = 20_000 + (sessionId % 40_000);
  const name = `sofia/internal/${from}@${CALLER_ADDRESS}:${callerPort}`;
  const leg = new Leg({
    uuid,
    direction: 'inbound',
    name,
    sessionId,
    createdMicros: nowMicros,
    profile: {
      index: 1,
      createdMicros: nowMicros,
      username: from,
      dialplan: 'XML',
      callerName,
      callerNumber: from,
      originalCallerName: callerName,
      originalCallerNumber: from,
      calleeName: '',
      calleeNumber: '',
      networkAddress: CALLER_ADDRESS,
      destination: to,
      redirectedFrom: '',
      source: 'mod_sofia',
      transferSource: '',
      context: request.context ?? 'public',
    },
  });
  setBasics(leg);
  const sip: Readonly<Record<string, string>> = {
    sip_from_user: from,
    sip_from_host: CALLER_ADDRESS,
    sip_from_uri: `${from}@${CALLER_ADDRESS}:${callerPort}`,
    sip_from_display: callerName,
    sip_call_id: `${sessionId}-${uuid.slice(0, 8)}@${CALLER_ADDRESS}`,
    sip_network_ip: CALLER_ADDRESS,
    sip_network_port: String(callerPort),
    sip_invite_stamp: String(nowMicros),
    sip_req_user: to,
    sip_to_user: to,
    sip_to_uri: `${to}@${CALLER_ADDRESS}:5060`,
    sip_user_agent: 'simulator',
    sofia_profile_name: 'internal',
    max_forwards: '70',
    endpoint_disposition: 'DELAYED NEGOTIATION',
  };
  for (const [key, value] of Object.entries(sip)) leg.variables.set(key, value);
  for (const [key, value] of Object.entries(request.variables ?? {}))
    setVariable(leg, key, value, 'unchecked');
  return leg;
}
