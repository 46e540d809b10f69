import type { PoolId } from '../units/ids.ts';
import type { LiveStore } from './live-store.ts';

/**
 * What shadow documents count for themselves of calls that are up: legs and pools of their own, by the same scripts as
 * those that hold. Nothing that admits, cuts, charges or proves reads it.
 */
export type ShadowStore = Pick<
  LiveStore,
  | 'now'
  | 'take'
  | 'answer'
  | 'goOn'
  | 'giveBack'
  | 'settle'
  | 'find'
  | 'liveLegs'
  | 'dueWallets'
  | 'evaluate'
  | 'configureWallet'
> & {
  /** All that are there. Walks over all keys: for a changed document, not for a call. */
  pools(): Promise<readonly PoolId[]>;
  /** What it counted is gone; what still draws on it counts nothing any more. */
  forget(pool: PoolId): Promise<void>;
};
