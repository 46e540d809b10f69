import { chargeTransferId, type Charge } from '../records/records.ts';
import type { PulseSeconds, Rounding } from '../rating/price.ts';
import { assert } from '../units/assert.ts';
import { toMicros } from '../units/money.ts';
import type { EpochMs } from '../units/time.ts';
import { idCell, integerCell, numberOf, textCell } from '../sql/cell.ts';
import { named } from './record-rows.ts';
import type { ChargeRow } from '../sql/schema.ts';

const NO_PRICE = {
  tariff: null,
  tariff_version: null,
  rate_id: null,
  prefix: null,
  surcharge: null,
  per_minute: null,
  discount_ppm: null,
  rounding_mode: null,
  rounding_decimals: null,
  currency: null,
} as const;
const NO_PULSES = { minimum_seconds: null, increment_seconds: null, grace_seconds: null } as const;

export function toChargeRow(charge: Charge, admittedAt: EpochMs): ChargeRow {
  return named(`charge of ${charge.payer} for leg ${charge.legUuid}`, () => ({
    leg_uuid: idCell(charge.legUuid),
    admitted_at: integerCell(admittedAt),
    segment: integerCell(charge.segment),
    payer: idCell(charge.payer),
    version: integerCell(charge.version),
    transfer_id: chargeTransferId(charge),
    way: charge.way,
    billed_seconds: integerCell(charge.billedSeconds),
    charged_seconds: integerCell(charge.chargedSeconds),
    price: charge.price,
    ...wayCells(charge),
  }));
}

type WayCells = Omit<
  ChargeRow,
  | 'leg_uuid'
  | 'admitted_at'
  | 'segment'
  | 'payer'
  | 'version'
  | 'transfer_id'
  | 'way'
  | 'billed_seconds'
  | 'charged_seconds'
  | 'price'
>;

function wayCells(charge: Charge): WayCells {
  switch (charge.way) {
    case 'per_minute':
      return {
        tariff: charge.tariff,
        tariff_version: integerCell(charge.tariffVersion),
        rate_id: integerCell(charge.rateId),
        prefix: textCell(charge.prefix),
        surcharge: charge.terms.surcharge,
        per_minute: charge.terms.perMinute,
        ...pulseCells(charge.terms),
        discount_ppm: integerCell(charge.terms.discountPpm),
        rounding_mode: charge.terms.rounding.mode,
        rounding_decimals: integerCell(charge.terms.rounding.decimals),
        currency: textCell(charge.currency),
        allotment: null,
      };
    case 'allotment':
      return { ...NO_PRICE, ...pulseCells(charge.pulses), allotment: textCell(charge.allotment) };
    case 'flat_rate':
    case 'flat_rate_burst':
    case 'free':
      return { ...NO_PRICE, ...NO_PULSES, allotment: null };
  }
}

function pulseCells(pulses: PulseSeconds): Record<keyof typeof NO_PULSES, bigint> {
  return {
    minimum_seconds: integerCell(pulses.minimumSeconds),
    increment_seconds: integerCell(pulses.incrementSeconds),
    grace_seconds: integerCell(pulses.graceSeconds),
  };
}

export function toCharge(row: ChargeRow): Charge {
  const part = {
    legUuid: row.leg_uuid,
    segment: numberOf(row.segment),
    payer: row.payer,
    version: numberOf(row.version),
    billedSeconds: numberOf(row.billed_seconds),
    chargedSeconds: numberOf(row.charged_seconds),
    price: toMicros(row.price),
  };
  switch (row.way) {
    case 'per_minute':
      return {
        ...part,
        way: row.way,
        tariff: present(row, 'tariff'),
        tariffVersion: numberOf(present(row, 'tariff_version')),
        rateId: numberOf(present(row, 'rate_id')),
        prefix: present(row, 'prefix'),
        terms: {
          surcharge: toMicros(present(row, 'surcharge')),
          perMinute: toMicros(present(row, 'per_minute')),
          ...toPulses(row),
          discountPpm: numberOf(present(row, 'discount_ppm')),
          rounding: toRounding({
            rounding_mode: present(row, 'rounding_mode'),
            rounding_decimals: present(row, 'rounding_decimals'),
          }),
        },
        currency: present(row, 'currency'),
      };
    case 'allotment':
      return { ...part, way: row.way, allotment: present(row, 'allotment'), pulses: toPulses(row) };
    case 'flat_rate':
    case 'flat_rate_burst':
      return { ...part, way: row.way };
    case 'free':
      return { ...part, way: row.way };
  }
}

function toPulses(row: ChargeRow): PulseSeconds {
  return {
    minimumSeconds: numberOf(present(row, 'minimum_seconds')),
    incrementSeconds: numberOf(present(row, 'increment_seconds')),
    graceSeconds: numberOf(present(row, 'grace_seconds')),
  };
}

/** A cell that a charge of its way always has: nothing but `toChargeRow` writes this table. */
function present<Column extends keyof ChargeRow>(
  row: ChargeRow,
  column: Column,
): NonNullable<ChargeRow[Column]> {
  const cell = row[column];
  assert(cell !== null, `a charge by ${row.way} has no ${column}`);
  return cell;
}

export function toRounding(row: {
  readonly rounding_mode: Rounding['mode'];
  readonly rounding_decimals: bigint;
}): Rounding {
  return { mode: row.rounding_mode, decimals: numberOf(row.rounding_decimals) };
}
