import type { AccountPath } from '../units/ids.ts';
import type { Clock, EpochMs } from '../units/time.ts';

export type NearLooks = {
  /** That second's job may have run already: look from here, now or very soon. */
  add(root: AccountPath, dueAt: EpochMs): void;
  /** Resolves when no look is under way; none begins after. */
  stop(): Promise<void>;
};

/** Words that come close together are one look; a handler that says the same again must not make a tight loop. */
const PAUSE_MS = { min: 20, max: 250 };

/**
 * Looks at roots whose due time is too near for a job, the first at once, the next after a pause that shrinks with
 * the time left. Should the process die meanwhile, the sweep of another one finds what it left.
 */
export function createNearLooks(
  clock: Clock,
  lookAt: (roots: readonly AccountPath[], until: EpochMs) => Promise<void>,
): NearLooks {
  const pending = new Map<AccountPath, EpochMs>();
  let timer: { readonly handle: NodeJS.Timeout; readonly firesAt: number } | undefined;
  let beganAt = -Infinity;
  let looking: Promise<void> | undefined;
  let stopped = false;

  const schedule = (dueAt: EpochMs): void => {
    if (stopped || looking !== undefined) return;
    const leftMs = dueAt - clock();
    const pauseMs = Math.min(PAUSE_MS.max, Math.max(PAUSE_MS.min, leftMs / 2));
    const firesAt = Math.max(performance.now(), beganAt + pauseMs);
    if (timer !== undefined && timer.firesAt <= firesAt) return;
    clearTimeout(timer?.handle);
    timer = { handle: setTimeout(look, Math.max(0, firesAt - performance.now())), firesAt };
  };
  const look = (): void => {
    timer = undefined;
    beganAt = performance.now();
    const roots = [...pending.keys()];
    const until = Math.max(...pending.values()) as EpochMs;
    pending.clear();
    looking = lookAt(roots, until).then(() => {
      looking = undefined;
      if (pending.size > 0) schedule(Math.min(...pending.values()) as EpochMs);
    });
  };

  return {
    add(root, dueAt) {
      const standing = pending.get(root);
      if (standing === undefined || standing < dueAt) pending.set(root, dueAt);
      schedule(dueAt);
    },
    async stop() {
      stopped = true;
      clearTimeout(timer?.handle);
      await looking;
    },
  };
}
