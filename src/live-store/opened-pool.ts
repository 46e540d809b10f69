import type { PoolOpening } from '../admission/plan.ts';
import type { PayerRecord } from '../admission/leg-record.ts';
import { emptyPool } from '../credit/opened.ts';
import { systemLedger, walletLedger, type Transfer } from '../records/records.ts';
import { accountOf, customerOf, rootOf, type LegKey, type PoolId } from '../units/ids.ts';
import type { EpochMs } from '../units/time.ts';
import { NOT_THERE } from '../live-text/exact-wallet.ts';
import { transferEntry } from '../redis/settlement-text.ts';
import type { WalletReading } from '../live-text/wallet-text.ts';

/** ARGV of a hold: what its pool is to be opened with, and the books' entry for it. '' where it is no customer's. */
export function openingArguments(pool: PoolId, opening: PoolOpening | undefined): readonly [string, string] {
  if (opening === undefined) return ['', ''];
  const { amount, currency } = opening;
  return [`${amount}`, currency === undefined ? '' : openingEntry(pool, currency)];
}

/** A customer's pool before the first of his calls: empty. */
export function notThere(account: PoolId, legKey: LegKey, at: EpochMs): WalletReading {
  return { wallet: emptyPool(account, `${legKey}@${at}`, at), version: NOT_THERE };
}

/** The books' entry for what is left when the last call has ended; '' for what is no customer's money. */
export function closingEntry(pool: PoolId, payers: readonly PayerRecord[]): string {
  const payer = payers.find(({ wallet }) => wallet === pool);
  if (payer === undefined || customerOf(payer.account) === undefined) return '';
  return lostClosingEntry(pool, payer.currency);
}

/** The same of a pool that Redis has lost, and that nobody talks on. */
export function lostClosingEntry(pool: PoolId, currency: string): string {
  const { cash, wallet } = sidesOf(pool);
  return transferEntry({
    id: `closing:${pool}:$serial`,
    kind: 'closing',
    debit: wallet,
    credit: cash,
    currency,
    reference: '',
  });
}

/** The books' entry for money that an operator adds while the customer talks. */
export function extensionEntry(pool: PoolId, id: string, currency: string): string {
  const { cash, wallet } = sidesOf(pool);
  return transferEntry({ id, kind: 'topup', debit: cash, credit: wallet, currency, reference: '' });
}

function openingEntry(pool: PoolId, currency: string): string {
  const { cash, wallet } = sidesOf(pool);
  return transferEntry({
    id: `opening:${pool}:$serial:$opened`,
    kind: 'opening',
    debit: cash,
    credit: wallet,
    currency,
    reference: '',
  });
}

function sidesOf(pool: PoolId): Readonly<Record<'cash' | 'wallet', Transfer['debit']>> {
  return { cash: systemLedger('cash', rootOf(pool)), wallet: walletLedger(accountOf(pool)) };
}
