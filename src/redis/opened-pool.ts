import type { PoolOpening } from '../admission/plan.ts';
import type { PayerRecord } from '../admission/leg-record.ts';
import { operate } from '../credit/operations.ts';
import type { Wallet } from '../credit/wallet.ts';
import { systemLedger, walletLedger, type Transfer } from '../records/records.ts';
import { assert } from '../units/assert.ts';
import { accountOf, customerOf, rootOf, type LegKey, type PoolId } from '../units/ids.ts';
import { toMicros, ZERO_MICROS } from '../units/money.ts';
import type { EpochMs } from '../units/time.ts';
import { NOT_THERE } from './exact-wallet.ts';
import { transferEntry } from './settlement-text.ts';
import type { WalletReading } from './wallet-text.ts';

/** ARGV of a hold: what its pool is to be opened with, and the books' entry for it. '' where it is no customer's. */
export function openingArguments(pool: PoolId, opening: PoolOpening | undefined): readonly [string, string] {
  if (opening === undefined) return ['', ''];
  const { amount, currency } = opening;
  return [`${amount}`, currency === undefined ? '' : openingEntry(pool, currency)];
}

/** A customer's pool before the first of his calls: empty. */
export function notThere(account: PoolId, legKey: LegKey, at: EpochMs): WalletReading {
  const opened = { amount: ZERO_MICROS, serial: `${legKey}@${at}` };
  const empty = { balance: ZERO_MICROS, credit: ZERO_MICROS, policy: 'all', legs: [] } as const;
  return { wallet: { account, at, ...empty, opened }, version: NOT_THERE };
}

/** With as much as the call wants to have come in at least. What wants less changes nothing (ruling 23). */
export function raisedPool(wallet: Wallet, opening: PoolOpening | undefined, at: EpochMs): Wallet {
  const before = wallet.opened?.amount;
  if (opening === undefined || before === undefined || opening.amount <= before) return wallet;
  const amount = toMicros(opening.amount - before);
  const { credit, policy } = wallet;
  const raised = operate(wallet, { kind: 'fund', amount, credit, policy }, at);
  assert(raised.kind === 'done', 'money can always move');
  return raised.wallet;
}

/** The books' entry for what is left when the last call has ended; '' for what is no customer's money. */
export function closingEntry(pool: PoolId, payers: readonly PayerRecord[]): string {
  const payer = payers.find(({ wallet }) => wallet === pool);
  if (payer === undefined || customerOf(payer.account) === undefined) return '';
  const { cash, wallet } = sidesOf(pool);
  return transferEntry({
    id: `closing:${pool}:$serial`,
    kind: 'closing',
    debit: wallet,
    credit: cash,
    currency: payer.currency,
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
