import { pulsesPaid, type PriceTerms } from '../rating/price.ts';
import { firstPiece, nextPiece, type PeriodCall, type RatePiece } from '../rating/rate-pieces.ts';
import type { Direction } from '../rating/rate.ts';
import type { TariffBook } from '../rating/tariff-book.ts';
import type { EpochMs } from '../units/time.ts';
import type { LegRecord, PayerRecord } from './leg-record.ts';

/** A call that lasts longer keeps the rate that it has then. */
const SPLIT_SECONDS_MAX = 7 * 86_400;
/** A rate for each hour of so long a call, and some more for the clocks. */
const PIECES_MAX = 200;

/** What the times of a call's rates depend on. */
export type SplitCall = Pick<LegRecord, 'destination' | 'routes' | 'options' | 'admittedAt'> & {
  readonly direction: LegRecord['direction'];
  readonly answeredAt: EpochMs;
};

/** The record with each payer's rates one after the other, where its tariff has others at other times of day. */
export function splitRecord(record: LegRecord, answeredAt: EpochMs, tariffs: TariffBook): LegRecord {
  const call = { ...record, answeredAt };
  const payers = record.payers.map((payer) => splitPayer(payer, call, tariffs));
  return payers.every((payer, index) => payer === record.payers[index]) ? record : { ...record, payers };
}

/** Always by the version that was in force at the admission, so that it comes out the same whenever it is asked. */
export function splitPayer(payer: PayerRecord, call: SplitCall, tariffs: TariffBook): PayerRecord {
  const { direction } = call;
  if (direction === 'internal') return payer;
  const inForce = tariffs.get(payer.tariff)?.find(({ version }) => version.version === payer.tariffVersion);
  if (inForce === undefined) return payer;
  const [first, ...later] = piecesOf({
    inForce,
    call: ratedCall(call, direction),
    answeredAt: call.answeredAt,
    discountPpm: payer.terms.discountPpm,
  });
  if (first === undefined || first.rate.id !== payer.rateId || later.length === 0) return payer;
  return {
    ...payer,
    terms: chained([first, ...later]),
    later: later.map(({ rate }) => ({ rateId: rate.id, prefix: rate.prefix })),
  };
}

function ratedCall({ destination, routes, options, admittedAt }: SplitCall, direction: Direction) {
  return { number: destination, direction, routes, options, at: admittedAt };
}

function piecesOf(call: PeriodCall): readonly RatePiece[] {
  const pieces: RatePiece[] = [];
  let piece = firstPiece(call);
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
