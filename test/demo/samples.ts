import type { Wallet } from '../../src/demo/books.ts';
import type { ChargedCall } from '../../src/demo/record.ts';
import { priceOf, toPriceTerms } from '../../src/rating/price.ts';
import { walletLedger } from '../../src/records/records.ts';
import { addMicros, subtractMicros } from '../../src/units/money.ts';
import { account, cdrOf, chargeOf, money, topupOf, transfersFor } from '../records/samples.ts';

/** A call of `acme/alice` by one-second pulses. */
export function chargedCall(
  uuid: string,
  of: { readonly perMinute: string; readonly seconds: number; readonly cut: boolean },
): ChargedCall {
  const terms = toPriceTerms({ perMinute: money(of.perMinute), minimumSeconds: 1, incrementSeconds: 1 });
  const cdr = { ...cdrOf(uuid), billedSeconds: of.seconds, cut: of.cut ? ('credit' as const) : undefined };
  const charge = {
    ...chargeOf(cdr.legUuid),
    terms,
    billedSeconds: of.seconds,
    chargedSeconds: of.seconds,
    price: priceOf(terms, of.seconds),
  };
  return { cdr, charges: [charge] };
}

export function walletOf(
  path: string,
  of: { readonly topUp: string; readonly calls: readonly ChargedCall[] },
): Wallet {
  const topUp = topupOf({ credit: walletLedger(account(path)), amount: money(of.topUp) });
  const charges = of.calls.flatMap((call) => call.charges.flatMap(transfersFor));
  const spent = addMicros(...charges.map(({ amount }) => amount));
  return { account: path, transfers: [topUp, ...charges], balance: subtractMicros(topUp.amount, spent) };
}
