import type { TakeRefusal } from '../admission/live-store.ts';
import { COUNTERS, holderName, type Counter, type Holder, type HolderTakes } from '../admission/plan.ts';
import type { EpochMs } from '../units/time.ts';
import type { HolderCount } from './replayed-call.ts';

/** `callsPerSecond` is of any sliding second (ruling 21). */
const SECOND_MS = 1000;

type Use = Record<Counter, number>;

/** Who has how many calls up, and how many were admitted in the last second. */
export type Counts = {
  /** The first bound that has no room for a call more; undefined: all have. */
  refusalOf(takes: readonly HolderTakes[], at: EpochMs): TakeRefusal | undefined;
  /** Counts the call, and its admission. */
  add(takes: readonly HolderTakes[], at: EpochMs): void;
  remove(takes: readonly HolderTakes[]): void;
  useOf(holder: Holder): Readonly<Use>;
  /** Of what these count. */
  inUse(takes: readonly HolderTakes[]): readonly HolderCount[];
};

export function createCounts(): Counts {
  // Who has no call up is not kept.
  const uses = new Map<string, Use>();
  const ticks = new Map<string, readonly EpochMs[]>();
  const useOf = (holder: Holder): Readonly<Use> => uses.get(holderName(holder)) ?? NOTHING;
  const recent = (holder: Holder, at: EpochMs): readonly EpochMs[] =>
    (ticks.get(holderName(holder)) ?? []).filter((each) => each > at - SECOND_MS);

  return {
    refusalOf(takes, at) {
      for (const { holder, counts, perSecond } of takes) {
        const use = useOf(holder);
        for (const { counter, bound } of counts) {
          const inUse = use[counter];
          if (bound !== undefined && inUse >= bound) return { kind: 'count', holder, counter, bound, inUse };
        }
        if (typeof perSecond !== 'number') continue;
        const inUse = recent(holder, at).length;
        if (inUse >= perSecond) return { kind: 'rate', holder, bound: perSecond, inUse };
      }
      return undefined;
    },
    add(takes, at) {
      for (const { holder, counts, perSecond } of takes) {
        const use = { ...useOf(holder) };
        for (const { counter } of counts) use[counter] += 1;
        uses.set(holderName(holder), use);
        if (typeof perSecond === 'number') ticks.set(holderName(holder), [...recent(holder, at), at]);
      }
    },
    remove(takes) {
      for (const { holder, counts } of takes) {
        const use = { ...useOf(holder) };
        for (const { counter } of counts) use[counter] -= 1;
        if (COUNTERS.every((counter) => use[counter] === 0)) uses.delete(holderName(holder));
        else uses.set(holderName(holder), use);
      }
    },
    useOf,
    inUse: (takes) =>
      takes.map(({ holder, counts }) => {
        const use = useOf(holder);
        return { holder, counts: Object.fromEntries(counts.map(({ counter }) => [counter, use[counter]])) };
      }),
  };
}

const NOTHING: Use = {
  calls: 0,
  resourceConsumingCalls: 0,
  inboundCalls: 0,
  outboundCalls: 0,
  publicCalls: 0,
  internalCalls: 0,
};
