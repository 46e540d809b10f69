import { setTimeout as pause } from 'node:timers/promises';

export { pause };

const POLL_MS = 20;

/** Waits for what must become true soon; says what did not. */
export async function until<T>(
  what: string,
  read: () => Promise<T> | T,
  isRight: (value: T) => boolean,
  withinMs = 15_000,
): Promise<T> {
  const giveUpAt = performance.now() + withinMs;
  for (;;) {
    const value = await read();
    if (isRight(value)) return value;
    if (performance.now() > giveUpAt) throw new Error(`waited ${withinMs / 1000} s in vain: ${what}`);
    await pause(POLL_MS);
  }
}
