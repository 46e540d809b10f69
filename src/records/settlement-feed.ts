import type { AccountPath } from '../units/ids.ts';
import type { Decision, Settlement, Transfer } from './records.ts';

/** What Redis has settled and decided and SQL has not yet: only what is in SQL leaves it (DESIGN 8). */
export type SettlementFeed = {
  /** The oldest entries of these roots' streams and of the decisions, at most `max` of each. Reads, never takes. */
  read(roots: readonly AccountPath[], max: number): Promise<FeedBatch>;
  /** Forgets entries that are in SQL. Replayed: nothing happens. */
  remove(entries: readonly FeedEntry[]): Promise<void>;
  /** Adds a decision to its stream. */
  decide(decision: Decision): Promise<void>;
  /** Calls back when some root has something to drain, at most every few milliseconds. Returns the way to stop. */
  onReady(listener: (root: AccountPath | undefined) => void): () => void;
};

export type FeedEntry = { readonly stream: string; readonly id: string };

export type FeedBatch = {
  readonly settlements: readonly { readonly entry: FeedEntry; readonly settlement: Settlement }[];
  /** Money that moved without a call's end: a customer's pool was opened, raised or closed. */
  readonly transfers: readonly { readonly entry: FeedEntry; readonly transfer: Transfer }[];
  readonly decisions: readonly { readonly entry: FeedEntry; readonly decision: Decision }[];
  /** Entries that cannot be read as ours: kept where they are, reported, and never in the way of the others. */
  readonly unreadable: readonly { readonly entry: FeedEntry; readonly reason: string }[];
};
