import type { Rate, TariffVersion } from '../rating/rate.ts';
import type { Micros } from '../units/money.ts';
import type { Cdr, Charge, LedgerName, Transfer } from './records.ts';

/** What the record says, in the pieces that belong together. Each walk is of any length and constant memory. */
export type Evidence = {
  transfers(): AsyncIterable<TransferEvidence>;
  charges(): AsyncIterable<ChargeEvidence>;
  cdrs(): AsyncIterable<CdrEvidence>;
  wallets(): AsyncIterable<WalletRecord>;
};

/** A transfer, and the charge that has its id, or that it reverses. */
export type TransferEvidence = { readonly transfer: Transfer; readonly charge: Charge | undefined };

/** A charge and all that has to do with it. */
export type ChargeEvidence = {
  readonly charge: Charge;
  /** The one that has its id. */
  readonly transfer: Transfer | undefined;
  readonly cdr: Cdr | undefined;
  /** The highest version that its payer has of the leg. */
  readonly versionInForce: number;
  readonly reversals: readonly Transfer[];
  /** Of a charge per minute: the rate that it names. */
  readonly rate: { readonly version: VersionTerms; readonly rate: Rate } | undefined;
};

/** What a tariff's version adds to each of its rates. */
export type VersionTerms = Pick<TariffVersion, 'currency' | 'rounding'>;

/** A CDR and every charge of its leg. */
export type CdrEvidence = { readonly cdr: Cdr; readonly charges: readonly Charge[] };

/** A wallet as SQL has it: the sum of its transfers in one currency, and what its account says it holds. */
export type WalletRecord = {
  readonly ledger: LedgerName;
  readonly currency: string;
  readonly balance: Micros;
  /** Undefined: no account (an ad hoc wallet), or one without a wallet. */
  readonly accountCurrency: string | undefined;
};

/** A wallet in both places. `pending` is what settled transfers not yet in SQL will add (`netOf`). */
export type WalletEvidence = {
  readonly ledger: LedgerName;
  readonly currency: string;
  readonly recorded: Micros;
  readonly pending: Micros;
  /** Undefined: Redis does not have this wallet. */
  readonly live: Micros | undefined;
};
