import { BadInputError, done, failed } from '../command-line/command.ts';
import type { Command, CommandContext, CommandLine, Result } from '../command-line/command.ts';
import { columns } from '../command-line/help.ts';
import { csvLine } from '../imports/csv-line.ts';
import { periodInWords, periodText } from '../rating/rate-period.ts';
import { DEFAULT_WEIGHT, type Rate, type TariffVersion } from '../rating/rate.ts';
import {
  detailsOf,
  RATE_DETAILS,
  risePercentHundredths,
  tariffDifference,
  type RateChange,
  type RateDetails,
  type TariffDifference,
} from '../rating/tariff-difference.ts';
import { formatMicros, type Micros } from '../units/money.ts';
import { toIsoUtc } from '../units/time.ts';
import {
  loadReferred,
  parseTariffReference,
  TARIFF_REFERENCE,
  type TariffReference,
} from './tariff-reference.ts';

export const TARIFF_DIFF_COMMAND: Command = {
  name: 'tariff diff',
  summary: 'which rates two tariffs, or two versions of one, have added, removed and changed',
  operands: ['A', 'B'],
  flags: { csv: { doc: 'a line for each of these rates, with what it was and what it is' } },
  notes: [
    'A and B are tariffs as they are in force now, or versions: standard@3. A rate is the same one in both where its prefix, direction,',
    'routes, options, weight and period are.',
    'tollgate tariff diff standard@1 standard@2',
  ],
  run: diffTariffs,
};

async function diffTariffs(line: CommandLine, context: CommandContext): Promise<Result> {
  const { tariffs } = await context.stores();
  const [nameA = '', nameB = ''] = line.operands;
  const [a, b] = [readReference('A', nameA), readReference('B', nameB)];
  const before = await loadReferred(tariffs, a, context.now());
  const after = await loadReferred(tariffs, b, context.now());
  if (before === undefined) return failed(`no tariff ${nameA}`);
  if (after === undefined) return failed(`no tariff ${nameB}`);
  const difference = tariffDifference(before.rates, after.rates);
  const isSameMoney = before.currency === after.currency;
  const { counts, changes } = difference;
  return done(
    {
      before: headOf(before),
      after: headOf(after),
      counts,
      changes: changes.map((each) => changeJson(each, isSameMoney)),
    },
    line.flags.has('csv') ? csvLines(changes, isSameMoney) : textLines(before, after, difference),
  );
}

function readReference(field: string, text: string): TariffReference {
  const reference = parseTariffReference(text);
  if (reference !== undefined) return reference;
  throw new BadInputError([{ field, value: text, expected: TARIFF_REFERENCE }]);
}

function headOf(version: TariffVersion): Readonly<Record<string, unknown>> {
  const { rates, startsAt, ...head } = version;
  return { ...head, startsAt: toIsoUtc(startsAt), rateCount: rates.length };
}

function textLines(
  before: TariffVersion,
  after: TariffVersion,
  difference: TariffDifference,
): readonly string[] {
  const { changes, counts } = difference;
  const isSameMoney = before.currency === after.currency;
  return [
    `${before.tariff} version ${before.version} → ${after.tariff} version ${after.version}`,
    ...columns([...headRows(before, after), ...changes.map((change) => changeRow(change, isSameMoney))]),
    `${counts.added} added, ${counts.removed} removed, ${counts.changed} changed (${counts.dearer} dearer, ${counts.cheaper} cheaper), ${counts.unchanged} as they were`,
  ];
}

/** What holds for all rates of a version. When it starts is not a difference of what it says. */
function headRows(before: TariffVersion, after: TariffVersion): readonly (readonly string[])[] {
  const shown = ({ currency, zone, rounding }: TariffVersion) => ({
    currency,
    zone,
    rounding: `${rounding.mode} to ${rounding.decimals} decimals`,
  });
  const [was, is] = [shown(before), shown(after)];
  return (['currency', 'zone', 'rounding'] as const)
    .filter((name) => was[name] !== is[name])
    .map((name) => ['~', name, '', `${was[name]} → ${is[name]}`]);
}

const SIGNS = { added: '+', removed: '-', changed: '~' } as const;

