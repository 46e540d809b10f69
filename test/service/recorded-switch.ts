import { readdirSync, readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import {
  apiResponse,
  commandReply,
  listenAsFreeswitch,
  type Script,
} from '../freeswitch/support/scripted-peer.ts';
import { eventOf, readMessages, type WireEvent, type WireMessage } from '../simulator/esl-client.ts';
import { eventually } from './stage.ts';

/** What a real FreeSWITCH 1.10.12 sent on an event connection, to be sent again byte for byte. */
export type RecordedStream = {
  readonly coreUuid: string;
  /** The event messages, and the notice of a shutdown; replies belong to the commands of that day. */
  readonly messages: readonly Buffer[];
  /** The same bytes in the pieces in which TCP brought them. */
  readonly pieces: readonly Buffer[];
  readonly legs: readonly RecordedLeg[];
};

/** A leg as the recording's own CHANNEL_HANGUP_COMPLETE sums it up. */
export type RecordedLeg = {
  readonly uuid: string;
  readonly answered: boolean;
  readonly billMicroseconds: number;
  readonly billsec: number;
  readonly cause: string;
};

/** An outbound socket never sees its own channel's DESTROY. */
const ENDS: ReadonlySet<string> = new Set(['CHANNEL_HANGUP_COMPLETE', 'CHANNEL_DESTROY']);
const FOLDER = new URL('../fixtures/transcripts/', import.meta.url);

export function readRecordedStream(number: string): RecordedStream {
  const received = fileOf(number, '.recv.bin');
  const { messages } = readMessages(received);
  const kept = messages.filter((message) => isReplayed(message));
  const events = kept.map((message) => eventOf(message)).filter((event) => event !== undefined);
  return {
    coreUuid: coreUuidOf(events),
    messages: kept.map(({ raw }) => raw),
    pieces: piecesOf(messages, readsOf(number)),
    legs: legsOf(events),
  };
}

/** The channel data with which a recorded outbound socket answered `connect`, byte for byte. */
export function recordedChannelData(number: string): { readonly bytes: Buffer; readonly fields: WireEvent } {
  const { messages } = readMessages(fileOf(number, '.recv.bin'));
  const block = messages.find(({ names }) => names[0] === 'Event-Name');
  if (block === undefined) throw new Error(`recording ${number} has no channel data`);
  return { bytes: block.raw, fields: Object.fromEntries(block.headers) };
}

/** Events of an outbound socket's recording: FreeSWITCH says the same on an event connection. */
export function recordedSocketEvents(number: string): readonly Buffer[] {
  const { messages } = readMessages(fileOf(number, '.recv.bin'));
  return messages.filter((message) => eventOf(message) !== undefined).map(({ raw }) => raw);
}

export type ReplayedSwitch = {
  readonly port: number;
  readonly password: string;
  /** What it was asked on all its connections, in order. */
  readonly commands: readonly string[];
  /** Sends the pieces on the event connection, one segment each; `between` runs after each of them. */
  play(pieces: readonly Buffer[], between?: () => Promise<void>): Promise<void>;
  /** As SIGKILL does it: every connection ends without a word. From then on it is another FreeSWITCH life. */
  dieAndComeBackAs(coreUuid: string): void;
  close(): Promise<void>;
};

/** A FreeSWITCH that answers commands in the right shapes and says nothing of its own. */
export async function replayAs(coreUuid: string): Promise<ReplayedSwitch> {
  const password = 'recorded';
  let core = coreUuid;
  let subscriber: Socket | undefined;
  let tasks = 0;
  const live = new Map<string, WireEvent>();
  const gone = new Set<string>();
  const rest = { bytes: Buffer.alloc(0) };

  const script: Script = (command, socket) => {
    if (command === `auth ${password}`) return commandReply('+OK accepted');
    if (command.startsWith('event json ')) {
      subscriber = socket;
      return commandReply('+OK event listener enabled json');
    }
    if (command === 'api global_getvar core_uuid') return apiResponse(core);
    if (command === 'api show channels as json') return apiResponse(showChannels(live));
    const [, verb = '', argument = ''] = /^api (\S+) (\S+)/.exec(command) ?? [];
    switch (verb) {
      case 'uuid_kill':
      case 'uuid_setvar_multi':
        return apiResponse(live.has(argument) ? '+OK\n' : '-ERR No such channel!\n');
      case 'uuid_dump':
        return apiResponse('-ERR No such channel!\n');
      case 'sched_api':
        return apiResponse(`+OK Added: ${(tasks += 1)}\n`);
      case 'sched_del':
        return apiResponse('+OK Deleted: 1\n');
      default:
        return commandReply('-ERR command not found');
    }
  };
  const peer = await listenAsFreeswitch(script);

  /** Keeps the list of channels in step with what has been told. */
  const follow = (piece: Buffer): void => {
    const { messages, rest: left } = readMessages(Buffer.concat([rest.bytes, piece]));
    rest.bytes = Buffer.from(left);
    for (const message of messages) {
      const event = eventOf(message);
      const uuid = event?.['Unique-ID'];
      if (event === undefined || uuid === undefined) continue;
      if (ENDS.has(event['Event-Name'] ?? '')) gone.add(uuid);
      if (gone.has(uuid)) live.delete(uuid);
      else live.set(uuid, event);
    }
  };

  return {
    port: peer.port,
    password,
    commands: peer.commands,
    async play(pieces, between) {
      const socket = await eventually(
        () => subscriber,
        (found) => found !== undefined && !found.destroyed,
      );
      for (const piece of pieces) {
        follow(piece);
        socket?.write(piece);
        // The reader's turn: pieces that meet in one segment would be one piece.
        await new Promise((resolve) => setImmediate(resolve));
        await between?.();
      }
    },
    dieAndComeBackAs(next) {
      core = next;
      live.clear();
      for (const socket of peer.sockets.splice(0)) socket.destroy();
    },
    close: () => peer.close(),
  };
}

function showChannels(live: ReadonlyMap<string, WireEvent>): string {
  if (live.size === 0) return '{"row_count":0}\n';
  const rows = [...live].map(([uuid, event]) => ({
    uuid,
    direction: event['Call-Direction'],
    created_epoch: `${Math.floor(Number(event['Caller-Channel-Created-Time'] ?? 0) / 1_000_000)}`,
    callstate: event['Answer-State'] === 'answered' ? 'ACTIVE' : 'RINGING',
    dest: event['Caller-Destination-Number'],
    accountcode: '',
  }));
  return JSON.stringify({ row_count: rows.length, rows });
}

function fileOf(number: string, ending: string): Buffer {
  const name = readdirSync(FOLDER).find(
    (candidate) => candidate.startsWith(`${number}-`) && candidate.endsWith(ending),
  );
  if (name === undefined) throw new Error(`no recording ${number} with ${ending}`);
  return readFileSync(new URL(name, FOLDER));
}

function isReplayed(message: WireMessage): boolean {
  if (message.headers.get('Content-Type') === 'text/disconnect-notice') {
    return message.body.toString('latin1').includes('shut down');
  }
  return eventOf(message) !== undefined;
}

/** Lengths of the TCP reads, one line each: when, and how many bytes. */
function readsOf(number: string): readonly number[] {
  const lines = fileOf(number, '.chunks.tsv').toString('latin1').trimEnd().split('\n');
  return lines.map((line) => Number(line.split('\t')[1]));
}

function piecesOf(messages: readonly WireMessage[], reads: readonly number[]): readonly Buffer[] {
  const ends: number[] = [];
  for (const length of reads) ends.push((ends.at(-1) ?? 0) + length);
  const pieces = new Map<number, Buffer[]>();
  let at = 0;
  for (const message of messages) {
    const end = at + message.raw.length;
    if (isReplayed(message)) {
      for (let from = at; from < end;) {
        const read = ends.findIndex((readEnd) => readEnd > from);
        const until = read === -1 ? end : Math.min(end, ends[read] ?? end);
        pieces.set(read, [...(pieces.get(read) ?? []), message.raw.subarray(from - at, until - at)]);
        from = until;
      }
    }
    at = end;
  }
  return [...pieces.values()].map((parts) => Buffer.concat(parts));
}

function coreUuidOf(events: readonly WireEvent[]): string {
  const core = events.map((event) => event['Core-UUID']).find((uuid) => uuid !== undefined);
  if (core === undefined) throw new Error('a recording without events');
  return core;
}

function legsOf(events: readonly WireEvent[]): readonly RecordedLeg[] {
  return events
    .filter((event) => event['Event-Name'] === 'CHANNEL_HANGUP_COMPLETE')
    .map((event) => ({
      uuid: event['Unique-ID'] ?? '',
      answered: event['Caller-Channel-Answered-Time'] !== '0',
      billMicroseconds: Number(event['variable_billusec']),
      billsec: Number(event['variable_billsec']),
      cause: event['Hangup-Cause'] ?? '',
    }));
}
