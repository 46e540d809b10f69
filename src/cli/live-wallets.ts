import type { AccountNode } from '../accounts/account-tree.ts';
import type { Movement } from '../records/record-store.ts';
import { walletSettingsOf } from '../state/wallet-settings.ts';
import type { AccountPath } from '../units/ids.ts';
import { subtractMicros, ZERO_MICROS, type Micros } from '../units/money.ts';
import type { LiveParts } from './live-store-state.ts';

type WalletParts = Pick<LiveParts, 'store' | 'directory' | 'records' | 'changes'>;
type Reached = 'moved' | 'already' | 'no_wallet';

/** A transfer that is on record, on its way to the wallet that calls are admitted against, once by its id. */
export async function fundLive(
  parts: WalletParts,
  funding: { readonly account: AccountPath; readonly transferId: string; readonly amount: Micros },
): Promise<Reached> {
  const { account, transferId, amount } = funding;
  let outcome = await parts.store.fund(account, transferId, amount);
  if (outcome.kind === 'no-wallet') {
    const owner = ownerOf(parts, account);
    if (owner === undefined) return 'no_wallet';
    // The record already has this transfer: the wallet opens without it, so that it moves once.
    await open(parts, owner, amount);
    outcome = await parts.store.fund(account, transferId, amount);
  }
  await parts.changes.announce({ kind: 'account', account });
  return outcome.kind === 'no-wallet' ? 'no_wallet' : outcome.kind;
}

/** The same of a movement, without which a wallet opens as long as it is untold. */
export async function tellLive(parts: WalletParts, movement: Movement): Promise<Reached> {
  const { id, account, currency, amount } = movement;
  const owner = ownerOf(parts, account);
  if (owner?.currency !== currency) return 'no_wallet';
  let outcome = await parts.store.fund(account, id, amount);
  if (outcome.kind === 'no-wallet') {
    await open(parts, owner);
    outcome = await parts.store.fund(account, id, amount);
  }
  await parts.changes.announce({ kind: 'account', account });
  return outcome.kind === 'no-wallet' ? 'no_wallet' : outcome.kind;
}

type WalletOwner = { readonly node: AccountNode; readonly currency: string };

function ownerOf({ directory }: WalletParts, account: AccountPath): WalletOwner | undefined {
  const node = directory.accounts().node(account);
  const currency = node?.account.walletCurrency;
  return node === undefined || currency === undefined ? undefined : { node, currency };
}

async function open(
  { store, records }: WalletParts,
  { node, currency }: WalletOwner,
  without: Micros = ZERO_MICROS,
): Promise<void> {
  const balance = subtractMicros(await records.toldBalance(node.path, currency), without);
  await store.openWallet(node.path, { balance, ...walletSettingsOf(node) });
}
