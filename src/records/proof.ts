import { areSameTerms, chargedSeconds, continuationOf, priceOf } from '../rating/price.ts';
import { billedSecondsOf } from '../rating/quote.ts';
import { termsOf } from '../rating/terms.ts';
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
  chargesInForce,
  currencyOf,
  isOfOwnPrice,
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
  switch (transfer.kind) {
    case 'charge':
      if (charge === undefined) yield { kind: 'transfer_without_charge', transfer };
      return;
    case 'reversal':
      if (charge === undefined) yield { kind: 'reversal_without_charge', transfer };
      else if (!isReversalOf(transfer, charge)) yield { kind: 'reversal_differs', transfer, charge };
      return;
    case 'topup':
    case 'adjustment':
    case 'opening':
    case 'closing':
      if (charge !== undefined) yield { kind: 'transfer_of_wrong_kind', transfer, charge };
      return;
    default:
      assertNever(transfer.kind, 'kind of transfer');
  }
}

export function* findingsOfCharge(evidence: ChargeEvidence): Generator<Finding> {
  const { charge, transfer, cdr } = evidence;
  if (cdr === undefined) yield { kind: 'charge_without_cdr', charge };
  const seconds = secondsOf(charge);
  if (seconds !== charge.chargedSeconds) yield { kind: 'charge_seconds_wrong', charge, seconds };
  const price = charge.way === 'per_minute' ? priceOf(charge.terms, charge.billedSeconds) : ZERO_MICROS;
  if (price !== charge.price) yield { kind: 'charge_price_wrong', charge, price };
  yield* findingsOfRate(evidence);
  yield* findingsOfVersions(evidence);
  if (transfer === undefined) {
    // Nothing moves for a price of zero: a transfer's amount is positive.
    if (charge.price !== 0n) yield { kind: 'charge_without_transfer', charge };
    return;
  }
  if (transfer.amount !== charge.price || transfer.currency !== currencyOf(charge)) {
    yield { kind: 'charge_transfer_amount_wrong', charge, transfer };
  }
  const { debit, credit } = sidesOf(charge);
  if (transfer.debit !== debit || transfer.credit !== credit) {
    yield { kind: 'charge_transfer_sides_wrong', charge, transfer };
  }
}

/** A charge carries its terms, so that it can be read alone; they are those of the rate that it names, which is one for its number. */
function* findingsOfRate({ charge, cdr, rate: named }: ChargeEvidence): Generator<Finding> {
  if (charge.way !== 'per_minute' || isOfOwnPrice(charge)) return;
  if (cdr !== undefined && !cdr.destination.startsWith(charge.prefix)) {
    yield { kind: 'charge_of_other_number', charge, cdr };
  }
  if (named === undefined) {
    yield { kind: 'charge_without_rate', charge };
    return;
  }
  const { version, rate } = named;
  const terms = termsOf(version, rate, charge.terms.discountPpm);
  const own = charge.segment > 1 ? continuationOf(terms) : terms;
  const isSame = charge.prefix === rate.prefix && charge.currency === version.currency;
  if (!isSame || !areSameTerms(charge.terms, own)) yield { kind: 'charge_terms_wrong', charge, terms: own };
}

/** What a superseded version has moved was moved back, once; what is in force was not. */
function* findingsOfVersions({ charge, versionInForce, reversals }: ChargeEvidence): Generator<Finding> {
  const [first, second] = reversals;
  if (charge.version === versionInForce) {
    if (first !== undefined) yield { kind: 'charge_in_force_reversed', charge, transfer: first };
  } else if (first === undefined) {
    if (charge.price !== 0n) yield { kind: 'charge_not_reversed', charge, versionInForce };
  } else if (second !== undefined) yield { kind: 'charge_reversed_again', charge, transfer: second };
}

function isReversalOf({ debit, credit, amount, currency }: Transfer, charge: Charge): boolean {
  const sides = sidesOf(charge);
  const isBack = debit === sides.credit && credit === sides.debit;
  return isBack && amount === charge.price && currency === currencyOf(charge);
}

function sidesOf({ payer }: Charge): Pick<Transfer, 'debit' | 'credit'> {
  return { debit: walletLedger(payer), credit: systemLedger('revenue', rootOf(payer)) };
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
    case 'free':
      return 0;
  }
}

export function* findingsOfCdr({ cdr, charges }: CdrEvidence): Generator<Finding> {
  if (cdr.billedSeconds > 0 && cdr.answeredAt === undefined) yield { kind: 'cdr_billed_unanswered', cdr };
  // However it is rounded, no further second begins.
  if (cdr.billedSeconds > billedSecondsOf(cdr.billMicroseconds, 'up')) {
    yield { kind: 'cdr_billed_beyond_talk', cdr };
  }
  if (cdr.answeredAt !== undefined && cdr.endedAt < cdr.answeredAt) {
    yield { kind: 'cdr_ends_before_answer', cdr };
  }
  if (charges.length === 0 && mustBeCharged(cdr)) yield { kind: 'cdr_without_charge', cdr };
  // Rated again, a call may cost something that did not when it was made.
  const charged = charges.find(({ price, version }) => price > 0n && version === 1);
  if (charged !== undefined && mustNotBeCharged(cdr)) {
    yield { kind: 'cdr_charged_for_nothing', cdr, charge: charged };
  }
  yield* findingsOfHistory(cdr, charges);
  for (const settled of settlementsOf(charges)) {
    if (settled.billedSeconds !== cdr.billedSeconds) {
      yield { kind: 'cdr_seconds_differ', cdr, payer: settled.payer, chargedFor: settled.billedSeconds };
    }
  }
}

/** No version is ever lost (DESIGN 8). */
function* findingsOfHistory(cdr: Cdr, charges: readonly Charge[]): Generator<Finding> {
  const versions = new Map<AccountPath, Set<number>>();
  for (const { payer, version } of charges) {
    versions.set(payer, (versions.get(payer) ?? new Set()).add(version));
  }
  for (const [payer, known] of versions) {
    for (let version = 1; version < Math.max(...known); version += 1) {
      if (!known.has(version)) yield { kind: 'cdr_version_missing', cdr, payer, version };
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

/** A leg that was funded and talked leaves a charge, even one of price zero (within the grace). */
function mustBeCharged(cdr: Cdr): boolean {
  if (cdr.funding === 'none' || cdr.funding === 'toll_free' || cdr.billedSeconds === 0) return false;
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

/**
 * What each payer is charged for by the version in force, its segments taken together. An earlier one was for another
 * time where the leg was settled by a guess and corrected.
 */
function settlementsOf(
  charges: readonly Charge[],
): readonly { readonly payer: AccountPath; readonly billedSeconds: number }[] {
  const settled = new Map<AccountPath, number>();
  for (const { payer, billedSeconds } of chargesInForce(charges)) {
    settled.set(payer, (settled.get(payer) ?? 0) + billedSeconds);
  }
  return [...settled].map(([payer, billedSeconds]) => ({ payer, billedSeconds }));
}
