import type { Micros } from '../units/money.ts';
import type { Cdr, Charge, LedgerName, Transfer } from './records.ts';

/** What the record says, in the pieces that belong together. Each walk is of any length and constant memory. */
export type Evidence = {
  transfers(): AsyncIterable<TransferEvidence>;
  charges(): AsyncIterable<ChargeEvidence>;
  cdrs(): AsyncIterable<CdrEvidence>;
  wallets(): AsyncIterable<WalletRecord>;
};

/** A transfer, and the charge that has its id. */
export type TransferEvidence = { readonly transfer: Transfer; readonly charge: Charge | undefined };

/** A charge, the transfer that has its id, and its leg's CDR. */
export type ChargeEvidence = {
  readonly charge: Charge;
  readonly transfer: Transfer | undefined;
  readonly cdr: Cdr | undefined;
};

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
