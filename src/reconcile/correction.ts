import { reversalOf, transferOfCharge } from '../charging/charges.ts';
import { customerAsAdmitted } from '../charging/brought-price.ts';
import { squaringTransfers } from '../charging/customer-money.ts';
import type { RatingBooks } from '../charging/finished-call.ts';
import { FIRST_WAY, rateFirst } from '../charging/first-rating.ts';
import { chargedSeconds, priceOf } from '../rating/price.ts';
import { billedSecondsOf, type SecondsMode } from '../rating/quote.ts';
import { netOf } from '../records/proof.ts';
import type { Movement } from '../records/record-store.ts';
import {
  chargesInForce,
  currencyOf,
  walletLedger,
  type Cdr,
  type Charge,
  type Decision,
  type Transfer,
} from '../records/records.ts';
import { parseRerateRunId, type RerateRunId } from '../units/ids.ts';
import { assert } from '../units/assert.ts';
import { toMicros } from '../units/money.ts';
import { addMs, type EpochMs } from '../units/time.ts';
import type { PlacedCdr } from './switch-cdr.ts';

/**
 * What becomes of a leg that was settled from what was last known of it (DESIGN 10), once FreeSWITCH's own CDR is
 * there: its CDR with the exact figures, and a further version of each charge that they change.
 */
export type Correction = {
  /** As it stands; where it does no more, nothing is corrected. */
  readonly before: Cdr;
  readonly after: Cdr;
  readonly charges: readonly Charge[];
  /** Of the version before, back; of the further one. */
  readonly transfers: readonly Transfer[];
  /** What each wallet gains or loses by all of it. */
  readonly movements: readonly Movement[];
  readonly decision: Decision;
};

export type CorrectionRules = {
  readonly now: EpochMs;
  readonly seconds: SecondsMode;
  readonly books: RatingBooks;
};

/** Whose reversals these are: no run of re-rating has the name. */
export const CORRECTION_RUN = 'cdr-correction';

/** FreeSWITCH's own CDR of the leg, and the decision that admitted it, where that is on record. */
export type CorrectBy = PlacedCdr & { readonly admission?: Decision | undefined };

/** `charges`: every version of the leg. The file's duration is exact. */
export function correctionOf(
  before: Cdr,
  charges: readonly Charge[],
  { leg, place, admission }: CorrectBy,
  { now, seconds, books }: CorrectionRules,
): Correction {
  const billMicroseconds = leg.billMicroseconds ?? before.billMicroseconds;
  const answeredAt = leg.answeredAt === undefined ? undefined : (before.answeredAt ?? leg.answeredAt);
  const rounded = billedSecondsOf(billMicroseconds, seconds);
  const after: Cdr = {
    ...before,
    answeredAt,
    endedAt:
      answeredAt === undefined ? before.endedAt : addMs(answeredAt, Math.floor(billMicroseconds / 1000)),
    billMicroseconds,
    billsec: leg.billsec,
    // Never past what was paid for, where Tollgate ended it (ruling 8).
    billedSeconds: endedAtItsEnd(before) ? Math.min(rounded, before.billedSeconds) : rounded,
    cause: leg.cause,
    estimated: false,
  };
  const next =
    charges.length === 0 ? firstCharges(after, books, admission) : chargesAfter(before, after, charges);
  const superseded = chargesInForce(charges).filter(({ payer }) =>
    next.some((charge) => charge.payer === payer),
  );
  const run = correctionRun();
  const moved = [
    ...superseded.flatMap((charge) => reversalOf(charge, run, now) ?? []),
    ...next.flatMap((charge) => transferOfCharge(charge, now) ?? []),
  ];
  const square = { occasion: `${before.legUuid}:correction`, at: now };
  const transfers = [...moved, ...squaringTransfers([...superseded, ...next], moved, square)];
  return {
    before,
    after,
    charges: next,
    transfers,
    movements: movementsOf(after, next, superseded, transfers),
    decision: correctionDecision(before, after, { now, ...place }),
  };
}

