import { isDeepStrictEqual } from 'node:util';
import { announce } from '../command-line/announcement.ts';
import {
  done,
  failed,
  type Command,
  type CommandContext,
  type CommandLine,
  type Result,
} from '../command-line/command.ts';
import { readFlags, tariffOperand } from '../command-line/flag-values.ts';
import { showMoment } from '../command-line/moment.ts';
import { DEFAULT_ROUNDING } from '../rating/price.ts';
import { DEFAULT_ZONE } from '../rating/rate.ts';
import type { TariffImport, TariffStore, TariffVersionSummary } from '../rating/tariff-store.ts';
import { assertNever } from '../units/assert.ts';
import type { TariffName } from '../units/ids.ts';
import { isTimeZone } from '../units/time-zone.ts';
import { ALWAYS, parseMoment, toIsoUtc, type EpochMs } from '../units/time.ts';
import { readRatesFile } from './rates-file.ts';

export const TARIFF_IMPORT_COMMAND: Command = {
  name: 'tariff import',
  summary: 'makes a new version of a tariff from a CSV file',
  operands: ['TARIFF', 'FILE'],
  flags: {
    currency: { value: 'CURRENCY', doc: 'of the rates; needed for a new tariff' },
    rounding: { value: 'MODE', doc: 'up, down or half_up (default: as before, else up)' },
    decimals: { value: 'N', doc: 'that prices are rounded to, 0 to 6 (default: as before, else 6)' },
    zone: { value: 'ZONE', doc: 'whose clocks days, from and until follow (default: as before, else UTC)' },
    starts: { value: 'TIME', doc: 'when it comes into force (default: now; a first version: always)' },
  },
  notes: [
    'columns: prefix, rate and, if wanted, description, surcharge, minimum, increment, grace, direction, routes, options, weight,',
    "days (mon-fri; sat,sun), from and until (HH:MM): when in the week a rate holds, by the clocks of the tariff's zone; a period that",
    'passes midnight has the days on which it begins. Of rates that hold at once for a prefix the lowest weight counts.',
    'tollgate tariff import standard rates.csv --currency EUR',
  ],
  run: importTariff,
};

async function importTariff(line: CommandLine, context: CommandContext): Promise<Result> {
  const tariff = tariffOperand(line);
  const file = line.operands[1] ?? '-';
  const flags = readFlags(line);
  const { tariffs } = await context.stores();
  const latest = (await tariffs.versions(tariff)).at(-1);
  const currency =
    flags.parsed('currency', parseCurrency, 'three capital letters such as EUR') ?? latest?.currency;
  if (currency === undefined && !flags.isSet('currency')) {
    flags.complain({
      field: '--currency',
      value: 'nothing',
      expected: 'the currency of a new tariff, such as EUR',
    });
  }
  const before = latest?.rounding ?? DEFAULT_ROUNDING;
  const rounding = {
    mode: flags.choice('rounding', ['up', 'down', 'half_up']) ?? before.mode,
    decimals: flags.wholeNumber('decimals', 6) ?? before.decimals,
  };
  const zone =
    flags.parsed('zone', parseZone, 'a name of the time zone database such as Europe/Berlin') ??
    latest?.zone ??
    DEFAULT_ZONE;
  const starts = flags.parsed('starts', parseMoment, 'a moment such as 2026-08-01T00:00:00Z');
  flags.check();
  if (currency === undefined) return failed('no currency');

  const rates = await readRatesFile(file, 'FILE');
  const content = { tariff, currency, rounding, zone, rates };
  const startsAt = starts ?? (await defaultStart(tariffs, { content, latest, now: context.now() }));
  const verdict = await tariffs.importVersion({ ...content, startsAt });
  if (verdict.kind === 'refused') return failed(refusalOf(tariff, verdict), { reason: verdict.reason });
  if (verdict.kind === 'imported') await announce(context, (live) => live.announceTariffs());
  const json = { tariff, result: verdict.kind, version: verdict.version, rates: rates.length };
  return done({ ...json, startsAt: toIsoUtc(startsAt) }, [
    verdict.kind === 'imported'
      ? `${tariff}: version ${verdict.version} with ${rates.length} rates, in force from ${showMoment(startsAt)} UTC`
      : `${tariff}: the same as version ${verdict.version}, nothing changed`,
  ]);
}

/** Now, except for a first version, which rates every call there ever was, and for a file imported again, which is no change. */
async function defaultStart(
  tariffs: TariffStore,
  from: {
    readonly content: Omit<TariffImport, 'startsAt'>;
    readonly latest: TariffVersionSummary | undefined;
    readonly now: EpochMs;
  },
): Promise<EpochMs> {
  const { content, latest, now } = from;
  if (latest === undefined) return ALWAYS;
  const standing = await tariffs.loadVersion(content.tariff, latest.version);
  if (standing === undefined) return now;
  const { version: _, startsAt, ...stood } = standing;
  return isDeepStrictEqual(withoutUndefined(stood), withoutUndefined(content)) ? startsAt : now;
}

function withoutUndefined(content: Omit<TariffImport, 'startsAt'>): unknown {
  const rates = content.rates.map((rate) => Object.entries(rate).filter(([, value]) => value !== undefined));
  return { ...content, rates: rates.map((rate) => Object.fromEntries(rate)) };
}

function refusalOf(
  tariff: TariffName,
  refusal: Extract<Awaited<ReturnType<TariffStore['importVersion']>>, { readonly kind: 'refused' }>,
): string {
  switch (refusal.reason) {
    case 'currency_fixed':
      return `${tariff} is in ${refusal.currency} and stays in it, for wallets use it`;
    case 'rate_ids':
      return `${tariff}: rate ${refusal.rateId} is out of its place`;
    default:
      return assertNever(refusal, 'refusal');
  }
}

function parseZone(text: string): string | undefined {
  return isTimeZone(text) ? text : undefined;
}

function parseCurrency(text: string): string | undefined {
  return /^[A-Z]{3}$/.test(text) ? text : undefined;
}
