import type { Redis } from 'ioredis';
import type { Continuation, LegRecord } from '../admission/leg-record.ts';
import type { LegDeadline, LostPool, WalletOpening } from '../admission/live-store.ts';
import type { Slot } from '../admission/plan.ts';
import { rootOf, type AccountPath, type PoolId } from '../units/ids.ts';
import type { Clock, EpochMs } from '../units/time.ts';
import type { ScriptRunner } from '../redis/connection.ts';
import type { ExactSteps } from './exact-step.ts';
import type { Snapshot } from '../live-text/exact-wallet.ts';
import { rootSlot, type SlotKeys } from '../redis/keys.ts';
import type { RefillRulesOf } from '../live-text/wallet-text.ts';

export type LiveStoreOptions = {
  /** This process's estimate of Redis's clock. */
  readonly clock: Clock;
  /** Only for virtual time: scripts then take the clock's word instead of Redis's own TIME. */
  readonly clockRules?: boolean;
  /** Told after each change of a wallet: the earliest moment at which it may fail to pay a pulse. */
  readonly onDue: (account: PoolId, dueAt: EpochMs) => void;
  /** Told once of an answered leg that may last no longer than so. */
  readonly onDeadline?: (root: AccountPath, deadline: LegDeadline) => void;
  /** A wallet that Redis does not have (new, or Redis was lost): what SQL knows of it. */
  readonly loadWallet: (pool: PoolId) => Promise<WalletOpening | undefined>;
  /**
   * Customers' pools below a root that the books have not closed, asked where Redis may have lost them. Whoever asks first
   * says it for all.
   */
  readonly lostPools: (root: AccountPath) => Promise<readonly LostPool[]>;
  /** How an allotment or a spend window is filled; left out where there are none. */
  readonly refillRules?: RefillRulesOf;
  /** How a leg goes on per minute from a moment on; left out where rates have no times of day. */
  readonly goingOn?: GoingOn;
};

/** Where a store keeps its legs: those that are up, or what shadow documents count of them. */
export type LegKeysOf = (slot: Slot) => SlotKeys;

export type GoingOn = (record: LegRecord, goesOn: Continuation, from: EpochMs) => Continuation;

/** What the parts of the store share. */
export type StoreContext = {
  readonly redis: Redis;
  readonly keysOf: LegKeysOf;
  readonly run: ScriptRunner;
  readonly decide: ExactSteps;
  /** ARGV 1 of the scripts: empty means Redis's own TIME. */
  readonly clockArgument: () => string;
  readonly reportDue: (account: PoolId, due: unknown) => void;
  readonly rulesOf: RefillRulesOf;
  readonly goingOn: GoingOn;
  readonly reportDeadline: (record: LegRecord, endsAt: EpochMs) => void;
  readonly snapshotOf: (reply: unknown) => Snapshot;
  readonly options: LiveStoreOptions;
};

/** The slot that keeps the leg's record and settles it (ruling 5). */
export function homeOf(record: LegRecord): Slot {
  return rootSlot(rootOf(record.account));
}
