import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { periodHolds, weekMinuteAt } from '../../src/rating/rate-period.ts';
import type { Direction, Rate } from '../../src/rating/rate.ts';
import { chooseRate, createTariffTable, type RatedCall } from '../../src/rating/tariff-table.ts';
import { toEpochMs } from '../../src/units/time.ts';
import { period, rateOf, versionOf } from './samples.ts';

const OUTBOUND = { direction: 'outbound', routes: [], options: [], at: toEpochMs(0) } as const;

function choose(
  rates: readonly Rate[],
  call: Partial<RatedCall> & Pick<RatedCall, 'number'>,
): Rate | undefined {
  return chooseRate(createTariffTable(versionOf(rates)), { ...OUTBOUND, ...call });
}

function idOf(
  rates: readonly Rate[],
  call: Partial<RatedCall> & Pick<RatedCall, 'number'>,
): number | undefined {
  return choose(rates, call)?.id;
}

describe('the choice of a rate', () => {
  const germany = [
    rateOf({ id: 1, prefix: '49' }),
    rateOf({ id: 2, prefix: '4915' }),
    rateOf({ id: 3, prefix: '4916' }),
    rateOf({ id: 4, prefix: '44' }),
  ];

  test.each([
    ['4930123', 1],
    ['491512', 2],
    ['4915', 2],
    ['491', 1],
    ['491699', 3],
    ['4917', 1],
    ['441', 4],
    ['4', undefined],
    ['50', undefined],
    ['', undefined],
  ])('the longest prefix of %s is that of rate %s', (number, id) => {
    expect(idOf(germany, { number })).toBe(id);
  });

  test('a tariff without rates has none', () => {
    expect(idOf([], { number: '49' })).toBeUndefined();
  });

  test('a rate without direction is for outbound calls only: being called must cost nothing by accident', () => {
    const rates = [rateOf({ id: 1, prefix: '49' })];
    expect(idOf(rates, { number: '4930', direction: 'outbound' })).toBe(1);
    expect(idOf(rates, { number: '4930', direction: 'inbound' })).toBeUndefined();
  });

  test('a longer prefix of the other direction gives way to a shorter one that suits', () => {
    const rates = [
      rateOf({ id: 1, prefix: '4', direction: 'both' }),
      rateOf({ id: 2, prefix: '49', direction: 'outbound' }),
      rateOf({ id: 3, prefix: '493', direction: 'inbound' }),
    ];
    expect(idOf(rates, { number: '4930', direction: 'outbound' })).toBe(2);
    expect(idOf(rates, { number: '4930', direction: 'inbound' })).toBe(3);
    expect(idOf(rates, { number: '4910', direction: 'inbound' })).toBe(1);
  });

  test('a rate with routes wants one of the call\u2019s; one without takes any', () => {
    const rates = [
      rateOf({ id: 1, prefix: '49', routes: [] }),
      rateOf({ id: 2, prefix: '4930', routes: ['gold', 'silver'] }),
    ];
    expect(idOf(rates, { number: '4930', routes: ['tin', 'silver'] })).toBe(2);
    expect(idOf(rates, { number: '4930', routes: ['tin'] })).toBe(1);
    expect(idOf(rates, { number: '4930', routes: [] })).toBe(1);
  });

  test('a rate with options wants no call that asks for another one; one without takes any', () => {
    const rates = [
      rateOf({ id: 1, prefix: '49', options: [] }),
      rateOf({ id: 2, prefix: '4930', options: ['fax', 'clip'] }),
    ];
    expect(idOf(rates, { number: '4930', options: ['fax'] })).toBe(2);
    expect(idOf(rates, { number: '4930', options: ['clip', 'fax'] })).toBe(2);
    expect(idOf(rates, { number: '4930', options: ['fax', 'video'] })).toBe(1);
    expect(idOf(rates, { number: '4930', options: [] })).toBe(2);
  });

  test('of one prefix the lowest weight wins, absent being 100, then the lowest id', () => {
    const rates = [
      rateOf({ id: 1, prefix: '49', weight: 101 }),
      rateOf({ id: 2, prefix: '49' }),
      rateOf({ id: 3, prefix: '49', weight: 100, routes: ['gold'] }),
      rateOf({ id: 4, prefix: '49', weight: 99, routes: ['tin'] }),
    ];
    expect(idOf(rates, { number: '49', routes: ['gold'] })).toBe(2);
    expect(idOf(rates, { number: '49', routes: ['gold', 'tin'] })).toBe(4);
    expect(idOf(rates.slice(2), { number: '49', routes: ['gold', 'tin'] })).toBe(4);
  });

  test('a rate with a period holds only then, and a shorter prefix is used at other times', () => {
    const rates = [
      rateOf({ id: 1, prefix: '49' }),
      rateOf({ id: 2, prefix: '4930', period: period('mon-fri 08:00-18:00') }),
      rateOf({ id: 3, prefix: '4930', period: period('mon-fri 18:00-08:00') }),
    ];
    const berlin = createTariffTable(versionOf(rates, { zone: 'Europe/Berlin' }));
    const idAt = (text: string) =>
      chooseRate(berlin, { ...OUTBOUND, number: '4930123', at: toEpochMs(Date.parse(text)) })?.id;
    // The peak of a Friday in summer, its evening, the night that it begins, and the day after.
    expect(idAt('2026-07-03T06:00Z')).toBe(2);
    expect(idAt('2026-07-03T15:59:59.999Z')).toBe(2);
    expect(idAt('2026-07-03T16:00Z')).toBe(3);
    expect(idAt('2026-07-04T05:59Z')).toBe(3);
    expect(idAt('2026-07-04T06:00Z')).toBe(1);
  });

  test('of rates that hold at once the lowest weight wins, with a period or without', () => {
    const rates = [
      rateOf({ id: 1, prefix: '49' }),
      rateOf({ id: 2, prefix: '49', period: period('mon-fri 08:00-18:00'), weight: 10 }),
    ];
    expect(idOf(rates, { number: '49', at: toEpochMs(Date.parse('2026-03-02T12:00Z')) })).toBe(2);
    expect(idOf(rates, { number: '49', at: toEpochMs(Date.parse('2026-03-01T12:00Z')) })).toBe(1);
  });

  test('prefixes longer than a key differ by their ends', () => {
    const base = '123456789012345';
    const rates = ['', '5', '59', '7', '78901234567890123'].map((end, index) =>
      rateOf({ id: index + 1, prefix: base + end }),
    );
    const ends = ['', '3', '5', '58', '59', '6', '7', '79', '78901234567890123', '789012345678901239', '9'];
    expect(ends.map((end) => idOf(rates, { number: base + end }))).toEqual([1, 1, 2, 2, 3, 1, 4, 4, 5, 5, 1]);
    expect(idOf(rates, { number: base.slice(1) })).toBeUndefined();
  });

  test('in a large tariff the longest prefix is found as a Map of all prefixes finds it', () => {
    const prefixes = new Set(
      Array.from({ length: 20_000 }, (_, index) => String((index * 7_919) % 1_000_003)),
    );
    const rates = [...prefixes].map((prefix, index) => rateOf({ id: index + 1, prefix }));
    const byPrefix = new Map(rates.map((rate) => [rate.prefix, rate]));
    const table = createTariffTable(versionOf(rates));
    const differing = Array.from({ length: 20_000 }, (_, index) => String(index * 104_729)).filter(
      (number) => {
        let length = number.length;
        while (length > 0 && !byPrefix.has(number.slice(0, length))) length -= 1;
        return chooseRate(table, { ...OUTBOUND, number }) !== byPrefix.get(number.slice(0, length));
      },
    );
    expect(differing).toEqual([]);
  });

  test('what is dialled need not be a number', () => {
    const rates = [rateOf({ id: 1, prefix: '49' }), rateOf({ id: 2, prefix: '490' })];
    const dialled = ['49*', '49x0', 'alice', '*49', '\u{664}9', '490#'];
    expect(dialled.map((number) => idOf(rates, { number }))).toEqual([
      1,
      1,
      undefined,
      undefined,
      undefined,
      2,
    ]);
  });

  test('it is what a scan of all rates finds, whatever the order of the file', () => {
    // Few digits, so that prefixes nest and repeat; some beyond what a key holds.
    const digits = fc
      .tuple(
        fc.constantFrom('', '', '', '20120120120120', '201201201201201'),
        fc.array(fc.constantFrom('0', '1', '2'), { minLength: 0, maxLength: 6 }),
      )
      .map(([start, list]) => start + list.join(''));
    const routes = fc.subarray(['gold', 'silver', 'tin']);
    const options = fc.subarray(['fax', 'clip']);
    const rate = fc.record({
      prefix: digits.filter((prefix) => prefix !== ''),
      direction: fc.constantFrom(undefined, 'inbound', 'outbound', 'both'),
      routes,
      options,
      weight: fc.constantFrom(undefined, 1, 100, 200),
      period: fc.constantFrom(
        undefined,
        period('mon-fri'),
        period('20:00-04:00'),
        period('sat,sun 06:00-12:00'),
      ),
    });
    const call = fc.record({
      number: digits,
      direction: fc.constantFrom<Direction>('inbound', 'outbound'),
      routes,
      options,
      at: fc.nat({ max: 7 * 24 }).map((hours) => toEpochMs(hours * 3_600_000)),
    });
    fc.assert(
      fc.property(
        fc.array(rate, { maxLength: 40 }),
        fc.array(call, { minLength: 1, maxLength: 20 }),
        (rows, calls) => {
          const rates = rows.map((row, index) => rateOf({ id: index + 1, ...row }));
          const table = createTariffTable(versionOf(rates));
          for (const one of calls) expect(chooseRate(table, one)).toBe(scan(rates, one));
        },
      ),
      { numRuns: 400 },
    );
  });
});

/** Ruling 18 word by word: filter, then longest prefix, lowest weight, lowest id. */
function scan(rates: readonly Rate[], call: RatedCall): Rate | undefined {
  return rates
    .filter((rate) => call.number.startsWith(rate.prefix))
    .filter((rate) => [call.direction, 'both'].includes(rate.direction ?? 'outbound'))
    .filter((rate) => rate.period === undefined || periodHolds(rate.period, weekMinuteAt('UTC', call.at)))
    .filter(({ options }) => options.length === 0 || call.options.every((option) => options.includes(option)))
    .filter((rate) => rate.routes.length === 0 || rate.routes.some((route) => call.routes.includes(route)))
    .toSorted(
      (a, b) => b.prefix.length - a.prefix.length || (a.weight ?? 100) - (b.weight ?? 100) || a.id - b.id,
    )[0];
}
