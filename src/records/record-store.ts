import type { AccountPath, LegUuid } from '../units/ids.ts';
import type { Micros } from '../units/money.ts';
import type { EpochMs } from '../units/time.ts';
import type { Cdr, Charge, Decision, LedgerName, Settlement, Transfer } from './records.ts';

/**
 * The record of calls and money. Rows are added and never changed, but for the CDR of a leg that was settled by a
 * guess, once FreeSWITCH's own says what it was. A promise that resolves means the rows survive
 * a power failure; one that rejects (an operating error of the store) means that nothing was written.
 */
export type RecordStore = RecordWriter & RecordReader;

export type RecordWriter = {
  /**
   * Writes all of it in one transaction. The same records may come any number of times, alone or in other
   * batches: what SQL already holds stays as it is (ruling 9) and is counted or, where it differs, reported.
   * One record that no table can hold fails the whole batch with an UnwritableRecordError: writing its
   * settlements one by one then finds it, and trying the same batch again never helps. Any other error may pass.
   */
  writeBatch(batch: RecordBatch): Promise<BatchOutcome>;
  /** A top-up or an adjustment. `already`: the same transfer stands. `conflict`: the id stands for another one. */
  insertTransfer(transfer: Transfer): Promise<'inserted' | 'already' | 'conflict'>;
  /** The live state has these movements now. */
  forgetTold(movements: readonly Movement[]): Promise<void>;
};

/**
 * Money on record that a live wallet may not have yet; negative: it may have too much. Written together with its
 * transfers, and told to the live state once by its id (ruling 9).
 */
export type Movement = {
  readonly id: string;
  readonly account: AccountPath;
  readonly currency: string;
  readonly amount: Micros;
};

export type RecordReader = {
  cdr(leg: LegUuid): Promise<Cdr | undefined>;
  /** By admission, from `from` up to but not including `to`. */
  cdrs(query: CdrQuery): Promise<Page<Cdr>>;
  /** All CDRs of the call that this leg, A-leg or not, belongs to, in order of admission. */
  cdrsOfCall(leg: LegUuid): Promise<readonly Cdr[]>;
  /** Every version, ordered by payer, version, segment. */
  chargesOf(leg: LegUuid): Promise<readonly Charge[]>;
  /** What a payer pays, by the versions in force, of legs that ended at `from` or later. */
  paidSince(payer: AccountPath, from: EpochMs): Promise<readonly PaidPart[]>;
  /** All decisions of the call that this leg, A-leg or not, belongs to, oldest first. */
  decisionsOf(leg: LegUuid): Promise<readonly Decision[]>;
  /** Oldest first, from `from` up to but not including `to`; of an account and those below it. Constant memory. */
  decisionsOfKind(query: DecisionQuery): AsyncIterable<Decision>;
  transfer(id: string): Promise<Transfer | undefined>;
  transfersOf(query: TransferQuery): Promise<Page<Transfer>>;
  /** What the charges of a leg moved, and what took it back, oldest first. */
  transfersOfLeg(leg: LegUuid): Promise<readonly Transfer[]>;
  /** Which of these transfers are in SQL: what is left of the stream is what is not drained. */
  knownTransferIds(ids: readonly string[]): Promise<ReadonlySet<string>>;
  /** Movements that nobody has confirmed, of one account or of all, in constant memory. */
  untold(account: AccountPath | undefined): AsyncIterable<Movement>;
  /** What a live wallet that is not there begins with: the balance without the movements that it is still to be told. */
  toldBalance(account: AccountPath, currency: string): Promise<Micros>;
  /** What came in less what went out; zero for a ledger without transfers. */
  balance(ledger: LedgerName, currency: string): Promise<Micros>;
  /** What it was just before a moment, in every currency that had moved by then. */
  balancesBefore(ledger: LedgerName, before: EpochMs): Promise<ReadonlyMap<string, Micros>>;
  /** Every wallet that ever had a transfer, by name, or those below an account; constant memory. */
  walletBalances(below?: AccountPath): AsyncIterable<LedgerBalance>;
  counts(): Promise<RecordCounts>;
  /** Of customers that only channel variables name, all that is on record. */
  customerTotals(): Promise<CustomerTotals>;
};

/** A charge, and when the talk began that it is for: the answer, or where the segment before it ended. */
export type PaidPart = { readonly charge: Charge; readonly talkedFrom: EpochMs };

export type RecordBatch = {
  readonly settlements: readonly Settlement[];
  /** That belong to no settlement. */
  readonly transfers?: readonly Transfer[];
  /** What the live state is to be told of transfers that it does not have, each by the transfer's id. */
  readonly movements?: readonly Movement[];
  readonly decisions: readonly Decision[];
};

export type CustomerTotals = {
  readonly customers: number;
  readonly calls: number;
  readonly answered: number;
  /** Calls that ended because there was nothing left. */
  readonly ended: { readonly credit: number; readonly time: number };
  readonly refused: {
    readonly credit: number;
    readonly time: number;
    readonly channels: number;
    readonly other: number;
  };
};

export type RecordCounts = {
  readonly cdrs: number;
  readonly charges: number;
  readonly transfers: number;
  readonly decisions: number;
};

export type BatchOutcome = {
  readonly inserted: RecordCounts;
  /** Offered again with the same content. */
  readonly already: RecordCounts;
  readonly conflicts: readonly RecordConflict[];
};

/**
 * What was offered and not written, because SQL holds something else in its place. `kept` is undefined where SQL
 * has no such row, yet has this payer's part of the leg settled otherwise (other segments, or a price of zero).
 */
export type RecordConflict =
  | { readonly kind: 'cdr'; readonly offered: Cdr; readonly kept: Cdr }
  | { readonly kind: 'charge'; readonly offered: Charge; readonly kept: Charge | undefined }
  | { readonly kind: 'transfer'; readonly offered: Transfer; readonly kept: Transfer | undefined };

/** One record no table can hold. It fails its whole batch; `record` says which one it is, in words. */
export class UnwritableRecordError extends Error {
  override readonly name = 'UnwritableRecordError';
  readonly record: string;
  constructor(record: string, why: string) {
    super(`${record} cannot be written: ${why}`);
    this.record = record;
  }
}

/** Where the page before ended. */
export type PageCursor = { readonly at: EpochMs; readonly id: string };

export type Page<Row> = { readonly rows: readonly Row[]; readonly next: PageCursor | undefined };

export type PageQuery = {
  readonly from: EpochMs;
  readonly to: EpochMs;
  readonly order: 'oldest_first' | 'newest_first';
  /** At most 1,000 are given, however many are asked for. */
  readonly limit: number;
  readonly after?: PageCursor | undefined;
};

export type CdrQuery = PageQuery & {
  readonly account: AccountPath;
  /** `subtree`: the account and everything below it. */
  readonly scope: 'account' | 'subtree';
};

export type DecisionQuery = {
  readonly kind: Decision['kind'];
  readonly account: AccountPath | undefined;
  readonly from: EpochMs;
  readonly to: EpochMs;
};

export type TransferQuery = PageQuery & { readonly ledger: LedgerName };

export type LedgerBalance = {
  readonly ledger: LedgerName;
  readonly currency: string;
  readonly balance: Micros;
  readonly transfers: number;
};
