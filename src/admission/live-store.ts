import type { ExhaustionPolicy, Opened, PayerLeg, Refill } from '../credit/wallet.ts';
import type { PriceTerms } from '../rating/price.ts';
import type { AccountPath, LegKey, LegUuid, PoolId } from '../units/ids.ts';
import type { Micros } from '../units/money.ts';
import type { EpochMs } from '../units/time.ts';
import type { AllotmentRecord, Continuation, LegCap, LegRecord } from './leg-record.ts';
import type { Counter, Holder, HolderUse, Slot, SlotPlan, TrunkTake } from './plan.ts';

/**
 * The live state: who is counted where, what every wallet holds, which legs are up. Every method is one atomic
 * step in its slot and idempotent by leg key; it rejects with `StoreUnavailableError` when Redis cannot answer,
 * and then the step may or may not have happened, so that it is safe to repeat it.
 */
export type LiveStore = {
  /** Redis's clock as this process estimates it; exact moments come back from the scripts themselves. */
  now(): EpochMs;

  /** Takes all of the plan in the leg's home slot, where its record is kept and all that pays is, or none of it. */
  take(plan: SlotPlan, record: LegRecord): Promise<TakeOutcome>;
  /** Takes all of the plan in another slot, or none of it. */
  count(plan: SlotPlan): Promise<CountOutcome>;
  /**
   * Gives back everything a leg took in one slot: holds, counters, record. For a leg that never ran. Not even the tick
   * of one that another slot `refused` stays; one that rang `unanswered` was an admission of its second (ruling 21).
   */
  giveBack(slot: Slot, legKey: LegKey, record: LegRecord, why: 'refused' | 'unanswered'): Promise<void>;

  /** Ties the leg to its channel: first come, first bound; a second channel with the same key is `taken`. */
  bind(record: LegRecord, uuid: LegUuid): Promise<'bound' | 'taken' | 'gone'>;
  /** Unties a channel that ended unanswered, so that a failover may take its place. */
  unbind(record: LegRecord, uuid: LegUuid): Promise<void>;

  /** held → running, at a moment of Redis's clock. Replayed: nothing changes. */
  answer(record: LegRecord, answeredAt: EpochMs): Promise<AnswerOutcome>;

  /**
   * Limits its length anew, and its deadline with it where it is answered. Replayed: the same. Undefined: it is no live
   * leg any more.
   */
  limitLength(record: LegRecord, cap: LegCap | undefined): Promise<LegRecord | undefined>;

  /**
   * A leg whose allotment has run dry goes on per minute from then on, by the wallet of the same account: all of it or
   * nothing. Where it would be paid so in a dry run, it draws on the windows of that alone. Replayed: `already`.
   */
  goOn(record: LegRecord, allotment: GoingOnFrom, isDryRun?: boolean): Promise<GoOnOutcome>;

  /** The channel is going: frees the counters in every slot, keeps the money and the record (ruling 24). */
  release(record: LegRecord): Promise<void>;
  /** The leg is gone: money and what is left of its counters; appends the settlement to the stream. Once. */
  settle(record: LegRecord, talk: Talk, close: CloseSettlement): Promise<SettleOutcome>;

  /** The live record of a leg, and how far each of its payers has paid. */
  find(root: AccountPath, legKey: LegKey): Promise<LiveLeg | undefined>;
  liveLegs(root: AccountPath): Promise<readonly LegRecord[]>;
  usage(holder: Holder): Promise<Readonly<Record<Counter, number>>>;
  /** Admissions of a holder in the last second, where they are counted. */
  recentAdmissions(holder: Holder): Promise<number>;
  /** Everybody who counts a call now. Walks over all there is: for a proof, not for a call. */
  countingHolders(): Promise<readonly Holder[]>;

  /** Opens a wallet that Redis does not have yet; changes nothing where it has. */
  openWallet(account: PoolId, opening: WalletOpening): Promise<void>;
  /** Moves money once by id (ruling 9); replayed: `already`. */
  fund(account: PoolId, transferId: string, amount: Micros): Promise<FundOutcome>;
  /** Adds to a customer's pool while it is there, once by id, and tells the books of it where it is money. */
  extend(pool: PoolId, extension: PoolExtension): Promise<FundOutcome>;
  /** Sets the allowed postpay and the policy; acts on running legs at once. */
  configureWallet(account: PoolId, settings: WalletSettings): Promise<void>;
  readWallet(account: PoolId): Promise<WalletView | undefined>;
  /**
   * What is left of a customer's pool that Redis has lost; the call that opens it takes it up. Undefined: it was closed,
   * or is there. Rejects also where the books have to be asked and do not answer.
   */
  lostPool(account: AccountPath): Promise<LostPool | undefined>;
  /** Closes it in the books, for nobody talks on it. False: it is there, or whoever looked at the same time has closed it. */
  closeLost(
    account: AccountPath,
    left: { readonly amount: Micros; readonly currency: string },
  ): Promise<boolean>;
  /** Balance + postpay alone, in constant time; undefined for a wallet that is not open. */
  funds(account: PoolId): Promise<Micros | undefined>;

  /** Lets time pass on one wallet and ends the legs that cannot pay. The heart of a cutoff. */
  evaluate(account: PoolId): Promise<Evaluation>;
  /** Wallets of a root whose cutoff may be due by then: the net under every timer. */
  dueWallets(root: AccountPath, until: EpochMs): Promise<readonly DueWallet[]>;
  /** Answered legs of a root that may last no longer than until then, and longer than `after`; the longest over first. */
  dueDeadlines(root: AccountPath, until: EpochMs, after?: EpochMs): Promise<readonly LegDeadline[]>;
};

