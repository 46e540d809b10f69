import type { RatingBooks } from '../charging/finished-call.ts';
import { readRatesFile } from '../cli-rating/rates-file.ts';
import {
  parseTariffReference,
  TARIFF_REFERENCE,
  type TariffReference,
} from '../cli-rating/tariff-reference.ts';
import type { FlagReader } from '../command-line/flag-values.ts';
import { showMoment } from '../command-line/moment.ts';
import type { TariffVersion } from '../rating/rate.ts';
import { withTariffVersions, versionInForce, type TariffBook } from '../rating/tariff-book.ts';
import { parseTariffName, type AccountPath, type TariffName } from '../units/ids.ts';
import { ALWAYS, type EpochMs } from '../units/time.ts';
import type { TariffChange } from '../whatif/tariff-change.ts';

/** What the flags say of a tariff; undefined: nothing. */
export type AskedTariff = {
  readonly tariff: TariffReference | undefined;
  /** A file in the place of the tariff that `replaces` names. */
  readonly rates: string | undefined;
  readonly replaces: TariffName | undefined;
};

export const TARIFF_FLAGS = {
  tariff: {
    value: 'TARIFF',
    doc: 'calls are priced by this tariff: standard, or one version of it: standard@3',
  },
  rates: { value: 'FILE', doc: 'or by a CSV file as for tariff import; nothing is imported' },
  replaces: {
    value: 'TARIFF',
    doc: 'only what this tariff charged (default: all that was charged per minute); needed with --rates',
  },
} as const;

export function readAskedTariff(flags: FlagReader): AskedTariff | undefined {
  const tariff = flags.parsed('tariff', parseTariffReference, TARIFF_REFERENCE);
  const rates = flags.text('rates');
  const replaces = flags.parsed('replaces', parseTariffName, 'the name of a tariff, such as standard');
  if (rates !== undefined && flags.isSet('tariff')) {
    flags.complain({ field: '--rates', value: rates, expected: 'it without --tariff' });
  }
  if (rates !== undefined && !flags.isSet('replaces')) {
    const expected = 'the tariff whose place the file takes, and whose currency, zone and rounding it keeps';
    flags.complain({ field: '--replaces', value: 'nothing', expected });
  }
  if (rates === undefined && tariff === undefined) {
    if (replaces === undefined) return undefined;
    flags.complain({ field: '--replaces', value: replaces, expected: 'it with --tariff or --rates' });
  }
  return { tariff, rates, replaces };
}

/** The change, and the book with what calls are priced by. What names nothing on record is bad input. */
export async function prepareChange(
  asked: AskedTariff,
  options: { readonly account: AccountPath | undefined; readonly from: EpochMs; readonly flags: FlagReader },
  books: Pick<RatingBooks, 'tariffs'>,
): Promise<{ readonly change: TariffChange; readonly tariffs: TariffBook }> {
  const { account, flags } = options;
  const { tariff: reference, rates, replaces } = asked;
  const { tariffs } = books;
  if (replaces !== undefined && !tariffs.has(replaces)) unknown('--replaces', replaces, tariffs, flags);
  const made =
    rates === undefined || replaces === undefined
      ? versionOf(reference, options, tariffs)
      : await versionOfFile(rates, replaces, tariffs);
  flags.check();
  const by = typeof made === 'object' ? made.tariff : (made ?? ('' as TariffName));
  return {
    change: { by, replaces, account },
    tariffs: typeof made === 'object' ? withTariffVersions(tariffs, [made]) : tariffs,
  };
}

/** A version stands in the book by itself, as if it had always been in force: a name with an `@` is no tariff's. */
function alone(version: TariffVersion, name: string): TariffVersion {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a name in this book only
  return { ...version, tariff: `${version.tariff}@${name}` as TariffName, startsAt: ALWAYS };
}

/** The name of a tariff whose versions are in force by turns, or a single version. */
function versionOf(
  reference: TariffReference | undefined,
  { from, flags }: { readonly from: EpochMs; readonly flags: FlagReader },
  tariffs: TariffBook,
): TariffName | TariffVersion | undefined {
  if (reference === undefined) return undefined;
  const { tariff, version } = reference;
  const versions = tariffs.get(tariff);
  if (versions === undefined) return unknown('--tariff', tariff, tariffs, flags);
  if (version === undefined) {
    const [first] = versions;
    if (first === undefined || versionInForce(tariffs, tariff, from) !== undefined) return tariff;
    const { startsAt, version: number } = first.version;
    const expected = `a tariff in force at --from: it begins ${showMoment(startsAt)} UTC; or a version, ${tariff}@${number}`;
    return flags.complain({ field: '--tariff', value: tariff, expected });
  }
  const found = versions.find((entry) => entry.version.version === version);
  if (found !== undefined) return alone(found.version, `${version}`);
  const numbers = versions.map((entry) => entry.version.version).toSorted((a, b) => a - b);
  const expected = `one of its versions, which are ${numbers[0]} to ${numbers.at(-1)}`;
  return flags.complain({ field: '--tariff', value: `${tariff}@${version}`, expected });
}

async function versionOfFile(
  file: string,
  replaces: TariffName,
  tariffs: TariffBook,
): Promise<TariffVersion | undefined> {
  const rates = await readRatesFile(file, '--rates');
  const versions = tariffs.get(replaces)?.map(({ version }) => version) ?? [];
  const latest = versions.toSorted((a, b) => b.version - a.version)[0];
  return latest && alone({ ...latest, version: latest.version + 1, rates }, 'new');
}

function unknown(field: string, tariff: TariffName, tariffs: TariffBook, flags: FlagReader): undefined {
  const known = [...tariffs.keys()].toSorted();
  const expected = known.length === 0 ? 'a tariff, and there is none yet' : `one of ${known.join(', ')}`;
  return flags.complain({ field, value: tariff, expected });
}
