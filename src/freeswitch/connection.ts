import { randomUUID } from 'node:crypto';
import { Socket } from 'node:net';
import modesl from 'modesl';
import type { Log } from '../units/log.ts';
import { readAtOnce, readInTurns, type ChunkReader } from './chunk-reader.ts';
import { EslBusyError, EslClosedError, type CloseReason } from './close-reason.ts';
import { command, type EslCommand } from './command.ts';
import { Framer, FramingError, type Frame, type FrameLimits } from './framer.ts';
import { PendingReplies, type EslReply } from './pending-replies.ts';
import type { Timing } from './timing.ts';
import { toToken } from './tokens.ts';
import { decodeHeaders, headerOf, readJsonEvent, readPlainEvent, type WireEvent } from './wire-event.ts';

export type EslConnectionOptions = {
  readonly limits: FrameLimits;
  /** How long the connection may take to be ready, the password or the channel's data included. */
  readonly connectTimeoutMs: number;
  /** Undefined where a reply may take as long as the call: `bridge` on a synchronous outbound socket. */
  readonly replyTimeoutMs: number | undefined;
  readonly pendingMax: number;
  readonly timing: Timing;
  readonly log: Log;
  /** Reads a piece of the stream each turn of the event loop: the rest of the process goes before a burst of events. */
  readonly inTurns?: boolean;
  /** Called in order, never re-entered; must not keep the event's body waiting on anything. */
  onEvent(event: WireEvent): void;
};

export type EslEndpoint = { readonly host: string; readonly port: number; readonly password: string };

/** All other errors keep a connection from being made: refused, unreachable, a name that means nothing. */
const ERROR_REASONS: ReadonlyMap<string | undefined, CloseReason> = new Map([
  ['ECONNRESET', 'reset'],
  ['EPIPE', 'reset'],
  ['ECONNABORTED', 'reset'],
  ['ETIMEDOUT', 'timeout'],
]);
const KEEPALIVE_IDLE_MS = 15_000;

/**
 * One TCP connection to one FreeSWITCH: connecting → ready → closed, and never used again after that.
 *
 * modesl opens the socket, triggers the outbound handshake and writes commands. Framing, replies and events are
 * ours, because modesl loses count of replies, throws on a `%E9` and does not tell when a connection dies.
 * FreeSWITCH answers strictly in order, so one queue serves both kinds of reply, and a reply that stays away
 * ends the connection: a queue cannot skip. The socket is never paused, because a FreeSWITCH whose listener
 * does not read ends up blocking its call threads.
 */
export class EslConnection {
  /** The handshake's last answer: on an outbound connection the channel's data. Rejects when closed before. */
  readonly ready: Promise<WireEvent>;
  readonly closed: Promise<CloseReason>;
  readonly #options: EslConnectionOptions;
  readonly #password: string | undefined;
  readonly #modesl: InstanceType<typeof modesl.Connection>;
  readonly #socket: Socket;
  readonly #framer: Framer;
  readonly #replies: PendingReplies;
  readonly #jobs = new Map<string, { resolve(result: string): void; reject(error: Error): void }>();
  readonly #cancelConnectTimeout: () => void;
  readonly #resolveReady: (answer: WireEvent) => void;
  readonly #rejectReady: (error: Error) => void;
  readonly #resolveClosed: (reason: CloseReason) => void;
  readonly #reader: ChunkReader;
  #state: 'connecting' | 'ready' | 'closed' = 'connecting';
  #closeReason: CloseReason | undefined;

