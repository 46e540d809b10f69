import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { readTariffCsv } from '../../src/imports/tariff-csv.ts';
import { exportTariffCsv } from '../../src/imports/tariff-export.ts';
import { anyTariffRates, money, period, rateOf } from '../rating/samples.ts';

test('an export is a header and a line for each rate, by id', () => {
  const rates = [
    rateOf({
      id: 2,
      prefix: '44',
      description: 'UK "all", 1st',
      routes: ['gold', 'silver'],
      options: ['fax'],
    }),
    rateOf({
      id: 1,
      prefix: '49',
      surcharge: money('0.05'),
      minimumSeconds: 0,
      direction: 'both',
      weight: 5,
      period: period('sat,sun 22:00-06:00'),
    }),
  ];
  expect([...exportTariffCsv({ rates })]).toEqual([
    'prefix,description,rate,surcharge,minimum,increment,grace,direction,routes,options,weight,days,from,until',
    '49,,0.01,0.05,0,,,both,,,5,"sat,sun",22:00,06:00',
    '44,"UK ""all"", 1st",0.01,,,,,,gold;silver,fax,,,,',
  ]);
});

test('a version exports to lines that import as the same rates', async () => {
  await fc.assert(
    fc.asyncProperty(anyTariffRates, async (expected) => {
      const lines = [...exportTariffCsv({ rates: expected })];
      expect(await readTariffCsv({ file: 'rates.csv', bytes: [Buffer.from(lines.join('\n'))] })).toEqual({
        kind: 'rates',
        rates: expected,
      });
    }),
    { numRuns: 200 },
  );
});
