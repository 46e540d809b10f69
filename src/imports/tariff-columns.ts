import { nearestName } from '../units/nearest-name.ts';

/** What a tariff's file may say of a rate; also the names an export writes. */
export const TARIFF_COLUMNS = [
  'prefix',
  'description',
  'rate',
  'surcharge',
  'minimum',
  'increment',
  'grace',
  'direction',
  'routes',
  'options',
  'weight',
  'days',
  'from',
  'until',
] as const;

export type TariffColumn = (typeof TARIFF_COLUMNS)[number];

/** Where in a line each column stands. */
export type ColumnPlaces = {
  readonly count: number;
  readonly places: ReadonlyMap<TariffColumn, number>;
};

export type HeaderFault = { readonly field: string; readonly value: string; readonly expected: string };

export type Header =
  | { readonly kind: 'columns'; readonly columns: ColumnPlaces }
  | { readonly kind: 'faults'; readonly faults: readonly HeaderFault[] };

export const REQUIRED_COLUMNS: readonly TariffColumn[] = ['prefix', 'rate'];

/** Names that carriers and other billing systems use for the same thing. */
const SYNONYMS: Readonly<Record<TariffColumn, readonly string[]>> = {
  prefix: ['code', 'dial_code', 'dialcode', 'destination_prefix'],
  description: ['name', 'rate_name', 'destination'],
  rate: ['price', 'per_minute', 'rate_per_minute', 'price_per_minute', 'rate_cost'],
  surcharge: ['connect_fee', 'connection_fee', 'setup_fee', 'rate_surcharge'],
  minimum: ['minimum_seconds', 'rate_minimum', 'initial', 'initial_increment'],
  increment: ['increment_seconds', 'rate_increment', 'further_increment'],
  grace: ['grace_seconds', 'rate_nocharge_time', 'nocharge_time'],
  direction: [],
  routes: ['route'],
  options: ['option', 'route_options', 'rate_options'],
  weight: [],
  days: ['weekdays', 'days_of_week'],
  from: ['time_from', 'from_time'],
  until: ['time_until', 'until_time'],
};

const COLUMN_BY_NAME: ReadonlyMap<string, TariffColumn> = new Map(
  TARIFF_COLUMNS.flatMap((column) => [column, ...SYNONYMS[column]].map((name) => [name, column] as const)),
);

/** Reads the first line: any order, any case, spaces and dashes as good as underscores. */
export function parseTariffHeader(names: readonly string[]): Header {
  const faults: HeaderFault[] = [];
  const places = new Map<TariffColumn, number>();
  for (const [place, name] of names.entries()) {
    const column = COLUMN_BY_NAME.get(normalised(name));
    if (column === undefined) {
      faults.push({ field: 'header', value: name, expected: expectedFor(name) });
    } else if (places.has(column)) {
      const first = names[places.get(column) ?? 0] ?? column;
      const expected = `${column} once, and column ${JSON.stringify(first)} gives it already`;
      faults.push({ field: 'header', value: name, expected });
    } else {
      places.set(column, place);
    }
  }
  for (const column of REQUIRED_COLUMNS) {
    if (!places.has(column)) {
      faults.push({ field: 'header', value: names.join(','), expected: `a column ${column}` });
    }
  }
  return faults.length > 0
    ? { kind: 'faults', faults }
    : { kind: 'columns', columns: { count: names.length, places } };
}

function expectedFor(name: string): string {
  if (/[;\t]/.test(name)) return 'columns separated by commas';
  const nearest = nearestName(normalised(name), COLUMN_BY_NAME.keys());
  return nearest === undefined
    ? `one of ${TARIFF_COLUMNS.join(', ')}`
    : `a column of a tariff, perhaps ${nearest}`;
}

function normalised(name: string): string {
  return name
    .trim()
    .toLowerCase()
    .replace(/[\s-]+/g, '_');
}
