import { afterEach, describe, expect, it } from 'vitest';
import type { GateAnswer, GateRequest } from '../../src/calls/gate.ts';
import type { SwitchEvent } from '../../src/calls/switch-event.ts';
import { decodeEvent } from '../../src/freeswitch/decode-event.ts';
import { LEAVE_TO_DIALPLAN } from '../../src/freeswitch/gate-failure.ts';
import { createParkGate, type ParkGate, type ParkGateOptions } from '../../src/freeswitch/park-gate.ts';
import { createSwitch, type ConnectedSwitch } from '../../src/freeswitch/switch.ts';
import { nodeNamed, READING } from './support/decode-bytes.ts';
import { createManualTiming } from './support/manual-timing.ts';
import { createMemoryLog, type MemoryLog } from './support/memory-log.ts';
import { endpointAt } from './support/open-connection.ts';
import {
  agreeable,
  apiResponse,
  eventually,
  listenAsFreeswitch,
  type Script,
  type ScriptedPeer,
} from './support/scripted-peer.ts';

const VARIABLES = new Map([['tollgate_decision', 'refuse']]);
const SET = 'api uuid_setvar_multi leg-1 tollgate_decision=refuse';
const GO_ON: GateAnswer = { variables: VARIABLES, verb: { kind: 'continue' } };
const REFUSE: GateAnswer = {
  variables: VARIABLES,
  verb: { kind: 'refuse', sipCode: 503, sipReason: 'Service Unavailable', cause: 'CALL_REJECTED' },
};
const BRIDGE: GateAnswer = { variables: VARIABLES, verb: { kind: 'bridge', dialString: 'user/1001' } };
const ANSWERED = { 'Caller-Channel-Answered-Time': '1795331507643034' };

const peers: ScriptedPeer[] = [];
const switches: ConnectedSwitch[] = [];

afterEach(async () => {
  await Promise.all(switches.splice(0).map((one) => one.stop()));
  await Promise.all(peers.splice(0).map((peer) => peer.close()));
});

describe('a call at the park gate', () => {
  it.each<readonly [string, GateAnswer, Record<string, string>, readonly string[]]>([
    ['goes on to the number it dialled', GO_ON, {}, [SET, 'api uuid_transfer leg-1 3001 XML public']],
    [
      'goes on to the next extension it names',
      GO_ON,
      { variable_tollgate_next: 'admitted' },
      [SET, 'api uuid_transfer leg-1 admitted XML public'],
    ],
    ['is refused by a SIP answer', REFUSE, {}, [SET, execute('respond', '503 Service Unavailable')]],
    ['is hung up when it was answered', REFUSE, ANSWERED, [SET, 'api uuid_kill leg-1 CALL_REJECTED']],
    [
      'is hung up when it is a loopback, which knows no SIP',
      REFUSE,
      { variable_is_loopback: 'true' },
      [SET, 'api uuid_kill leg-1 CALL_REJECTED'],
    ],
    [
      'is bridged, and over when the bridge is',
      BRIDGE,
      {},
      [`${SET};hangup_after_bridge=true;continue_on_fail=false`, execute('bridge', 'user/1001')],
    ],
  ])('%s', async (_, answer, fields, expected) => {
    const { gate, commands } = await open(() => Promise.resolve(answer));
    await gate.onEvent(parked(fields));
    expect(commands()).toEqual(expected);
  });

  it('is none of ours when it does not ask, and no other event is', async () => {
    const { gate, requests } = await open();
    await gate.onEvent(parked({ variable_tollgate_ask: 'false' }));
    await gate.onEvent({ ...parked(), kind: 'created' });
    expect(requests).toEqual([]);
  });

  it('is asked about once, however often it is told', async () => {
    const held = Promise.withResolvers<GateAnswer>();
    const { gate, requests } = await open(() => held.promise);
    const first = gate.onEvent(parked());
    await gate.onEvent(parked());
    held.resolve(GO_ON);
    await first;
    expect(requests).toHaveLength(1);
  });

  it('may have left meanwhile', async () => {
    const { gate, log } = await open(undefined, {}, (line, socket) =>
      line.includes('leg-1') ? apiResponse('-ERR No such channel!\n') : agreeable(line, socket),
    );
    await gate.onEvent(parked());
    expect(log.lines.map(({ message }) => message)).toContain('caller left while the gate decided');
  });
});

