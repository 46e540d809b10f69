import { readTariffCsv } from '../../src/imports/tariff-csv.ts';
import { DEFAULT_ROUNDING } from '../../src/rating/price.ts';
import { EMPTY_TARIFF_BOOK, withTariffVersions, type TariffBook } from '../../src/rating/tariff-book.ts';
import type { TariffName } from '../../src/units/ids.ts';
import { toEpochMs } from '../../src/units/time.ts';

/** The tariffs of the model's worlds: as a file that the product imports, and as the rows that the model looks at. */

type PriceListFile = { readonly tariff: string; readonly currency: string; readonly csv: readonly string[] };

const FILES: readonly PriceListFile[] = [
  {
    tariff: 'standard',
    currency: 'EUR',
    csv: [
      'prefix,rate,surcharge,minimum,increment,grace,direction,routes,weight',
      '49,1.00,0.05,10,1,,,,',
      '4930,0.60,,6,6,3,,,',
      '4930,0.30,,,0,,,trunk,50',
      '800,0,,,,,,,',
      '49,0.30,,0,6,,inbound,,',
      '1,0.12,,30,6,,both,,',
    ],
  },
  {
    tariff: 'dear',
    currency: 'EUR',
    csv: ['prefix,rate,surcharge,minimum,increment', '4,3.00,0.10,1,1', '1,0,0.20,,'],
  },
  { tariff: 'dollars', currency: 'USD', csv: ['prefix,rate', '49,1.00'] },
];

export type Rate = {
  readonly tariff: string;
  readonly currency: string;
  readonly id: number;
  /** A column that the file has not is empty as well. */
  readonly of: (column: string) => string;
};

export const RATES: readonly Rate[] = FILES.flatMap(({ tariff, currency, csv }) => {
  const [header = '', ...rows] = csv;
  const columns = header.split(',');
  return rows.map((row, index) => {
    const fields = row.split(',');
    return { tariff, currency, id: index + 1, of: (column) => fields[columns.indexOf(column)] ?? '' };
  });
});

export async function importPriceLists(): Promise<TariffBook> {
  let book = EMPTY_TARIFF_BOOK;
  for (const { tariff, currency, csv } of FILES) {
    const bytes = [new TextEncoder().encode(csv.join('\n'))];
    const read = await readTariffCsv({ file: `${tariff}.csv`, bytes });
    if (read.kind === 'errors') throw new Error(JSON.stringify(read.errors));
    const standing = { tariff: tariff as TariffName, version: 1, currency, zone: 'UTC' };
    const { rates } = read;
    book = withTariffVersions(book, [
      { ...standing, startsAt: toEpochMs(0), rounding: DEFAULT_ROUNDING, rates },
    ]);
  }
  return book;
}
