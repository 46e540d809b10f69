import * as fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { splitPayer } from '../../src/admission/rate-split.ts';
import { moneyParts } from '../../src/charging/leg-parts.ts';
import { chargedSeconds, firstPulseSeconds, priceOf, type PriceTerms } from '../../src/rating/price.ts';
import { firstPiece, nextPiece, type PeriodCall } from '../../src/rating/rate-pieces.ts';
import type { Rate, TariffVersion } from '../../src/rating/rate.ts';
import {
  EMPTY_TARIFF_BOOK,
  versionInForce,
  withTariffVersions,
  type TariffBook,
} from '../../src/rating/tariff-book.ts';
import { chooseRate } from '../../src/rating/tariff-table.ts';
import type { AccountPath } from '../../src/units/ids.ts';
import { addMs, parseMoment, toEpochMs } from '../../src/units/time.ts';
import { formatMicros } from '../../src/units/money.ts';
import { money, period, rateOf, tariffName, versionOf } from '../rating/samples.ts';

type Asked = { readonly admitted: string; readonly answered?: string; readonly discountPpm?: number };

type TestCall = PeriodCall & { readonly book: TariffBook };

function callOf(rates: readonly Rate[], asked: Asked, fields: Partial<TariffVersion> = {}): TestCall {
  const book = withTariffVersions(EMPTY_TARIFF_BOOK, [versionOf(rates, fields)]);
  const inForce = versionInForce(book, tariffName('retail'), toEpochMs(0));
  const at = parseMoment(asked.admitted);
  const answeredAt = parseMoment(asked.answered ?? asked.admitted);
  if (inForce === undefined || at === undefined || answeredAt === undefined) throw new Error('no such call');
  const call = { number: '4930', direction: 'outbound', routes: [], options: [], at } as const;
  return { book, inForce, call, answeredAt, discountPpm: asked.discountPpm ?? 0 };
}

type Piece = { readonly rateId: number; readonly terms: PriceTerms; readonly billedSeconds: number };

/** What a payer is charged for a talk, rate after rate; nothing where no rate was found at the admission. */
function ratePieces(timed: TestCall, billedSeconds: number): readonly Piece[] {
  const first = firstPiece(timed);
  if (first === undefined) return [];
  const { book, call, answeredAt, inForce } = timed;
  const { tariff, version, currency } = inForce.version;
  const account = 'acme' as AccountPath;
  const rate = { rateId: first.rate.id, prefix: first.rate.prefix };
  const payer = {
    account,
    wallet: account,
    tariff,
    tariffVersion: version,
    currency,
    ...rate,
    terms: first.terms,
  };
  const asked = { ...call, destination: call.number, admittedAt: call.at, answeredAt };
  return moneyParts(splitPayer(payer, asked, book), billedSeconds).map((part) => ({
    rateId: part.payer.rateId,
    terms: part.payer.terms,
    billedSeconds: part.billedSeconds,
  }));
}

/** `rate × seconds = price` of each piece. */
function shown(call: TestCall, billedSeconds: number): readonly string[] {
  return ratePieces(call, billedSeconds).map(
    (piece) =>
      `${piece.rateId} × ${piece.billedSeconds} = ${formatMicros(priceOf(piece.terms, piece.billedSeconds))}`,
  );
}

const DAY = rateOf({
  id: 1,
  prefix: '49',
  perMinute: money('0.60'),
  surcharge: money('1'),
  minimumSeconds: 60,
  incrementSeconds: 10,
  period: period('mon-fri 08:00-18:00'),
});
const NIGHT = rateOf({
  id: 2,
  prefix: '49',
  perMinute: money('0.06'),
  surcharge: money('2'),
  minimumSeconds: 30,
  incrementSeconds: 6,
  graceSeconds: 5,
  period: period('18:00-08:00'),
});
const RATES = [DAY, NIGHT];