describe('when nobody decides at the park gate', () => {
  it('the call goes on with no variable set, and the dialplan decides', async () => {
    const { gate, commands } = await open(() => Promise.reject(new Error('no store')));
    await gate.onEvent(parked());
    expect(commands()).toEqual(['api uuid_transfer leg-1 3001 XML public']);
  });

  it('the same happens after the time for a decision', async () => {
    const timing = createManualTiming();
    const { gate, commands, requests } = await open(() => new Promise(() => undefined), { timing });
    const done = gate.onEvent(parked());
    expect(requests).toHaveLength(1);
    timing.advance(3_000);
    await done;
    expect(commands()).toEqual(['api uuid_transfer leg-1 3001 XML public']);
  });

  it('an answer that cannot be said safely is none', async () => {
    const unsafe: GateAnswer = {
      variables: new Map([['tollgate_reason', 'a;b']]),
      verb: { kind: 'continue' },
    };
    const { gate, commands } = await open(() => Promise.resolve(unsafe));
    await gate.onEvent(parked());
    expect(commands()).toEqual(['api uuid_transfer leg-1 3001 XML public']);
  });

  it('a number that no command may carry ends the call', async () => {
    const { gate, commands, log } = await open();
    await gate.onEvent(parked({ 'Caller-Destination-Number': '1 XML public\n\napi fsctl shutdown' }));
    expect(commands()).toEqual(['api uuid_kill leg-1 INVALID_NUMBER_FORMAT']);
    expect(log.lines.some(({ level }) => level === 'error')).toBe(true);
  });

  it('a FreeSWITCH that cannot be reached is not told twice', async () => {
    const { gate, one, log } = await open();
    await one.stop();
    await gate.onEvent(parked());
    expect(log.lines.map(({ message }) => message)).toContain('gate answer cannot be sent');
  });
});

function parked(fields: Record<string, string> = {}): Extract<SwitchEvent, { kind: 'parked' }> {
  const event = decodeEvent(
    {
      'Event-Name': 'CHANNEL_PARK',
      'Unique-ID': 'leg-1',
      'Caller-Destination-Number': '3001',
      'Caller-Context': 'public',
      variable_tollgate_ask: 'true',
      ...fields,
    },
    READING,
  );
  if (event?.kind !== 'parked') throw new Error('not a parked leg');
  return event;
}

function execute(application: string, argument: string): string {
  return `sendmsg leg-1\ncall-command: execute\nexecute-app-name: ${application}\nexecute-app-arg: ${argument}`;
}

async function open(
  keeper: (request: GateRequest) => Promise<GateAnswer> = () => Promise.resolve(GO_ON),
  options: Partial<ParkGateOptions> = {},
  script: Script = agreeable,
): Promise<{
  readonly gate: ParkGate;
  readonly one: ConnectedSwitch;
  readonly requests: GateRequest[];
  readonly log: MemoryLog;
  readonly commands: () => readonly string[];
}> {
  const peer = await listenAsFreeswitch(script);
  peers.push(peer);
  const log = createMemoryLog();
  const timing = options.timing ?? createManualTiming();
  const one = createSwitch({
    node: nodeNamed('fs1'),
    endpoint: endpointAt(peer.port),
    accountFallbacks: [],
    timing,
    log,
    commandConnections: 1,
  });
  switches.push(one);
  one.start();
  await eventually(() => expect(one.health().up).toBe(true));
  const requests: GateRequest[] = [];
  const gate = createParkGate({
    controlOf: (node) => (node === one.node ? one.control : undefined),
    decisionTimeoutMs: 3_000,
    onFailure: LEAVE_TO_DIALPLAN,
    timing,
    log,
    keeper: (request) => {
      requests.push(request);
      return keeper(request);
    },
    ...options,
  });
  return { gate, one, requests, log, commands: () => peer.commands.slice(2) };
}
