import { netOf } from '../records/proof.ts';
import { currencyOf, systemLedger, walletLedger, type Charge, type Transfer } from '../records/records.ts';
import { customerOf, rootOf } from '../units/ids.ts';
import { negateMicros, toMicros } from '../units/money.ts';
import type { EpochMs } from '../units/time.ts';

/**
 * The money of customers that nobody stored comes with their calls and goes with them (ruling 23). Where a leg of
 * theirs is charged outside of a pool, what these transfers take comes in for them alone, and what they give back goes
 * out again: the customers' wallets add up to nothing. `occasion` makes the ids unique.
 */
export function squaringTransfers(
  charges: readonly Charge[],
  transfers: readonly Transfer[],
  { occasion, at }: { readonly occasion: string; readonly at: EpochMs },
): readonly Transfer[] {
  const wallets = new Map(
    charges
      .filter(({ payer }) => customerOf(payer) !== undefined)
      .map((charge) => [`${charge.payer} ${currencyOf(charge)}`, charge] as const),
  );
  return [...wallets.values()].flatMap((charge): readonly Transfer[] => {
    const { payer } = charge;
    const currency = currencyOf(charge);
    const wallet = walletLedger(payer);
    const cash = systemLedger('cash', rootOf(payer));
    const net = toMicros(netOf(transfers, wallet, currency));
    const id = `${payer}:${occasion}`;
    const common = { currency, at, reference: '' };
    if (net < 0n) {
      const sides = { debit: cash, credit: wallet };
      return [{ ...common, ...sides, id: `opening:${id}`, kind: 'opening', amount: negateMicros(net) }];
    }
    if (net === 0n) return [];
    return [{ ...common, debit: wallet, credit: cash, id: `closing:${id}`, kind: 'closing', amount: net }];
  });
}
