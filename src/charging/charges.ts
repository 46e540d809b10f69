import type { PayerRecord } from '../admission/leg-record.ts';
import { chargedSeconds, priceOf, type PulseSeconds } from '../rating/price.ts';
import {
  chargeTransferId,
  currencyOf,
  systemLedger,
  walletLedger,
  type Charge,
  type Transfer,
} from '../records/records.ts';
import { reversalTransferId } from '../records/reversal.ts';
import { rootOf, type AccountPath, type LegUuid, type RerateRunId } from '../units/ids.ts';
import { ZERO_MICROS } from '../units/money.ts';
import type { EpochMs } from '../units/time.ts';

/** A part of the talk as one payer paid for it. */
export type PaidPart = { readonly billedSeconds: number } & (
  | {
      readonly way: 'per_minute';
      readonly payer: Omit<PayerRecord, 'wallet' | 'soft'>;
      /** In the middle of the call, by the terms of one: the part before it may be of no second. */
      readonly goesOn?: true;
    }
  | {
      readonly way: 'allotment';
      readonly account: AccountPath;
      readonly allotment: string;
      readonly pulses: PulseSeconds;
    }
  | { readonly way: 'flat_rate' | 'flat_rate_burst'; readonly account: AccountPath }
);

/**
 * The charges of a leg, its parts in the order in which they were talked. Each payer's are numbered by themselves,
 * from 1, and what goes on from 2: so it can be told that its terms were those of a call that has begun.
 */
export function chargesOf(
  leg: { readonly legUuid: LegUuid; readonly version: number },
  parts: readonly PaidPart[],
): readonly Charge[] {
  const segments = new Map<AccountPath, number>();
  return parts.map((part): Charge => {
    const payer = part.way === 'per_minute' ? part.payer.account : part.account;
    const before = part.way === 'per_minute' && part.goesOn === true ? 1 : 0;
    const segment = Math.max(before, segments.get(payer) ?? 0) + 1;
    segments.set(payer, segment);
    const { billedSeconds } = part;
    const common = { ...leg, segment, payer, billedSeconds };
    switch (part.way) {
      case 'per_minute': {
        const { tariff, tariffVersion, rateId, prefix, terms, currency } = part.payer;
        return {
          ...common,
          way: part.way,
          tariff,
          tariffVersion,
          rateId,
          prefix,
          terms,
          chargedSeconds: chargedSeconds(terms, billedSeconds),
          price: priceOf(terms, billedSeconds),
          currency,
        };
      }
      case 'allotment': {
        const { way, allotment, pulses } = part;
        const used = chargedSeconds(pulses, billedSeconds);
        return { ...common, way, allotment, pulses, chargedSeconds: used, price: ZERO_MICROS };
      }
      case 'flat_rate':
      case 'flat_rate_burst':
        return { ...common, way: part.way, chargedSeconds: billedSeconds, price: ZERO_MICROS };
    }
  });
}

/** The money that a charge moves; none where its price is zero. */
export function transferOfCharge(charge: Charge, at: EpochMs): Transfer | undefined {
  if (charge.price === 0n) return undefined;
  return {
    id: chargeTransferId(charge),
    kind: 'charge',
    debit: walletLedger(charge.payer),
    credit: systemLedger('revenue', rootOf(charge.payer)),
    amount: charge.price,
    currency: currencyOf(charge),
    at,
    reference: charge.legUuid,
  };
}

/** The same money on its way back, when a run puts a further version in the charge's place. */
export function reversalOf(charge: Charge, run: RerateRunId, at: EpochMs): Transfer | undefined {
  const transfer = transferOfCharge(charge, at);
  if (transfer === undefined) return undefined;
  const { debit, credit } = transfer;
  const id = reversalTransferId(charge, run);
  return { ...transfer, id, kind: 'reversal', debit: credit, credit: debit };
}
