import { cycleAt, type Cycle } from '../accounts/cycles.ts';
import type { EffectiveLimits, MaxSpend } from '../accounts/limits.ts';
import { DEFAULT_ROUNDING, type PriceTerms, type PulseSeconds } from '../rating/price.ts';
import { accountOf, poolName, poolOf, type AccountPath, type PoolId } from '../units/ids.ts';
import { divFloor, toMicros, ZERO_MICROS, type Micros } from '../units/money.ts';
import type { EpochMs } from '../units/time.ts';
import type { Refill, RefillCycle } from './wallet.ts';

/** A second of an allotment in the micros that its pool counts. */
const MICROS_PER_SECOND = 1_000_000n;
const MICROS_PER_MINUTE = toMicros(60n * MICROS_PER_SECOND);

export const SPEND_WINDOWS = ['hour', 'day', 'month'] as const satisfies readonly (keyof MaxSpend)[];
export type SpendWindow = (typeof SPEND_WINDOWS)[number];

const WINDOW_CYCLES: Readonly<Record<SpendWindow, Cycle>> = {
  hour: 'hourly',
  day: 'daily',
  month: 'monthly',
};
/** More than anybody spends, and small enough to add to. */
const UNBOUNDED = toMicros(4_000_000_000_000_000n);
const ALLOTMENT = 'allotment.';
const SPEND = 'spend.';
const TIME = 'time';
/** In front of the name of an allotment or a spend window that a dry run draws on: nobody is refused or ended by it. */
const DRY = 'dry.';
/** In front of the name of what a shadow document counts for itself: `shadow.<which document>.`. */
const SHADOW = 'shadow.';
const OF_SHADOW = /^shadow\.([0-9a-f]+)\./;

export type PoolLimits = Pick<EffectiveLimits, 'allotments' | 'maxSpend' | 'timeZone'>;

/** What a pool of an account stands for. */
export type PoolMeaning =
  | { readonly kind: 'money' }
  | { readonly kind: 'allotment'; readonly name: string }
  | { readonly kind: 'spend'; readonly window: SpendWindow }
  /** The seconds that a customer's calls may talk, all together. */
  | { readonly kind: 'time' };

export function allotmentPool(account: AccountPath, name: string): PoolId {
  return poolOf(account, `${ALLOTMENT}${name}`);
}

export function spendPool(account: AccountPath, window: SpendWindow): PoolId {
  return poolOf(account, `${SPEND}${window}`);
}

export function timePool(account: AccountPath): PoolId {
  return poolOf(account, TIME);
}

/**
 * What a dry run draws on in the place of the allotment or the spend window, so that it knows what would be left: filled
 * alike, and on no record.
 */
export function dryPoolOf(pool: PoolId): PoolId {
  const name = poolName(pool);
  return name === undefined ? pool : poolOf(accountOf(pool), `${DRY}${name}`);
}

export function isDryPool(pool: PoolId): boolean {
  return poolName(pool)?.startsWith(DRY) === true;
}

/**
 * What calls draw on in the place of an allotment or a spend window as a shadow document counts them: filled alike, on no
 * record, and read by nothing that holds. Another document counts elsewhere, so that nobody finds what it did not count.
 */
export function shadowPoolOf(pool: PoolId, countedAs: string): PoolId {
  const name = poolName(pool);
  return name === undefined ? pool : poolOf(accountOf(pool), `${SHADOW}${countedAs}.${name}`);
}

/** Which shadow document counts there; undefined: none, it is what holds or a dry run's. */
export function shadowCounting(pool: PoolId): string | undefined {
  return OF_SHADOW.exec(poolName(pool) ?? '')?.[1];
}

export function meaningOf(pool: PoolId): PoolMeaning {
  const name = plainName(pool);
  const window = SPEND_WINDOWS.find((each) => name === `${SPEND}${each}`);
  if (window !== undefined) return { kind: 'spend', window };
  if (name?.startsWith(ALLOTMENT) === true) return { kind: 'allotment', name: name.slice(ALLOTMENT.length) };
  return name === TIME ? { kind: 'time' } : { kind: 'money' };
}