/** When a wallet may fail to pay a pulse: never later than it does. */
export type DueWallet = { readonly account: PoolId; readonly dueAt: EpochMs };

/** When a leg has lasted as long as it may (`maxCallSeconds`, `maxCallCost`); kept from its answer to its settlement. */
export type LegDeadline = { readonly legKey: LegKey; readonly endsAt: EpochMs };

export type TakeOutcome =
  | {
      readonly kind: 'taken';
      readonly at: EpochMs;
      readonly wallets: readonly HeldWallet[];
      /** Of each `firstOf` the option taken, from 0; absent where the plan leaves nothing to choose. */
      readonly chosen?: readonly number[];
      /** Of every holder of the plan, trunks that were asked included. */
      readonly uses: readonly HolderUse[];
    }
  /** The leg key was admitted before: a replayed question. The record is the one kept then. */
  | { readonly kind: 'already'; readonly record: LegRecord }
  | TakeRefused;

export type CountOutcome =
  | { readonly kind: 'counted'; readonly uses: readonly HolderUse[] }
  | { readonly kind: 'already' }
  | TakeRefused;

export type TakeRefused = {
  readonly kind: 'refused';
  readonly refusal: TakeRefusal;
  /** Why the same payer could not pay in the ways before that one. */
  readonly besides?: readonly TakeRefusal[];
  /** Of the holders up to the one that refused, just before. */
  readonly uses?: readonly HolderUse[];
};

export type HeldWallet = {
  readonly wallet: PoolId;
  /** Balance + postpay: what this leg could ever spend, were it alone (ruling 11). */
  readonly funds: Micros;
  /** Never more than what is available beside every other leg now, this leg's hold not counted. */
  readonly availableAtLeast: Micros;
  /** Without postpay, and before what is held and committed. */
  readonly balance: Micros;
};

export type TakeRefusal =
  | {
      readonly kind: 'count';
      readonly holder: Holder;
      readonly counter: Counter;
      readonly bound: number;
      readonly inUse: number;
    }
  | { readonly kind: 'rate'; readonly holder: Holder; readonly bound: number; readonly inUse: number }
  /** All trunks are in use: so many calls go over them. */
  | {
      readonly kind: 'trunk';
      readonly trunk: TrunkTake;
      readonly inbound: number;
      readonly outbound: number;
    }
  | {
      readonly kind: 'credit';
      readonly wallet: PoolId;
      readonly available: Micros;
      readonly needed: Micros;
    };

