import type { Timers } from '../../src/state/timers.ts';
import { toEpochMs, type EpochMs } from '../../src/units/time.ts';

type Timer = { at: number; readonly callback: () => void; readonly everyMs: number | undefined };

/** A clock that stands until somebody moves it, and the timers that are set by it. */
export type VirtualTime = Timers & {
  now(): EpochMs;
  /** When the next timer is due. */
  nextAt(): number;
  moveTo(at: number): void;
  /** Calls back everything that is due by now, the first first. */
  fire(): void;
};

export function createVirtualTime(start: number): VirtualTime {
  const timers = new Set<Timer>();
  let now = start;
  const add = (at: number, callback: () => void, everyMs?: number): (() => void) => {
    const timer = { at, callback, everyMs };
    timers.add(timer);
    return () => void timers.delete(timer);
  };
  const first = (): Timer | undefined => {
    let least: Timer | undefined;
    for (const timer of timers) if (least === undefined || timer.at < least.at) least = timer;
    return least;
  };
  return {
    now: () => toEpochMs(now),
    after: (delayMs, callback) => add(now + Math.ceil(delayMs), callback),
    every: (intervalMs, callback) => add(now + intervalMs, callback, intervalMs),
    nextAt: () => first()?.at ?? Infinity,
    moveTo(at) {
      now = Math.max(now, at);
    },
    fire() {
      for (let due = first(); due !== undefined && due.at <= now; due = first()) {
        if (due.everyMs === undefined) timers.delete(due);
        else due.at += due.everyMs;
        due.callback();
      }
    },
  };
}
