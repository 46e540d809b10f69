import type { AccountPath, PoolId } from '../units/ids.ts';
import type { EpochMs } from '../units/time.ts';

/**
 * Carries cutoffs through time, whatever dies: at most one delayed job a second of due-time, not one a call
 * (DESIGN 6). What it calls back looks at the money again before anything is cut.
 */
export type CutoffSchedule = {
  /**
   * The wallet may fail to pay a pulse from that moment of Redis's clock on. Returns at once; a job will call
   * `look` early enough for a timer to take the exact instant. A later or repeated word costs nothing.
   */
  arm(account: PoolId, dueAt: EpochMs): void;
  start(handler: CutoffHandler): Promise<void>;
  /** Finishes the jobs it has begun, within the limit; what is left is another controller's, or the next start's. */
  stop(graceMs: number): Promise<void>;
};

export type CutoffHandler = {
  /** A second is near in which these roots have something due: evaluates every wallet of theirs due by `until`. */
  lookAt(roots: readonly AccountPath[], until: EpochMs): Promise<void>;
  /** The net under every job and timer, every few seconds. */
  sweep(): Promise<void>;
};
