import {
  done,
  failed,
  type Command,
  type CommandContext,
  type CommandLine,
  type Result,
} from '../command-line/command.ts';
import { readFlags, refuseFlags, splitNames, tariffOperand } from '../command-line/flag-values.ts';
import { columns } from '../command-line/help.ts';
import { showMoment } from '../command-line/moment.ts';
import { exportTariffCsv } from '../imports/tariff-export.ts';
import { toE164 } from '../rating/numbers.ts';
import { periodInWords } from '../rating/rate-period.ts';
import { DEFAULT_WEIGHT, type TariffVersion } from '../rating/rate.ts';
import type { TariffVersionSummary } from '../rating/tariff-store.ts';
import { chooseRate, createTariffTable, possibleRates, type RatedCall } from '../rating/tariff-table.ts';
import { formatMicros } from '../units/money.ts';
import { ALWAYS, toIsoUtc } from '../units/time.ts';
import { TARIFF_DIFF_COMMAND } from './tariff-diff-command.ts';
import { TARIFF_IMPORT_COMMAND } from './tariff-import-command.ts';

export const TARIFF_COMMANDS: readonly Command[] = [
  TARIFF_IMPORT_COMMAND,
  {
    name: 'tariff list',
    summary: 'all tariffs with their latest version',
    operands: [],
    flags: {},
    run: listTariffs,
  },
  {
    name: 'tariff show',
    summary: 'the versions of a tariff, the rates of one of them as CSV, or those for a number',
    operands: ['TARIFF'],
    flags: {
      csv: { doc: 'the rates, as a file that imports as the same' },
      to: { value: 'NUMBER', doc: 'the rates that a call to this number may have, the preferred ones first' },
      direction: { value: 'D', doc: 'with --to: outbound (default) or inbound' },
      route: { value: 'ROUTE', doc: 'with --to: the route taken' },
      options: { value: 'OPTION,…', doc: 'with --to: what the call asks of its rate' },
      version: { value: 'N', doc: 'with --csv or --to: of this version (default: the one in force)' },
    },
    notes: ['tollgate tariff show standard --to 4915112345678'],
    run: showTariff,
  },
  TARIFF_DIFF_COMMAND,
];

async function listTariffs(_line: CommandLine, context: CommandContext): Promise<Result> {
  const tariffs = await (await context.stores()).tariffs.listTariffs();
  return done(tariffs.map(versionJson), columns(tariffs.map((each) => [each.tariff, ...versionCells(each)])));
}

async function showTariff(line: CommandLine, context: CommandContext): Promise<Result> {
  const tariff = tariffOperand(line);
  const flags = readFlags(line);
  const number = flags.wholeNumber('version', 1_000_000);
  const to = flags.parsed('to', (text) => toE164(text, undefined), 'a number in E.164, such as 4930123456');
  const direction = flags.choice('direction', ['outbound', 'inbound']) ?? 'outbound';
  const wanted = flags.isSet('to') ? 'to' : flags.isSet('csv') ? 'csv' : undefined;
  if (wanted === undefined) refuseFlags(flags, ['version'], '--csv or --to beside it');
  if (wanted !== 'to') refuseFlags(flags, ['direction', 'route', 'options'], '--to beside it');
  if (wanted === 'to') refuseFlags(flags, ['csv'], 'to be left out beside --to');
  flags.check();
  const { tariffs } = await context.stores();
  const versions = await tariffs.versions(tariff);
  if (versions.length === 0) return failed(`no tariff ${tariff}`);
  if (wanted === undefined) return done(versions.map(versionJson), columns(versions.map(versionCells)));
  const version =
    number === undefined
      ? await tariffs.loadInForce(tariff, context.now())
      : await tariffs.loadVersion(tariff, number);
  if (version === undefined) return failed(`tariff ${tariff} has no version ${number ?? 'in force'}`);
  if (to !== undefined) {
    const routes = splitNames(flags.text('route'));
    const options = splitNames(flags.text('options'));
    return shownRates(version, { number: to, direction, routes, options, at: context.now() });
  }
  const lines = [...exportTariffCsv(version)];
  return done({ tariff, version: version.version, csv: `${lines.join('\n')}\n` }, lines);
}

function shownRates(version: TariffVersion, call: RatedCall): Result {
  const { tariff, currency, zone } = version;
  const table = createTariffTable(version);
  const rates = possibleRates(table, call);
  if (rates.length === 0) return failed(`tariff ${tariff} has no ${call.direction} rate for ${call.number}`);
  const chosen = chooseRate(table, call);
  const rows = rates.map((rate) => ({
    id: rate.id,
    prefix: rate.prefix,
    description: rate.description,
    rate: formatMicros(rate.perMinute),
    weight: rate.weight ?? DEFAULT_WEIGHT,
    period: periodInWords(rate.period),
    now: rate.id === chosen?.id,
  }));
  return done({ tariff, version: version.version, currency, zone, rates: rows }, [
    ...columns(
      rows.map(({ id, prefix, description, rate, weight, period, now }) => [
        now ? '→' : '',
        prefix,
        description,
        `${rate} ${currency}`,
        `weight ${weight}`,
        period === undefined ? 'always' : period,
        `rate ${id}`,
      ]),
    ),
    `of ${tariff} version ${version.version}, by the clocks of ${zone}`,
  ]);
}

function versionJson(summary: TariffVersionSummary): Readonly<Record<string, unknown>> {
  return { ...summary, startsAt: toIsoUtc(summary.startsAt) };
}

function versionCells({
  version,
  currency,
  rateCount,
  rounding,
  startsAt,
  zone,
}: TariffVersionSummary): readonly string[] {
  return [
    `version ${version}`,
    currency,
    `${rateCount} rates`,
    `rounded ${rounding.mode} to ${rounding.decimals}`,
    `clocks of ${zone}`,
    startsAt === ALWAYS ? 'always in force' : `from ${showMoment(startsAt)} UTC`,
  ];
}
