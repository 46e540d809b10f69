import { connect, type Socket } from 'node:net';

/** One message as it came off the wire, its header block read but nothing decoded. */
export type WireMessage = {
  readonly headers: ReadonlyMap<string, string>;
  readonly names: readonly string[];
  readonly body: Buffer;
  readonly raw: Buffer;
};

/** Splits what a FreeSWITCH (real or simulated) sent into its messages; `rest` is an unfinished one. */
export function readMessages(bytes: Buffer): { readonly messages: WireMessage[]; readonly rest: Buffer } {
  const messages: WireMessage[] = [];
  let at = 0;
  for (;;) {
    const end = bytes.indexOf('\n\n', at);
    if (end === -1) break;
    const lines = bytes.toString('latin1', at, end).split('\n');
    const pairs = lines.map((line): [string, string] => [
      line.split(': ')[0] ?? '',
      line.slice(line.indexOf(': ') + 2),
    ]);
    const headers = new Map(pairs);
    const length = Number(headers.get('Content-Length') ?? 0);
    if (end + 2 + length > bytes.length) break;
    const next = end + 2 + length;
    messages.push({
      headers,
      names: pairs.map(([name]) => name),
      body: bytes.subarray(end + 2, next),
      raw: bytes.subarray(at, next),
    });
    at = next;
  }
  return { messages, rest: bytes.subarray(at) };
}

export type WireEvent = Readonly<Record<string, string>>;

/** The headers of an event message, decoded; undefined for anything else. */
export function eventOf(message: WireMessage): WireEvent | undefined {
  switch (message.headers.get('Content-Type') ?? '') {
    case 'text/event-json': {
      const fields = JSON.parse(message.body.toString('latin1')) as Record<string, string | string[]>;
      return Object.fromEntries(
        Object.entries(fields).map(([name, value]) => [
          name,
          typeof value === 'string' ? value : `ARRAY::${value.join('|:')}`,
        ]),
      );
    }
    case 'text/event-plain': {
      const block = message.body.toString('latin1').split('\n\n')[0] ?? '';
      return decodeBlock(block);
    }
    default:
      return undefined;
  }
}

export function eventsOf(messages: readonly WireMessage[]): readonly WireEvent[] {
  const events = messages.map((message) => eventOf(message));
  return events.filter((event) => event !== undefined);
}

export function decodeBlock(block: string): WireEvent {
  const lines = block.split('\n').filter((line) => line !== '');
  return Object.fromEntries(
    lines.map((line) => [line.split(': ')[0] ?? '', unescape(line.slice(line.indexOf(': ') + 2))]),
  );
}

/** Byte for byte, so that a Latin-1 name does not throw. */
function unescape(value: string): string {
  return value.replaceAll(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
}

const WAIT_MS = 3000;

/** Polls until the condition gives something; a test never waits longer than this. */
export async function until<T>(what: string, probe: () => T | undefined | false): Promise<T> {
  const deadline = performance.now() + WAIT_MS;
  for (;;) {
    const value = probe();
    if (value !== undefined && value !== false) return value;
    if (performance.now() > deadline) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** A client that keeps everything it receives. */
export class EslClient {
  readonly #socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  #all: Buffer[] = [];
  readonly messages: WireMessage[] = [];
  readonly events: WireEvent[] = [];
  readonly replies: WireMessage[] = [];
  isClosed = false;
  hadError = false;
  #repliesAwaited = 0;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (data) => this.#take(data));
    socket.on('close', (hadError) => {
      this.isClosed = true;
      this.hadError = hadError;
    });
    socket.on('error', () => {
      this.hadError = true;
    });
  }

  static dial(port: number): EslClient {
    return new EslClient(connect({ host: '127.0.0.1', port }));
  }

  static async open(port: number): Promise<EslClient> {
    const client = EslClient.dial(port);
    await until('the greeting', () => client.messages.length > 0 || client.isClosed);
    return client;
  }

  static async login(port: number, subscription?: string): Promise<EslClient> {
    const client = await EslClient.open(port);
    await client.ask('auth ClueCon');
    if (subscription !== undefined) await client.ask(subscription);
    return client;
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#all);
  }

  /** Bytes of an unfinished message. */
  get rest(): Buffer {
    return this.#received;
  }

  write(text: string): void {
    this.#socket.write(text);
  }

  /** Sends one command and gives its reply: the text of a `command/reply`, the body of an `api/response`. */
  async ask(command: string): Promise<string> {
    const index = this.#repliesAwaited;
    this.#repliesAwaited += 1;
    this.write(`${command}\n\n`);
    const reply = await until(`the reply to ${command}`, () => this.replies[index]);
    return textOfReply(reply);
  }

  eventsNamed(name: string, uuid?: string): readonly WireEvent[] {
    return this.events.filter(
      (event) => event['Event-Name'] === name && (uuid === undefined || event['Unique-ID'] === uuid),
    );
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(data: Buffer): void {
    this.#all.push(data);
    const { messages, rest } = readMessages(Buffer.concat([this.#received, data]));
    this.#received = rest;
    for (const message of messages) {
      this.messages.push(message);
      const type = message.headers.get('Content-Type');
      if (type === 'command/reply' || type === 'api/response') this.replies.push(message);
      const event = eventOf(message);
      if (event !== undefined) this.events.push(event);
    }
  }
}

export function textOfReply(reply: WireMessage): string {
  const isApi = reply.headers.get('Content-Type') === 'api/response';
  return isApi ? reply.body.toString('latin1') : (reply.headers.get('Reply-Text') ?? '');
}
