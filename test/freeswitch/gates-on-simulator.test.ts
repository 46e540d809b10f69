import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { GateAnswer, GateKeeper } from '../../src/calls/gate.ts';
import type { SwitchEvent } from '../../src/calls/switch-event.ts';
import { createSimulator, type Simulator } from '../../src/simulator/simulator.ts';
import { LEAVE_TO_DIALPLAN } from '../../src/freeswitch/gate-failure.ts';
import { createOutboundServer, type OutboundServer } from '../../src/freeswitch/outbound-server.ts';
import { createParkGate } from '../../src/freeswitch/park-gate.ts';
import { createSwitch, type ConnectedSwitch } from '../../src/freeswitch/switch.ts';
import { systemTiming } from '../../src/freeswitch/timing.ts';
import { nodeNamed } from './support/decode-bytes.ts';
import { createMemoryLog, type MemoryLog } from './support/memory-log.ts';
import { endpointAt } from './support/open-connection.ts';
import { eventually } from './support/scripted-peer.ts';

const GATES = ['socket', 'socket async', 'socket async full', 'park'] as const;
const NODE = nodeNamed('fs1');

let sim: Simulator;
let one: ConnectedSwitch;
let server: OutboundServer;
let port: number;
let log: MemoryLog;
const events: SwitchEvent[] = [];

beforeEach(async () => {
  events.length = 0;
  sim = await createSimulator();
  log = createMemoryLog();
  const timing = systemTiming;
  const shared = { keeper, decisionTimeoutMs: 15_000, onFailure: LEAVE_TO_DIALPLAN, timing, log };
  one = createSwitch({
    node: NODE,
    endpoint: endpointAt(sim.port, sim.password),
    accountFallbacks: [],
    timing,
    log,
  });
  const gate = createParkGate({ ...shared, controlOf: () => one.control });
  one.start();
  one.startEvents({
    onUp: () => Promise.resolve(),
    onDown: () => undefined,
    onEvent: (event) => {
      events.push(event);
      void gate.onEvent(event);
    },
  });
  server = createOutboundServer({
    ...shared,
    host: '127.0.0.1',
    port: 0,
    accountFallbacks: [],
    nodeOf: (coreUuid) => (coreUuid === one.health().coreUuid ? NODE : undefined),
    handshakeTimeoutMs: 15_000,
    socketsMax: 100,
  });
  ({ port } = await server.listen());
  await eventually(() => {
    if (!one.health().up) throw new Error('not up yet');
  });
  sim.endpoint(/good/, { kind: 'answers', afterMs: 20, hangsUpAfterMs: 60 });
  sim.endpoint(/busy/, { kind: 'rejects', cause: 'USER_BUSY', afterMs: 20 });
});

afterEach(async () => {
  await server.close(0);
  await one.stop();
  await sim.close();
});

describe.each(GATES)('the gate %s', (gate) => {
  it('lets the dialplan go on with the variables set and inherited by the leg it places', async () => {
    const call = placeCall(gate, 'continue-good');
    await over();
    expect(call.truth).toMatchObject({ cause: 'NORMAL_CLEARING', sipStatus: undefined });
    expect(call.truth?.variable('tollgate_decision')).toBe('admitted');
    expect(admissionsOf('outbound')).toEqual([`${call.uuid}.1`]);
  });

  it('refuses with the SIP answer it was told, before anything is dialled', async () => {
    const call = placeCall(gate, 'refuse-good');
    await over();
    expect(call.truth).toMatchObject({ sipStatus: 402, answeredMicros: undefined });
    expect(call.truth?.variable('tollgate_decision')).toBe('refused');
    expect(admissionsOf('outbound')).toEqual([]);
  });

  it('bridges, keeps the call as long as it lasts, and leaves nothing open behind it', async () => {
    const call = placeCall(gate, 'bridge-good');
    await over();
    expect(events.filter(({ kind }) => kind === 'bridged')).toHaveLength(1);
    expect(admissionsOf('outbound')).toEqual([`${call.uuid}.1`]);
    await eventually(() => expect(server.openSockets()).toBe(0));
  });

  it('does not keep a call for ever whose bridge failed', async () => {
    placeCall(gate, 'bridge-busy');
    await over();
    expect(events.filter(({ kind }) => kind === 'bridged')).toEqual([]);
    await eventually(() => expect(server.openSockets()).toBe(0));
  });

  it('leaves a call that nobody decides to its dialplan, which finds no decision', async () => {
    const call = placeCall(gate, 'fail-good');
    await over();
    expect(call.truth?.sipStatus).toBe(503);
    expect(admissionsOf('outbound')).toEqual([]);
  });

  it('outlives a caller who gives up meanwhile', async () => {
    const call = placeCall(gate, 'slow-good', 30);
    await over();
    expect(call.truth?.cause).toBe('ORIGINATOR_CANCEL');
    await eventually(() => expect(server.openSockets()).toBe(0));
    expect(log.lines.filter(({ level }) => level === 'error')).toEqual([]);
  });
});

