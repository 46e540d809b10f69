/**
 * A FreeSWITCH that speaks the wire: event socket inbound and outbound, legs, bridges, scheduler, and faults on
 * demand. It exists for tests, for the demonstration and for measuring; it carries no sound.
 *
 *     const sim = await createSimulator({ time: createVirtualTime() });
 *     sim.dialplan((call) => [['set', 'hangup_after_bridge=true'], ['bridge', `sofia/gateway/pstn/${call.destination}`]]);
 *     sim.endpoint(/^sofia\/gateway\/pstn\//, { kind: 'answers', afterMs: 2000, hangsUpAfterMs: 60_000 });
 *     const call = sim.placeCall({ from: '1001', to: '3001', variables: { tollgate_account: 'acme/alice' } });
 *     …connect to sim.port with sim.password, advance time, call.hangup()…
 *     sim.legs();                       // what really happened, in microseconds
 *     sim.faults.onEvent((event) => (event.name === 'CHANNEL_ANSWER' ? 'drop' : undefined));
 *     await sim.close();
 *
 * Virtual time moves only by `advance`; sockets stay real, so a test that waits for a reply polls for it.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { Connection } from './connection.ts';
import { createCore, type CoreSettings } from './create-core.ts';
import type { Core, Dialplan } from './core.ts';
import { EslSession } from './esl-session.ts';
import type { FarEnd } from './far-end.ts';
import { Faults } from './faults.ts';
import { startInboundCall, type CallRequest, type SimulatedCall } from './inbound-call.ts';
import { Ledger, type LegTruth, type ReceivedCommand } from './ledger.ts';
import { fireHangupComplete, fireLeg, hangUp, setDurations } from './signals.ts';
import type { Script } from './thread.ts';
import { createRealTime, type TimeSource } from './time-source.ts';

export type SimulatorOptions = CoreSettings & {
  readonly time?: TimeSource;
  readonly password?: string;
  /** Whether a peer may connect at all; refused ones get `rude-rejection`. */
  readonly allows?: (address: string) => boolean;
};

/** An endpoint's address as in a dial string (`sofia/gateway/pstn/3001`), or its number alone. */
export type AddressPattern = string | RegExp;

export type Simulator = Awaited<ReturnType<typeof createSimulator>>;

const AUTH_TIMEOUT_MS = 25_000;
const SHUTDOWN_NOTICE = 'The system is being shut down.\n';
const SHUTDOWN_MS = 500;
const REJECTION = 'Access Denied, go away.\n';

