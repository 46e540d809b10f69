import type { Micros } from '../units/money.ts';

/** `unlimited` is no bound and 0 refuses all; an unset value (undefined) is no opinion (DESIGN 2). */
export type Bound = number | 'unlimited';

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

/** What an operator may set on an account; every field absent is unset. */
export type OperatorLimits = AccountCapacity & {
  readonly enabled?: boolean | undefined;
  readonly allowPrepay?: boolean | undefined;
  readonly allowPostpay?: boolean | undefined;
  /** How far below zero the wallet may go when `allowPostpay`. Not negative. */
  readonly maxPostpay?: Micros | undefined;
  readonly enforcement?: 'enforce' | 'dry_run' | undefined;
  readonly onStoreDown?: 'allow' | 'refuse' | undefined;
  readonly onExhaustion?: 'unpaid' | 'all' | undefined;
};

/** What a customer may set: only what restricts (ruling 1). */
export type CustomerLimits = AccountCapacity & { readonly allowPrepay?: false | undefined };

/** Every field decided: operator and customer merged, defaults filled in. This is what a plan is made from. */
export type EffectiveLimits = {
  readonly calls: Bound;
  readonly inboundCalls: Bound;
  readonly outboundCalls: Bound;
  readonly callsPerSecond: Bound;
  readonly resourceConsumingCalls: Bound;
  readonly publicCalls: Bound;
  readonly internalCalls: Bound;
  readonly enabled: boolean;
  readonly allowPrepay: boolean;
  readonly allowPostpay: boolean;
  readonly maxPostpay: Micros;
  readonly enforcement: 'enforce' | 'dry_run';
  readonly onStoreDown: 'allow' | 'refuse';
  readonly onExhaustion: 'unpaid' | 'all';
};