  constructor(peer: EslEndpoint | Socket, options: EslConnectionOptions) {
    this.#options = options;
    this.#framer = new Framer(options.limits);
    const reading = options.inTurns === true ? readInTurns : readAtOnce;
    this.#reader = reading((chunk) => this.#read(chunk));
    const ready = Promise.withResolvers<WireEvent>();
    const closed = Promise.withResolvers<CloseReason>();
    [this.ready, this.#resolveReady, this.#rejectReady] = [ready.promise, ready.resolve, ready.reject];
    [this.closed, this.#resolveClosed] = [closed.promise, closed.resolve];
    // Whoever does not wait for `ready` hears of the end through `closed`.
    this.ready.catch(() => undefined);
    this.#replies = new PendingReplies(options, () => this.#end('timeout'));
    this.#cancelConnectTimeout = options.timing.after(options.connectTimeoutMs, () => this.#end('timeout'));

    const inbound = !(peer instanceof Socket);
    this.#password = inbound ? peer.password : undefined;
    if (!inbound) {
      this.#bind(peer);
      peer.cork();
    }
    this.#modesl = inbound
      ? new modesl.Connection(peer.host, peer.port, peer.password)
      : new modesl.Connection(peer);
    this.#modesl.reqEvents = [];
    // modesl repeats the socket's errors, and its emitter throws where nobody listens.
    this.#modesl.on('error', () => undefined);
    this.#socket = this.#modesl.socket;
    if (inbound) {
      this.#bind(this.#socket);
      this.#modesl.on('esl::connect', () => this.#readBytes());
    } else {
      // modesl's constructor has written `connect`.
      void this.#awaitChannelData();
      this.#readBytes();
      peer.uncork();
    }
  }

  get state(): 'connecting' | 'ready' | 'closed' {
    return this.#state;
  }

  get pendingCount(): number {
    return this.#replies.count;
  }

  /** Sends one command; the text is the `Reply-Text` or the body, whichever FreeSWITCH answers with. */
  send(one: EslCommand): Promise<string> {
    return Promise.all(this.sendAll([one])).then(([text = '']) => text);
  }

  /** Sends the commands in one segment. FreeSWITCH carries them out, and answers, in order. */
  sendAll(commands: readonly EslCommand[]): readonly Promise<string>[] {
    if (this.#state !== 'ready') {
      return commands.map(() => Promise.reject(new EslClosedError(this.#closeReason ?? 'local')));
    }
    return this.#write(commands).map((reply) => reply.then(({ text }) => text));
  }

  /** Runs an API command in FreeSWITCH's background. Needs a subscription to BACKGROUND_JOB on this connection. */
  async sendJob(one: EslCommand): Promise<string> {
    const job = randomUUID();
    const result = Promise.withResolvers<string>();
    result.promise.catch(() => undefined);
    this.#jobs.set(job, result);
    const { timing, connectTimeoutMs, replyTimeoutMs = connectTimeoutMs } = this.#options;
    const cancel = timing.after(replyTimeoutMs, () => this.#end('timeout'));
    try {
      const headers = new Map([...one.headers, ['Job-UUID', toToken('uuid', job)] as const]);
      const reply = await this.send({ line: one.line, headers });
      return reply.startsWith('+OK') ? await result.promise : reply;
    } finally {
      cancel();
      this.#jobs.delete(job);
    }
  }

  close(reason: CloseReason = 'local'): void {
    this.#end(reason);
  }

  #bind(socket: Socket): void {
    socket.setNoDelay(true);
    socket.setKeepAlive(true, KEEPALIVE_IDLE_MS);
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.#options.log.debug({ err: error }, 'event socket error');
      this.#reader.finish();
      this.#end(ERROR_REASONS.get(error.code) ?? 'refused');
    });
    socket.on('end', () => {
      this.#reader.finish();
      this.#end('peer-end');
    });
    socket.on('close', () => {
      this.#reader.finish();
      this.#end('reset');
    });
  }

  #readBytes(): void {
    const socket = this.#socket;
    socket.removeAllListeners('data');
    socket.on('data', (chunk: Buffer) => this.#reader.take(chunk));
  }

  #read(chunk: Buffer): void {
    if (this.#state === 'closed') return;
    try {
      this.#framer.push(chunk, (frame) => this.#receive(frame));
    } catch (error) {
      const reason = error instanceof FramingError ? error.reason : 'framing';
      this.#options.log.warn({ err: error, reason }, 'event socket stream is broken');
      this.#end(reason);
    }
  }

  #receive(frame: Frame): void {
    if (this.#state === 'closed') return;
    switch (frame.contentType) {
      case 'command/reply':
      case 'api/response':
        if (!this.#replies.settle(replyOf(frame)))
          throw new FramingError('framing', 'a reply nobody waits for');
        return;
      case 'text/event-json':
        return this.#dispatch(readJsonEvent(frame.body ?? Buffer.alloc(0)));
      case 'text/event-plain':
        return this.#dispatch(readPlainEvent(frame.body ?? Buffer.alloc(0)));
      case 'auth/request':
        return void this.#authenticate();
      case 'text/rude-rejection':
        return this.#end('acl');
      case 'text/disconnect-notice':
        return this.#readNotice(frame);
      default:
        // log/data: never asked for, and nothing of ours.
        return undefined;
    }
  }

  #readNotice(frame: Frame): void {
    // A lingering socket still delivers the channel's last events; the notice that ends it comes later.
    if (frame.headers.get('Content-Disposition') === 'linger') return;
    const text = frame.body?.toString('utf8') ?? '';
    if (text.includes('shut down')) this.#end('shutdown-notice');
    else if (text.includes('lost events')) this.#end('lost-events-notice');
  }

  #dispatch(event: WireEvent): void {
    const job = headerOf(event, 'Job-UUID');
    if (job !== undefined && headerOf(event, 'Event-Name') === 'BACKGROUND_JOB') {
      this.#jobs.get(job)?.resolve(headerOf(event, '_body') ?? '');
      return;
    }
    try {
      this.#options.onEvent(event);
    } catch (error) {
      // A bug behind this edge must not cost the events that follow.
      this.#options.log.error({ err: error }, 'event handler failed');
    }
  }

  async #authenticate(): Promise<void> {
    const greetedBefore = this.#state !== 'connecting' || this.#replies.count > 0;
    if (this.#password === undefined || greetedBefore) return this.#end('framing');
    try {
      const [reply] = this.#write([command('auth', toToken('password', this.#password))]);
      const answer = await reply;
      if (answer === undefined || !answer.text.startsWith('+OK')) return this.#end('auth');
      this.#become(decodeHeaders(answer.headers));
    } catch (error) {
      this.#options.log.debug({ err: error }, 'authentication was cut short');
      this.#end('auth');
    }
  }

  async #awaitChannelData(): Promise<void> {
    try {
      const answer = await this.#replies.expect('command');
      this.#become(decodeHeaders(answer.headers));
    } catch {
      // The connection ended first; `ready` has already been rejected with the reason.
    }
  }

  #become(answer: WireEvent): void {
    if (this.#state !== 'connecting') return;
    this.#state = 'ready';
    this.#cancelConnectTimeout();
    this.#resolveReady(answer);
  }

  #write(commands: readonly EslCommand[]): readonly Promise<EslReply>[] {
    if (this.#replies.count + commands.length > this.#options.pendingMax) {
      return commands.map(() => Promise.reject(new EslBusyError('too many replies are owed')));
    }
    const replies = commands.map(({ line }) =>
      this.#replies.expect(line.startsWith('api ') ? 'api' : 'command'),
    );
    // One write, so one segment: FreeSWITCH delivers no event while it has half a command.
    this.#socket.cork();
    for (const { line, headers } of commands) this.#modesl.send(line, Object.fromEntries(headers));
    this.#socket.uncork();
    return replies;
  }

  #end(reason: CloseReason): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#closeReason = reason;
    this.#cancelConnectTimeout();
    this.#socket.destroy();
    const error = new EslClosedError(reason);
    this.#rejectReady(error);
    this.#replies.rejectAll(error);
    for (const job of this.#jobs.values()) job.reject(error);
    this.#jobs.clear();
    this.#resolveClosed(reason);
  }
}

function replyOf(frame: Frame): EslReply {
  const { contentType, headers, body } = frame;
  const kind = contentType === 'api/response' ? 'api' : 'command';
  return { kind, text: body?.toString('utf8') ?? headers.get('Reply-Text') ?? '', headers };
}
