import { createHeap } from '../units/heap.ts';
import type { EpochMs } from '../units/time.ts';

/** What happens at one moment, in this order: what is due is looked at before anything else changes. */
const RANKS = { look: 0, end: 1, answer: 2 } as const;

type Entry = {
  readonly at: EpochMs;
  readonly rank: number;
  readonly serial: number;
  readonly run: (at: EpochMs) => void;
};

/** What is still to happen to the calls that are up, the earliest first; of one moment and kind the one told first. */
export type Agenda = {
  add(kind: keyof typeof RANKS, at: EpochMs, run: (at: EpochMs) => void): void;
  /** Runs all that is due by then, what it adds included. */
  passUntil(until: EpochMs): void;
};

export function createAgenda(): Agenda {
  const heap = createHeap(isBefore);
  let serial = 0;
  return {
    add(kind, at, run) {
      serial += 1;
      heap.push({ at, rank: RANKS[kind], serial, run });
    },
    passUntil(until) {
      for (let first = heap.peek(); first !== undefined && first.at <= until; first = heap.peek()) {
        heap.pop();
        first.run(first.at);
      }
    },
  };
}

function isBefore(one: Entry, other: Entry): boolean {
  if (one.at !== other.at) return one.at < other.at;
  return one.rank === other.rank ? one.serial < other.serial : one.rank < other.rank;
}
