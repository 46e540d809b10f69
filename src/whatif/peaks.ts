import { COUNTERS, holderName, type Counter, type Holder } from '../admission/plan.ts';
import type { HolderCount } from '../replay/replayed-call.ts';
import { createHeap } from '../units/heap.ts';
import type { EpochMs } from '../units/time.ts';

/** A call that is up from a moment on, up to but not including another, and where it is counted; that of no time too. */
export type UseOfCall = {
  readonly from: EpochMs;
  readonly until: EpochMs;
  readonly counted: readonly Counted[];
};

export type Counted = { readonly holder: Holder; readonly counters: readonly Counter[] };

/** The most that was in use at once, and since when for the first time. */
export type Peak = {
  readonly holder: Holder;
  readonly counter: Counter;
  readonly calls: number;
  readonly at: EpochMs;
};

/** The most of what was in use just after calls came, told in any order. */
export type PeakList = {
  add(at: EpochMs, inUse: readonly HolderCount[]): void;
  report(): readonly Peak[];
};

export function createPeakList(): PeakList {
  const peaks = new Map<string, Peak>();
  return {
    add(at, inUse) {
      for (const { holder, counts } of inUse) {
        for (const counter of COUNTERS) {
          const calls = counts[counter] ?? 0;
          const key = `${holderName(holder)} ${counter}`;
          const known = peaks.get(key);
          const isMore = calls > (known?.calls ?? 0) || (calls === known?.calls && at < known.at);
          if (isMore) peaks.set(key, { holder, counter, calls, at });
        }
      }
    },
    report: () => [...peaks.values()],
  };
}

/** Counts calls as they come and go; holds no more of them than are up at once. */
export type PeakMeter = {
  /** In the order of their beginnings. */
  add(use: UseOfCall): void;
  report(): readonly Peak[];
};

type Level = { readonly holder: Holder; readonly counter: Counter; calls: number; peak: number; at: EpochMs };

/** `from`: what was in use before it does not make a peak. */
export function createPeakMeter(from: EpochMs): PeakMeter {
  const levels = new Map<string, Level>();
  const ends = createHeap<{ readonly until: EpochMs; readonly levels: readonly Level[] }>(
    (one, other) => one.until < other.until,
  );
  const levelOf = (holder: Holder, counter: Counter): Level => {
    const key = `${holderName(holder)} ${counter}`;
    const level = levels.get(key) ?? { holder, counter, calls: 0, peak: 0, at: from };
    levels.set(key, level);
    return level;
  };
  const endUntil = (at: EpochMs): void => {
    for (let first = ends.peek(); first !== undefined && first.until <= at; first = ends.peek()) {
      for (const level of first.levels) level.calls -= 1;
      ends.pop();
    }
  };
  /** What is still up when the time begins that is looked at. */
  let isBegun = false;
  const begin = (): void => {
    if (isBegun) return;
    isBegun = true;
    endUntil(from);
    for (const level of levels.values()) level.peak = level.calls;
  };

  return {
    add({ from: at, until, counted }) {
      if (at >= from) begin();
      endUntil(at);
      const own = counted.flatMap(({ holder, counters }) =>
        counters.map((counter) => levelOf(holder, counter)),
      );
      for (const level of own) {
        level.calls += 1;
        if (!isBegun || level.calls <= level.peak) continue;
        level.peak = level.calls;
        level.at = at;
      }
      ends.push({ until, levels: own });
    },
    report() {
      begin();
      return [...levels.values()]
        .filter(({ peak }) => peak > 0)
        .map(({ holder, counter, peak, at }) => ({ holder, counter, calls: peak, at }));
    },
  };
}
