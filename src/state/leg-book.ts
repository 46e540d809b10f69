import { poolsOfLeg } from '../admission/leg-pools.ts';
import type { LegRecord } from '../admission/leg-record.ts';
import type { LegPhase } from '../calls/leg-phase.ts';
import type { LegFacts } from '../calls/switch-event.ts';
import type { DeadmanTask } from '../calls/switch.ts';
import type { LegKey, LegUuid, NodeId, PoolId } from '../units/ids.ts';
import type { EpochMs } from '../units/time.ts';

/** What this controller knows of one channel. All of it can be had again from Redis and FreeSWITCH. */
export type Leg = {
  readonly uuid: LegUuid;
  phase: LegPhase;
  facts: LegFacts;
  /** The record it is metered by, once known. */
  record: LegRecord | undefined;
  /** Who it is bridged to, by FreeSWITCH's last word. */
  peer: LegUuid | undefined;
  /** FreeSWITCH has said that it and its last partner are bridged no more. */
  isParted: boolean;
  answeredAt: EpochMs | undefined;
  /** The admission it carried when it last asked at the `park` gate, '' for none: the same question is answered once. */
  asked: string | undefined;
  deadman: { readonly task: DeadmanTask; readonly firesAt: EpochMs } | undefined;
  /** Last seen alive: an event, or a look at FreeSWITCH's channels. */
  seenAt: EpochMs;
};

/** Ended legs stay known so long that stragglers find them: HANGUP_COMPLETE can lag by seconds. */
const REMEMBER_MS = 120_000;

export type LegBook = {
  leg(uuid: LegUuid): Leg | undefined;
  /** The leg, made known if it was not. */
  open(facts: LegFacts, at: EpochMs): Leg;
  /** The channel that a leg key is metered on, if this controller knows it. */
  byKey(legKey: LegKey): Leg | undefined;
  attach(leg: Leg, record: LegRecord): void;
  /** The leg is metered by its record no longer. */
  detach(leg: Leg): void;
  /** Legs placed by this one, live or not long gone. */
  placedBy(aLeg: LegUuid): readonly Leg[];
  byWallet(wallet: PoolId): readonly Leg[];
  ofNode(node: NodeId): readonly Leg[];
  /** Answered and not yet on their way down. */
  live(): readonly Leg[];
  rename(oldUuid: LegUuid, leg: Leg): void;
  /** Drops what ended long enough ago. */
  prune(now: EpochMs): void;
  size(): number;
};

export function createLegBook(): LegBook {
  const legs = new Map<LegUuid, Leg>();
  const keys = new Map<LegKey, LegUuid>();
  const placed = new Map<LegUuid, Set<LegUuid>>();
  const wallets = new Map<PoolId, Set<LegUuid>>();

  const detach = (leg: Leg): void => {
    if (leg.record === undefined) return;
    if (keys.get(leg.record.legKey) === leg.uuid) keys.delete(leg.record.legKey);
    for (const { pool } of poolsOfLeg(leg.record)) unlink(wallets, pool, leg.uuid);
    leg.record = undefined;
  };
  const remove = (leg: Leg): void => {
    legs.delete(leg.uuid);
    unlink(placed, leg.facts.originator, leg.uuid);
    detach(leg);
  };
  const known = (uuids: Iterable<LegUuid> | undefined): readonly Leg[] =>
    [...(uuids ?? [])].flatMap((uuid) => legs.get(uuid) ?? []);

  return {
    leg: (uuid) => legs.get(uuid),
    open(facts, at) {
      const found = legs.get(facts.uuid);
      if (found !== undefined) {
        found.facts = facts;
        found.seenAt = at;
        if (facts.originator !== undefined) link(placed, facts.originator, facts.uuid);
        return found;
      }
      const leg: Leg = {
        uuid: facts.uuid,
        phase: 'unknown',
        facts,
        record: undefined,
        peer: undefined,
        isParted: false,
        answeredAt: undefined,
        asked: undefined,
        deadman: undefined,
        seenAt: at,
      };
      legs.set(leg.uuid, leg);
      if (facts.originator !== undefined) link(placed, facts.originator, leg.uuid);
      return leg;
    },
    byKey(legKey) {
      const uuid = keys.get(legKey);
      return uuid === undefined ? undefined : legs.get(uuid);
    },
    attach(leg, record) {
      leg.record = record;
      keys.set(record.legKey, leg.uuid);
      for (const { pool } of poolsOfLeg(record)) link(wallets, pool, leg.uuid);
    },
    detach,
    placedBy: (aLeg) => known(placed.get(aLeg)),
    byWallet: (wallet) => known(wallets.get(wallet)),
    ofNode: (node) => [...legs.values()].filter((leg) => leg.facts.node === node),
    live: () => [...legs.values()].filter((leg) => leg.phase === 'answered'),
    rename(oldUuid, leg) {
      const old = legs.get(oldUuid);
      if (old === undefined || old === leg) return;
      if (leg.phase === 'unknown') leg.phase = old.phase;
      const { record } = old;
      remove(old);
      if (record === undefined) return;
      leg.record = record;
      keys.set(record.legKey, leg.uuid);
      for (const { pool } of poolsOfLeg(record)) link(wallets, pool, leg.uuid);
    },
    prune(now) {
      for (const leg of legs.values()) {
        if (leg.phase === 'gone' && now - leg.seenAt > REMEMBER_MS) remove(leg);
      }
    },
    size: () => legs.size,
  };
}

function link<Key>(index: Map<Key, Set<LegUuid>>, key: Key, uuid: LegUuid): void {
  const found = index.get(key);
  if (found === undefined) index.set(key, new Set([uuid]));
  else found.add(uuid);
}

function unlink<Key>(index: Map<Key, Set<LegUuid>>, key: Key | undefined, uuid: LegUuid): void {
  if (key === undefined) return;
  const found = index.get(key);
  found?.delete(uuid);
  if (found?.size === 0) index.delete(key);
}

/** True of an A-leg that a gate has decided: the admission that it carries is its own, and not that of its placer. */
export function isOwnAdmission(leg: LegFacts): boolean {
  return leg.gate.admission?.startsWith(`${leg.uuid}.`) ?? false;
}
