import { createConnection, type Socket } from 'node:net';
import { Connection } from './connection.ts';
import type { Core } from './core.ts';
import { EslSession } from './esl-session.ts';
import type { Leg } from './leg.ts';
import { park } from './session.ts';
import { waitUntil, type Script } from './thread.ts';

const DEFAULT_PORT = 8084;
const HOSTS_MAX = 50;

/** `host[:port][|host2[:port2]…] [async] [full]` */
type SocketTarget = {
  readonly hosts: readonly { readonly host: string; readonly port: number }[];
  readonly isAsync: boolean;
  readonly isFull: boolean;
};

function parseTarget(argument: string): SocketTarget {
  const [list = '', ...flags] = argument.trim().split(/\s+/);
  let port = DEFAULT_PORT;
  const hosts = list.split('|').map((entry) => {
    const [host = '', rest] = entry.replace(/\/.*$/, '').split(':');
    // A host without a port takes over the one before it, as in FreeSWITCH.
    if (rest !== undefined) port = Number.parseInt(rest, 10) || DEFAULT_PORT;
    return { host, port };
  });
  return {
    hosts: hosts.slice(0, HOSTS_MAX),
    isAsync: flags.includes('async'),
    isFull: flags.includes('full'),
  };
}

/**
 * The `socket` application: calls a controller and lets it rule the leg. Returns, and the dialplan goes on,
 * when the controller leaves or none of the hosts can be reached.
 */
export function* connectOutbound(core: Core, leg: Leg, argument: string): Script {
  const target = parseTarget(argument);
  for (const { host, port } of target.hosts) {
    const socket = yield* reach(core, host, port);
    if (socket === undefined) continue;
    leg.variables.set('socket_host', host);
    yield* serveController(core, leg, socket, target);
    return;
  }
}

/** Blocks without a limit of its own, as FreeSWITCH does. */
function* reach(core: Core, host: string, port: number): Script<Socket | undefined> {
  const thread = core.kernel.current;
  const socket = createConnection({ host, port });
  let outcome: 'pending' | 'connected' | 'failed' = 'pending';
  const settle = (result: 'connected' | 'failed') => (): void => {
    if (outcome !== 'pending') return;
    outcome = result;
    core.kernel.run(() => thread?.wake());
  };
  socket.on('connect', settle('connected'));
  socket.on('error', settle('failed'));
  socket.on('close', settle('failed'));
  core.sockets.add(socket);
  socket.on('close', () => core.sockets.delete(socket));
  // The connecting call cannot even be hung up meanwhile: its thread is inside connect().
  yield* waitUntil(core.kernel, () => outcome !== 'pending');
  const isConnected = (): boolean => outcome === 'connected';
  const cut = core.faults.takeCut('outbound-connect');
  if (isConnected() && cut === undefined) return socket;
  if (cut?.how === 'reset') socket.resetAndDestroy();
  else socket.destroy();
  return undefined;
}

function* serveController(core: Core, leg: Leg, socket: Socket, target: SocketTarget): Script {
  const thread = core.kernel.current;
  const connection = new Connection(socket, core.kernel, core.faults, {
    onMessage: (message) => session.take(message),
    onClose: () => {
      session.closed();
      thread?.wake(core.pickupMs);
      for (const watcher of leg.watchers) watcher.wake(core.pickupMs);
    },
  });
  const { isFull, isAsync } = target;
  const session = new EslSession(core, connection, { control: { leg, isFull, isAsync } });
  keepUntilGone(core, leg, session);
  const mine = leg.assignment;
  const isDone = (): boolean => !session.isOpen || !leg.isUp || leg.assignment !== mine;
  if (isAsync) {
    core.kernel.spawn(session.serve());
    yield* park(core, leg, () => !session.isOpen);
  } else {
    yield* session.serve(isDone);
    // Its thread is free again, so a connection that lingers is served by a thread of its own.
    if (session.isOpen) core.kernel.spawn(session.serve());
  }
  if (leg.isUp && session.isOpen) session.disconnect();
}

/** What becomes of the connection when the leg goes: closed at once, or kept for the last events (12b, 12a). */
function keepUntilGone(core: Core, leg: Leg, session: EslSession): void {
  leg.onGoingDown = (): void => {
    if (!session.isOpen) return;
    const seconds = session.lingerSeconds;
    if (seconds === undefined) {
      session.disconnect();
      return;
    }
    session.sendNotice('', [
      `Controlled-Session-UUID: ${leg.uuid}`,
      'Content-Disposition: linger',
      `Channel-Name: ${leg.name}`,
      `Linger-Time: ${seconds}`,
    ]);
    if (seconds >= 0) core.kernel.after(seconds * 1000, () => session.isOpen && session.disconnect());
  };
  leg.isLingering = (): boolean => session.isOpen && session.lingerSeconds !== undefined;
}
