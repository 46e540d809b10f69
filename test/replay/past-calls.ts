import { accountsOf, mergedTariffs, tariffOf } from '../controller/world.ts';
import type { RatingBooks } from '../../src/charging/finished-call.ts';
import type { ReplayBooks } from '../../src/replay/plan-replayed.ts';
import { createReplay } from '../../src/replay/replay.ts';
import type { ReplayedCall, ReplayMode, ReplayOutcome } from '../../src/replay/replayed-call.ts';
import { admissionIdOf, legKeyOf, type AccountPath, type LegKey, type LegUuid } from '../../src/units/ids.ts';
import { formatMicros, toMicros } from '../../src/units/money.ts';
import { addMs, toEpochMs, type EpochMs } from '../../src/units/time.ts';
import { POLICY } from '../charging/live-calls.ts';

/** Noon in UTC. */
export const NOON: EpochMs = toEpochMs(Date.UTC(2026, 7, 3, 12));
export const NUMBER = '4930123456';
/** One that goes over flat-rate trunks. */
export const FLAT_RATE_NUMBER = '12125550123';

export type PastCall = {
  readonly account?: string;
  readonly number?: string;
  /** In seconds after noon. */
  readonly at: number;
  readonly ringsSeconds?: number;
  readonly seconds: number;
} & Partial<Omit<ReplayedCall, 'account'>>;

/** The n-th of some calls, answered as soon as it is admitted unless it says otherwise. */
export function pastCall(n: number, call: PastCall): ReplayedCall {
  const { account = 'acme/shop', number = NUMBER, at, ringsSeconds = 0, seconds, ...rest } = call;
  const name = `${n}`.padStart(4, '0');
  const aLeg = `a-${name}` as LegUuid;
  const admittedAt = addMs(NOON, at * 1000);
  const answeredAt = addMs(admittedAt, ringsSeconds * 1000);
  return {
    legUuid: `b-${name}` as LegUuid,
    legKey: legKeyOf(admissionIdOf(aLeg, 1), 'b0') as LegKey,
    account: account as AccountPath,
    direction: 'outbound',
    dialled: number,
    destination: number,
    routes: ['carrier'],
    options: [],
    admittedAt,
    answeredAt,
    endedAt: addMs(answeredAt, seconds * 1000),
    billMicroseconds: seconds * 1_000_000,
    billedSeconds: seconds,
    decision: 'admitted',
    ...rest,
  };
}

type Documents = Parameters<typeof accountsOf>;

/** A cent a second for numbers that begin with 49 or 1, and these accounts. */
export function booksOf(accounts: Documents[0], routes: Documents[1] = [{ route: 'carrier' }]): ReplayBooks {
  const tariffs = mergedTariffs(
    tariffOf(
      'retail',
      ['49', '1'].map((prefix) => ({ prefix, rate: '0.60' })),
    ),
  );
  return { accounts: accountsOf(accounts, routes), tariffs, policy: POLICY };
}

export function replayed(
  books: RatingBooks,
  calls: readonly PastCall[],
  mode: ReplayMode = 'as_talked',
): readonly ReplayOutcome[] {
  const replay = createReplay(books, mode);
  const outcomes = calls.flatMap((call, n) => replay.admit(pastCall(n, call)));
  return [...outcomes, ...replay.finish()].toSorted((a, b) => (a.call.legUuid < b.call.legUuid ? -1 : 1));
}

/** `allotment 60 + per_minute 30 = 0.30`, for each call. */
export function told(outcomes: readonly ReplayOutcome[]): readonly string[] {
  return outcomes.map((outcome) => {
    if (outcome.kind !== 'admitted') return outcome.kind;
    const parts = outcome.charges.map(({ way, billedSeconds }) => `${way} ${billedSeconds}`).join(' + ');
    const price = outcome.charges.reduce((sum, charge) => sum + charge.price, 0n);
    return `${parts === '' ? 'nothing' : parts}${price === 0n ? '' : ` = ${formatMicros(toMicros(price))}`}`;
  });
}
