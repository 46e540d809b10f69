import { createRealTime, type TimeSource } from '../../src/simulator/time-source.ts';

/** Real time, but for one moment that can be made to last: all that happens in it is stamped alike. */
export type FreezableTime = TimeSource & {
  /** From then on, for so long, the clock shows that moment; timers go on. */
  freezeAt(epochMs: number, forMs: number): void;
};

/** A simulator needs a second to answer a thousand calls; with this, all of them are answered in the same microsecond. */
export function createFreezableTime(): FreezableTime {
  const real = createRealTime();
  let frozen: { readonly fromMicros: number; readonly untilMicros: number } | undefined;
  return {
    nowMicros() {
      const now = real.nowMicros();
      return frozen !== undefined && now >= frozen.fromMicros && now < frozen.untilMicros
        ? frozen.fromMicros
        : now;
    },
    after: (delayMs, action) => real.after(delayMs, action),
    freezeAt(epochMs, forMs) {
      frozen = { fromMicros: epochMs * 1000, untilMicros: (epochMs + forMs) * 1000 };
    },
  };
}
