import type { AccountLookup } from '../accounts/account-tree.ts';
import { poolsOf, refillRules } from '../credit/pools.ts';
import { addMs, toEpochMs, type EpochMs } from '../units/time.ts';

/** Hardly a call is longer: one that was up before is looked for no further back. */
const LONGEST_CALL_MS = 86_400_000;

/**
 * From when on calls have to be known to tell what is left at `from`: of each allotment and each spend window that any
 * account has, since its cycle began, with the calls that were up then.
 */
export function warmUpFrom({ nodes }: Pick<AccountLookup, 'nodes'>, from: EpochMs): EpochMs {
  let earliest = from;
  for (const { path, limits } of nodes) {
    for (const pool of poolsOf(path, limits)) {
      const rules = refillRules(pool, limits);
      if (rules !== undefined) earliest = toEpochMs(Math.min(earliest, rules.cycleAt(from).startsAt));
    }
  }
  return addMs(earliest, -LONGEST_CALL_MS);
}
