import { periodText } from '../rating/rate-period.ts';
import type { Rate, TariffVersion } from '../rating/rate.ts';
import { formatMicros } from '../units/money.ts';
import { csvLine } from './csv-line.ts';
import { TARIFF_COLUMNS, type TariffColumn } from './tariff-columns.ts';

/** The version as lines of CSV, without line ends, that import back as the same rates in the same order. */
export function* exportTariffCsv(version: Pick<TariffVersion, 'rates'>): Generator<string> {
  yield TARIFF_COLUMNS.join(',');
  for (const rate of version.rates.toSorted((a, b) => a.id - b.id)) {
    const fields = fieldsOf(rate);
    yield csvLine(TARIFF_COLUMNS.map((column) => fields[column]));
  }
}

function fieldsOf(rate: Rate): Readonly<Record<TariffColumn, string>> {
  return {
    prefix: rate.prefix,
    description: rate.description,
    rate: formatMicros(rate.perMinute),
    surcharge: rate.surcharge === undefined ? '' : formatMicros(rate.surcharge),
    minimum: textOf(rate.minimumSeconds),
    increment: textOf(rate.incrementSeconds),
    grace: textOf(rate.graceSeconds),
    direction: rate.direction ?? '',
    routes: rate.routes.join(';'),
    options: rate.options.join(';'),
    weight: textOf(rate.weight),
    ...periodText(rate.period),
  };
}

function textOf(value: number | undefined): string {
  return value === undefined ? '' : String(value);
}