describe('the pieces of a call', () => {
  it.each([
    ['within one period', '2026-03-02T12:00:00Z', 100, ['1 × 100 = 2.00']],
    ['that ends with its period', '2026-03-02T17:58:20Z', 100, ['1 × 100 = 2.00']],
    // The pulse that ends at 18:00:00 sharp is the last of the day.
    ['that goes on a second', '2026-03-02T17:58:20Z', 101, ['1 × 100 = 2.00', '2 × 1 = 0.006']],
    // The pulse from 17:59:55 is the day's, and the night's begins at 18:00:05.
    ['whose pulse lies over the edge', '2026-03-02T17:58:55Z', 100, ['1 × 70 = 1.70', '2 × 30 = 0.03']],
    ['whose first pulse does', '2026-03-02T17:59:59Z', 100, ['1 × 60 = 1.60', '2 × 40 = 0.042']],
    ['that does not outlast that pulse', '2026-03-02T17:59:59Z', 60, ['1 × 60 = 1.60']],
    [
      'that talks through a night',
      '2026-03-02T17:59:00Z',
      50_461,
      ['1 × 60 = 1.60', '2 × 50400 = 50.40', '1 × 1 = 0.10'],
    ],
    ['of no length', '2026-03-02T17:59:59Z', 0, ['1 × 0 = 0.00']],
    ['without a rate', '2026-03-01T12:00:00Z', 100, []],
  ])('%s', (_, admitted, billedSeconds, pieces) => {
    expect(shown(callOf(RATES, { admitted }), billedSeconds)).toEqual(pieces);
  });

  it('begin with the rate of the admission, be it over when the call is answered', () => {
    const late = callOf(RATES, { admitted: '2026-03-02T17:59:50Z', answered: '2026-03-02T18:00:20Z' });
    expect(shown(late, 100)).toEqual(['1 × 60 = 1.60', '2 × 40 = 0.042']);
    const early = callOf(RATES, { admitted: '2026-03-03T07:59:50Z', answered: '2026-03-03T08:00:20Z' });
    expect(shown(early, 35)).toEqual(['2 × 30 = 2.03', '1 × 5 = 0.10']);
    // A talk within the grace is free, and no other rate makes it dear.
    expect(shown(early, 5)).toEqual(['2 × 5 = 0.00']);
  });

  it('are not free for being short where the whole talk is longer than the grace', () => {
    const graced = { ...DAY, minimumSeconds: 0, incrementSeconds: 1, graceSeconds: 5 };
    const call = callOf([graced, NIGHT], { admitted: '2026-03-02T17:59:57Z' });
    expect(shown(call, 5)).toEqual(['1 × 5 = 0.00']);
    expect(shown(call, 6)).toEqual(['1 × 3 = 1.03', '2 × 3 = 0.006']);
  });

  it('are one where the next period has no rate', () => {
    const friday = callOf([DAY, { ...NIGHT, period: period('mon-thu 18:00-08:00') }], {
      admitted: '2026-03-06T17:59:00Z',
    });
    expect(shown(friday, 200)).toEqual(['1 × 200 = 3.00']);
  });

  it('are one where the same rate holds again', () => {
    const halves = [
      { ...DAY, period: undefined },
      { ...NIGHT, period: period('20:00-21:00'), weight: 200 },
    ];
    expect(shown(callOf(halves, { admitted: '2026-03-02T19:59:00Z' }), 200)).toEqual(['1 × 200 = 3.00']);
    const begun = callOf(halves, { admitted: '2026-03-02T19:59:00Z' });
    const first = firstPiece(begun);
    expect(first?.rate.id).toBe(1);
    expect(first && nextPiece(begun, first)).toBeUndefined();
  });

  it('have the discount, each of its own', () => {
    const call = callOf(RATES, { admitted: '2026-03-02T17:59:00Z', discountPpm: 500_000 });
    expect(shown(call, 120)).toEqual(['1 × 60 = 0.80', '2 × 60 = 0.03']);
  });

  it('follow the clocks of the zone when they change', () => {
    const berlin = { zone: 'Europe/Berlin' };
    const early = [
      rateOf({ id: 1, prefix: '49', incrementSeconds: 60 }),
      rateOf({ id: 2, prefix: '49', incrementSeconds: 60, weight: 1, period: period('02:00-04:00') }),
    ];
    // From 01:30: half an hour to the jump over 02:00 to 03:00, and one hour left until 04:00.
    const spring = callOf(early, { admitted: '2026-03-29T00:30:00Z' }, berlin);
    expect(ratePieces(spring, 7_200).map(({ billedSeconds }) => billedSeconds)).toEqual([
      1_800, 3_600, 1_800,
    ]);
    // In autumn the hour from 02:00 is shown twice: three hours.
    const autumn = callOf(early, { admitted: '2026-10-24T23:30:00Z' }, berlin);
    expect(ratePieces(autumn, 14_400).map(({ billedSeconds }) => billedSeconds)).toEqual([
      1_800, 10_800, 1_800,
    ]);
    const saoPaulo = callOf(
      [
        rateOf({ id: 1, prefix: '49', incrementSeconds: 60 }),
        rateOf({ id: 2, prefix: '49', incrementSeconds: 60, weight: 1, period: period('sun') }),
      ],
      { admitted: '2018-11-04T02:50:00Z' },
      { zone: 'America/Sao_Paulo' },
    );
    // Sunday begins at 01:00, at 03:00 UTC, and has 23 hours.
    expect(ratePieces(saoPaulo, 90_000).map(({ billedSeconds }) => billedSeconds)).toEqual([
      600, 82_800, 6_600,
    ]);
  });
});

