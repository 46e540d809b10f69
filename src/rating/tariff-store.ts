import type { TariffName } from '../units/ids.ts';
import type { EpochMs } from '../units/time.ts';
import type { Rounding } from './price.ts';
import type { TariffVersion } from './rate.ts';

/**
 * The record of tariffs. A version is what one import made; it is never edited and never removed, so that a charge
 * can always be proved from the rate it names. Methods reject with an operating error of the store.
 */
export type TariffStore = {
  /**
   * Writes a whole version or nothing. Content identical to the latest version (rates, rounding, start, zone,
   * currency) is `unchanged` and returns that version's number, so that an import may be repeated.
   */
  importVersion(version: TariffImport): Promise<ImportVerdict>;
  /** Every tariff by name, with its latest version. */
  listTariffs(): Promise<readonly TariffVersionSummary[]>;
  /** All versions of one tariff, oldest first. */
  versions(tariff: TariffName): Promise<readonly TariffVersionSummary[]>;
  /** Rates in the order of their ids. Reads in pages and lets other work run in between. */
  loadVersion(tariff: TariffName, version: number): Promise<TariffVersion | undefined>;
  /** The version that rates a call admitted at `at`: the latest start not after it, then the highest number. */
  inForce(tariff: TariffName, at: EpochMs): Promise<TariffVersionSummary | undefined>;
  loadInForce(tariff: TariffName, at: EpochMs): Promise<TariffVersion | undefined>;
  /** Grows with each import, by whichever process. */
  revision(): Promise<number>;
};

export type TariffImport = Omit<TariffVersion, 'version'>;

export type ImportVerdict =
  | { readonly kind: 'imported' | 'unchanged'; readonly version: number }
  /** A tariff stays in its currency, because wallets in that currency are assigned to it. */
  | { readonly kind: 'refused'; readonly reason: 'currency_fixed'; readonly currency: string }
  /** Rate ids are places in the file: each once, from 1. */
  | { readonly kind: 'refused'; readonly reason: 'rate_ids'; readonly rateId: number };

export type TariffVersionSummary = {
  readonly tariff: TariffName;
  readonly version: number;
  readonly currency: string;
  readonly rounding: Rounding;
  readonly startsAt: EpochMs;
  readonly zone: string;
  readonly rateCount: number;
};
