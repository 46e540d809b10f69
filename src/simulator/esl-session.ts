import type { Connection, Message } from './connection.ts';
import type { Core } from './core.ts';
import type { EventListener } from './event-bus.ts';
import { percentEncode, plainHeaders, toBytes, type SwitchEvent } from './event.ts';
import { Interests } from './interests.ts';
import { connectHeaders } from './leg-headers.ts';
import type { Leg } from './leg.ts';
import type { Script, Thread } from './thread.ts';
import { answerVerb } from './verbs.ts';

/** What a verb comes to. */
export type Reply =
  | { readonly kind: 'command'; readonly text: string; readonly jobUuid?: string }
  | { readonly kind: 'api'; readonly body: string }
  | { readonly kind: 'connect'; readonly leg: Leg }
  /** Answered, then the connection ends. */
  | { readonly kind: 'bye'; readonly text: string };

/** An outbound connection controls one leg; `full` decides whether it may do more than that. */
export type Control = { readonly leg: Leg; readonly isFull: boolean; readonly isAsync: boolean };

const GOODBYE = 'Disconnected, goodbye.\nSee you at ClueCon! http://www.cluecon.com/\n';

/**
 * One client of the event socket, whichever side opened the connection. Commands are answered strictly in
 * order; while one runs, the connection's events wait.
 */
export class EslSession implements EventListener {
  readonly interests = new Interests();
  readonly core: Core;
  readonly control: Control | undefined;
  readonly password: string | undefined;
  isAuthenticated: boolean;
  /** Seconds an outbound connection stays after its leg; -1 without end. */
  lingerSeconds: number | undefined;
  readonly #connection: Connection;
  readonly #commands: Message[] = [];
  readonly #waiting: SwitchEvent[] = [];
  #isBusy = false;
  #thread: Thread | undefined;

  constructor(
    core: Core,
    connection: Connection,
    role: { readonly control: Control } | { readonly password: string },
  ) {
    this.core = core;
    this.control = 'control' in role ? role.control : undefined;
    this.password = 'password' in role ? role.password : undefined;
    this.isAuthenticated = this.control !== undefined;
    this.#connection = connection;
    core.bus.listen(this);
  }

  get isOpen(): boolean {
    return this.#connection.isOpen;
  }

  wants(name: string, subclass: string | undefined): boolean {
    return this.interests.wants(name, subclass);
  }

  accepts(event: SwitchEvent): boolean {
    return this.interests.accepts(event);
  }

  deliver(event: SwitchEvent): void {
    if (this.#isBusy) this.#waiting.push(event);
    else this.#connection.send(event.frame(this.interests.format), 'event');
  }

  take(message: Message): void {
    this.#commands.push(message);
    this.#thread?.wake();
  }

  /** The thread that serves this connection: on an outbound connection without `async`, the leg's own. */
  *serve(isDone: () => boolean = () => !this.isOpen): Script {
    this.#thread = this.core.kernel.current;
    while (!isDone()) {
      const message = this.#commands.shift();
      if (message === undefined) yield { forMs: undefined };
      else yield* this.#obey(message);
    }
  }

  closed(): void {
    this.core.bus.forget(this);
    this.#thread?.wake();
  }

  sendNotice(text: string, lines: readonly string[] = []): void {
    const head = [
      'Content-Type: text/disconnect-notice',
      ...lines,
      `Content-Length: ${Buffer.byteLength(text)}`,
    ];
    this.#connection.send(Buffer.from(`${head.join('\n')}\n\n${text}`), 'notice');
  }

  /** The farewell and a FIN. */
  disconnect(text: string = GOODBYE): void {
    const { control } = this;
    const lines =
      control === undefined
        ? []
        : [`Controlled-Session-UUID: ${control.leg.uuid}`, 'Content-Disposition: disconnect'];
    this.sendNotice(text, lines);
    this.#connection.finish();
  }

  destroy(): void {
    this.#connection.destroy();
  }

  *#obey(message: Message): Script {
    this.#isBusy = true;
    this.core.ledger.received(message.line);
    const reply = yield* answerVerb(this, message);
    const fate = this.core.faults.fateOfReply(message.line);
    if (typeof fate === 'object' && 'delayMs' in fate) yield { forMs: fate.delayMs };
    if (typeof fate === 'object' && 'instead' in fate) this.#connection.send(fate.instead, 'reply');
    else if (fate !== 'lose') this.#connection.send(this.#bytesOf(reply), 'reply');
    this.#isBusy = false;
    for (const event of this.#waiting.splice(0)) this.deliver(event);
    if (reply.kind === 'bye') this.disconnect();
  }

  #bytesOf(reply: Reply): Buffer {
    switch (reply.kind) {
      case 'command':
      case 'bye': {
        const job =
          reply.kind === 'command' && reply.jobUuid !== undefined ? `\nJob-UUID: ${reply.jobUuid}` : '';
        return toBytes(`Content-Type: command/reply\nReply-Text: ${reply.text}${job}\n\n`);
      }
      case 'api': {
        const body = toBytes(reply.body);
        return Buffer.concat([
          Buffer.from(`Content-Type: api/response\nContent-Length: ${body.length}\n\n`),
          body,
        ]);
      }
      case 'connect':
        return Buffer.from(this.#connectReply(reply.leg));
    }
  }

  /** One block of headers with no length, its content type near the end and its text encoded (12a). */
  #connectReply(leg: Leg): string {
    const headers = [...this.core.bus.base('CHANNEL_DATA'), ...connectHeaders(leg)];
    const mode = this.control?.isAsync === true ? 'async' : 'static';
    const control = this.control?.isFull === true ? 'full' : 'single-channel';
    const reply = `Content-Type: command/reply\nReply-Text: ${percentEncode('+OK\n')}\n`;
    return `${plainHeaders(headers)}${reply}Socket-Mode: ${mode}\nControl: ${control}\n\n`;
  }
}
