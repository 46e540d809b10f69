import type { PriceTerms } from '../rating/price.ts';
import { rootOf, type AccountPath, type LegKey, type RouteName } from '../units/ids.ts';

/** Where a take lives: one Redis Cluster slot per tenant root, and one per route (ruling 5). */
export type Slot =
  | { readonly kind: 'root'; readonly root: AccountPath }
  | { readonly kind: 'route'; readonly route: RouteName };

/** Who carries a limit. `number`: one called number of an account (`perNumber`). */
export type Holder =
  | { readonly kind: 'account'; readonly path: AccountPath }
  | { readonly kind: 'number'; readonly path: AccountPath; readonly number: string }
  | { readonly kind: 'route'; readonly route: RouteName };

/** The counters of a holder, in the order in which they are stored and checked. */
export const COUNTERS = [
  'calls',
  'resourceConsumingCalls',
  'inboundCalls',
  'outboundCalls',
  'publicCalls',
  'internalCalls',
] as const;
export type Counter = (typeof COUNTERS)[number];

/** One counter that the leg adds one to; no bound: counted and shown, never refused. */
export type CountTake = { readonly counter: Counter; readonly bound: number | undefined };

/** All that a leg takes of one holder. `perSecond`: at most so many admissions in any sliding second (ruling 21). */
export type HolderTakes = {
  readonly holder: Holder;
  readonly counts: readonly CountTake[];
  readonly perSecond: number | undefined;
};

/** Surcharge and first pulse of one payer, held on its wallet until the answer. */
export type HoldTake = { readonly wallet: AccountPath; readonly terms: PriceTerms };

/** What a leg is admitted with in one slot: one script takes all of it or none of it. */
export type SlotPlan = {
  readonly slot: Slot;
  readonly legKey: LegKey;
  readonly takes: readonly HolderTakes[];
  readonly holds: readonly HoldTake[];
};

/** A whole plan, slot by slot in the order of ruling 19. The first slot is home: it keeps the leg's record. */
export type Plan = { readonly home: SlotPlan; readonly others: readonly SlotPlan[] };

export function slotName(slot: Slot): string {
  return slot.kind === 'root' ? slot.root : `route:${slot.route}`;
}

export function holderName(holder: Holder): string {
  switch (holder.kind) {
    case 'account':
      return holder.path;
    case 'number':
      return `${holder.path}#${holder.number}`;
    case 'route':
      return `route ${holder.route}`;
  }
}

/** The slot in which it is counted. */
export function slotOf(holder: Holder): Slot {
  return holder.kind === 'route'
    ? { kind: 'route', route: holder.route }
    : { kind: 'root', root: rootOf(holder.path) };
}
