import { readFileSync, readdirSync } from 'node:fs';
import { decodeBlock, eventsOf, readMessages, type WireEvent, type WireMessage } from './esl-client.ts';

const FOLDER = new URL('../fixtures/transcripts/', import.meta.url);

/** A recording of a real FreeSWITCH 1.10.12, by the number its files begin with. */
export type Recording = {
  readonly messages: readonly WireMessage[];
  readonly events: readonly WireEvent[];
  /** What the client sent, whole and one command each. */
  readonly sent: string;
  readonly commands: readonly string[];
  /** One line of `.events.tsv` for each event, as counted when it was recorded. */
  readonly eventCount: number;
};

export function readRecording(number: string): Recording {
  const names = readdirSync(FOLDER).filter((name) => name.startsWith(`${number}-`));
  const read = (ending: string): Buffer => {
    const name = names.find((candidate) => candidate.endsWith(ending));
    if (name === undefined) throw new Error(`no recording ${number} with ${ending}`);
    return readFileSync(new URL(name, FOLDER));
  };
  const { messages } = readMessages(read('.recv.bin'));
  const lines = read('.events.tsv').toString().split('\n');
  return {
    messages,
    events: eventsOf(messages),
    sent: read('.sent.bin').toString('latin1'),
    commands: splitCommands(read('.sent.bin').toString()),
    eventCount: lines.filter((line) => line !== '').length - 1,
  };
}

function splitCommands(text: string): string[] {
  return text.split('\n\n').filter((command) => command !== '');
}

/** The channel data of an outbound `connect`: a header block of its own kind. */
export function connectBlockOf(messages: readonly WireMessage[]): WireEvent | undefined {
  const message = messages.find(({ names }) => names[0] === 'Event-Name');
  return message === undefined ? undefined : decodeBlock(message.raw.toString('latin1').trimEnd());
}
