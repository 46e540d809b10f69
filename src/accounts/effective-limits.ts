import { matches, storedPattern } from '../rating/patterns.ts';
import { ZERO_MICROS } from '../units/money.ts';
import {
  FUNDINGS,
  type Bound,
  type CapacityLimits,
  type CustomerLimits,
  type EffectiveLimits,
  type EffectiveNumberRule,
  type FlatRateNumbers,
  type MoneyBound,
  type NumberRule,
  type OperatorLimits,
  type ShadowLimits,
} from './limits.ts';

/** The limits of a route with every field decided; unset is unlimited, for defaults are about accounts. */
export type EffectiveCapacity = Pick<
  EffectiveLimits,
  'calls' | 'inboundCalls' | 'outboundCalls' | 'callsPerSecond'
>;

/** Those fields whose value is one word; the others are put together from parts. */
type Words = Omit<EffectiveLimits, 'perNumber' | 'trunks' | 'maxSpend' | 'flatRate'>;
type Layer = { readonly [Name in keyof Words]?: Words[Name] | undefined };

/** North America's numbers but those that cost more, as Kazoo has it, and the toll-free ones it forgot. */
export const DEFAULT_FLAT_RATE: FlatRateNumbers = {
  whitelist: [String.raw`^\+1\d{10}$`],
  blacklist: [
    String.raw`^\+1(?:684|264|268|242|246|441|284|345|767|809|829|849|473|671|876|664|670|787|939|869|758|784|721|868|649|340)\d{7}$`,
    String.raw`^\+1(?:900|800|822|833|844|855|866|877|888)\d{7}$`,
  ],
};

/** The table of DESIGN 2: what holds where nobody set anything. */
const TABLE: Words = {
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
  maxCallSeconds: 'unlimited',
  maxCallCost: 'unlimited',
  softLimitInbound: false,
  softLimitOutbound: false,
  allotments: {},
  discounts: {},
  fundingOrder: FUNDINGS,
  timeZone: 'UTC',
};

/**
 * Ruling 1. The operator's word on a field is the account's own, else the root's default, else the service's, else
 * the table's; a customer's word can only tighten that. So a customer who asks for more than a default gets the
 * default. Trunks and spend windows have a word each; allotments, discounts and lists are taken whole.
 */
export function effectiveLimits(words: {
  readonly operator: OperatorLimits;
  readonly customer: CustomerLimits;
  readonly rootDefaults: OperatorLimits | undefined;
  readonly serviceDefaults: OperatorLimits;
  /** Goes before the operator's own words. */
  readonly shadow?: ShadowLimits | undefined;
}): EffectiveLimits {
  const { customer } = words;
  const operators: readonly OperatorLimits[] = [
    words.shadow ?? {},
    words.operator,
    words.rootDefaults ?? {},
    words.serviceDefaults,
  ];
  const layers: readonly Layer[] = operators;
  const word = <Name extends keyof Words>(name: Name): Words[Name] => {
    for (const layer of layers) {
      const value = layer[name];
      if (value !== undefined) return value;
    }
    return TABLE[name];
  };
  // Nothing granted is no trunk, whatever the customer asks for.
  const trunk = (name: 'twoway' | 'inbound' | 'outbound' | 'burst'): Bound =>
    tighter(firstSet(operators, (layer) => layer.trunks?.[name]) ?? 0, customer.trunks?.[name]);
  const spend = (name: 'hour' | 'day' | 'month'): MoneyBound =>
    tighterMoney(
      firstSet(operators, (layer) => layer.maxSpend?.[name]) ?? 'unlimited',
      customer.maxSpend?.[name],
    );
  return {
    calls: tighter(word('calls'), customer.calls),
    inboundCalls: tighter(word('inboundCalls'), customer.inboundCalls),
    outboundCalls: tighter(word('outboundCalls'), customer.outboundCalls),
    callsPerSecond: tighter(word('callsPerSecond'), customer.callsPerSecond),
    resourceConsumingCalls: tighter(word('resourceConsumingCalls'), customer.resourceConsumingCalls),
    publicCalls: tighter(word('publicCalls'), customer.publicCalls),
    internalCalls: tighter(word('internalCalls'), customer.internalCalls),
    perNumber: [
      compileRules(firstSet(operators, (layer) => layer.perNumber)),
      compileRules(customer.perNumber),
    ].filter((rules) => rules.length > 0),
    trunks: {
      twoway: trunk('twoway'),
      inbound: trunk('inbound'),
      outbound: trunk('outbound'),
      burst: trunk('burst'),
    },
    maxCallSeconds: tighter(word('maxCallSeconds'), customer.maxCallSeconds),
    maxCallCost: tighterMoney(word('maxCallCost'), customer.maxCallCost),
    maxSpend: { hour: spend('hour'), day: spend('day'), month: spend('month') },
    enabled: word('enabled'),
    allowPrepay: word('allowPrepay') && customer.allowPrepay !== false,
    allowPostpay: word('allowPostpay'),
    maxPostpay: word('maxPostpay'),
    enforcement: word('enforcement'),
    onStoreDown: word('onStoreDown'),
    onExhaustion: word('onExhaustion'),
    softLimitInbound: word('softLimitInbound'),
    softLimitOutbound: word('softLimitOutbound'),
    allotments: word('allotments'),
    discounts: word('discounts'),
    fundingOrder: word('fundingOrder'),
    timeZone: word('timeZone'),
    flatRate: compileFlatRate(firstSet(operators, (layer) => layer.flatRate) ?? DEFAULT_FLAT_RATE),
  };
}

function firstSet<Layer, Value>(
  layers: readonly Layer[],
  get: (layer: Layer) => Value | undefined,
): Value | undefined {
  for (const layer of layers) {
    const value = get(layer);
    if (value !== undefined) return value;
  }
  return undefined;
}

function compileRules(rules: readonly NumberRule[] | undefined): readonly EffectiveNumberRule[] {
  return (rules ?? []).map(({ pattern, calls }) => ({ pattern: storedPattern(pattern), calls }));
}

function compileFlatRate({ whitelist, blacklist }: FlatRateNumbers): EffectiveLimits['flatRate'] {
  return { whitelist: whitelist.map(storedPattern), blacklist: blacklist.map(storedPattern) };
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

export function tighterMoney(bound: MoneyBound, other: MoneyBound | undefined): MoneyBound {
  if (other === undefined || other === 'unlimited') return bound;
  return bound === 'unlimited' || other < bound ? other : bound;
}

/** How many calls at once a number may have: by each list the first rule that matches, of those the tighter. */
export function boundForNumber(lists: EffectiveLimits['perNumber'], e164: string): Bound {
  let bound: Bound = 'unlimited';
  for (const rules of lists) {
    bound = tighter(bound, rules.find(({ pattern }) => matches(pattern, `+${e164}`))?.calls);
  }
  return bound;
}
