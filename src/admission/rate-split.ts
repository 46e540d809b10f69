import { continuationOf, pulsesPaid, type PriceTerms } from '../rating/price.ts';
import {
  firstPiece,
  nextPiece,
  ratesInTime,
  type PeriodCall,
  type RatePiece,
} from '../rating/rate-pieces.ts';
import type { TariffBook } from '../rating/tariff-book.ts';
import { termsOf } from '../rating/terms.ts';
import type { EpochMs } from '../units/time.ts';
import type { Continuation, LegRecord, PayerRecord } from './leg-record.ts';

/** A call that lasts longer keeps the rate that it has then. */
const SPLIT_SECONDS_MAX = 7 * 86_400;
/** A rate for each hour of so long a call, and some more for the clocks. */
const PIECES_MAX = 200;

/** What the times of a call's rates depend on. */
export type TimedCall = Pick<LegRecord, 'destination' | 'routes' | 'options' | 'admittedAt' | 'direction'>;

export type SplitCall = TimedCall & { readonly answeredAt: EpochMs };

/** The record with each payer's rates one after the other, where its tariff has others at other times of day. */
export function splitRecord(record: LegRecord, answeredAt: EpochMs, tariffs: TariffBook): LegRecord {
  const call = { ...record, answeredAt };
  const payers = record.payers.map((payer) => splitPayer(payer, call, tariffs));
  return payers.every((payer, index) => payer === record.payers[index]) ? record : { ...record, payers };
}

/** Always by the version that was in force at the admission, so that it comes out the same whenever it is asked. */
export function splitPayer(payer: PayerRecord, call: SplitCall, tariffs: TariffBook): PayerRecord {
  const timed = periodCall(payer, call, call.answeredAt, tariffs);
  const first = timed && firstPiece(timed);
  if (timed === undefined || first === undefined) return payer;
  const pieces = piecesFrom(timed, first);
  return pieces.length === 1 ? payer : withPieces(payer, first, pieces);
}

/**
 * How a call goes on whose allotment has run dry: from then on by the rate of that moment, and by those of later times
 * of day. Where that moment has no rate it goes on by the one of its admission.
 */
export function splitContinuation(
  goesOn: Continuation,
  call: TimedCall,
  from: EpochMs,
  tariffs: TariffBook,
): Continuation {
  const { payer } = goesOn;
  const timed = periodCall(payer, call, from, tariffs);
  const admitted = timed && firstPiece(timed);
  if (timed === undefined || admitted === undefined) return goesOn;
  const later = { ...timed, call: { ...timed.call, at: from } };
  const begun = firstPiece(later) ?? admitted;
  const first = { ...begun, terms: continuationOf(begun.terms) };
  return { ...goesOn, payer: withPieces(payer, first, piecesFrom(later, first)) };
}

/** By what terms the payer may be charged at some time or other: those that the record has, and those of other times. */
export function termsInTime(payer: PayerRecord, call: TimedCall, tariffs: TariffBook): readonly PriceTerms[] {
  const timed = periodCall(payer, call, call.admittedAt, tariffs);
  if (timed === undefined) return [payer.terms];
  const { version } = timed.inForce;
  return [...ratesInTime(timed)].map((rate) => termsOf(version, rate, timed.discountPpm));
}

/** Undefined: its price is not that of a tariff. */
function periodCall(
  { tariff, tariffVersion, terms, rateId }: PayerRecord,
  { destination, direction, routes, options, admittedAt }: TimedCall,
  answeredAt: EpochMs,
  tariffs: TariffBook,
): PeriodCall | undefined {
  if (direction === 'internal') return undefined;
  const inForce = tariffs.get(tariff)?.find(({ version }) => version.version === tariffVersion);
  if (inForce === undefined) return undefined;
  const call = { number: destination, direction, routes, options, at: admittedAt };
  const timed = { inForce, call, answeredAt, discountPpm: terms.discountPpm };
  return firstPiece(timed)?.rate.id === rateId ? timed : undefined;
}

function withPieces(payer: PayerRecord, first: RatePiece, pieces: readonly RatePiece[]): PayerRecord {
  const [, ...later] = pieces;
  return {
    ...payer,
    rateId: first.rate.id,
    prefix: first.rate.prefix,
    terms: chained([first, ...later]),
    ...(later.length > 0 && { later: later.map(({ rate }) => ({ rateId: rate.id, prefix: rate.prefix })) }),
  };
}

function piecesFrom(call: PeriodCall, first: RatePiece): readonly RatePiece[] {
  const pieces: RatePiece[] = [];
  let piece: RatePiece | undefined = first;
  while (piece !== undefined && piece.fromSecond < SPLIT_SECONDS_MAX && pieces.length < PIECES_MAX) {
    pieces.push(piece);
    piece = nextPiece(call, piece);
  }
  return pieces;
}

/** Each piece begins where a pulse of the one before it ends. */
function chained([first, ...later]: readonly [RatePiece, ...RatePiece[]]): PriceTerms {
  const [second, ...rest] = later;
  if (second === undefined) return first.terms;
  const afterPulses = pulsesPaid(first.terms, second.fromSecond - first.fromSecond);
  return { ...first.terms, next: { afterPulses, terms: chained([second, ...rest]) } };
}
