declare module 'modesl' {
  import type { Socket } from 'node:net';

  /** The little of modesl that is used: opening the socket, the handshake trigger and `send`. */
  class Connection {
    constructor(host: string, port: number, password: string);
    constructor(accepted: Socket);
    /** What modesl subscribes to by itself; emptied, because it would be the whole switch's traffic. */
    reqEvents: readonly string[];
    /** Null after FreeSWITCH has ended its side, so it is read once, at the beginning. */
    readonly socket: Socket;
    on(event: 'error' | 'esl::connect', listener: (error: unknown) => void): this;
    send(command: string, headers?: Readonly<Record<string, string>>): void;
  }

  const modesl: { readonly Connection: typeof Connection };
  export = modesl;
}
