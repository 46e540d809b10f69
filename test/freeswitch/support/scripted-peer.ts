import { createServer, type Socket } from 'node:net';
import { vi } from 'vitest';

export const AUTH_REQUEST = 'Content-Type: auth/request\n\n';
export const GOODBYE = notice('Disconnected, goodbye.\nSee you at ClueCon! http://www.cluecon.com/\n');

/** What the peer does with one command: bytes to send back, or undefined to stay silent. */
export type Script = (command: string, socket: Socket) => string | Buffer | undefined;

export type ScriptedPeer = {
  readonly port: number;
  /** Every command received, in order, without its empty line. */
  readonly commands: string[];
  /** The chunks in which the bytes came. */
  readonly chunks: string[];
  readonly sockets: Socket[];
  close(): Promise<void>;
};

export function commandReply(text: string): string {
  return `Content-Type: command/reply\nReply-Text: ${text}\n\n`;
}

export function apiResponse(body: string): string {
  return `Content-Type: api/response\nContent-Length: ${Buffer.byteLength(body)}\n\n${body}`;
}

export function notice(body: string): string {
  return `Content-Type: text/disconnect-notice\nContent-Length: ${Buffer.byteLength(body)}\n\n${body}`;
}

export function jsonEvent(event: Readonly<Record<string, unknown>>): string {
  const body = JSON.stringify(event);
  return `Content-Length: ${Buffer.byteLength(body)}\nContent-Type: text/event-json\n\n${body}`;
}

/** A FreeSWITCH that lets anybody in and finds every command well. */
export const agreeable: Script = (command) => {
  if (command.startsWith('auth ')) return commandReply('+OK accepted');
  if (command === 'api global_getvar core_uuid') return apiResponse('core-1');
  if (command === 'api show channels as json') return apiResponse('{"row_count": 0}\n');
  if (command.startsWith('api sched_api')) return apiResponse('+OK Added: 7\n');
  if (command.startsWith('api ')) return apiResponse('+OK\n');
  return commandReply('+OK');
};

/** The inbound side of a FreeSWITCH, scripted. An empty greeting is silence. */
export async function listenAsFreeswitch(
  script: Script = agreeable,
  greeting: string = AUTH_REQUEST,
): Promise<ScriptedPeer> {
  const commands: string[] = [];
  const chunks: string[] = [];
  const sockets: Socket[] = [];
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    if (greeting !== '') socket.write(greeting);
    readCommands(socket, chunks, (command) => {
      commands.push(command);
      const answer = script(command, socket);
      if (answer !== undefined && !socket.destroyed) socket.write(answer);
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    commands,
    chunks,
    sockets,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/** Calls back with each command as FreeSWITCH cuts them: at the empty line. */
export function readCommands(socket: Socket, chunks: string[], onCommand: (command: string) => void): void {
  let text = '';
  socket.on('data', (chunk: Buffer) => {
    chunks.push(chunk.toString('latin1'));
    text += chunk.toString('latin1');
    for (let end = text.indexOf('\n\n'); end !== -1; end = text.indexOf('\n\n')) {
      const command = text.slice(0, end);
      text = text.slice(end + 2);
      onCommand(command);
    }
  });
}

/** Waits, for a bounded time, until the check passes. */
export function eventually<T>(check: () => T): Promise<T> {
  return vi.waitFor(check, { timeout: 15_000, interval: 2 });
}
