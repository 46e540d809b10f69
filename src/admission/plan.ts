import type { PriceTerms } from '../rating/price.ts';
import {
  parseAccountPath,
  parseRouteName,
  rootOf,
  type AccountPath,
  type LegKey,
  type PoolId,
  type RouteName,
} from '../units/ids.ts';
import type { Micros } from '../units/money.ts';
import type { FundedPart } from './leg-record.ts';

/** Where a take lives: one Redis Cluster slot per tenant root, and one per route (ruling 5). */
export type Slot =
  | { readonly kind: 'root'; readonly root: AccountPath }
  | { readonly kind: 'route'; readonly route: RouteName };

/**
 * Who carries a limit. `number`: one called number of an account (`perNumber`). `trunks`: an account's flat-rate
 * trunks; its inbound and outbound calls are those that go over them.
 */
export type Holder =
  | { readonly kind: 'account'; readonly path: AccountPath }
  | { readonly kind: 'number'; readonly path: AccountPath; readonly number: string }
  | TrunksHolder
  | { readonly kind: 'route'; readonly route: RouteName };

/** In a dry run those that its calls would be on: no call of an account at work finds one of them taken. */
export type TrunksHolder = { readonly kind: 'trunks'; readonly path: AccountPath; readonly isDryRun?: true };

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

/**
 * All that a leg takes of one holder. `perSecond`: at most so many admissions in any sliding second (ruling 21), or
 * counted and never refused.
 */
export type HolderTakes = {
  readonly holder: Holder;
  readonly counts: readonly CountTake[];
  readonly perSecond: number | 'counted' | undefined;
};

/** What a holder had in use just before a leg asked, and its admissions of the last second where they are counted. */
export type HolderUse = {
  readonly holder: Holder;
  readonly before: Readonly<Record<Counter, number>>;
  readonly recent: number | undefined;
};

/** Surcharge and first pulse of one payer, held on its wallet until the answer; or seconds of an allotment. */
export type HoldTake = {
  readonly wallet: PoolId;
  readonly terms: PriceTerms;
  /** What must be there, where that is more than the first pulse (ruling 22). */
  readonly amount?: Micros;
  /** Counted there, and never refused there: another allotment's group. */
  readonly isForced?: true;
  /** Of a customer's pool: the first call opens it, a later one raises it. */
  readonly opening?: PoolOpening;
};

export type PoolOpening = {
  /** What is to have come in at least. */
  readonly amount: Micros;
  /** Undefined: a pool of seconds, which no books know of. */
  readonly currency: string | undefined;
};

/**
 * A trunk for one call: free while max(0, in − inbound) + max(0, out − outbound) ≤ shared, with this call counted in
 * `counter`. `shared` is the two-way trunks, or those and the burst ones. Undefined: no bound.
 */
export type TrunkTake = {
  readonly account: AccountPath;
  readonly counter: 'inboundCalls' | 'outboundCalls';
  readonly inbound: number | undefined;
  readonly outbound: number | undefined;
  readonly shared: number | undefined;
  readonly isDryRun?: true;
};

/** One way to pay: what it takes (nothing, where it costs nothing), and what the record then says of it. */
export type FundingOption = {
  readonly take:
    /** All of them. */
    | { readonly kind: 'holds'; readonly holds: readonly HoldTake[] }
    | { readonly kind: 'trunk'; readonly trunk: TrunkTake }
    | undefined;
  readonly part: FundedPart | undefined;
};

/** A payer that may pay in several ways: the first that can be taken is. None of them: the leg is refused. */
export type FirstOf = {
  readonly payer: AccountPath;
  readonly options: readonly FundingOption[];
  /** Why it may not pay in other ways, in words. */
  readonly others: readonly string[];
  /** Its account is in a dry run: what it would pay by is counted and told, and it never refuses. */
  readonly isDryRun?: true;
};

/** What a leg is admitted with in one slot: one script takes all of it or none of it. */
export type SlotPlan = {
  readonly slot: Slot;
  readonly legKey: LegKey;
  readonly takes: readonly HolderTakes[];
  readonly holds: readonly HoldTake[];
  /** After all of the above, and in this order. */
  readonly firstOf: readonly FirstOf[];
};

/** A whole plan, slot by slot in the order of ruling 19. The first slot is home: it keeps the leg's record. */
export type Plan = { readonly home: SlotPlan; readonly others: readonly SlotPlan[] };

export function slotName(slot: Slot): string {
  return slot.kind === 'root' ? slot.root : `route:${slot.route}`;
}

const ROUTE_PREFIX = 'route ';

export function holderName(holder: Holder): string {
  switch (holder.kind) {
    case 'account':
      return holder.path;
    case 'number':
      return `${holder.path}#${holder.number}`;
    case 'trunks':
      return `${holder.path}#${holder.isDryRun === true ? 'dry.' : ''}trunks`;
    case 'route':
      return `${ROUTE_PREFIX}${holder.route}`;
  }
}

/** Reads back `holderName`; undefined for a text that is none. */
export function holderNamed(name: string): Holder | undefined {
  if (name.startsWith(ROUTE_PREFIX)) {
    const route = parseRouteName(name.slice(ROUTE_PREFIX.length));
    return route === undefined ? undefined : { kind: 'route', route };
  }
  const [text = '', part] = name.split('#');
  const path = parseAccountPath(text);
  if (path === undefined) return undefined;
  if (part === undefined) return { kind: 'account', path };
  if (part === 'trunks') return { kind: 'trunks', path };
  if (part === 'dry.trunks') return { kind: 'trunks', path, isDryRun: true };
  return { kind: 'number', path, number: part };
}

/** Where a trunk is counted. */
export function trunksOf({ account: path, isDryRun }: Pick<TrunkTake, 'account' | 'isDryRun'>): TrunksHolder {
  return { kind: 'trunks', path, ...(isDryRun && { isDryRun }) };
}

/** The slot in which it is counted. */
export function slotOf(holder: Holder): Slot {
  return holder.kind === 'route'
    ? { kind: 'route', route: holder.route }
    : { kind: 'root', root: rootOf(holder.path) };
}
