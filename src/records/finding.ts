import type { PriceTerms } from '../rating/price.ts';
import { assertNever } from '../units/assert.ts';
import type { AccountPath } from '../units/ids.ts';
import { formatMicros, toMicros, type Micros } from '../units/money.ts';
import {
  chargeTransferId,
  currencyOf,
  type Cdr,
  type Charge,
  type PerMinuteCharge,
  type Transfer,
} from './records.ts';
import type { WalletEvidence, WalletRecord } from './evidence.ts';

/** One thing that `verify` found not to add up, with the figures that show it. */
export type Finding =
  | { readonly kind: 'transfer_to_itself'; readonly transfer: Transfer }
  | { readonly kind: 'transfer_not_positive'; readonly transfer: Transfer }
  | { readonly kind: 'transfer_without_charge'; readonly transfer: Transfer }
  | { readonly kind: 'transfer_of_wrong_kind'; readonly transfer: Transfer; readonly charge: Charge }
  | { readonly kind: 'reversal_without_charge'; readonly transfer: Transfer }
  | { readonly kind: 'reversal_differs'; readonly transfer: Transfer; readonly charge: Charge }
  | { readonly kind: 'charge_without_cdr'; readonly charge: Charge }
  | { readonly kind: 'charge_without_rate'; readonly charge: PerMinuteCharge }
  | { readonly kind: 'charge_terms_wrong'; readonly charge: PerMinuteCharge; readonly terms: PriceTerms }
  | { readonly kind: 'charge_of_other_number'; readonly charge: PerMinuteCharge; readonly cdr: Cdr }
  | { readonly kind: 'charge_not_reversed'; readonly charge: Charge; readonly versionInForce: number }
  | { readonly kind: 'charge_in_force_reversed'; readonly charge: Charge; readonly transfer: Transfer }
  | { readonly kind: 'charge_reversed_again'; readonly charge: Charge; readonly transfer: Transfer }
  | { readonly kind: 'charge_without_transfer'; readonly charge: Charge }
  | { readonly kind: 'charge_seconds_wrong'; readonly charge: Charge; readonly seconds: number }
  | { readonly kind: 'charge_price_wrong'; readonly charge: Charge; readonly price: Micros }
  | { readonly kind: 'charge_transfer_amount_wrong'; readonly charge: Charge; readonly transfer: Transfer }
  | { readonly kind: 'charge_transfer_sides_wrong'; readonly charge: Charge; readonly transfer: Transfer }
  | { readonly kind: 'cdr_billed_unanswered'; readonly cdr: Cdr }
  | { readonly kind: 'cdr_billed_beyond_talk'; readonly cdr: Cdr }
  | { readonly kind: 'cdr_ends_before_answer'; readonly cdr: Cdr }
  | { readonly kind: 'cdr_without_charge'; readonly cdr: Cdr }
  | {
      readonly kind: 'cdr_version_missing';
      readonly cdr: Cdr;
      readonly payer: AccountPath;
      readonly version: number;
    }
  | { readonly kind: 'cdr_charged_for_nothing'; readonly cdr: Cdr; readonly charge: Charge }
  | {
      readonly kind: 'cdr_seconds_differ';
      readonly cdr: Cdr;
      readonly payer: AccountPath;
      readonly chargedFor: number;
    }
  | {
      readonly kind: 'wallet_currency_wrong';
      readonly wallet: WalletRecord;
      readonly accountCurrency: string;
    }
  | { readonly kind: 'wallet_not_live'; readonly wallet: WalletEvidence }
  | { readonly kind: 'wallet_balance_differs'; readonly wallet: WalletEvidence };

