import { createTariffTable, chooseRate } from '../../../src/rating/tariff-table.ts';
import type { Rate } from '../../../src/rating/rate.ts';
import { DEFAULT_ROUNDING, priceOf } from '../../../src/rating/price.ts';
import { termsOf } from '../../../src/rating/terms.ts';
import { toMicros, type Micros } from '../../../src/units/money.ts';
import { toEpochMs } from '../../../src/units/time.ts';
import type { Figure } from '../figure.ts';
import { interleave } from '../rounds.ts';
import { atLeast, rowOf } from '../row.ts';
import { TARIFF } from '../sample-legs.ts';

const PREFIXES = 200_000;
const NUMBERS = 100_000;
const NUMBER_DIGITS = 12;
const PREFIX_DIGITS_MAX = 9;
/** 10 µs each: nothing beside the rest of an admission. */
const LOOKUPS_MIN = 100_000;
/** What rating a year's calls again needs. */
const PRICES_MIN = 500_000;
const PER_MINUTE_MAX = 500_000;
const BILLED_SECONDS_MAX = 3_600;

export const rating: Figure = {
  name: 'rating',
  title: 'rate choice and price',
  needsRealRedis: false,
  async measure({ full }) {
    const random = seededRandom(20_261_122);
    const rates = tariff(random);
    const version = {
      tariff: TARIFF,
      version: 1,
      currency: 'EUR',
      rounding: DEFAULT_ROUNDING,
      startsAt: toEpochMs(0),
      zone: 'UTC',
      rates,
    };
    const table = createTariffTable(version);
    const byPrefix = new Map(rates.map((rate) => [rate.prefix, rate]));
    const numbers = Array.from({ length: NUMBERS }, () => {
      const { prefix } = rates[Math.floor(random() * rates.length)] ?? { prefix: '' };
      return (prefix + digits(random, NUMBER_DIGITS)).slice(0, NUMBER_DIGITS);
    });
    const inTable = (number: string): Rate | undefined =>
      chooseRate(table, { number, direction: 'outbound', routes: [], options: [], at: toEpochMs(0) });
    const inMap = (number: string): Rate | undefined => {
      for (let length = number.length; length > 0; length -= 1) {
        const rate = byPrefix.get(number.slice(0, length));
        if (rate !== undefined) return rate;
      }
      return undefined;
    };
    for (const number of numbers) {
      if (inTable(number)?.id !== inMap(number)?.id) throw new Error(`${number} is rated differently`);
    }
    const seconds = numbers.map(() => 1 + Math.floor(random() * BILLED_SECONDS_MAX));
    const price = (number: string, index: number): Micros => {
      const rate = inTable(number);
      if (rate === undefined) throw new Error(`${number} has no rate`);
      return priceOf(termsOf(version, rate, 0), seconds[index] ?? 0);
    };
    const perSecond = (work: (number: string, index: number) => unknown) => (): number => {
      const before = process.cpuUsage();
      for (const [index, number] of numbers.entries()) work(number, index);
      const { user, system } = process.cpuUsage(before);
      return NUMBERS / ((user + system) / 1e6);
    };
    const found = await interleave(full ? 25 : 11, {
      table: perSecond(inTable),
      price: perSecond(price),
      map: perSecond(inMap),
    });
    return [
      rowOf({
        what: `rate choices in ${PREFIXES.toLocaleString('en')} prefixes, one core`,
        unit: '/s',
        measured: found.table,
        baselineWhat: 'a Map of prefixes, longest first',
        baseline: found.map,
        target: atLeast(LOOKUPS_MIN),
      }),
      rowOf({
        what: `prices, rate choice included, by ${PREFIXES.toLocaleString('en')} prefixes, one core`,
        unit: '/s',
        measured: found.price,
        baselineWhat: 'a Map of prefixes, longest first, and no price',
        baseline: found.map,
        target: atLeast(PRICES_MIN),
      }),
    ];
  },
};

function tariff(random: () => number): readonly Rate[] {
  const prefixes = new Set<string>();
  while (prefixes.size < PREFIXES) {
    const length = 1 + Math.floor(random() * PREFIX_DIGITS_MAX);
    prefixes.add(String(1 + Math.floor(random() * 9)) + digits(random, length));
  }
  return [...prefixes].toSorted().map((prefix, index) => ({
    id: index + 1,
    prefix,
    description: '',
    perMinute: toMicros(BigInt(1 + Math.floor(random() * PER_MINUTE_MAX))),
    surcharge: undefined,
    minimumSeconds: index % 2 === 0 ? 30 : undefined,
    incrementSeconds: index % 2 === 0 ? 6 : 1,
    graceSeconds: undefined,
    direction: undefined,
    routes: [],
    options: [],
    weight: undefined,
    period: undefined,
  }));
}

function digits(random: () => number, count: number): string {
  let text = '';
  while (text.length < count) text += Math.floor(random() * 10);
  return text;
}

/** The same tariff and numbers on every run (a linear congruence of Numerical Recipes). */
function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