/** What has run dry, and what follows it. */
export type GoingOnFrom = Pick<AllotmentRecord, 'pool' | 'goesOn'>;

export type GoOnOutcome =
  | {
      readonly kind: 'continued';
      readonly at: EpochMs;
      readonly from: EpochMs;
      readonly goesOn: Continuation | undefined;
    }
  | { readonly kind: 'already' | 'gone' }
  | { readonly kind: 'refused'; readonly refusal: TakeRefusal };

export type AnswerOutcome = { readonly kind: 'running' | 'already' | 'gone' };

/** FreeSWITCH's measure of the talk; `billedSeconds` is rounded from it as configured. */
export type Talk = { readonly billedSeconds: number; readonly talkMs: number };

/** Makes the stream's entry once the final billed seconds are known. Called again if a step must be repeated. */
export type CloseSettlement = (final: {
  readonly billedSeconds: number;
  /** Of each payer that paid by an allotment, the seconds of the talk that this one paid for. */
  readonly allotmentSeconds: ReadonlyMap<AccountPath, number>;
  /** By what terms each wallet was charged: those that it was drawn on by. */
  readonly payerTerms: ReadonlyMap<AccountPath, PriceTerms>;
  /** Of each payer that paid by an allotment, how it paid for what was talked after that. */
  readonly goneOn: ReadonlyMap<AccountPath, Continuation>;
  /** Of each account in a dry run that could not have paid for more of the talk, where it would have ended. */
  readonly wouldEnd?: ReadonlyMap<AccountPath, WouldEnd>;
  /** What could not pay for more of the talk. */
  readonly endedBy: PoolId | undefined;
  readonly at: EpochMs;
}) => string;

export type WouldEnd = { readonly seconds: number; readonly pool: PoolId };

export type SettleOutcome =
  | { readonly kind: 'settled'; readonly at: EpochMs; readonly billedSeconds: number }
  /** Settled before, by this or another controller: nothing changed. */
  | { readonly kind: 'already' };

export type LiveLeg = { readonly record: LegRecord; readonly payers: readonly PayerLeg[] };

export type WalletOpening = {
  readonly balance: Micros;
  /** For an allotment or a spend window: what its present cycle was filled with, and when that ends. */
  readonly refill?: Pick<Refill, 'amount' | 'endsAt'>;
  /** For a customer's pool: what came into it, and its name. */
  readonly opened?: Opened;
} & WalletSettings;
/** A customer's pool that the books have not closed. */
export type LostPool = { readonly account: AccountPath; readonly balance: Micros; readonly opened: Opened };
export type WalletSettings = {
  readonly credit: Micros;
  readonly policy: ExhaustionPolicy;
  readonly refillAmount?: Micros;
};
export type FundOutcome = { readonly kind: 'moved' | 'already' | 'no-wallet' };

export type PoolExtension = {
  readonly transferId: string;
  readonly amount: Micros;
  /** Undefined: seconds. */
  readonly currency: string | undefined;
};

export type WalletView = {
  readonly account: PoolId;
  readonly at: EpochMs;
  readonly balance: Micros;
  readonly credit: Micros;
  readonly policy: ExhaustionPolicy;
  /** Exact at `at`: holds and begun pulses. */
  readonly committed: Micros;
  readonly legs: readonly PayerLeg[];
  readonly refill?: Refill;
  /** Of a customer's pool. */
  readonly opened?: Opened;
};

export type Evaluation = {
  readonly at: EpochMs;
  /** Legs ended and not yet settled, the ones ended before included: each wants a kill until its channel is gone. */
  readonly ended: readonly { readonly legKey: LegKey; readonly endsAt: EpochMs }[];
  /** The legs that end next, all at one instant, exact; none when no end can be told. */
  readonly next: readonly { readonly legKey: LegKey; readonly endsAt: EpochMs }[];
  /** Until then nobody ends, and then the pool is filled anew: what comes after it can only be told by then. */
  readonly refilledAt?: EpochMs | undefined;
};

/** Redis did not answer, or answered that it cannot serve. What happens to the call is `store.onDown`. */
export class StoreUnavailableError extends Error {
  override readonly name = 'StoreUnavailableError';
}
