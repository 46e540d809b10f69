import type { TariffName } from '../units/ids.ts';
import type { Micros } from '../units/money.ts';
import type { EpochMs } from '../units/time.ts';
import type { Rounding } from './price.ts';
import { periodText, type RatePeriod } from './rate-period.ts';

/** The weight of a rate that names none. */
export const DEFAULT_WEIGHT = 100;

/** The zone of a tariff that names none. */
export const DEFAULT_ZONE = 'UTC';

export type Direction = 'inbound' | 'outbound';

/** One row of a tariff, as imported. An absent field was absent in the file, so that an export reads back the same. */
export type Rate = {
  /** Its place in the tariff's version, from 1: the last tie-breaker of the rate choice (ruling 18). */
  readonly id: number;
  /** E.164 digits without a plus. */
  readonly prefix: string;
  readonly description: string;
  readonly perMinute: Micros;
  readonly surcharge: Micros | undefined;
  readonly minimumSeconds: number | undefined;
  readonly incrementSeconds: number | undefined;
  readonly graceSeconds: number | undefined;
  /** Undefined: outbound calls only. Being called must never cost money because a file lacks a column. */
  readonly direction: Direction | 'both' | undefined;
  /** Empty: any route. */
  readonly routes: readonly string[];
  /** Empty: any call. Else one that asks for nothing beyond these (Kazoo's route options). */
  readonly options: readonly string[];
  /** Lower is preferred; absent is 100. */
  readonly weight: number | undefined;
  /** Undefined: the whole week. */
  readonly period: RatePeriod | undefined;
};

/** One immutable version of a tariff: what one import made. */
export type TariffVersion = {
  readonly tariff: TariffName;
  readonly version: number;
  readonly currency: string;
  readonly rounding: Rounding;
  readonly startsAt: EpochMs;
  /** By whose clocks the periods of its rates are told: a name of the time zone database. */
  readonly zone: string;
  readonly rates: readonly Rate[];
};

/**
 * What the choice of a rate goes by: of two rates of one version that have it in common only the first is ever
 * chosen. An absent field and its default mean the same, and so do the same routes and options in another order.
 */
export function rateIdentity(rate: Omit<Rate, 'id'>): string {
  const { prefix, direction = 'outbound', routes, options, weight = DEFAULT_WEIGHT, period } = rate;
  const isPlain = direction === 'outbound' && weight === DEFAULT_WEIGHT && period === undefined;
  if (isPlain && routes.length + options.length === 0) return prefix;
  const { days, from, until } = periodText(period);
  return [
    prefix,
    direction,
    weight,
    days,
    from,
    until,
    ...routes.toSorted(),
    '/',
    ...options.toSorted(),
  ].join(' ');
}
