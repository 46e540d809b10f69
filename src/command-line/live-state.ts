import type { PoolMeaning } from '../credit/pools.ts';
import type { Movement } from '../records/record-store.ts';
import type { AccountPath, CustomerId, LegUuid, NodeId } from '../units/ids.ts';
import type { Micros } from '../units/money.ts';
import type { EpochMs } from '../units/time.ts';

/** What the command line asks of Redis and of the controllers that share it. Methods reject when Redis cannot answer. */
export type LiveState = {
  /** Legs admitted and not yet settled, oldest first; `under`: of this account and everything below it. */
  calls(under: AccountPath | undefined): Promise<readonly LiveCall[]>;
  /** Asks whichever controller owns the leg to end it. `unknown`: no such live leg. */
  killLeg(uuid: LegUuid): Promise<'asked' | 'unknown'>;
  /** How many legs of the account and everything below it were asked to end. */
  killAccount(path: AccountPath): Promise<number>;
  wallet(path: AccountPath): Promise<LiveWallet | undefined>;
  /** What the shadow limits of an account count for themselves; none where they count nothing. */
  shadowUse(path: AccountPath): Promise<readonly LiveShadowUse[]>;
  /** Brings a transfer that is on record to running calls, once by its id. */
  fund(funding: {
    readonly account: AccountPath;
    readonly transferId: string;
    readonly amount: Micros;
  }): Promise<'moved' | 'already' | 'no_wallet'>;
  /** Brings a movement that is on record to running calls, once by its id. */
  tell(movement: Movement): Promise<'moved' | 'already' | 'no_wallet'>;
  /** Legs that are up, or settled and not yet in SQL. */
  unrecordedLegs(): Promise<ReadonlySet<LegUuid>>;
  /** Customers that are stored nowhere and have calls, by their path. */
  customers(): Promise<readonly LiveCustomer[]>;
  /** Adds to a pool of a customer who has calls, once by its id. `no_pool`: none of his calls draws on such a one. */
  extendCustomer(extension: CustomerExtension): Promise<'moved' | 'already' | 'no_pool'>;
  /** Tells every controller that accounts or routes changed, and lets running calls feel it. */
  announceAccounts(changed: readonly AccountPath[]): Promise<void>;
  /** Tells every controller that a tariff has a new version. */
  announceTariffs(): Promise<void>;
  /**
   * Sets the allotments and spend windows of these accounts by what calls were charged in their running cycle, and tells
   * which were off. Safe to repeat.
   */
  rightPools(accounts: ReadonlySet<AccountPath>): Promise<readonly string[]>;
  /** Everything that only the live state can be asked for `verify`; each finding is one sentence. */
  proveLive(options: { readonly fix: boolean }): Promise<LiveProof>;
};

export type LiveCall = {
  readonly uuid: LegUuid | undefined;
  readonly node: NodeId;
  readonly account: AccountPath;
  readonly direction: 'inbound' | 'outbound' | 'internal';
  readonly callerNumber: string;
  readonly destination: string;
  readonly state: 'ringing' | 'answered';
  readonly admittedAt: EpochMs;
  readonly answeredAt: EpochMs | undefined;
  /** What it has committed so far, by payer. */
  readonly committed: readonly {
    readonly payer: AccountPath;
    readonly amount: Micros;
    readonly currency: string;
  }[];
  /** When its money ends, as far as that is known. */
  readonly cutoffAt: EpochMs | undefined;
};

export type LiveCustomer = {
  /** Where his calls are counted: `adhoc/john`, or below a stored account. */
  readonly path: AccountPath;
  readonly customer: CustomerId;
  /** Those that ring included. */
  readonly calls: number;
  readonly answered: number;
  /** Undefined: no call of his has any money. */
  readonly credit:
    | {
        readonly currency: string;
        /** All that ever came in. */
        readonly amount: Micros;
        /** Charged, and committed by calls that are up. */
        readonly spent: Micros;
        readonly left: Micros;
      }
    | undefined;
  readonly time:
    | { readonly seconds: number; readonly usedSeconds: number; readonly leftSeconds: number }
    | undefined;
};

export type CustomerExtension = {
  readonly path: AccountPath;
  readonly id: string;
  readonly by:
    | { readonly kind: 'credit'; readonly amount: Micros }
    | { readonly kind: 'seconds'; readonly seconds: number };
};

export type LiveWallet = {
  readonly balance: Micros;
  readonly committed: Micros;
  readonly available: Micros;
  readonly legs: number;
};

/** One allotment or spend window: used of its amount in the running cycle; a second of an allotment is a million. */
export type LiveShadowUse = {
  readonly meaning: Extract<PoolMeaning, { readonly kind: 'allotment' | 'spend' }>;
  readonly used: Micros;
  readonly amount: Micros;
  readonly endsAt: EpochMs;
};

export type LiveProof = {
  readonly walletsChecked: number;
  /** Allotments and spend windows that somebody has drawn on. */
  readonly poolsChecked: number;
  readonly legsChecked: number;
  readonly findings: readonly string[];
  readonly fixed: readonly string[];
};
