import type { Bound } from '../accounts/limits.ts';
import type { TrunkUse } from '../accounts/trunks.ts';
import type { AccountPath } from '../units/ids.ts';
import { holderName, type Counter, type HolderUse, type Plan, type SlotPlan } from './plan.ts';

/** Use before the leg, and the bound where there is one. */
export type UseOfBound = readonly [before: number] | readonly [before: number, bound: number];

/** One account, route or called number of a plan: what it had in use, by the names of the limits. */
export type LevelUse = {
  readonly holder: string;
  readonly uses: Readonly<Partial<Record<Counter | 'callsPerSecond', UseOfBound>>>;
};

/** Of every level of a plan that was looked at, what the leg was to add one to. */
export function levelUses({ home, others }: Plan, seen: readonly HolderUse[]): readonly LevelUse[] {
  const byHolder = new Map(seen.map((use) => [holderName(use.holder), use]));
  return [home, ...others].flatMap((slot) => levelsOf(slot, byHolder));
}

type Seen = ReadonlyMap<string, HolderUse>;

function levelsOf({ takes }: SlotPlan, seen: Seen): readonly LevelUse[] {
  return takes.flatMap(({ holder, counts, perSecond }): readonly LevelUse[] => {
    const use = seen.get(holderName(holder));
    if (use === undefined) return [];
    const counted = counts.map(({ counter, bound }) => [counter, useOf(use.before[counter], bound)] as const);
    const uses = Object.fromEntries(counted);
    if (typeof perSecond !== 'number' || use.recent === undefined)
      return [{ holder: holderName(holder), uses }];
    return [{ holder: holderName(holder), uses: { ...uses, callsPerSecond: useOf(use.recent, perSecond) } }];
  });
}

/** The trunks of an account that was to pay by one: calls on them before, how many it rents, and whether one was free. */
export type TrunksSeen = {
  readonly account: AccountPath;
  readonly inUse: TrunkUse;
  readonly rented: Readonly<Record<'inbound' | 'outbound' | 'shared', Bound>>;
  readonly taken: boolean;
};

/** Of the payers that were asked for a trunk, in their order. `chosen`: of each payer of several ways the one taken. */
export function trunksSeen(
  { firstOf }: SlotPlan,
  chosen: readonly number[],
  seen: readonly HolderUse[],
): readonly TrunksSeen[] {
  return firstOf.flatMap(({ options, isDryRun }, payer): readonly TrunksSeen[] => {
    if (isDryRun === true) return [];
    const asked = options.slice(0, (chosen[payer] ?? 0) + 1).findLast(({ take }) => take?.kind === 'trunk');
    if (asked?.take?.kind !== 'trunk') return [];
    const { account, inbound, outbound, shared } = asked.take.trunk;
    const use = seen.find(({ holder }) => holder.kind === 'trunks' && holder.path === account);
    if (use === undefined) return [];
    const { inboundCalls, outboundCalls } = use.before;
    const rented = { inbound: toBound(inbound), outbound: toBound(outbound), shared: toBound(shared) };
    const taken = options[chosen[payer] ?? 0] === asked;
    return [{ account, inUse: { inbound: inboundCalls, outbound: outboundCalls }, rented, taken }];
  });
}

function useOf(before: number, bound: number | undefined): UseOfBound {
  return bound === undefined ? [before] : [before, bound];
}

function toBound(limit: number | undefined): Bound {
  return limit ?? 'unlimited';
}
