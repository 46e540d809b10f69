import { toEpochMs, type Clock } from '../units/time.ts';

/** Clock, timers and chance, so that a test can hold all three. */
export type Timing = {
  readonly now: Clock;
  /** Runs once after the delay; the answer cancels it. */
  after(delayMs: number, run: () => void): () => void;
  /** From 0 up to but not including 1. */
  random(): number;
};

export const systemTiming: Timing = {
  now: () => toEpochMs(Date.now()),
  after: (delayMs, run) => {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
  random: Math.random,
};

/** Settles as the promise does, or rejects with the error when the time is over first. */
export function within<T>(
  promise: Promise<T>,
  limitMs: number,
  timing: Timing,
  late: () => Error,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = timing.after(limitMs, () => reject(late()));
    promise.then(resolve, reject).finally(cancel);
  });
}
