import { chargedSeconds, priceOf } from '../rating/price.ts';
import { assertNever } from '../units/assert.ts';
import { rootOf, type AccountPath } from '../units/ids.ts';
import { ZERO_MICROS } from '../units/money.ts';
import type {
  CdrEvidence,
  ChargeEvidence,
  Evidence,
  TransferEvidence,
  WalletEvidence,
  WalletRecord,
} from './evidence.ts';
import type { Finding } from './finding.ts';
import {
  currencyOf,
  systemLedger,
  walletLedger,
  type Cdr,
  type Charge,
  type LedgerName,
  type Transfer,
} from './records.ts';

/** Everything SQL can prove by itself. The wallets of Redis are held against it by `findingsOfWallet`. */
export async function* proveRecord(evidence: Evidence): AsyncGenerator<Finding> {
  for await (const row of evidence.transfers()) yield* findingsOfTransfer(row);
  for await (const row of evidence.charges()) yield* findingsOfCharge(row);
  for await (const row of evidence.cdrs()) yield* findingsOfCdr(row);
  for await (const row of evidence.wallets()) yield* findingsOfWalletRecord(row);
}

export function* findingsOfTransfer({ transfer, charge }: TransferEvidence): Generator<Finding> {
  if (transfer.debit === transfer.credit) yield { kind: 'transfer_to_itself', transfer };
  if (transfer.amount <= 0n) yield { kind: 'transfer_not_positive', transfer };
  if (transfer.kind === 'charge' && charge === undefined) yield { kind: 'transfer_without_charge', transfer };
  if (transfer.kind !== 'charge' && charge !== undefined) {
    yield { kind: 'transfer_of_wrong_kind', transfer, charge };
  }
}

export function* findingsOfCharge({ charge, transfer, cdr }: ChargeEvidence): Generator<Finding> {
  if (cdr === undefined) yield { kind: 'charge_without_cdr', charge };
  const seconds = secondsOf(charge);
  if (seconds !== charge.chargedSeconds) yield { kind: 'charge_seconds_wrong', charge, seconds };
  const price = charge.way === 'per_minute' ? priceOf(charge.terms, charge.billedSeconds) : ZERO_MICROS;
  if (price !== charge.price) yield { kind: 'charge_price_wrong', charge, price };
  if (transfer === undefined) {
    // Nothing moves for a price of zero: a transfer's amount is positive.
    if (charge.price !== 0n) yield { kind: 'charge_without_transfer', charge };
    return;
  }
  if (transfer.amount !== charge.price || transfer.currency !== currencyOf(charge)) {
    yield { kind: 'charge_transfer_amount_wrong', charge, transfer };
  }
  const payer = walletLedger(charge.payer);
  const revenue = systemLedger('revenue', rootOf(charge.payer));
  if (transfer.debit !== payer || transfer.credit !== revenue) {
    yield { kind: 'charge_transfer_sides_wrong', charge, transfer };
  }
}

/** The seconds that its pulses make. */
function secondsOf(charge: Charge): number {
  switch (charge.way) {
    case 'per_minute':
      return chargedSeconds(charge.terms, charge.billedSeconds);
    case 'allotment':
      return chargedSeconds(charge.pulses, charge.billedSeconds);
    case 'flat_rate':
    case 'flat_rate_burst':
      return charge.billedSeconds;
  }
}

export function* findingsOfCdr({ cdr, charges }: CdrEvidence): Generator<Finding> {
  if (cdr.billedSeconds > 0 && cdr.answeredAt === undefined) yield { kind: 'cdr_billed_unanswered', cdr };
  if (cdr.answeredAt !== undefined && cdr.endedAt < cdr.answeredAt) {
    yield { kind: 'cdr_ends_before_answer', cdr };
  }
  if (charges.length === 0 && mustBeCharged(cdr)) yield { kind: 'cdr_without_charge', cdr };
  const charged = charges.find(({ price }) => price > 0n);
  if (charged !== undefined && mustNotBeCharged(cdr)) {
    yield { kind: 'cdr_charged_for_nothing', cdr, charge: charged };
  }
  for (const settled of settlementsOf(charges)) {
    if (settled.billedSeconds !== cdr.billedSeconds) {
      yield { kind: 'cdr_seconds_differ', cdr, payer: settled.payer, chargedFor: settled.billedSeconds };
    }
  }
}

export function* findingsOfWalletRecord(wallet: WalletRecord): Generator<Finding> {
  const { accountCurrency } = wallet;
  if (accountCurrency !== undefined && accountCurrency !== wallet.currency) {
    yield { kind: 'wallet_currency_wrong', wallet, accountCurrency };
  }
}

/**
 * Redis's balance is SQL's sum and what is not drained (ruling 9). The two are never read at one instant: whoever
 * asks reads a wallet that differs again before believing it.
 */
export function* findingsOfWallet(wallet: WalletEvidence): Generator<Finding> {
  const expected = wallet.recorded + wallet.pending;
  if (wallet.live === undefined) {
    if (expected !== 0n) yield { kind: 'wallet_not_live', wallet };
  } else if (wallet.live !== expected) yield { kind: 'wallet_balance_differs', wallet };
}

/** What these transfers add to a ledger in this currency, all together. */
export function netOf(transfers: Iterable<Transfer>, ledger: LedgerName, currency: string): bigint {
  let net = 0n;
  for (const transfer of transfers) {
    if (transfer.currency !== currency) continue;
    if (transfer.credit === ledger) net += transfer.amount;
    if (transfer.debit === ledger) net -= transfer.amount;
  }
  return net;
}

/** A leg that was funded per minute and talked leaves a charge, even one of price zero (within the grace). */
function mustBeCharged(cdr: Cdr): boolean {
  if (cdr.funding !== 'per_minute' || cdr.billedSeconds === 0) return false;
  switch (cdr.decision) {
    case 'admitted':
    case 'soft':
      return true;
    case 'refused':
    case 'dry_run':
    case 'unrestricted':
    case 'emergency':
    case 'store_down':
      return false;
    default:
      return assertNever(cdr.decision, 'decision');
  }
}

function mustNotBeCharged(cdr: Cdr): boolean {
  const isUnpaid = cdr.funding === 'none' || cdr.funding === 'toll_free';
  return isUnpaid || cdr.decision === 'emergency' || cdr.decision === 'refused';
}

/** Each payer's charge of each version, its segments taken together. */
function settlementsOf(
  charges: readonly Charge[],
): readonly { readonly payer: AccountPath; readonly billedSeconds: number }[] {
  const settled = new Map<string, { readonly payer: AccountPath; readonly billedSeconds: number }>();
  for (const { payer, version, billedSeconds } of charges) {
    const key = `${payer} ${version}`;
    const before = settled.get(key)?.billedSeconds ?? 0;
    settled.set(key, { payer, billedSeconds: before + billedSeconds });
  }
  return [...settled.values()];
}
