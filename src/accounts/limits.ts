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

/** What an operator may set on an account; every field absent is unset. */
export type OperatorLimits = CapacityLimits & {
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
export type CustomerLimits = CapacityLimits & { readonly allowPrepay?: false | undefined };

/** Every field decided: operator and customer merged, defaults filled in. This is what a plan is made from. */
export type EffectiveLimits = {
  readonly calls: Bound;
  readonly inboundCalls: Bound;
  readonly outboundCalls: Bound;
  readonly callsPerSecond: Bound;
  readonly enabled: boolean;
  readonly allowPrepay: boolean;
  readonly allowPostpay: boolean;
  readonly maxPostpay: Micros;
  readonly enforcement: 'enforce' | 'dry_run';
  readonly onStoreDown: 'allow' | 'refuse';
  readonly onExhaustion: 'unpaid' | 'all';
};
