import type { Timers } from '../state/timers.ts';

/** Work that calls do not wait for shares the store with those that do. */
const AT_ONCE_MAX = 4;
/** What cannot be done in time is of no use to anybody. */
const WAITING_MAX = 10_000;

/** Does what is asked for a little later, a few things at a time, and never throws at whoever asks. */
export type LaterWork = {
  /** Resolves when it is done, went wrong, or was not taken on. */
  add(task: () => Promise<void>): Promise<void>;
  /** Resolves when nothing is left to do. */
  idle(): Promise<void>;
};

export function createLaterWork(timers: Timers, onError: (error: unknown) => void): LaterWork {
  const waiting: (() => Promise<void>)[] = [];
  const idlers: (() => void)[] = [];
  let atWork = 0;
  let isAwaited = false;

  const done = (): void => {
    atWork -= 1;
    begin();
    if (atWork === 0 && waiting.length === 0) for (const resolve of idlers.splice(0)) resolve();
  };
  const begin = (): void => {
    while (atWork < AT_ONCE_MAX) {
      const task = waiting.shift();
      if (task === undefined) return;
      atWork += 1;
      task().catch(onError).finally(done);
    }
  };

  return {
    add(task) {
      if (waiting.length >= WAITING_MAX) {
        onError(new Error('too much to do'));
        return Promise.resolve();
      }
      const added = new Promise<void>((resolve) => {
        waiting.push(() => task().finally(resolve));
      });
      if (isAwaited) return added;
      isAwaited = true;
      // What was answered goes on its way first.
      timers.after(0, () => {
        isAwaited = false;
        begin();
      });
      return added;
    },
    idle: () =>
      new Promise((resolve) => {
        begin();
        if (atWork === 0) resolve();
        else idlers.push(resolve);
      }),
  };
}
