import { connect, type Socket } from 'node:net';
import { eventually, jsonEvent, readCommands } from './scripted-peer.ts';

export type Mode = 'sync' | 'async' | 'async full';

export type OutboundCaller = {
  readonly socket: Socket;
  readonly commands: string[];
  readonly chunks: string[];
  closed(): boolean;
};

/** What the caller's channel says when it is asked to `connect`, percent-encoded as FreeSWITCH does it. */
export function channelData(mode: Mode, fields: Readonly<Record<string, string>> = {}): string {
  const data: Readonly<Record<string, string>> = {
    'Event-Name': 'CHANNEL_DATA',
    'Core-UUID': 'core-1',
    'Unique-ID': 'leg-1',
    'Call-Direction': 'inbound',
    'Channel-Name': 'sofia/internal/1001%40127.0.0.1',
    'Caller-Destination-Number': '3001',
    'Caller-Context': 'public',
    'Caller-Channel-Answered-Time': '0',
    ...fields,
    'Content-Type': 'command/reply',
    'Reply-Text': '%2BOK%0A',
    'Socket-Mode': mode === 'sync' ? 'static' : 'async',
    Control: mode === 'async full' ? 'full' : 'single-channel',
  };
  return `${Object.entries(data)
    .map(([name, value]) => `${name}: ${value}`)
    .join('\n')}\n\n`;
}

/**
 * FreeSWITCH's end of an outbound socket: answers `connect` with the channel's data and everything else with
 * `+OK`, and closes after `exit`.
 */
export async function callOut(
  port: number,
  data: string | Buffer,
  onCommand?: (command: string, socket: Socket) => void,
): Promise<OutboundCaller> {
  const socket = connect(port, '127.0.0.1');
  const commands: string[] = [];
  const chunks: string[] = [];
  let isClosed = false;
  socket.on('error', () => undefined);
  socket.on('close', () => {
    isClosed = true;
  });
  readCommands(socket, chunks, (command) => {
    commands.push(command);
    onCommand?.(command, socket);
    if (socket.destroyed || socket.writableEnded) return;
    if (command === 'connect') socket.write(data);
    else socket.write('Content-Type: command/reply\nReply-Text: +OK\n\n');
    if (command === 'exit') socket.end();
  });
  await eventually(() => {
    if (socket.connecting) throw new Error('not connected yet');
  });
  return { socket, commands, chunks, closed: () => isClosed };
}

export function executed(application: string): string {
  return jsonEvent({
    'Event-Name': 'CHANNEL_EXECUTE_COMPLETE',
    'Unique-ID': 'leg-1',
    Application: application,
  });
}
