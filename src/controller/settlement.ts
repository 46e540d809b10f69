import type { LegCap, LegRecord } from '../admission/leg-record.ts';
import type { LegTimes } from '../calls/switch-event.ts';
import { transferOfCharge } from '../charging/charges.ts';
import { chargedSeconds } from '../rating/price.ts';
import type { Charge, CutReason, Settlement } from '../records/records.ts';
import type { AccountPath, LegUuid } from '../units/ids.ts';
import { ZERO_MICROS, type Micros } from '../units/money.ts';
import type { EpochMs } from '../units/time.ts';

/** How a metered leg ended, as far as anybody knows. */
export type Ending = {
  readonly uuid: LegUuid;
  readonly cause: string;
  readonly answeredAt: EpochMs | undefined;
  readonly endedAt: EpochMs;
  readonly billMicroseconds: number;
  readonly billsec: number;
  readonly cut: CutReason | undefined;
  readonly estimated: boolean;
};

/** FreeSWITCH's durations on our clock. */
export function endingOf(
  uuid: LegUuid,
  cause: string,
  times: LegTimes,
  ours: Pick<Ending, 'answeredAt' | 'endedAt'>,
): Ending {
  const { billMicroseconds, billsec } = times;
  return { uuid, cause, ...ours, billMicroseconds, billsec, cut: undefined, estimated: false };
}

/** Which limit ended a call that lasted as long as it may: the kill lands in its last second, or later. */
export function capReached(
  { cap }: LegRecord,
  { cause, billMicroseconds }: Ending,
): LegCap['reason'] | undefined {
  if (cap === undefined || billMicroseconds <= (cap.seconds - 1) * 1_000_000) return undefined;
  const isOver = billMicroseconds > cap.seconds * 1_000_000;
  return isOver || cause === 'ALLOTTED_TIMEOUT' ? cap.reason : undefined;
}

/** The CDR with a charge for every payer, and a transfer for every charge that costs something (DESIGN 8). */
export function settlementOf(
  record: LegRecord,
  ending: Ending,
  final: {
    readonly billedSeconds: number;
    readonly prices: ReadonlyMap<AccountPath, Micros>;
    readonly at: EpochMs;
  },
): Settlement {
  const { billedSeconds, prices } = final;
  const charges =
    ending.answeredAt === undefined ? [] : chargesOf(record, ending.uuid, billedSeconds, prices);
  return {
    cdr: {
      legUuid: ending.uuid,
      legKey: record.legKey,
      node: record.node,
      coreUuid: record.coreUuid,
      account: record.account,
      direction: record.direction,
      callerNumber: record.callerNumber,
      dialled: record.dialled,
      destination: record.destination,
      routes: record.routes,
      admittedAt: record.admittedAt,
      answeredAt: ending.answeredAt,
      endedAt: ending.endedAt,
      billMicroseconds: ending.billMicroseconds,
      billsec: ending.billsec,
      billedSeconds,
      cause: ending.cause,
      cut: ending.cut,
      decision: record.decision,
      funding: record.funding,
      estimated: ending.estimated,
    },
    charges,
    transfers: charges.flatMap((charge) => transferOfCharge(charge, final.at) ?? []),
  };
}

function chargesOf(
  record: LegRecord,
  legUuid: LegUuid,
  billedSeconds: number,
  prices: ReadonlyMap<AccountPath, Micros>,
): readonly Charge[] {
  const part = { legUuid, segment: 1, version: 1, billedSeconds } as const;
  const trunks = record.trunks.map(({ account, way }): Charge => ({
    ...part,
    payer: account,
    way,
    chargedSeconds: billedSeconds,
    price: ZERO_MICROS,
  }));
  const payers = record.payers.map((payer): Charge => {
    const { account, wallet, tariff, tariffVersion, rateId, prefix, terms, currency } = payer;
    return {
      ...part,
      payer: account,
      way: 'per_minute',
      tariff,
      tariffVersion,
      rateId,
      prefix,
      terms,
      chargedSeconds: chargedSeconds(terms, billedSeconds),
      price: prices.get(wallet) ?? ZERO_MICROS,
      currency,
    };
  });
  return [...trunks, ...payers];
}
