import { describe, expect, it } from 'vitest';
import { createCli } from '../cli/cli-run.ts';

/**
 * What a talk costs, as Kazoo and mod_nibblebill have it, asked of `tollgate price`. The numbers Txx are those of the
 * list of wanted results; a Kazoo unit is 0.0001, and its prices are cut off there (`--rounding down --decimals 4`).
 */
type Row = readonly [title: string, rate: string, seconds: number, charged: number, price: string];

const HOUR = '--rate 0.01 --minimum 60 --increment 60';
const SIX = '--rate 0.10 --minimum 30 --increment 6';
const FEE = '--rate 0.015 --surcharge 0.05 --minimum 30 --increment 6';

const KAZOO: readonly Row[] = [
  ['T01 a started minute is a minute', HOUR, 30, 60, '0.01'],
  ['T02 a second of the next is two', HOUR, 61, 120, '0.02'],
  ['T03 a minimum, then increments of six', SIX, 45, 48, '0.08'],
  ['T04 a surcharge on top', FEE, 31, 36, '0.059'],
  ['T05 five seconds are free for who gives five', `${HOUR} --grace 5`, 5, 0, '0.00'],
  ['T05 the sixth pays for the first minute', `${HOUR} --grace 5`, 6, 60, '0.01'],
  ['T05 no talk, no surcharge', `${FEE} --grace 5`, 0, 0, '0.00'],
  ['T06 a tenth less', `${SIX} --discount 10`, 45, 48, '0.072'],
  ['T06 of the surcharge too', `${FEE} --discount 10`, 31, 36, '0.0531'],
  ['T07 29 percent, exactly', `${HOUR} --discount 29`, 30, 60, '0.0071'],
  [
    'T08 a minimum that is no multiple of the increment',
    '--rate 0.10 --minimum 10 --increment 60',
    15,
    70,
    '0.1166',
  ],
  ['T09 no increment is a minute', '--rate 0.02 --minimum 0 --increment 0', 61, 120, '0.04'],
  ['T09 and so is the first pulse then', '--rate 0.02 --minimum 0 --increment 0', 1, 60, '0.02'],
  ['T10 six by six', '--rate 0.0085 --minimum 6 --increment 6', 7, 12, '0.0017'],
  ['T10 half a unit is cut off', '--rate 0.0033 --minimum 1 --increment 1', 10, 10, '0.0005'],
];

const NIBBLEBILL: readonly Row[] = [
  ['T34 by the second', '--rate 0.60 --minimum 1 --increment 1', 90, 90, '0.90'],
  ['T34 by the minute', '--rate 0.60 --minimum 60 --increment 60', 61, 120, '1.20'],
  ['T34 by six seconds, 61.5 of them', '--rate 0.60 --minimum 6 --increment 6', 62, 66, '0.66'],
  ['T35 rounded up to the cent', '--rate 0.60222 --minimum 1 --increment 1 --decimals 2', 90, 90, '0.91'],
  ['T35 at least a euro, as what the answer costs', '--rate 0 --surcharge 1.00', 1, 60, '1.00'],
];

const { ask } = createCli();

describe.each([
  ['Kazoo', '--rounding down --decimals 4', KAZOO],
  ['mod_nibblebill', '', NIBBLEBILL],
] as const)('a price of %s', (_, rounding, rows) => {
  it.each(rows)('%s', async (_title, rate, seconds, charged, price) => {
    const flags = `${rate} ${rounding} --seconds ${seconds}`.trim().split(/\s+/);
    expect(await ask('price', ...flags)).toMatchObject({ chargedSeconds: charged, price });
  });
});
