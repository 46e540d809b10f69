import type { Directory } from '../state/directory.ts';
import type { Timers } from '../state/timers.ts';
import type { Log } from '../units/log.ts';

/** A call waits so long for the record to be read; then what is in memory stands. */
const LOOK_MS = 500;

/** Reads what was changed in SQL, or gives up waiting for it. Never rejects. */
export type LookAgain = () => Promise<void>;

/**
 * Whoever has just saved an account may call at once: the announcement of it can come a moment after the call. However
 * many ask meanwhile, the record is read once for all of them.
 */
export function createLookAgain(parts: {
  readonly directory: Pick<Directory, 'refresh'>;
  readonly timers: Timers;
  readonly log: Log;
}): LookAgain {
  const { directory, timers, log } = parts;
  return async () => {
    let giveUp = (): void => undefined;
    const late = new Promise<void>((resolve) => {
      giveUp = timers.after(LOOK_MS, resolve);
    });
    const read = directory.refresh().then(
      () => undefined,
      (err: unknown) => log.warn({ err }, 'an account that is not known cannot be looked for in the record'),
    );
    await Promise.race([read, late]);
    giveUp();
  };
}
