import type { Socket } from 'node:net';
import type { Cut, Faults } from './faults.ts';
import { fromBytes } from './event.ts';
import type { Kernel } from './thread.ts';

/** One command as it came: its line, the headers under it, and a body if it announced one. */
export type Message = {
  readonly line: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
};

export type Outgoing = 'auth-request' | 'reply' | 'event' | 'notice';

/** One TCP connection with all that may go wrong on it. Knows the framing and nothing of the commands. */
export class Connection {
  readonly #socket: Socket;
  readonly #kernel: Kernel;
  readonly #faults: Faults;
  readonly #onMessage: (message: Message) => void;
  readonly #onClose: () => void;
  #received: Buffer = Buffer.alloc(0);
  #isOpen = true;
  #isCorked = false;
  readonly #pieces: Buffer[] = [];
  #isSendingPieces = false;

  constructor(
    socket: Socket,
    kernel: Kernel,
    faults: Faults,
    handlers: { readonly onMessage: (message: Message) => void; readonly onClose: () => void },
  ) {
    this.#socket = socket;
    this.#kernel = kernel;
    this.#faults = faults;
    this.#onMessage = handlers.onMessage;
    this.#onClose = handlers.onClose;
    socket.setNoDelay(true);
    socket.on('data', (data) => kernel.run(() => this.#receive(data)));
    // The other side may vanish at any time; 'close' follows and is what counts.
    socket.on('error', () => undefined);
    socket.on('close', () => kernel.run(() => this.#closed()));
    socket.on('end', () => kernel.run(() => this.#closed()));
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  send(bytes: Buffer, what: Outgoing): void {
    if (!this.#isOpen || this.#faults.isSilent) return;
    const cut = this.#faults.takeCut(what);
    const mangled = this.#faults.mangle?.(bytes, what) ?? bytes;
    if (cut === undefined) this.#write(mangled);
    else {
      const kept = lengthBefore(cut, mangled);
      if (kept > 0) this.#write(mangled.subarray(0, kept));
      this.cut(cut.how);
    }
  }

  cut(how: Cut['how']): void {
    const socket = this.#socket;
    // What was written before the cut still goes out.
    if (how === 'reset') socket.write(Buffer.alloc(0), () => socket.resetAndDestroy());
    else socket.end();
    this.#closed();
  }

  /** Sends what is written, then FIN. */
  finish(): void {
    if (!this.#isOpen) return;
    if (this.#pieces.length > 0) this.#pieces.push(Buffer.alloc(0));
    else this.#socket.end();
    this.#closed();
  }

  /** As the host dying does: the peer sees a reset or a FIN, whatever was unsent is lost. */
  destroy(): void {
    this.#socket.destroy();
    this.#closed();
  }

  #write(bytes: Buffer): void {
    const { chunkBytes } = this.#faults;
    if (chunkBytes !== undefined || this.#isSendingPieces) {
      const size = chunkBytes ?? bytes.length;
      for (let at = 0; at < bytes.length; at += size) this.#pieces.push(bytes.subarray(at, at + size));
      if (!this.#isSendingPieces) this.#sendPiece();
      return;
    }
    // All that one step of the switch writes leaves in one segment, as far as it fits.
    if (!this.#isCorked) {
      this.#isCorked = true;
      this.#socket.cork();
      process.nextTick(() => {
        this.#isCorked = false;
        this.#socket.uncork();
      });
    }
    this.#socket.write(bytes);
  }

  /** One piece at a time, each a segment of its own; an empty one stands for the FIN. */
  #sendPiece(): void {
    const piece = this.#pieces.shift();
    this.#isSendingPieces = piece !== undefined;
    if (piece === undefined || this.#socket.destroyed) return;
    if (piece.length === 0) {
      this.#socket.end();
      return;
    }
    this.#socket.write(piece, () => {
      const everyMs = this.#faults.chunkEveryMs;
      if (everyMs === undefined) setImmediate(() => this.#sendPiece());
      else this.#kernel.after(everyMs, () => this.#sendPiece());
    });
  }

  #receive(data: Buffer): void {
    // Carriage returns are skipped wherever they stand, so CRLF peers are understood (01d).
    const clean = data.includes(13) ? Buffer.from(data.filter((byte) => byte !== 13)) : data;
    this.#received = this.#received.length === 0 ? clean : Buffer.concat([this.#received, clean]);
    for (;;) {
      const end = this.#received.indexOf('\n\n');
      if (end === -1) return;
      const message = parseMessage(fromBytes(this.#received.subarray(0, end)));
      const bodyBytes = Number.parseInt(message.headers.get('content-length') ?? '0', 10) || 0;
      if (this.#received.length < end + 2 + bodyBytes) return;
      const body = fromBytes(this.#received.subarray(end + 2, end + 2 + bodyBytes));
      this.#received = this.#received.subarray(end + 2 + bodyBytes);
      this.#onMessage({ ...message, body });
      if (!this.#isOpen) return;
    }
  }

  #closed(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#onClose();
  }
}

function parseMessage(text: string): {
  readonly line: string;
  readonly headers: ReadonlyMap<string, string>;
} {
  const [line = '', ...rest] = text.replace(/^\n+/, '').split('\n');
  const headers = new Map<string, string>();
  for (const header of rest) {
    const colon = header.indexOf(':');
    if (colon !== -1) headers.set(header.slice(0, colon).toLowerCase(), header.slice(colon + 1).trim());
  }
  return { line, headers };
}

/** How much of a message still leaves before the cut. */
function lengthBefore(cut: Cut, bytes: Buffer): number {
  const headEnd = bytes.indexOf('\n\n') + 2;
  switch (cut.where) {
    case 'before':
      return 0;
    case 'header':
      return Math.min(10, bytes.length - 1);
    case 'body':
      return headEnd >= bytes.length ? bytes.length - 1 : headEnd + Math.ceil((bytes.length - headEnd) / 2);
    case 'after':
      return bytes.length;
  }
}
