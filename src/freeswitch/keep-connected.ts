import type { Log } from '../units/log.ts';
import type { CloseReason } from './close-reason.ts';
import type { EslConnection } from './connection.ts';
import type { Timing } from './timing.ts';

export type Backoff = { readonly firstMs: number; readonly maxMs: number };

export type KeptConnection = {
  /** The connection in use; undefined while there is none that is set up. */
  current(): EslConnection | undefined;
  /** Resolves when the last connection is closed. Nothing is called after it has been asked for. */
  stop(): Promise<void>;
};

type KeepOptions = {
  readonly backoff: Backoff;
  readonly timing: Timing;
  readonly log: Log;
  open(): EslConnection;
  /** What must be done before the connection counts as up; a rejection closes it. */
  setUp(connection: EslConnection): Promise<void>;
  onLost(reason: CloseReason): void;
};

/** Connects, sets up, waits for the end, waits longer each time, and connects again, for ever. */
export function keepConnected(options: KeepOptions): KeptConnection {
  const { timing, log } = options;
  const stopping = new AbortController();
  let opened: EslConnection | undefined;
  let current: EslConnection | undefined;
  let wake: (() => void) | undefined;

  async function live(): Promise<void> {
    let failures = 0;
    let lastReason: CloseReason | undefined;
    while (!stopping.signal.aborted) {
      opened = options.open();
      if (await setUp(opened)) {
        failures = 0;
        current = opened;
      }
      const reason = await opened.closed;
      current = undefined;
      if (stopping.signal.aborted) return;
      options.onLost(reason);
      const delayMs = backoffDelayMs(options.backoff, failures, timing.random());
      // One line for each kind of trouble, not one for each attempt.
      log[reason === lastReason ? 'debug' : 'warn']({ reason, delayMs, failures }, 'event socket lost');
      lastReason = reason;
      failures += 1;
      await sleep(delayMs);
    }
  }

  async function setUp(connection: EslConnection): Promise<boolean> {
    try {
      await connection.ready;
      // Not longer than the connection lasts: its end is told at once, and the next one is tried.
      await Promise.race([options.setUp(connection), connection.closed]);
      return connection.state === 'ready';
    } catch (err) {
      if (connection.state !== 'closed') {
        log.warn({ err }, 'event socket could not be set up');
        connection.close();
      }
      return false;
    }
  }

  function sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = timing.after(delayMs, resolve);
      wake = () => {
        cancel();
        resolve();
      };
    });
  }

  const life = live();
  return {
    current: () => current,
    stop: () => {
      stopping.abort();
      current = undefined;
      opened?.close();
      wake?.();
      return life;
    },
  };
}

/** Doubles up to the most; half of it is left to chance, so that many controllers do not come back at once. */
export function backoffDelayMs(backoff: Backoff, failures: number, random: number): number {
  const full = Math.min(backoff.maxMs, backoff.firstMs * 2 ** Math.min(failures, 30));
  return Math.round(full / 2 + (full / 2) * random);
}
