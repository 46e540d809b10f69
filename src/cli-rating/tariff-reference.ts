import type { TariffVersion } from '../rating/rate.ts';
import type { TariffStore } from '../rating/tariff-store.ts';
import { parseTariffName, type TariffName } from '../units/ids.ts';
import type { EpochMs } from '../units/time.ts';

/** A tariff as it is in force, or one version of it. */
export type TariffReference = { readonly tariff: TariffName; readonly version: number | undefined };

export const TARIFF_REFERENCE = 'a tariff such as standard, or a version of one such as standard@3';
const VERSION = /^(.+?)(?:@(\d{1,9}))?$/;

export function parseTariffReference(text: string): TariffReference | undefined {
  const [, name = '', version] = VERSION.exec(text) ?? [];
  const tariff = parseTariffName(name);
  if (tariff === undefined) return undefined;
  return { tariff, version: version === undefined ? undefined : Number(version) };
}

/** Undefined: there is no such version, or none in force then. */
export function loadReferred(
  tariffs: TariffStore,
  { tariff, version }: TariffReference,
  at: EpochMs,
): Promise<TariffVersion | undefined> {
  return version === undefined ? tariffs.loadInForce(tariff, at) : tariffs.loadVersion(tariff, version);
}
