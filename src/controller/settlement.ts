import { fundingPaid } from '../admission/funded.ts';
import type { LegRecord } from '../admission/leg-record.ts';
import type { LegTimes } from '../calls/switch-event.ts';
import { chargesOf, transferOfCharge } from '../charging/charges.ts';
import { paidParts, type ChargedTalk } from '../charging/leg-parts.ts';
import type { CutReason, Settlement } from '../records/records.ts';
import type { LegUuid } from '../units/ids.ts';
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

/** The CDR with a charge for every payer, and a transfer for every charge that costs something (DESIGN 8). */
export function settlementOf(
  record: LegRecord,
  ending: Ending,
  final: ChargedTalk & { readonly at: EpochMs },
): Settlement {
  const { billedSeconds } = final;
  const charges =
    ending.answeredAt === undefined
      ? []
      : chargesOf({ legUuid: ending.uuid, version: 1 }, paidParts(record, final));
  return {
    cdr: {
      legUuid: ending.uuid,
      legKey: record.legKey,
      node: record.node,
      coreUuid: record.coreUuid,
      account: record.account,
      callee: record.callee,
      forwarded: record.forwarded,
      soft: record.soft,
      direction: record.direction,
      callerNumber: record.callerNumber,
      dialled: record.dialled,
      destination: record.destination,
      routes: record.routes,
      options: record.options,
      admittedAt: record.admittedAt,
      answeredAt: ending.answeredAt,
      endedAt: ending.endedAt,
      billMicroseconds: ending.billMicroseconds,
      billsec: ending.billsec,
      billedSeconds,
      cause: ending.cause,
      cut: ending.cut,
      decision: record.decision,
      funding: fundingPaid(record, charges),
      estimated: ending.estimated,
    },
    charges,
    transfers: charges.flatMap((charge) => transferOfCharge(charge, final.at) ?? []),
  };
}
