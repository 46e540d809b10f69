import type { LiveShadowUse } from '../command-line/live-state.ts';
import { meaningOf, refillRules, shadowPoolsOf } from '../credit/pools.ts';
import type { AccountPath } from '../units/ids.ts';
import { addMicros, subtractMicros, ZERO_MICROS } from '../units/money.ts';
import type { LiveParts } from './live-store-state.ts';

/** What the shadow limits of an account have counted in the running cycles, calls that are up included. */
export async function readShadowUse(
  { store, directory }: Pick<LiveParts, 'store' | 'directory'>,
  path: AccountPath,
): Promise<readonly LiveShadowUse[]> {
  await directory.refresh();
  const shadow = directory.accounts().node(path)?.shadow;
  if (shadow === undefined) return [];
  const uses: LiveShadowUse[] = [];
  for (const pool of shadowPoolsOf(path, shadow)) {
    const meaning = meaningOf(pool);
    const rules = refillRules(pool, shadow.limits);
    if (rules === undefined || (meaning.kind !== 'allotment' && meaning.kind !== 'spend')) continue;
    const view = await store.readWallet(pool);
    const { amount, endsAt } = rules.cycleAt(view?.at ?? store.now());
    const used =
      view === undefined
        ? ZERO_MICROS
        : addMicros(subtractMicros(view.refill?.amount ?? amount, view.balance), view.committed);
    uses.push({
      meaning,
      used,
      amount: view?.refill?.amount ?? amount,
      endsAt: view?.refill?.endsAt ?? endsAt,
    });
  }
  return uses;
}
