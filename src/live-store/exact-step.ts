import { StoreUnavailableError } from '../admission/live-store.ts';
import type { WalletReading } from '../live-text/wallet-text.ts';
import type { PoolId } from '../units/ids.ts';
import { toEpochMs, type EpochMs } from '../units/time.ts';
import type { Snapshot } from '../live-text/exact-wallet.ts';

/** What an exact attempt works from: the wallets as read, and the moment to work them out for. */
export type ExactBasis = { readonly at: EpochMs; readonly readings: ReadonlyMap<PoolId, WalletReading> };

/** A script could not decide by its bound, or found what the caller worked out stale; undefined: nothing was read. */
export type Undecided = { readonly undecided: Snapshot | undefined };

/**
 * One try of a step: by the bound when there is no basis, else exactly. Only when `wished` does it come back with
 * what the next try is to work from.
 */
export type Attempt<T> = (basis: ExactBasis | undefined, wished: Wished) => Promise<T | Undecided>;

/** ARGV of the scripts: whether snapshots are wanted of a script that cannot decide. */
export type Wished = 0 | 1;

export type ExactSteps = <T extends object>(wallets: readonly PoolId[], attempt: Attempt<T>) => Promise<T>;

/** Other processes win a race for a wallet at most this often before the step is given up. */
const ATTEMPTS_MAX = 60;
/**
 * Where a wallet's legs fail one after the other, every few milliseconds, what was worked out is stale whenever it
 * is written. Each time that happens the next state is worked out for a moment further ahead; large wallets take
 * longer to work out than small steps would cover.
 */
const LOOK_AHEAD_MS = [0, 5, 10, 20, 40, 80, 160, 320, 640, 1_000];
/** Where somebody else was first, time may have run past it as well: such a step counts in part. */
const LATE_AS_WELL = 0.25;

/**
 * Tries a step by its bound, then exactly until it is written. In one process the exact steps of a wallet come one
 * after the other: each makes all others stale, and a thousand at once would otherwise be worked out a thousand
 * times each. A step enters the queues of all its wallets at once, so no two wait for each other.
 */
export function createExactSteps(): ExactSteps {
  const lasts = new Map<PoolId, Promise<unknown>>();
  return async (wallets, attempt) => {
    const first = await attempt(undefined, 0);
    if (!isUndecided(first)) return first;
    const before = wallets.flatMap((wallet) => lasts.get(wallet) ?? []);
    const turn = Promise.all(before).then(() => decideExactly(wallets, attempt));
    const ended = turn.then(
      () => undefined,
      () => undefined,
    );
    for (const wallet of wallets) lasts.set(wallet, ended);
    try {
      return await turn;
    } finally {
      for (const wallet of wallets) if (lasts.get(wallet) === ended) lasts.delete(wallet);
    }
  };
}

async function decideExactly<T extends object>(wallets: readonly PoolId[], attempt: Attempt<T>): Promise<T> {
  let snapshot: Snapshot | undefined;
  let timesLate = 0;
  for (let tried = 0; tried < ATTEMPTS_MAX; tried += 1) {
    const aheadMs = LOOK_AHEAD_MS[Math.min(Math.floor(timesLate), LOOK_AHEAD_MS.length - 1)] ?? 0;
    const basis = snapshot && { at: toEpochMs(snapshot.now + aheadMs), readings: snapshot.readings };
    const result = await attempt(basis, 1);
    if (!isUndecided(result)) return result;
    if (snapshot !== undefined) timesLate += isSameState(snapshot, result.undecided) ? 1 : LATE_AS_WELL;
    snapshot = result.undecided;
  }
  throw new StoreUnavailableError(`one of ${wallets.join(', ')} changed too often to be decided exactly`);
}

/** Stale although nobody changed it: time ran past what had been foreseen. */
function isSameState(before: Snapshot, after: Snapshot | undefined): boolean {
  if (after === undefined) return false;
  return [...after.readings].every(([account, { version }]) => {
    return before.readings.get(account)?.version === version;
  });
}

function isUndecided(result: object): result is Undecided {
  return 'undecided' in result;
}
