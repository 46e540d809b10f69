import { expect, test } from 'vitest';
import { EMPTY_TARIFF_BOOK, versionInForce, withTariffVersions } from '../../src/rating/tariff-book.ts';
import { toEpochMs } from '../../src/units/time.ts';
import { rateOf, tariffName, versionOf } from './samples.ts';

const RATES = [rateOf({ id: 1, prefix: '49' })];
const RETAIL = tariffName('retail');
const first = versionOf(RATES, { version: 1, startsAt: toEpochMs(1000) });
const second = versionOf(RATES, { version: 2, startsAt: toEpochMs(2000) });

function numberInForce(versions: readonly (typeof first)[], atMs: number): number | undefined {
  const book = withTariffVersions(EMPTY_TARIFF_BOOK, versions);
  return versionInForce(book, RETAIL, toEpochMs(atMs))?.version.version;
}

test('a version is in force from its start until the next one starts', () => {
  expect([999, 1000, 1999, 2000, 9000].map((at) => numberInForce([second, first], at))).toEqual([
    undefined,
    1,
    1,
    2,
    2,
  ]);
});

test('of two versions that start together the later number is in force', () => {
  const correction = versionOf(RATES, { version: 3, startsAt: toEpochMs(1000) });
  expect(numberInForce([correction, first], 1500)).toBe(3);
  expect(numberInForce([first, correction], 1500)).toBe(3);
  expect(numberInForce([first, correction, second], 2500)).toBe(2);
});

test('an import leaves the book before it as it was, and other tariffs alone', () => {
  const before = withTariffVersions(EMPTY_TARIFF_BOOK, [first]);
  const wholesale = versionOf(RATES, { tariff: tariffName('wholesale') });
  const after = withTariffVersions(before, [second, wholesale]);
  expect(versionInForce(before, RETAIL, toEpochMs(5000))?.version).toBe(first);
  expect(versionInForce(after, RETAIL, toEpochMs(5000))?.version).toBe(second);
  expect(versionInForce(before, tariffName('wholesale'), toEpochMs(5000))).toBeUndefined();
  expect(versionInForce(after, tariffName('wholesale'), toEpochMs(5000))?.version).toBe(wholesale);
});

test('the table of a version is made once', () => {
  const before = withTariffVersions(EMPTY_TARIFF_BOOK, [first]);
  const after = withTariffVersions(before, [first, second]);
  const at = toEpochMs(1500);
  expect(versionInForce(after, RETAIL, at)).toBe(versionInForce(before, RETAIL, at));
});
