import { EventEmitter } from 'node:events';
import { createRequire } from 'node:module';
import { createServer, type Socket } from 'node:net';
import { afterEach } from 'vitest';
import type { EslConnection } from '../../../src/freeswitch/connection.ts';
import { endpointAt, openConnection, type OpenedConnection } from './open-connection.ts';
import { callOut } from './outbound-caller.ts';
import { agreeable, listenAsFreeswitch, type Script, type ScriptedPeer } from './scripted-peer.ts';

type BareConnection = EventEmitter & {
  readonly socket: Socket | null;
  api(name: string, argument: string, done: (event: BareEvent) => void): void;
  execute(application: string, argument: string, uuid: string): void;
  sendRecv(line: string, done: (event: BareEvent) => void): void;
  connected(): boolean;
};
type BareEvent = { getBody(): string; getHeader(name: string): string };
type BareModesl = {
  readonly Connection: new (
    host: string,
    port: number,
    password: string,
    ready: () => void,
  ) => BareConnection;
  readonly Parser: new (socket: EventEmitter) => EventEmitter;
};

const load = createRequire(import.meta.url);
const bare: BareModesl = load('modesl');
export const loadForModesl = createRequire(load.resolve('modesl'));

export const peers: ScriptedPeer[] = [];
const connections: EslConnection[] = [];
const bareConnections: BareConnection[] = [];

afterEach(async () => {
  for (const connection of connections.splice(0)) connection.close();
  for (const connection of bareConnections.splice(0)) connection.socket?.destroy();
  await Promise.all(peers.splice(0).map((peer) => peer.close()));
});

/** A parser of modesl on a socket that is fed by hand. */
export function parsed(): EventEmitter {
  const socket = new EventEmitter();
  new bare.Parser(socket).on('error', () => undefined);
  return socket;
}

export async function openBare(script: Script = agreeable): Promise<BareConnection> {
  const peer = await listenAsFreeswitch(script);
  peers.push(peer);
  return new Promise((resolve) => {
    const connection = new bare.Connection('127.0.0.1', peer.port, 'ClueCon', () => resolve(connection));
    bareConnections.push(connection);
  });
}

export async function open(
  script: Script = agreeable,
  options: Parameters<typeof openConnection>[1] = {},
): Promise<OpenedConnection & { readonly peer: ScriptedPeer }> {
  const peer = await listenAsFreeswitch(script);
  peers.push(peer);
  return { ...track(openConnection(endpointAt(peer.port), options)), peer };
}

export function track(opened: OpenedConnection): OpenedConnection {
  connections.push(opened.connection);
  return opened;
}

/** One outbound connection, accepted by the adapter, of a caller that answers `connect` with the data. */
export async function acceptOne(data: string): Promise<{
  readonly channel: EslConnection['ready'];
  readonly caller: ReturnType<typeof callOut>;
}> {
  const server = createServer({ noDelay: true });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const accepted = new Promise<Socket>((resolve) => {
    server.once('connection', resolve);
  });
  const caller = callOut(port, data);
  const { connection } = track(openConnection(await accepted));
  server.close();
  return { channel: connection.ready, caller };
}