function plainName(pool: PoolId): string | undefined {
  const name = poolName(pool);
  return isDryPool(pool) ? name?.slice(DRY.length) : name?.replace(OF_SHADOW, '');
}

/** The pools of an account beside its money. */
export function poolsOf(
  account: AccountPath,
  limits: PoolLimits & Pick<EffectiveLimits, 'enforcement'>,
): readonly PoolId[] {
  const allotments = Object.keys(limits.allotments).map((name) => allotmentPool(account, name));
  const pools = [...allotments, ...spendPoolsOf(account, limits)];
  return limits.enforcement === 'dry_run' ? [...pools, ...pools.map(dryPoolOf)] : pools;
}

/** What a shadow document counts: by the limits as they would be if it held. */
export function shadowPoolsOf(
  account: AccountPath,
  { limits, countedAs }: { readonly limits: PoolLimits; readonly countedAs?: string | undefined },
): readonly PoolId[] {
  if (countedAs === undefined) return [];
  const allotments = Object.keys(limits.allotments).map((name) => allotmentPool(account, name));
  return [...allotments, ...spendPoolsOf(account, limits)].map((pool) => shadowPoolOf(pool, countedAs));
}

/** Those of the windows in which it may spend no more than so much. */
export function spendPoolsOf(
  account: AccountPath,
  { maxSpend }: Pick<PoolLimits, 'maxSpend'>,
): readonly PoolId[] {
  return SPEND_WINDOWS.filter((window) => maxSpend[window] !== 'unlimited').map((window) =>
    spendPool(account, window),
  );
}

export function secondsToMicros(seconds: number): Micros {
  return toMicros(BigInt(seconds) * MICROS_PER_SECOND);
}

/** The pulses of an allotment as those of a price: one of its seconds for each second of talk. */
export function allotmentTerms(pulses: PulseSeconds): PriceTerms {
  return {
    surcharge: ZERO_MICROS,
    perMinute: MICROS_PER_MINUTE,
    ...pulses,
    discountPpm: 0,
    rounding: DEFAULT_ROUNDING,
  };
}

/** Whole seconds, of what is left rather too few. */
export function microsToSeconds(amount: Micros): number {
  const wholeSeconds = divFloor(amount, MICROS_PER_SECOND);
  return Number(wholeSeconds);
}

export type RefillRules = Pick<Refill, 'counts' | 'cycleAt'>;

/**
 * How a pool is filled, by the limits of its account as they are now (none: the account is gone). Undefined: it is
 * money or a customer's time, which is never filled by the calendar. A limit that was taken away since gives nothing (an allotment) or
 * bounds nothing (a spend window).
 */
export function refillRules(pool: PoolId, limits: PoolLimits | undefined): RefillRules | undefined {
  const meaning = meaningOf(pool);
  switch (meaning.kind) {
    case 'money':
    case 'time':
      return undefined;
    case 'allotment': {
      const allotment = limits?.allotments[meaning.name];
      const amount = allotment === undefined ? ZERO_MICROS : secondsToMicros(allotment.seconds);
      return rules('seconds', amount, allotment?.cycle ?? 'daily', limits);
    }
    case 'spend': {
      const bound = limits?.maxSpend[meaning.window] ?? 'unlimited';
      const amount = bound === 'unlimited' ? UNBOUNDED : bound;
      return rules('pulses', amount, WINDOW_CYCLES[meaning.window], limits);
    }
  }
}

function rules(
  counts: Refill['counts'],
  amount: Micros,
  cycle: Cycle,
  limits: PoolLimits | undefined,
): RefillRules {
  const zone = limits?.timeZone ?? 'UTC';
  return {
    counts,
    cycleAt: (at: EpochMs): RefillCycle => {
      return { amount, ...cycleAt(cycle, zone, at) };
    },
  };
}