export async function createSimulator(options: SimulatorOptions = {}) {
  const time = options.time ?? createRealTime();
  const password = options.password ?? 'ClueCon';
  const faults = new Faults();
  const ledger = new Ledger(() => time.nowMicros());
  const farEnds: {
    readonly pattern: AddressPattern;
    readonly farEnd: FarEnd | ((address: string) => FarEnd);
  }[] = [];
  const inbound = new Map<EslSession, Connection>();
  let dialplan: Dialplan = () => undefined;
  let core: Core = startCore();
  let server: Server | undefined;
  let port = 0;

  function startCore(): Core {
    return createCore(options, {
      time,
      faults,
      ledger,
      dialplanFor: (view) => dialplan(view) ?? [],
      farEndFor: (address) => {
        // The latest script wins, so that a test can change its mind.
        const found = farEnds.findLast(({ pattern }) => matches(pattern, address));
        return typeof found?.farEnd === 'function' ? found.farEnd(address) : found?.farEnd;
      },
      requestShutdown: () => void shutdown(),
    });
  }

  function accept(socket: Socket): void {
    const serving = core;
    if (serving.kernel.isStopped) {
      socket.destroy();
      return;
    }
    const connection = new Connection(socket, serving.kernel, faults, {
      onMessage: (message) => session.take(message),
      onClose: () => {
        session.closed();
        inbound.delete(session);
      },
    });
    const session = new EslSession(serving, connection, { password });
    inbound.set(session, connection);
    if (options.allows?.(socket.remoteAddress ?? '') === false) {
      const head = `Content-Type: text/rude-rejection\nContent-Length: ${REJECTION.length}\n\n`;
      connection.send(Buffer.from(head + REJECTION), 'notice');
      connection.finish();
      return;
    }
    connection.send(Buffer.from('Content-Type: auth/request\n\n'), 'auth-request');
    serving.kernel.after(
      AUTH_TIMEOUT_MS,
      () => !session.isAuthenticated && connection.isOpen && connection.finish(),
    );
    serving.kernel.run(() => serving.kernel.spawn(session.serve()));
  }

  function listen(): Promise<void> {
    const listening = createServer({ noDelay: true }, accept);
    server = listening;
    return new Promise((resolve, reject) => {
      listening.once('error', reject);
      listening.listen(port, '127.0.0.1', () => {
        const address = listening.address();
        if (typeof address === 'object' && address !== null) port = address.port;
        resolve();
      });
    });
  }

  /** At once; the promise is for those who also want the last connection gone. */
  function stopListening(): Promise<void> {
    const listening = server;
    server = undefined;
    return new Promise((resolve) => (listening === undefined ? resolve() : listening.close(() => resolve())));
  }

  /** As `fsctl shutdown`: SHUTDOWN, every call ended with SYSTEM_SHUTDOWN, a notice, and the connections closed. */
  function shutdown(): Promise<void> {
    const ending = core;
    ending.kernel.run(() => {
      ending.bus.fire('SHUTDOWN', () => [['Event-Info', 'System Shutting Down']]);
      // The newest first, as FreeSWITCH walks its table (17).
      for (const leg of [...ending.legs.values()].toReversed())
        hangUp(ending, leg, 'SYSTEM_SHUTDOWN', 'shutdown');
    });
    return new Promise((resolve) => {
      ending.kernel.after(SHUTDOWN_MS, () => {
        for (const session of inbound.keys()) session.disconnect(SHUTDOWN_NOTICE);
        ending.kernel.stop();
        for (const socket of ending.sockets) socket.end();
        void stopListening().then(resolve);
      });
    });
  }

  async function crash(): Promise<void> {
    ledger.crashed(core.legs.values());
    core.kernel.stop();
    core.legs.clear();
    for (const session of inbound.keys()) session.destroy();
    for (const socket of core.sockets) socket.destroy();
    await stopListening();
  }

  await listen();

  return {
    faults,
    password,
    get port() {
      return port;
    },
    get coreUuid() {
      return core.coreUuid;
    },
    get core() {
      return core;
    },
    dialplan(plan: Dialplan): void {
      dialplan = plan;
    },
    endpoint(pattern: AddressPattern, farEnd: FarEnd | ((address: string) => FarEnd)): void {
      farEnds.push({ pattern, farEnd });
    },
    placeCall(request: CallRequest): SimulatedCall {
      const placing = core;
      return placing.kernel.run(() => startInboundCall(placing, request));
    },
    /** The far end (or caller) of any leg hangs up. */
    hangup(uuid: string, cause = 'NORMAL_CLEARING'): void {
      const leg = core.legs.get(uuid);
      if (leg === undefined) return;
      core.kernel.run(() => hangUp(core, leg, cause, leg.direction === 'inbound' ? 'caller' : 'far-end'));
    },
    /** An api command as if from the console; what it answers is not waited for. */
    runApi(text: string): void {
      core.kernel.run(() => core.kernel.spawn(forgetting(core.runApi(text))));
    },
    legs: (): readonly LegTruth[] => ledger.legs(),
    leg: (uuid: string): LegTruth | undefined => ledger.leg(uuid),
    /** Legs that are not destroyed yet. */
    get liveCount(): number {
      return core.legs.size;
    },
    commands: (): readonly ReceivedCommand[] => ledger.commands(),
    forgetEnded: (): void => ledger.forgetEnded(),
    /** Connections of controllers that are open now. */
    get connectionCount(): number {
      return inbound.size;
    },
    /** HANGUP and HANGUP_COMPLETE of a leg that nobody ever saw: what a SIP scanner leaves behind. */
    fireOrphanHangup(cause = 'WRONG_CALL_STATE'): string {
      return core.kernel.run(() => {
        const leg = core.orphan();
        leg.cause = cause;
        leg.stamps.hungUp = core.nowMicros();
        fireLeg(core, leg, 'CHANNEL_HANGUP');
        setDurations(leg);
        fireHangupComplete(core, leg);
        fireLeg(core, leg, 'CHANNEL_DESTROY');
        return leg.uuid;
      });
    },
    /** A notice to every controller, then the end of its connection (`killed listener because of lost events`). */
    disconnectAll(notice?: string): void {
      for (const session of inbound.keys()) session.disconnect(notice);
    },
    /** Cuts every connection without a word. */
    cutAll(how: 'reset' | 'finish' = 'reset'): void {
      for (const connection of inbound.values()) connection.cut(how);
    },
    /** Nobody listens on the port any more; connections that stand go on. */
    refuseConnections: (): void => void stopListening(),
    /** Listens again, on the same port. */
    acceptConnections: listen,
    shutdown,
    crash,
    /** Starts anew on the same port with another Core-UUID, after `crash` or `shutdown`. */
    async restart(): Promise<void> {
      if (!core.kernel.isStopped) await crash();
      core = startCore();
      await listen();
    },
    close: crash,
  };
}

function* forgetting(script: Script<string>): Script {
  yield* script;
}

function matches(pattern: AddressPattern, address: string): boolean {
  if (typeof pattern !== 'string') return pattern.test(address);
  return pattern === address || pattern === (address.split('/').at(-1) ?? '').replace(/@.*$/, '');
}