function endedAtItsEnd({ cut }: Cdr): boolean {
  return cut !== undefined && cut !== 'killed' && cut !== 'ungated';
}

/** Of a leg that nobody was charged for, and that talked: a customer whom nobody stored by the price that it brought. */
function firstCharges(after: Cdr, books: RatingBooks, admission: Decision | undefined): readonly Charge[] {
  if (after.billedSeconds === 0) return [];
  const customer = customerAsAdmitted(admission, after.account, books.accounts);
  const rated = rateFirst(after, books, FIRST_WAY, customer);
  return rated.kind === 'rated' ? rated.charges : [];
}

/** None where the seconds are the same. */
function chargesAfter(before: Cdr, after: Cdr, charges: readonly Charge[]): readonly Charge[] {
  if (after.billedSeconds === before.billedSeconds) return [];
  return [...Map.groupBy(chargesInForce(charges), ({ payer }) => payer).values()].flatMap((segments) =>
    withSeconds(segments, after.billedSeconds),
  );
}

/** The same ways and terms for another time: what is more or less is so of the segments that were talked last. */
function withSeconds(segments: readonly Charge[], billedSeconds: number): readonly Charge[] {
  let left = billedSeconds;
  return segments
    .toSorted((a, b) => a.segment - b.segment)
    .map((charge, index) => {
      const isLast = index === segments.length - 1;
      const seconds = isLast ? left : Math.min(left, charge.billedSeconds);
      left -= seconds;
      return { ...priced(charge, seconds), version: charge.version + 1 };
    })
    .filter(({ billedSeconds: own }, index) => index === 0 || own > 0);
}

function priced(charge: Charge, billedSeconds: number): Charge {
  switch (charge.way) {
    case 'per_minute': {
      const { terms } = charge;
      return {
        ...charge,
        billedSeconds,
        chargedSeconds: chargedSeconds(terms, billedSeconds),
        price: priceOf(terms, billedSeconds),
      };
    }
    case 'allotment':
      return { ...charge, billedSeconds, chargedSeconds: chargedSeconds(charge.pulses, billedSeconds) };
    case 'flat_rate':
    case 'flat_rate_burst':
      return { ...charge, billedSeconds, chargedSeconds: billedSeconds };
    case 'free':
      return { ...charge, billedSeconds };
  }
}

function movementsOf(
  { legUuid }: Cdr,
  next: readonly Charge[],
  superseded: readonly Charge[],
  transfers: readonly Transfer[],
): readonly Movement[] {
  const wallets = new Map(
    [...next, ...superseded].map((charge) => [`${charge.payer} ${currencyOf(charge)}`, charge] as const),
  );
  return [...wallets.values()].flatMap((charge) => {
    const { payer: account } = charge;
    const currency = currencyOf(charge);
    const amount = toMicros(netOf(transfers, walletLedger(account), currency));
    const id = `correction:${legUuid}:${account}:${currency}`;
    return amount === 0n ? [] : [{ id, account, currency, amount }];
  });
}

function correctionRun(): RerateRunId {
  const run = parseRerateRunId(CORRECTION_RUN);
  assert(run !== undefined, 'the name is one that a run may have');
  return run;
}

function correctionDecision(
  before: Cdr,
  after: Cdr,
  { now, file, line }: { readonly now: EpochMs; readonly file: string; readonly line: number },
): Decision {
  const figures = ({ billMicroseconds, billsec, billedSeconds, cause }: Cdr) => ({
    billMicroseconds,
    billsec,
    billedSeconds,
    cause,
  });
  return {
    id: `${before.legUuid}:correction`,
    at: now,
    kind: 'admission',
    verdict: before.decision,
    aLeg: before.legUuid,
    legUuid: before.legUuid,
    account: before.account,
    reason: before.funding,
    inputs: {
      via: 'cdr import',
      words: `settled for ${before.billedSeconds} s by what was last known of it, corrected to ${after.billedSeconds} s by ${file}:${line}`,
      file,
      line,
      before: figures(before),
      after: figures(after),
    },
  };
}