const anyRates = fc
  .array(
    fc.record({
      prefix: fc.constantFrom('4', '49', '493'),
      perMinute: fc.constantFrom(money('0'), money('0.07'), money('0.60')),
      surcharge: fc.constantFrom(undefined, money('0.05')),
      minimumSeconds: fc.constantFrom(undefined, 0, 30, 7_200),
      incrementSeconds: fc.constantFrom(undefined, 1, 6, 700),
      graceSeconds: fc.constantFrom(undefined, 3),
      weight: fc.constantFrom(undefined, 1),
      period: fc.constantFrom(
        undefined,
        period('sun 02:30-03:30'),
        period('sat 22:00-02:30'),
        period('00:00-03:00'),
        period('03:00-24:00'),
        period('sun'),
      ),
    }),
    { minLength: 1, maxLength: 5 },
  )
  .map((rows) => rows.map((row, index) => rateOf({ id: index + 1, ...row })));

const anyCall = fc.record({
  rates: anyRates,
  zone: fc.constantFrom('Europe/Berlin', 'UTC'),
  // Saturday evening before each change of the clocks in Berlin.
  admitted: fc.constantFrom('2026-03-28T20:00:00Z', '2026-10-24T20:00:00Z'),
  afterSeconds: fc.nat({ max: 8 * 3_600 }),
  ringMs: fc.nat({ max: 120_000 }),
  billedSeconds: fc.oneof(fc.nat({ max: 200 }), fc.nat({ max: 30_000 })),
});

type AnyCall = typeof anyCall extends fc.Arbitrary<infer Value> ? Value : never;

function drawn({ rates, zone, admitted, afterSeconds, ringMs }: AnyCall): TestCall {
  const call = callOf(rates, { admitted }, { zone });
  const at = addMs(call.call.at, afterSeconds * 1_000);
  return { ...call, call: { ...call.call, at }, answeredAt: addMs(at, ringMs) };
}

test('are what a walk along the pulses finds', () => {
  fc.assert(
    fc.property(anyCall, (one) => {
      const call = drawn(one);
      const walked: { readonly rate: number; seconds: number }[] = [];
      let rate = chooseRate(call.inForce.table, call.call);
      const first = firstPiece(call);
      const isFree = one.billedSeconds <= (rate?.graceSeconds ?? 0);
      if (rate !== undefined && first !== undefined) {
        walked.push({ rate: rate.id, seconds: 0 });
        // Each turn is a pulse, which begins at a second of the talk.
        for (let second = 0, pulse = firstPulseSeconds(first.terms); ;) {
          const last = walked.at(-1);
          const end = isFree ? one.billedSeconds : Math.min(second + pulse, one.billedSeconds);
          if (last !== undefined) last.seconds += end - second;
          second = end;
          if (second >= one.billedSeconds) break;
          const now = chooseRate(call.inForce.table, {
            ...call.call,
            at: addMs(call.answeredAt, second * 1_000),
          });
          if (now !== undefined && now.id !== rate.id) {
            rate = now;
            walked.push({ rate: rate.id, seconds: 0 });
          }
          pulse = rate.incrementSeconds ?? 60;
        }
      }
      expect(
        ratePieces(call, one.billedSeconds).map(({ rateId, billedSeconds }) => ({
          rate: rateId,
          seconds: billedSeconds,
        })),
      ).toEqual(walked);
    }),
    { numRuns: 500 },
  );
});

test('every second is in one of them, all but the last are whole pulses, and a longer talk never costs less', () => {
  fc.assert(
    fc.property(anyCall, fc.nat({ max: 1_000 }), (one, more) => {
      const call = drawn(one);
      const pieces = ratePieces(call, one.billedSeconds);
      const sum = pieces.reduce((seconds, { billedSeconds }) => seconds + billedSeconds, 0);
      expect(sum).toBe(pieces.length === 0 ? 0 : one.billedSeconds);
      for (const { terms, billedSeconds } of pieces.slice(0, -1)) {
        expect(chargedSeconds(terms, billedSeconds)).toBe(billedSeconds);
      }
      expect(total(call, one.billedSeconds + more)).toBeGreaterThanOrEqual(total(call, one.billedSeconds));
    }),
    { numRuns: 500 },
  );
});

function total(call: TestCall, billedSeconds: number): bigint {
  return ratePieces(call, billedSeconds).reduce(
    (sum, piece) => sum + priceOf(piece.terms, piece.billedSeconds),
    0n,
  );
}
