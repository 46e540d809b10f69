import type { NumberPattern } from '../rating/patterns.ts';
import type { Micros } from '../units/money.ts';
import type { Cycle } from './cycles.ts';

/** `unlimited` is no bound and 0 refuses all; an unset value (undefined) is no opinion (DESIGN 2). */
export type Bound = number | 'unlimited';

/** The same for money. */
export type MoneyBound = Micros | 'unlimited';

/** The concurrency limits and the rate limit that an account or a route may carry. */
export type CapacityLimits = {
  readonly calls?: Bound | undefined;
  readonly inboundCalls?: Bound | undefined;
  readonly outboundCalls?: Bound | undefined;
  readonly callsPerSecond?: Bound | undefined;
};

/** What an account's legs are counted by besides: who they are with, and whether they use up a resource of ours. */
export type AccountCapacity = CapacityLimits & {
  /** Public calls at once; an inbound call that is forwarded out is one (Kazoo). */
  readonly resourceConsumingCalls?: Bound | undefined;
  /** Legs with a route on a side (VoipNow). */
  readonly publicCalls?: Bound | undefined;
  /** Legs between two accounts of ours (VoipNow). */
  readonly internalCalls?: Bound | undefined;
};

/** Inbound calls at once to each number that matches. */
export type NumberRule = { readonly pattern: string; readonly calls: Bound };

/** Flat-rate trunks (Kazoo): calls over them cost nothing more. */
export type Trunks = {
  readonly twoway?: Bound | undefined;
  readonly inbound?: Bound | undefined;
  readonly outbound?: Bound | undefined;
  readonly burst?: Bound | undefined;
};

/** Which numbers may go over a flat-rate trunk: one of the whitelist matches and none of the blacklist. */
export type FlatRateNumbers = {
  readonly whitelist: readonly string[];
  readonly blacklist: readonly string[];
};

/** Seconds of calls that are paid for in advance, given anew in each cycle. */
export type Allotment = {
  readonly seconds: number;
  readonly cycle: Cycle;
  /** Seconds that every call uses at least. */
  readonly minimum: number;
  readonly increment: number;
  /** A call of at most so many seconds uses nothing. */
  readonly grace: number;
  /** The names of other allotments whose use also uses up this one. */
  readonly groups: readonly string[];
};

/** By classification (`did_us`), or by direction and classification (`outbound_did_us`), which goes first. */
export type Allotments = Readonly<Record<string, Allotment>>;

/** Millionths off every charge of a classification. */
export type DiscountsPpm = Readonly<Record<string, number>>;

/** How much may be spent in each window of the calendar. */
export type MaxSpend = {
  readonly hour?: MoneyBound | undefined;
  readonly day?: MoneyBound | undefined;
  readonly month?: MoneyBound | undefined;
};

export const FUNDINGS = ['flat_rate', 'allotment', 'per_minute'] as const;
/** A way to pay for a call. */
export type FundingWay = (typeof FUNDINGS)[number];

/** What both sides may set: it restricts, or takes up to what the operator grants (ruling 1). */
export type SharedLimits = AccountCapacity & {
  readonly perNumber?: readonly NumberRule[] | undefined;
  readonly trunks?: Trunks | undefined;
  readonly maxCallSeconds?: Bound | undefined;
  readonly maxCallCost?: MoneyBound | undefined;
  readonly maxSpend?: MaxSpend | undefined;
};

/** What an operator may set on an account; every field absent is unset. */
export type OperatorLimits = SharedLimits & {
  readonly enabled?: boolean | undefined;
  readonly allowPrepay?: boolean | undefined;
  readonly allowPostpay?: boolean | undefined;
  /** How far below zero the wallet may go when `allowPostpay`. Not negative. */
  readonly maxPostpay?: Micros | undefined;
  readonly enforcement?: 'enforce' | 'dry_run' | undefined;
  readonly onStoreDown?: 'allow' | 'refuse' | undefined;
  readonly onExhaustion?: 'unpaid' | 'all' | undefined;
  readonly softLimitInbound?: boolean | undefined;
  readonly softLimitOutbound?: boolean | undefined;
  readonly allotments?: Allotments | undefined;
  readonly discounts?: DiscountsPpm | undefined;
  readonly fundingOrder?: readonly FundingWay[] | undefined;
  /** Whose calendar the account's cycles and windows follow; a whole tree's by the root's `defaults`. */
  readonly timeZone?: string | undefined;
  readonly flatRate?: FlatRateNumbers | undefined;
};

/** Limits of an operator that only tell what they would have refused: not how an account is treated otherwise. */
export type ShadowLimits = Omit<
  OperatorLimits,
  'enabled' | 'enforcement' | 'onStoreDown' | 'onExhaustion' | 'softLimitInbound' | 'softLimitOutbound'
>;

/** What a customer may set: only what restricts (ruling 1). */
export type CustomerLimits = SharedLimits & { readonly allowPrepay?: false | undefined };

/** A number rule whose pattern is ready to match. */
export type EffectiveNumberRule = { readonly pattern: NumberPattern; readonly calls: Bound };

export type EffectiveTrunks = Readonly<Record<keyof Trunks, Bound>>;

/** Every field decided: operator and customer merged, defaults filled in. This is what a plan is made from. */
export type EffectiveLimits = {
  readonly calls: Bound;
  readonly inboundCalls: Bound;
  readonly outboundCalls: Bound;
  readonly callsPerSecond: Bound;
  readonly resourceConsumingCalls: Bound;
  readonly publicCalls: Bound;
  readonly internalCalls: Bound;
  /** The operator's list and the customer's: of each the first that matches, of those the tighter. */
  readonly perNumber: readonly (readonly EffectiveNumberRule[])[];
  readonly trunks: EffectiveTrunks;
  readonly maxCallSeconds: Bound;
  readonly maxCallCost: MoneyBound;
  readonly maxSpend: Readonly<Record<keyof MaxSpend, MoneyBound>>;
  readonly enabled: boolean;
  readonly allowPrepay: boolean;
  readonly allowPostpay: boolean;
  readonly maxPostpay: Micros;
  readonly enforcement: 'enforce' | 'dry_run';
  readonly onStoreDown: 'allow' | 'refuse';
  readonly onExhaustion: 'unpaid' | 'all';
  readonly softLimitInbound: boolean;
  readonly softLimitOutbound: boolean;
  readonly allotments: Allotments;
  readonly discounts: DiscountsPpm;
  readonly fundingOrder: readonly FundingWay[];
  readonly timeZone: string;
  readonly flatRate: {
    readonly whitelist: readonly NumberPattern[];
    readonly blacklist: readonly NumberPattern[];
  };
};
