import type { TariffName } from '../units/ids.ts';
import type { EpochMs } from '../units/time.ts';
import type { Rate, TariffVersion } from './rate.ts';
import { createTariffTable, type TariffTable } from './tariff-table.ts';

/** A version and the table made from it, once. */
export type TariffInForce = { readonly version: TariffVersion; readonly table: TariffTable };

/** The versions of every tariff, each tariff's by start date and then by number. Never changed, only replaced. */
export type TariffBook = ReadonlyMap<TariffName, readonly TariffInForce[]>;

export const EMPTY_TARIFF_BOOK: TariffBook = new Map();

/** The book with more versions. One that it holds already is kept as it is: a version never changes. */
export function withTariffVersions(book: TariffBook, versions: Iterable<TariffVersion>): TariffBook {
  const next = new Map(book);
  for (const version of versions) {
    const held = next.get(version.tariff) ?? [];
    if (held.some((entry) => entry.version.version === version.version)) continue;
    const entry = { version, table: createTariffTable(version) };
    next.set(version.tariff, [...held, entry].toSorted(byStart));
  }
  return next;
}

/** The version with the latest start date that is not after `at`; of two that start together, the later number. */
export function versionInForce(book: TariffBook, tariff: TariffName, at: EpochMs): TariffInForce | undefined {
  return book.get(tariff)?.findLast((entry) => entry.version.startsAt <= at);
}

/** The rate that a charge names, by its place in its version. */
export function rateOf(
  book: TariffBook,
  at: { readonly tariff: TariffName; readonly tariffVersion: number; readonly rateId: number },
): Rate | undefined {
  const entry = book.get(at.tariff)?.find(({ version }) => version.version === at.tariffVersion);
  return entry?.version.rates[at.rateId - 1];
}

function byStart(a: TariffInForce, b: TariffInForce): number {
  return a.version.startsAt - b.version.startsAt || a.version.version - b.version.version;
}
