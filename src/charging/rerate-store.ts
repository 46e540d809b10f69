import type { Movement } from '../records/record-store.ts';
import type { Cdr, Charge } from '../records/records.ts';
import type { AccountPath, LegUuid, RerateRunId, TariffName } from '../units/ids.ts';
import type { EpochMs } from '../units/time.ts';
import type { PricedPart, RatedCall } from './finished-call.ts';
import type {
  AppliedItem,
  RerateFilter,
  RerateItem,
  RerateItemState,
  RerateRun,
  RerateState,
  RerateSum,
} from './rerate-run.ts';

/** Finished calls as they are rated again, and the runs that do it. Methods reject with an operating error of the store. */
export type RerateStore = RerateReader & RerateWriter;

export type RerateReader = {
  /** How many calls the walk will meet, for a progress bar. */
  countCalls(filter: RerateFilter): Promise<number>;
  /** In the order of their admission, page by page in constant memory; `tariff` is not looked at. */
  pricedCalls(filter: RerateFilter): AsyncIterable<readonly PricedCall[]>;
  /** Every call of all accounts with its charges in force, in the order of their admission, page by page. */
  chargedCalls(span: CallSpan): AsyncIterable<readonly ChargedCall[]>;
  /** The highest version of every payer of these legs, segments in order. */
  chargesInForce(legs: readonly LegUuid[]): Promise<ReadonlyMap<LegUuid, readonly Charge[]>>;
  run(id: RerateRunId): Promise<RerateRun | undefined>;
  /** The latest first. */
  runs(): Promise<readonly RerateRun[]>;
  /** How many items are in which state. */
  itemStates(id: RerateRunId): Promise<ReadonlyMap<RerateItemState, number>>;
  totals(id: RerateRunId): Promise<readonly RerateSum[]>;
  sumsByPayer(id: RerateRunId): AsyncIterable<RerateSum & { readonly payer: AccountPath }>;
  sumsByRate(id: RerateRunId): AsyncIterable<RerateSum & RatedBy>;
  /** Those that change most, whichever way. */
  biggest(id: RerateRunId, count: number): Promise<readonly StoredItem[]>;
  items(id: RerateRunId): AsyncIterable<StoredItem>;
  /** Of every run, what it changed of these legs. */
  appliedTo(legs: readonly LegUuid[]): Promise<readonly AppliedItem[]>;
};

export type RatedBy = { readonly tariff: TariffName | undefined; readonly prefix: string | undefined };

export type StoredItem = Omit<RerateItem, 'charges'> & { readonly state: RerateItemState };

/** A call and what was paid for it per minute, by the versions in force. */
export type PricedCall = {
  readonly call: RatedCall & Pick<Cdr, 'billedSeconds'>;
  readonly parts: readonly PricedPart[];
};

/** Those admitted from `from` up to but not including `to`. */
export type CallSpan = Pick<RerateFilter, 'from' | 'to'>;

export type ChargedCall = { readonly call: Cdr; readonly charges: readonly Charge[] };

export type RerateWriter = {
  /** One of this name that was left half planned makes room. `exists`: one that is planned, or was more than that. */
  begin(run: NewRun): Promise<'begun' | 'exists'>;
  /** Rejects with a PlannedAnewError where the run is not this one any more. */
  addItems(run: RunBegun, items: readonly RerateItem[]): Promise<void>;
  /** planning → planned; rejects like `addItems`. */
  finishPlan(run: RunBegun, counts: Pick<RerateRun, 'calls' | 'unrated' | 'refused' | 'cut'>): Promise<void>;
  /**
   * Takes the one lease that there is for changing charges, or renews it; `claim.run` goes into the state wanted, if
   * it may. A holder that dies loses it when it is over.
   */
  claim(claim: RerateClaim): Promise<ClaimOutcome>;
  /** The next items of one payer, in one transaction. The claim must hold, and is renewed. */
  step(claim: RerateClaim, after: StepCursor | undefined): Promise<StepOutcome>;
  /** applying → applied, reverting → reverted; and the lease ends. */
  finish(claim: RerateClaim): Promise<void>;
};

export type NewRun = Pick<RerateRun, 'id' | 'funding' | 'filter' | 'createdAt'>;

/** What tells a run from an earlier one of its name, which nobody planned to its end. */
export type RunBegun = Pick<NewRun, 'id' | 'createdAt'>;

/** Somebody took the run for one that was left half planned. */
export class PlannedAnewError extends Error {
  override readonly name = 'PlannedAnewError';
  constructor(run: RerateRunId) {
    super(`${run} was planned anew by another process meanwhile`);
  }
}

export type RerateClaim = {
  readonly run: RerateRunId;
  readonly wanted: 'applying' | 'reverting';
  /** Whoever works at it: no two processes alike. */
  readonly holder: string;
  readonly now: EpochMs;
  readonly until: EpochMs;
};

export type ClaimOutcome =
  | { readonly kind: 'held'; readonly run: RerateRun }
  /** Another process works, at this run or at another one. */
  | { readonly kind: 'busy'; readonly run: RerateRunId; readonly until: EpochMs }
  /** Its state does not lead there, or it is there. */
  | { readonly kind: 'already' | 'refused'; readonly state: RerateState }
  | { readonly kind: 'unknown' };

/** Where the step before ended. */
export type StepCursor = { readonly payer: AccountPath; readonly legUuid: LegUuid };

export type StepOutcome =
  /** Nothing is left to do. */
  | { readonly kind: 'over' }
  /** Another process took the lease over. */
  | { readonly kind: 'lost' }
  | {
      readonly kind: 'stepped';
      readonly cursor: StepCursor;
      readonly changed: number;
      /** Left as they are, because they are no longer what was planned. */
      readonly passed: number;
      /** What the live state has to be told, once by its id. */
      readonly movements: readonly Movement[];
    };