function changeRow(change: RateChange, isSameMoney: boolean): readonly string[] {
  const rate = rateOf(change);
  const details =
    change.kind === 'changed'
      ? change.details.map((detail) => detailInWords(detail, change, isSameMoney)).join(', ')
      : formatMicros(rate.perMinute);
  return [SIGNS[change.kind], nameOf(rate), rate.description, details];
}

function detailInWords(
  detail: keyof RateDetails,
  change: Extract<RateChange, { readonly kind: 'changed' }>,
  isSameMoney: boolean,
): string {
  const [was, is] = [detailsOf(change.before), detailsOf(change.after)];
  const percent = detail === 'rate' && isSameMoney ? percentText(was.rate, is.rate) : '';
  return `${detail} ${shown(was[detail])} → ${shown(is[detail])}${percent === '' ? '' : ` (${percent} %)`}`;
}

/** The prefix, and what else the rate is only for. */
function nameOf(rate: Rate): string {
  const parts = [
    rate.prefix,
    rate.direction ?? '',
    rate.routes.length === 0 ? '' : `by ${rate.routes.join(';')}`,
    rate.options.length === 0 ? '' : `with ${rate.options.join(';')}`,
    (rate.weight ?? DEFAULT_WEIGHT) === DEFAULT_WEIGHT ? '' : `weight ${rate.weight}`,
    periodInWords(rate.period) ?? '',
  ];
  return parts.filter((part) => part !== '').join(' ');
}

const RATE_COLUMNS = ['prefix', 'direction', 'routes', 'options', 'weight', 'days', 'from', 'until'];

function csvLines(changes: readonly RateChange[], isSameMoney: boolean): readonly string[] {
  const details = RATE_DETAILS.flatMap((detail) => [`${detail}_before`, `${detail}_after`]);
  return [
    csvLine(['change', ...RATE_COLUMNS, 'rate_percent', ...details]),
    ...changes.map((change) => {
      const { prefix, direction = '', routes, options, weight, period } = rateOf(change);
      const { days, from, until } = periodText(period);
      const was = change.kind === 'added' ? undefined : detailsOf(change.before);
      const is = change.kind === 'removed' ? undefined : detailsOf(change.after);
      return csvLine([
        change.kind,
        prefix,
        direction,
        routes.join(';'),
        options.join(';'),
        shown(weight),
        days,
        from,
        until,
        was === undefined || is === undefined || !isSameMoney ? '' : percentText(was.rate, is.rate),
        ...RATE_DETAILS.flatMap((detail) => [shown(was?.[detail]), shown(is?.[detail])]),
      ]);
    }),
  ];
}

function changeJson(change: RateChange, isSameMoney: boolean): Readonly<Record<string, unknown>> {
  const { prefix, direction, routes, options, weight, period } = rateOf(change);
  const was = change.kind === 'added' ? undefined : detailsOf(change.before);
  const is = change.kind === 'removed' ? undefined : detailsOf(change.after);
  const percent = was && is && isSameMoney && was.rate !== is.rate ? percentText(was.rate, is.rate) : '';
  return {
    change: change.kind,
    prefix,
    direction,
    routes,
    options,
    weight,
    period: periodInWords(period),
    before: was && detailsJson(was),
    after: is && detailsJson(is),
    ...(change.kind === 'changed' ? { details: change.details } : {}),
    ...(percent === '' ? {} : { ratePercent: percent }),
  };
}

function detailsJson(details: RateDetails): Readonly<Record<string, unknown>> {
  return { ...details, rate: formatMicros(details.rate), surcharge: formatMicros(details.surcharge) };
}

function rateOf(change: RateChange): Rate {
  return change.kind === 'removed' ? change.before : change.after;
}

function shown(detail: Micros | number | string | undefined): string {
  return typeof detail === 'bigint' ? formatMicros(detail) : String(detail ?? '');
}

/** `+12.5`, `-3`, `0`; nothing where there was no price. */
function percentText(before: Micros, after: Micros): string {
  const hundredths = risePercentHundredths(before, after);
  if (hundredths === undefined) return '';
  const magnitude = hundredths < 0n ? 0n - hundredths : hundredths;
  const decimals = (magnitude % 100n).toString().padStart(2, '0').replace(/0+$/, '');
  const sign = hundredths === 0n ? '' : hundredths < 0n ? '-' : '+';
  return `${sign}${magnitude / 100n}${decimals === '' ? '' : `.${decimals}`}`;
}
