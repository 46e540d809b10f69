import type { Cycle } from './calendar.ts';

/** A telephone company on paper: its accounts, routes and prices, and which of the values set for an account holds. */

export type Bound = number | 'unlimited';

export const COUNTED = [
  'calls',
  'resourceConsumingCalls',
  'inboundCalls',
  'outboundCalls',
  'publicCalls',
  'internalCalls',
] as const;
export type CountedLimit = (typeof COUNTED)[number];

/** Limits as a document has them. */
export type Limits = {
  readonly [Limit in CountedLimit | 'callsPerSecond' | 'maxCallSeconds']?: Bound;
} & {
  readonly perNumber?: readonly { readonly pattern: string; readonly calls: Bound }[];
  readonly trunks?: { readonly [Kind in TrunkKind]?: Bound };
  readonly flatRate?: { readonly whitelist: readonly string[]; readonly blacklist: readonly string[] };
  readonly maxCallCost?: string;
  readonly enabled?: boolean;
  readonly enforcement?: 'enforce' | 'dry_run';
  readonly softLimitInbound?: boolean;
  readonly softLimitOutbound?: boolean;
  readonly allowPrepay?: boolean;
  readonly allowPostpay?: boolean;
  readonly maxPostpay?: string;
  readonly onExhaustion?: 'unpaid' | 'all';
  readonly fundingOrder?: readonly string[];
  readonly discounts?: Readonly<Record<string, string>>;
  readonly allotments?: Readonly<Record<string, Allotment>>;
  readonly maxSpend?: { readonly [Window in SpendWindow]?: string };
  readonly timeZone?: string;
};
export type Allotment = {
  readonly seconds: number;
  readonly cycle: Cycle;
  readonly minimum?: number;
  readonly increment?: number;
  readonly grace?: number;
  readonly groups?: readonly string[];
};
export const SPEND_WINDOWS = ['hour', 'day', 'month'] as const;
export type SpendWindow = (typeof SPEND_WINDOWS)[number];
export type TrunkKind = 'twoway' | 'inbound' | 'outbound' | 'burst';

export type AccountDocument = {
  readonly account: string;
  readonly wallet?: string;
  readonly tariff?: string;
  readonly operator: Limits;
  readonly customer: Limits;
  /** Of a root: what its whole tree falls back to. */
  readonly defaults?: Limits;
};
export type RouteDocument = Limits & { readonly route: string };

export type House = {
  readonly accounts: ReadonlyMap<string, AccountDocument>;
  readonly routes: ReadonlyMap<string, RouteDocument>;
  /** The operator's word for the whole service. */
  readonly defaults: Limits;
  /** What becomes of a call out that nobody in its chain pays for, or that its payer has no price for. */
  readonly unfunded: 'refuse' | 'allow';
  readonly unrated: 'refuse' | 'allow';
};

/** The account and those above it, the root first. */
export function chainOf(account: string | undefined): readonly string[] {
  const names = account?.split('/') ?? [];
  return names.map((_, level) => names.slice(0, level + 1).join('/'));
}

export const rootOf = (account: string): string => account.split('/')[0] ?? account;

/** Unset is no opinion, unlimited is no bound, 0 refuses all: of two bounds the one that admits less. */
export function tighter(one: Bound, other: Bound | undefined): Bound {
  const asNumber = (bound: Bound): number => (bound === 'unlimited' ? Infinity : bound);
  const least = Math.min(asNumber(one), asNumber(other ?? 'unlimited'));
  return least === Infinity ? 'unlimited' : least;
}

/** Ruling 1: the operator's word is the account's own, else its root's default, else the service's. */
export function operatorsWord<Name extends keyof Limits>(
  house: House,
  account: string,
  name: Name,
): Limits[Name] | undefined {
  const own = house.accounts.get(account)?.operator[name];
  return own ?? house.accounts.get(rootOf(account))?.defaults?.[name] ?? house.defaults[name];
}

export function customersWord<Name extends keyof Limits>(
  house: House,
  account: string,
  name: Name,
): Limits[Name] | undefined {
  return house.accounts.get(account)?.customer[name];
}

/** Where nobody says anything there is no bound; a customer can only make it tighter. */
export function boundOf(
  house: House,
  account: string,
  limit: CountedLimit | 'callsPerSecond' | 'maxCallSeconds',
): Bound {
  return tighter(operatorsWord(house, account, limit) ?? 'unlimited', customersWord(house, account, limit));
}

/** Each kind of trunk has a word of its own. Where nobody grants any there is none, whatever a customer asks for. */
export function trunksOf(house: House, account: string, kind: TrunkKind): Bound {
  const { operator, customer } = house.accounts.get(account) ?? { operator: {}, customer: {} };
  const defaults = house.accounts.get(rootOf(account))?.defaults;
  const granted = operator.trunks?.[kind] ?? defaults?.trunks?.[kind] ?? house.defaults.trunks?.[kind] ?? 0;
  return tighter(granted, customer.trunks?.[kind]);
}

/** Of each list the first pattern that matches the number, of those the tighter (ruling 22). */
export function boundOfNumber(house: House, account: string, number: string): Bound {
  const lists = [
    operatorsWord(house, account, 'perNumber') ?? [],
    customersWord(house, account, 'perNumber') ?? [],
  ];
  return lists.reduce<Bound>((bound, rules) => {
    const rule = rules.find(({ pattern }) => new RegExp(pattern).test(`+${number}`));
    return tighter(bound, rule?.calls);
  }, 'unlimited');
}

/** The dearest call; undefined: there is none too dear. */
export function dearestCall(house: House, account: string): string | undefined {
  return least(operatorsWord(house, account, 'maxCallCost'), customersWord(house, account, 'maxCallCost'));
}

/** What may be spent in each hour, day or month of the calendar; each window has a word of its own. */
export function mostSpent(house: House, account: string, window: SpendWindow): string | undefined {
  const { operator, customer } = house.accounts.get(account) ?? { operator: {}, customer: {} };
  const defaults = house.accounts.get(rootOf(account))?.defaults;
  const granted =
    operator.maxSpend?.[window] ?? defaults?.maxSpend?.[window] ?? house.defaults.maxSpend?.[window];
  return least(granted, customer.maxSpend?.[window]);
}

function least(...words: readonly (string | undefined)[]): string | undefined {
  const bounds = words.filter((word) => word !== undefined && word !== 'unlimited');
  return bounds.toSorted((one, other) => Number(one) - Number(other))[0];
}

export function mayPrepay(house: House, account: string): boolean {
  const forbidden = customersWord(house, account, 'allowPrepay') === false;
  return (operatorsWord(house, account, 'allowPrepay') ?? true) && !forbidden;
}

/** An account that is switched off is unrestricted, and one in dry run refuses nothing: neither pays (ruling 16). */
export function isEnforced(house: House, account: string): boolean {
  const enabled = operatorsWord(house, account, 'enabled') ?? true;
  return enabled && !isInDryRun(house, account);
}

export function isInDryRun(house: House, account: string): boolean {
  return operatorsWord(house, account, 'enforcement') === 'dry_run';
}
