import { toEpochMs } from '../../../src/units/time.ts';
import type { Timing } from '../../../src/freeswitch/timing.ts';

/** Time that passes when the test says so. */
export type ManualTiming = Timing & {
  advance(ms: number): void;
  /** Delays of the timers that are waiting, soonest first. */
  waiting(): readonly number[];
};

export function createManualTiming(random = 0): ManualTiming {
  let nowMs = 1_795_331_500_000;
  const timers = new Set<{ readonly dueAt: number; run(): void }>();
  return {
    now: () => toEpochMs(nowMs),
    after: (delayMs, run) => {
      const timer = { dueAt: nowMs + delayMs, run };
      timers.add(timer);
      return () => void timers.delete(timer);
    },
    random: () => random,
    advance: (ms) => {
      const end = nowMs + ms;
      for (;;) {
        const next = [...timers].filter(({ dueAt }) => dueAt <= end).toSorted((a, b) => a.dueAt - b.dueAt)[0];
        if (next === undefined) break;
        timers.delete(next);
        nowMs = next.dueAt;
        next.run();
      }
      nowMs = end;
    },
    waiting: () => [...timers].map(({ dueAt }) => dueAt - nowMs).toSorted((a, b) => a - b),
  };
}
