import type { PriceTerms } from '../rating/price.ts';
import type { AdmittedLeg } from '../records/records.ts';
import type { AccountPath, AdmissionId, LegUuid, PoolId, TariffName } from '../units/ids.ts';
import type { Micros } from '../units/money.ts';
import type { EpochMs } from '../units/time.ts';
import type { Counter, Holder, Slot } from './plan.ts';

/**
 * What Redis keeps of a live leg in its home slot: all that its settlement needs, whoever does it. Written at
 * admission, bound to a channel at its CREATE or ANSWER, removed by settlement alone (ruling 7).
 */
export type LegRecord = AdmittedLeg & {
  readonly admission: AdmissionId;
  readonly aLeg: LegUuid;
  /**
   * All branches of the dial, this leg's own included, each `branch:root`: what is given back when one of them answers.
   * Without a root it is kept where this leg is.
   */
  readonly siblings: readonly string[];
  /** The channel that is metered: undefined until it exists. A call from a route is metered on its A-leg. */
  readonly uuid: LegUuid | undefined;
  /** Those that pay by a tariff; a price of zero included. */
  readonly payers: readonly PayerRecord[];
  /** Those that pay by a flat-rate trunk. */
  readonly trunks: readonly TrunkRecord[];
  /** How those in a dry run would have paid for it: what they would have been charged is told. */
  readonly dryRun?: readonly FundedPart[];
  /** Those that pay by an allotment, as long as it lasts. */
  readonly allotments: readonly AllotmentRecord[];
  /** The pool of seconds that its customer's calls share, beside whatever pays. */
  readonly time?: TimeRecord;
  /** The longest that it may last; undefined: nobody says. */
  readonly cap: LegCap | undefined;
  /** What it holds where, so that any controller can give it back. */
  readonly taken: readonly TakenSlot[];
};

/** The most seconds that the talk may have, whose limit that is, and which. Charged are never more. */
export type LegCap = {
  readonly seconds: number;
  readonly reason: 'max_seconds' | 'max_cost';
  readonly account: AccountPath;
};

export type TimeRecord = {
  readonly account: AccountPath;
  readonly pool: PoolId;
  /** A second of the pool for each second of talk. */
  readonly terms: PriceTerms;
};

export type TrunkRecord = {
  readonly account: AccountPath;
  readonly way: 'flat_rate' | 'flat_rate_burst';
};

/** What the record says of one payer that could pay in several ways, once it is known which one was taken. */
export type FundedPart = (
  | { readonly way: 'per_minute'; readonly payer: PayerRecord; readonly cap: LegCap | undefined }
  | { readonly way: 'allotment'; readonly allotment: AllotmentRecord }
  | (TrunkRecord & { readonly counter: 'inboundCalls' | 'outboundCalls' })
) & {
  /** It would be paid so: the payer is in a dry run, and pays nothing. */
  readonly isDryRun?: true;
};

export type AllotmentRecord = {
  readonly account: AccountPath;
  /** Its name in the account's document. */
  readonly name: string;
  readonly pool: PoolId;
  /** Other allotments that count its use as theirs. */
  readonly groups: readonly PoolId[];
  /** Its pulses; a second is a million micros. */
  readonly terms: PriceTerms;
  /** How the call goes on when it has run dry. Undefined: it ends. */
  readonly goesOn: Continuation | undefined;
};

/** Terms without surcharge, minimum and grace: the call has begun. */
export type Continuation = {
  readonly payer: PayerRecord;
  /** It costs nothing, at no time of day: then it is drawn from nowhere, and its payer need not even have a wallet. */
  readonly isFree?: true;
  /** How much it may cost from there on (`maxCallCost`). */
  readonly costMax?: Micros;
  /** Up to when it may go on for that: known once it does. */
  readonly until?: EpochMs;
};

export type PayerRecord = {
  readonly account: AccountPath;
  /** Its account's money; of what only shadow limits count, the first of its spend windows there. */
  readonly wallet: PoolId;
  readonly tariff: TariffName;
  readonly tariffVersion: number;
  readonly rateId: number;
  readonly prefix: string;
  readonly currency: string;
  readonly terms: PriceTerms;
  /** The rates that take over from this one in their order, where its terms say that others do. */
  readonly later?: readonly { readonly rateId: number; readonly prefix: string }[];
  /** Its spend windows, which the call draws on as on its wallet. */
  readonly windows?: readonly PoolId[];
  /** Its limits would have refused the leg and let it go on: charged when it ends, nothing held before (ruling 16). */
  readonly soft?: boolean;
};

export type TakenSlot = {
  readonly slot: Slot;
  readonly counted: readonly { readonly holder: Holder; readonly counters: readonly Counter[] }[];
};
