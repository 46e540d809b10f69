import type { Timing } from './timing.ts';

export type EslReply = {
  readonly kind: 'command' | 'api';
  readonly text: string;
  readonly headers: ReadonlyMap<string, string>;
};

type Waiting = {
  readonly kind: EslReply['kind'];
  readonly dueAt: number;
  resolve(reply: EslReply): void;
  reject(error: Error): void;
};

/**
 * The replies a connection still owes, in the order of their commands. Either kind of reply settles an `api`,
 * since FreeSWITCH answers one that it refuses with a `command/reply`; no other command is answered by a body.
 */
export class PendingReplies {
  readonly #timing: Timing;
  readonly #replyTimeoutMs: number | undefined;
  readonly #onTimeout: () => void;
  readonly #waiting: Waiting[] = [];
  #cancelTimer: (() => void) | undefined;

  constructor(
    options: { readonly timing: Timing; readonly replyTimeoutMs: number | undefined },
    onTimeout: () => void,
  ) {
    this.#timing = options.timing;
    this.#replyTimeoutMs = options.replyTimeoutMs;
    this.#onTimeout = onTimeout;
  }

  get count(): number {
    return this.#waiting.length;
  }

  expect(kind: EslReply['kind']): Promise<EslReply> {
    const reply = Promise.withResolvers<EslReply>();
    const { resolve, reject } = reply;
    this.#waiting.push({ kind, dueAt: this.#timing.now() + (this.#replyTimeoutMs ?? 0), resolve, reject });
    if (this.#waiting.length === 1) this.#watchOldest();
    return reply.promise;
  }

  /** False when no such reply was due: the two sides have lost count. */
  settle(reply: EslReply): boolean {
    const oldest = this.#waiting[0];
    if (oldest === undefined || (reply.kind === 'api' && oldest.kind === 'command')) return false;
    this.#waiting.shift();
    this.#watchOldest();
    oldest.resolve(reply);
    return true;
  }

  rejectAll(error: Error): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    for (const waiting of this.#waiting.splice(0)) waiting.reject(error);
  }

  /** One timer, on the oldest: the others are never due earlier. */
  #watchOldest(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    const oldest = this.#waiting[0];
    if (oldest === undefined || this.#replyTimeoutMs === undefined) return;
    // A clock that steps must not stretch the wait.
    const leftMs = Math.min(Math.max(oldest.dueAt - this.#timing.now(), 0), this.#replyTimeoutMs);
    this.#cancelTimer = this.#timing.after(leftMs, this.#onTimeout);
  }
}
