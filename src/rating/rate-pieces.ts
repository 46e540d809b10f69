import type { EpochMs } from '../units/time.ts';
import { addMs, toEpochMs } from '../units/time.ts';
import { continuationOf, firstPulseSeconds, paidSeconds, type PriceTerms } from './price.ts';
import { nextPeriodEdge } from './rate-period.ts';
import type { Rate } from './rate.ts';
import type { TariffInForce } from './tariff-book.ts';
import { chooseRate, possibleRates, type RatedCall } from './tariff-table.ts';
import { termsOf } from './terms.ts';

/** A part of a talk that one rate prices. A piece is priced, and rounded, by itself. */
export type RatePiece = {
  readonly rate: Rate;
  /** Of a later piece without surcharge, minimum and grace: the call has begun. */
  readonly terms: PriceTerms;
  /** Of the talk, where it begins: 0, or the end of a pulse of the piece before. */
  readonly fromSecond: number;
};

/** A call and the tariff that was in force at its admission; both stay, whatever periods and versions come. */
export type PeriodCall = {
  readonly inForce: TariffInForce;
  readonly call: RatedCall;
  readonly answeredAt: EpochMs;
  readonly discountPpm: number;
};

const SECOND_MS = 1_000;
/** Periods repeat every week, and a change of the clocks is a day's: what has not changed by then never does. */
const CHANGE_MS_MAX = 9 * 86_400_000;

/** Every rate that the call may have at some moment, whenever it is answered: once for each time that it holds. */
export function* ratesInTime({ inForce, call }: Pick<PeriodCall, 'inForce' | 'call'>): Generator<Rate> {
  const { table } = inForce;
  const periods = possibleRates(table, call).flatMap(({ period }) => period ?? []);
  const until = addMs(call.at, CHANGE_MS_MAX);
  let at: EpochMs | undefined = call.at;
  while (at !== undefined && at <= until) {
    const rate = chooseRate(table, { ...call, at });
    if (rate !== undefined) yield rate;
    at = nextPeriodEdge(periods, table.zone, at);
  }
}

/** The rate that a call begins by, that of its admission (ruling 18). */
export function firstPiece({ inForce, call, discountPpm }: PeriodCall): RatePiece | undefined {
  const rate = chooseRate(inForce.table, call);
  return rate && { rate, terms: termsOf(inForce.version, rate, discountPpm), fromSecond: 0 };
}

/**
 * The piece after this one: another rate takes over at the end of the pulse in which its period begins, for a pulse
 * is paid when it begins. Where the new period has no rate the call goes on by the one it has. Undefined: this
 * piece goes on for ever.
 */
export function nextPiece(from: PeriodCall, piece: RatePiece): RatePiece | undefined {
  const { inForce, call, answeredAt, discountPpm } = from;
  const periods = possibleRates(inForce.table, call).flatMap(({ period }) => period ?? []);
  const startsAt = addMs(answeredAt, piece.fromSecond * SECOND_MS);
  // A call may be admitted in one period and answered in another.
  let at = piece.fromSecond === 0 ? call.at : startsAt;
  for (;;) {
    const edge = nextPeriodEdge(periods, inForce.table.zone, at);
    if (edge === undefined || edge > startsAt + CHANGE_MS_MAX) return undefined;
    const seconds = pulseEnd(piece.terms, edge - startsAt);
    at = toEpochMs(Math.max(edge, startsAt + seconds * SECOND_MS));
    const rate = chooseRate(inForce.table, { ...call, at });
    if (rate !== undefined && rate.id !== piece.rate.id) {
      const terms = continuationOf(termsOf(inForce.version, rate, discountPpm));
      return { rate, terms, fromSecond: piece.fromSecond + seconds };
    }
  }
}

/** The end of the first pulse, in seconds from the piece's start, that is not before so many milliseconds of it. */
function pulseEnd(terms: PriceTerms, ms: number): number {
  const furtherMs = ms - firstPulseSeconds(terms) * SECOND_MS;
  const further = furtherMs <= 0 ? 0 : Math.ceil(furtherMs / (terms.incrementSeconds * SECOND_MS));
  return paidSeconds(terms, 1 + further);
}