/** One sentence for whoever keeps the books. */
export function describeFinding(finding: Finding): string {
  switch (finding.kind) {
    case 'transfer_to_itself':
      return `${nameOfTransfer(finding.transfer)} has ${finding.transfer.debit} on both sides.`;
    case 'transfer_not_positive':
      return `${nameOfTransfer(finding.transfer)} moves ${sumOf(finding.transfer)}, which is not a positive amount.`;
    case 'transfer_without_charge':
      return `${nameOfTransfer(finding.transfer)} takes ${sumOf(finding.transfer)} for a charge that is not on record.`;
    case 'transfer_of_wrong_kind':
      return `${nameOfTransfer(finding.transfer)} is booked as ${finding.transfer.kind} but belongs to the ${nameOfCharge(finding.charge)}.`;
    case 'reversal_without_charge':
      return `${nameOfTransfer(finding.transfer)} gives back ${sumOf(finding.transfer)} of a charge that is not on record.`;
    case 'reversal_differs':
      return `${nameOfTransfer(finding.transfer)} moves ${sumOf(finding.transfer)} from ${finding.transfer.debit} to ${finding.transfer.credit}, which does not take back the ${nameOfCharge(finding.charge)} of ${priceOfCharge(finding.charge)}.`;
    case 'charge_without_cdr':
      return `The ${nameOfCharge(finding.charge)} belongs to a call that is not on record.`;
    case 'charge_without_rate':
      return `The ${nameOfCharge(finding.charge)} names ${rateNamedBy(finding.charge)}, which is not on record.`;
    case 'charge_terms_wrong':
      return `The ${nameOfCharge(finding.charge)} names ${rateNamedBy(finding.charge)} for ${finding.charge.prefix}, which has other terms: ${inWords(finding.terms)}.`;
    case 'charge_of_other_number':
      return `The ${nameOfCharge(finding.charge)} is by ${rateNamedBy(finding.charge)} for ${finding.charge.prefix}, but its call went to ${finding.cdr.destination}.`;
    case 'charge_not_reversed':
      return `The ${nameOfCharge(finding.charge)} was superseded by version ${finding.versionInForce}, but its ${priceOfCharge(finding.charge)} never came back.`;
    case 'charge_in_force_reversed':
      return `The ${nameOfCharge(finding.charge)} is in force, but ${finding.transfer.id} took its ${sumOf(finding.transfer)} back.`;
    case 'charge_reversed_again':
      return `The ${nameOfCharge(finding.charge)} was taken back more than once: ${finding.transfer.id} moved ${sumOf(finding.transfer)} too.`;
    case 'charge_without_transfer':
      return `The ${nameOfCharge(finding.charge)} costs ${priceOfCharge(finding.charge)}, but no money moved: transfer ${chargeTransferId(finding.charge)} is missing.`;
    case 'charge_seconds_wrong':
      return `The ${nameOfCharge(finding.charge)} counts ${finding.charge.chargedSeconds} s, but its pulses make ${finding.seconds} s of ${finding.charge.billedSeconds} s talked.`;
    case 'charge_price_wrong':
      return `The ${nameOfCharge(finding.charge)} costs ${priceOfCharge(finding.charge)}, but its rate makes ${money(finding.price, currencyOf(finding.charge))} of ${finding.charge.billedSeconds} s.`;
    case 'charge_transfer_amount_wrong':
      return `The ${nameOfCharge(finding.charge)} costs ${priceOfCharge(finding.charge)}, but ${sumOf(finding.transfer)} moved.`;
    case 'charge_transfer_sides_wrong':
      return `The ${nameOfCharge(finding.charge)} was paid from ${finding.transfer.debit} to ${finding.transfer.credit}, not from the payer's wallet to its revenue.`;
    case 'cdr_billed_unanswered':
      return `${nameOfCdr(finding.cdr)} has ${finding.cdr.billedSeconds} s to bill but was never answered.`;
    case 'cdr_billed_beyond_talk':
      return `${nameOfCdr(finding.cdr)} has ${finding.cdr.billedSeconds} s to bill, but talked ${finding.cdr.billMicroseconds} µs.`;
    case 'cdr_ends_before_answer':
      return `${nameOfCdr(finding.cdr)} ends before it was answered.`;
    case 'cdr_without_charge':
      return `${nameOfCdr(finding.cdr)} was funded (${finding.cdr.funding}) and talked ${finding.cdr.billedSeconds} s, but has no charge.`;
    case 'cdr_version_missing':
      return `${nameOfCdr(finding.cdr)} has later charges of ${finding.payer}, but those of version ${finding.version} are lost.`;
    case 'cdr_charged_for_nothing':
      return `${nameOfCdr(finding.cdr)} was not to be charged (decision ${finding.cdr.decision}, funding ${finding.cdr.funding}), but ${finding.charge.payer} paid ${priceOfCharge(finding.charge)}.`;
    case 'cdr_seconds_differ':
      return `${nameOfCdr(finding.cdr)} has ${finding.cdr.billedSeconds} s to bill, but ${finding.payer} was charged for ${finding.chargedFor} s.`;
    case 'wallet_currency_wrong':
      return `${finding.wallet.ledger} holds ${money(finding.wallet.balance, finding.wallet.currency)}, but its account keeps ${finding.accountCurrency}.`;
    case 'wallet_not_live':
      return `${finding.wallet.ledger} should hold ${expectedOf(finding.wallet)}, but the live state does not know it.`;
    case 'wallet_balance_differs':
      return `${finding.wallet.ledger} should hold ${expectedOf(finding.wallet)}, but calls are admitted against ${money(finding.wallet.live, finding.wallet.currency)}.`;
    default:
      return assertNever(finding, 'finding');
  }
}

function nameOfTransfer(transfer: Transfer): string {
  return `Transfer ${transfer.id}`;
}

function nameOfCharge(charge: Charge): string {
  const part = charge.segment === 0 ? '' : `, segment ${charge.segment}`;
  return `charge of ${charge.payer} for leg ${charge.legUuid} (version ${charge.version}${part})`;
}

function nameOfCdr(cdr: Cdr): string {
  return `Call ${cdr.legUuid} of ${cdr.account} to ${cdr.destination}`;
}

function rateNamedBy({ tariff, tariffVersion, rateId }: PerMinuteCharge): string {
  return `rate ${rateId} of ${tariff} version ${tariffVersion}`;
}

function inWords(terms: PriceTerms): string {
  const { perMinute, surcharge, minimumSeconds, incrementSeconds, graceSeconds } = terms;
  const pulses = `pulses of ${minimumSeconds}/${incrementSeconds} s, ${graceSeconds} s free`;
  return `${formatMicros(perMinute)} a minute + ${formatMicros(surcharge)}, ${pulses}`;
}

function priceOfCharge(charge: Charge): string {
  return money(charge.price, currencyOf(charge));
}

function sumOf(transfer: Transfer): string {
  return money(transfer.amount, transfer.currency);
}

function expectedOf(wallet: WalletEvidence): string {
  const expected = money(toMicros(wallet.recorded + wallet.pending), wallet.currency);
  if (wallet.pending === 0n) return `${expected} by its transfers`;
  return `${expected} by its transfers, ${money(wallet.pending, wallet.currency)} of it not yet written`;
}

function money(amount: Micros | undefined, currency: string): string {
  return amount === undefined ? 'nothing' : `${formatMicros(amount)} ${currency}`.trimEnd();
}