/** Decides as the number that was dialled says. */
const keeper: GateKeeper = async ({ leg }) => {
  const verb = leg.destination.split('-')[0];
  if (verb === 'fail') throw new Error('no store');
  if (verb === 'slow') await eventually(() => expect(sim.liveCount).toBe(0));
  const admission = `${leg.uuid}.1`;
  const admitted = new Map([
    ['tollgate_decision', 'admitted'],
    ['tollgate_admission', admission],
    ['export_vars', 'tollgate_admission,nolocal:execute_on_answer'],
    ['nolocal:execute_on_answer', 'sched_hangup +62 allotted_timeout'],
  ]);
  const answers: Readonly<Record<string, GateAnswer>> = {
    refuse: {
      variables: new Map([['tollgate_decision', 'refused']]),
      verb: { kind: 'refuse', sipCode: 402, sipReason: 'Payment Required', cause: 'CALL_REJECTED' },
    },
    bridge: {
      variables: admitted,
      verb: { kind: 'bridge', dialString: `sofia/gateway/pstn/${leg.destination.split('-')[1]}` },
    },
  };
  return answers[verb ?? ''] ?? { variables: admitted, verb: { kind: 'continue' } };
};

/** A dialplan that asks at the gate and then dials what was decided on, or refuses. */
function placeCall(
  gate: (typeof GATES)[number],
  to: string,
  hangsUpAfterMs?: number,
): ReturnType<Simulator['placeCall']> {
  const goOn = (decision: string | undefined): readonly (readonly [string, string])[] =>
    decision === 'admitted'
      ? [
          ['set', 'hangup_after_bridge=true'],
          ['bridge', `sofia/gateway/pstn/${to.split('-')[1]}`],
        ]
      : [['respond', '503 Nobody decided']];
  sim.dialplan((call) => {
    if (call.destination === 'decided') return goOn(call.variable('tollgate_decision'));
    const next: readonly [string, string] = ['transfer', 'decided XML public'];
    if (gate !== 'park') return [['socket', `127.0.0.1:${port} ${gate.slice('socket'.length)}`.trim()], next];
    return [
      ['set', 'tollgate_ask=true'],
      ['set', 'tollgate_next=decided'],
      ['park', ''],
    ];
  });
  return sim.placeCall({
    from: '1001',
    to,
    context: 'public',
    ...(hangsUpAfterMs === undefined ? {} : { hangsUpAfterMs }),
  });
}

/** Waits until FreeSWITCH has forgotten the calls and has told so. */
async function over(): Promise<void> {
  await eventually(() => {
    expect(events.some(({ kind }) => kind === 'completed')).toBe(true);
    expect(sim.liveCount).toBe(0);
  });
}

function admissionsOf(direction: string): readonly (string | undefined)[] {
  return events.flatMap((event) =>
    event.kind === 'created' && event.leg.direction === direction ? [event.leg.gate.admission] : [],
  );
}
