import { ZERO_MICROS } from '../units/money.ts';
import type { Bound, CapacityLimits, CustomerLimits, EffectiveLimits, OperatorLimits } from './limits.ts';

/** The limits of a route with every field decided; unset is unlimited, for defaults are about accounts. */
export type EffectiveCapacity = Pick<
  EffectiveLimits,
  'calls' | 'inboundCalls' | 'outboundCalls' | 'callsPerSecond'
>;

type Layer = { readonly [Name in keyof EffectiveLimits]?: EffectiveLimits[Name] | undefined };

/** The table of DESIGN 2: what holds where nobody set anything. */
const TABLE: EffectiveLimits = {
  calls: 'unlimited',
  inboundCalls: 'unlimited',
  outboundCalls: 'unlimited',
  callsPerSecond: 'unlimited',
  resourceConsumingCalls: 'unlimited',
  publicCalls: 'unlimited',
  internalCalls: 'unlimited',
  enabled: true,
  allowPrepay: true,
  allowPostpay: false,
  maxPostpay: ZERO_MICROS,
  enforcement: 'enforce',
  onStoreDown: 'refuse',
  onExhaustion: 'unpaid',
};

/**
 * Ruling 1. The operator's word on a field is the account's own, else the root's default, else the service's, else
 * the table's; a customer's word can only tighten that. So a customer who asks for more than a default gets the
 * default.
 */
export function effectiveLimits(words: {
  readonly operator: OperatorLimits;
  readonly customer: CustomerLimits;
  readonly rootDefaults: OperatorLimits | undefined;
  readonly serviceDefaults: OperatorLimits;
}): EffectiveLimits {
  const { customer } = words;
  const layers: readonly Layer[] = [words.operator, words.rootDefaults ?? {}, words.serviceDefaults];
  const word = <Name extends keyof EffectiveLimits>(name: Name): EffectiveLimits[Name] => {
    for (const layer of layers) {
      const value = layer[name];
      if (value !== undefined) return value;
    }
    return TABLE[name];
  };
  return {
    calls: tighter(word('calls'), customer.calls),
    inboundCalls: tighter(word('inboundCalls'), customer.inboundCalls),
    outboundCalls: tighter(word('outboundCalls'), customer.outboundCalls),
    callsPerSecond: tighter(word('callsPerSecond'), customer.callsPerSecond),
    resourceConsumingCalls: tighter(word('resourceConsumingCalls'), customer.resourceConsumingCalls),
    publicCalls: tighter(word('publicCalls'), customer.publicCalls),
    internalCalls: tighter(word('internalCalls'), customer.internalCalls),
    enabled: word('enabled'),
    allowPrepay: word('allowPrepay') && customer.allowPrepay !== false,
    allowPostpay: word('allowPostpay'),
    maxPostpay: word('maxPostpay'),
    enforcement: word('enforcement'),
    onStoreDown: word('onStoreDown'),
    onExhaustion: word('onExhaustion'),
  };
}

/** The service's word on what no account and no root says: its `defaults`, and its answer while the store is down. */
export function serviceDefaultsOf(service: {
  readonly defaults: OperatorLimits;
  readonly onStoreDown: 'allow' | 'refuse';
}): OperatorLimits {
  return { ...service.defaults, onStoreDown: service.defaults.onStoreDown ?? service.onStoreDown };
}

export function effectiveCapacity(limits: CapacityLimits): EffectiveCapacity {
  return {
    calls: limits.calls ?? 'unlimited',
    inboundCalls: limits.inboundCalls ?? 'unlimited',
    outboundCalls: limits.outboundCalls ?? 'unlimited',
    callsPerSecond: limits.callsPerSecond ?? 'unlimited',
  };
}

/** Of two bounds the one that admits less. Unset is no opinion, unlimited is no bound, 0 refuses all. */
export function tighter(bound: Bound, other: Bound | undefined): Bound {
  if (other === undefined || other === 'unlimited') return bound;
  return bound === 'unlimited' ? other : Math.min(bound, other);
}
