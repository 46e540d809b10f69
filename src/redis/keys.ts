import { holderName, holderNamed, slotName, type Holder, type Slot } from '../admission/plan.ts';
import type { AccountPath, PoolId } from '../units/ids.ts';
import { parseRouteName, rootOf } from '../units/ids.ts';

/**
 * Every Redis key of Tollgate, version 1 of the layout. README's table of keys is written from this file. The
 * part in braces is the Redis Cluster hash tag: all keys of a tenant's root, or of a route, share one slot.
 */
export const KEY_LAYOUT_VERSION = 1;

/** STRING: the version of the layout that the other keys are in. */
export const LAYOUT_KEY = 'tollgate:layout';

export type SlotKeys = {
  /** HASH leg key → leg record (JSON): every live leg whose home is here. */
  readonly legs: string;
  /** HASH leg key → what it is counted in here: the membership that the counters follow. */
  readonly slots: string;
  /** HASH leg key → "uuid answeredAt": the channel that is metered, and when it was answered (ms); `-`: not known yet. */
  readonly channels: string;
  /** ZSET account, or a further pool of it → earliest moment (ms) at which it may fail to pay a pulse. */
  readonly due: string;
  /** ZSET leg key → moment (ms) at which an answered leg has lasted as long as it may. */
  readonly deadlines: string;
  /** ZSET transfer id → when its money moved here. */
  readonly funded: string;
  /** STREAM of settlements on their way into SQL. */
  readonly settlements: string;
  /** HASH `asked` → when the books were asked (ms); customer's account → "balance opened serial" of a pool that was lost. */
  readonly lost: string;
};

export function slotKeys(slot: Slot): SlotKeys {
  return keysBelow(`tollgate:{${slotName(slot)}}`);
}

/**
 * The same of what shadow documents count for themselves, by `<leg key>@<account>`: nothing that cuts or proves looks
 * there. Of `funded` and `settlements` there are none.
 */
export function shadowSlotKeys(slot: Slot): SlotKeys {
  return keysBelow(`tollgate:{${slotName(slot)}}:shadow`);
}

function keysBelow(base: string): SlotKeys {
  return {
    legs: `${base}:legs`,
    slots: `${base}:slots`,
    channels: `${base}:channels`,
    due: `${base}:due`,
    deadlines: `${base}:deadlines`,
    funded: `${base}:funded`,
    settlements: `${base}:settlements`,
    lost: `${base}:lost`,
  };
}

/**
 * STRING "calls resourceConsuming inbound outbound public internal": the use of an account, a route (`use:route`) or
 * a called number of an account (`use:<account>#<number>`), now; of its flat-rate trunks (`use:<account>#trunks`) the
 * calls in and out that go over them. Who counts nothing has no key.
 */
export function useKey(slot: Slot, holder: Holder): string {
  return `tollgate:{${slotName(slot)}}:use:${holderKey(holder)}`;
}

/** STRING, expiring: when a lost pool of a customer was closed in the books, so that two who look at once close it once. */
export function lostClosedKey(account: AccountPath): string {
  return `tollgate:{${rootOf(account)}}:lost:${account}`;
}

/** The keys of `useKey`, of all slots. */
export const USE_KEYS = 'tollgate:{*}:use:*';

/** Whose use a key of `useKey` is; undefined for a key that is none. */
export function holderOfUseKey(key: string): Holder | undefined {
  const [, slot = '', rest = ''] = /^tollgate:\{([^}]+)\}:use:(.+)$/.exec(key) ?? [];
  if (slot.startsWith('route:')) {
    const route = parseRouteName(slot.slice('route:'.length));
    return route === undefined ? undefined : { kind: 'route', route };
  }
  return holderNamed(rest);
}

/** ZSET leg key → when it was admitted, over the last second: only where callsPerSecond is set. */
export function ticksKey(slot: Slot, holder: Holder): string {
  return `tollgate:{${slotName(slot)}}:ticks:${holderKey(holder)}`;
}

/**
 * STRING "balance credit held base burn anchor legs version policy", micros and ms. What is left of an allotment
 * (`wallet:<account>#allotment.<name>`, a million micros a second) or of a spend window (`wallet:<account>#spend.<window>`)
 * has " amount endsAt" behind: what its cycle was filled with, and when that ends.
 */
export function walletKey(pool: PoolId): string {
  return `tollgate:{${rootOf(pool)}}:wallet:${pool}`;
}

/** The pools of shadow documents, of all slots. */
export const SHADOW_POOL_KEYS = 'tollgate:{*}:wallet:*#shadow.*';

/** Whose wallet a key of `walletKey` is; undefined for a key that is none, such as that of its legs. */
export function poolOfWalletKey(key: string): PoolId | undefined {
  const [, pool] = /^tollgate:\{[^}]+\}:wallet:([^:]+)$/.exec(key) ?? [];
  return pool as PoolId | undefined;
}

/** HASH leg key → "state amount intercept perMinute answeredAt paidSeconds endsAt terms", and " usedBefore forced" where there is any. */
export function walletPartsKey(pool: PoolId): string {
  return `tollgate:{${rootOf(pool)}}:wallet:${pool}:legs`;
}

/** STREAM of decisions on their way into SQL. */
export const DECISIONS_KEY = 'tollgate:decisions';

/** Pub/sub: roots with settlements or decisions to drain; accounts that changed. */
export const SETTLED_CHANNEL = 'tollgate:settled';
export const CHANGED_CHANNEL = 'tollgate:changed';

/** STRING controller id, expiring: who takes a node's events, and who drains the streams. */
export function leaseKey(name: string): string {
  return `tollgate:lease:${name}`;
}

/** BullMQ's prefix: its keys of the cutoff jobs, in one slot of their own. */
export const QUEUE_PREFIX = 'tollgate:{jobs}';

/** SET of roots with a wallet due in that second: what a cutoff job looks at. */
export function bucketKey(second: number): string {
  return `tollgate:bucket:${second}`;
}

export function rootSlot(root: AccountPath): Slot {
  return { kind: 'root', root };
}

function holderKey(holder: Holder): string {
  switch (holder.kind) {
    case 'account':
      return holder.path;
    case 'number':
      return `${holder.path}#${holder.number}`;
    case 'trunks':
      return holderName(holder);
    case 'route':
      return 'route';
  }
}
