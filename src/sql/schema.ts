import type { CustomerLimits, CapacityLimits, OperatorLimits, ShadowLimits } from '../accounts/limits.ts';
import type { Numbering } from '../accounts/account.ts';
import type { TariffAssignments } from '../accounts/tariff-assignments.ts';
import type { RerateFilter, RerateFunding, RerateItemState, RerateState } from '../charging/rerate-run.ts';
import type { Rounding } from '../rating/price.ts';
import type { Rate } from '../rating/rate.ts';
import type { Cdr, Charge, Decision, LedgerName, Transfer } from '../records/records.ts';
import type {
  AccountPath,
  LegKey,
  LegUuid,
  NodeId,
  RerateRunId,
  RouteName,
  TariffName,
} from '../units/ids.ts';
import type { SwitchCdrRow, SwitchFileRow } from './switch-schema.ts';

/** JSON text of a value of that type, money in it as `jsonCell` writes it. */
export type JsonText<Value> = string & { readonly __value: Value };

/**
 * The tables as Kysely sees them. Every integer column is a bigint on both sides, so that money never passes through
 * a float; moments are milliseconds since 1970; `null` exists only in this room. Text columns have the types of what
 * was written to them, since nothing but this room writes these tables.
 */
export type Schema = {
  readonly account: AccountRow;
  readonly route: RouteRow;
  readonly tariff: TariffRow;
  readonly rate: RateRow;
  readonly cdr: CdrRow;
  readonly charge: ChargeRow;
  readonly transfer: TransferRow;
  readonly decision: DecisionRow;
  readonly outbox: OutboxRow;
  readonly rerate_run: RerateRunRow;
  readonly rerate_item: RerateItemRow;
  readonly revision: RevisionRow;
  readonly identity: IdentityRow;
  readonly switch_cdr: SwitchCdrRow;
  readonly switch_file: SwitchFileRow;
};

export type AccountRow = {
  readonly path: AccountPath;
  readonly parent: AccountPath | null;
  readonly operator_limits: JsonText<OperatorLimits>;
  readonly customer_limits: JsonText<CustomerLimits>;
  readonly wallet_currency: string | null;
  readonly tariffs: JsonText<TariffAssignments>;
  readonly tree_defaults: JsonText<OperatorLimits> | null;
  readonly numbering: JsonText<Numbering> | null;
  readonly shadow_limits: JsonText<ShadowLimits> | null;
  /** 1: gone for calls, kept for its records. */
  readonly removed: bigint;
};

export type RouteRow = { readonly name: RouteName; readonly limits: JsonText<CapacityLimits> };

export type TariffRow = {
  readonly tariff: TariffName;
  readonly version: bigint;
  readonly currency: string;
  readonly rounding_mode: Rounding['mode'];
  readonly rounding_decimals: bigint;
  readonly starts_at: bigint;
  readonly zone: string;
  readonly rate_count: bigint;
  /** SHA-256 of the content: what makes a repeated import `unchanged`. */
  readonly digest: string;
};

export type RateRow = {
  readonly tariff: TariffName;
  readonly version: bigint;
  readonly id: bigint;
  readonly prefix: string;
  readonly description: string;
  readonly per_minute: bigint;
  readonly surcharge: bigint | null;
  readonly minimum_seconds: bigint | null;
  readonly increment_seconds: bigint | null;
  readonly grace_seconds: bigint | null;
  readonly direction: NonNullable<Rate['direction']> | null;
  readonly routes: JsonText<readonly string[]>;
  readonly options: JsonText<readonly string[]>;
  readonly weight: bigint | null;
  /** The three of a period, or none of them: one bit for each day, and minutes after midnight. */
  readonly period_days: bigint | null;
  readonly period_from: bigint | null;
  readonly period_until: bigint | null;
};

export type CdrRow = {
  readonly leg_uuid: LegUuid;
  readonly leg_key: LegKey;
  /** The A-leg that the leg key names: what joins the legs of one call. */
  readonly a_leg: LegUuid;
  readonly node: NodeId;
  readonly core_uuid: string;
  readonly account: AccountPath;
  readonly callee: AccountPath | null;
  /** 1: a branch of a call that came by a route and was forwarded. */
  readonly forwarded: bigint;
  readonly soft: JsonText<readonly AccountPath[]> | null;
  readonly direction: Cdr['direction'];
  readonly caller_number: string;
  readonly dialled: string;
  readonly destination: string;
  readonly routes: JsonText<readonly string[]>;
  readonly options: JsonText<readonly string[]>;
  readonly admitted_at: bigint;
  readonly answered_at: bigint | null;
  readonly ended_at: bigint;
  readonly bill_microseconds: bigint;
  readonly billsec: bigint;
  readonly billed_seconds: bigint;
  readonly cause: string;
  readonly cut: NonNullable<Cdr['cut']> | null;
  readonly decision: Cdr['decision'];
  readonly funding: Cdr['funding'];
  readonly estimated: bigint;
};

export type ChargeRow = {
  readonly leg_uuid: LegUuid;
  /** Its call's, so that calls and their charges can be read side by side in one order. */
  readonly admitted_at: bigint;
  readonly segment: bigint;
  readonly payer: AccountPath;
  readonly version: bigint;
  /** The id its transfer has, whether or not a price of zero needed one. */
  readonly transfer_id: string;
  readonly way: Charge['way'];
  /** Per minute only, down to the currency; an allotment has its own pulses. */
  readonly tariff: TariffName | null;
  readonly tariff_version: bigint | null;
  readonly rate_id: bigint | null;
  readonly prefix: string | null;
  readonly surcharge: bigint | null;
  readonly per_minute: bigint | null;
  readonly minimum_seconds: bigint | null;
  readonly increment_seconds: bigint | null;
  readonly grace_seconds: bigint | null;
  readonly discount_ppm: bigint | null;
  readonly rounding_mode: Rounding['mode'] | null;
  readonly rounding_decimals: bigint | null;
  readonly currency: string | null;
  /** The name of the allotment whose seconds were used. */
  readonly allotment: string | null;
  readonly billed_seconds: bigint;
  readonly charged_seconds: bigint;
  readonly price: bigint;
};

export type TransferRow = {
  readonly id: string;
  readonly kind: Transfer['kind'];
  readonly debit: LedgerName;
  readonly credit: LedgerName;
  readonly amount: bigint;
  readonly currency: string;
  readonly at: bigint;
  readonly reference: string;
};

export type DecisionRow = {
  readonly id: string;
  readonly at: bigint;
  readonly kind: Decision['kind'];
  readonly verdict: Decision['verdict'];
  readonly a_leg: LegUuid;
  readonly leg_uuid: LegUuid | null;
  readonly account: AccountPath | null;
  readonly reason: string;
  readonly inputs: JsonText<Decision['inputs']>;
};

/** One row: what tells this record from every other, whatever its address is. */
export type IdentityRow = { readonly id: string };

/** Money that is on record and that the live state may not know yet: written with its transfers, gone when it was told. */
export type OutboxRow = {
  readonly id: string;
  readonly account: AccountPath;
  readonly currency: string;
  readonly amount: bigint;
};

export type RerateRunRow = {
  readonly id: RerateRunId;
  readonly state: RerateState;
  readonly funding: RerateFunding;
  readonly filter: JsonText<RerateFilter>;
  readonly created_at: bigint;
  readonly applied_at: bigint | null;
  readonly reverted_at: bigint | null;
  readonly calls: bigint;
  readonly unrated: bigint;
  readonly refused: bigint;
  readonly cut: bigint;
  /** Who changes charges for it, and until when. */
  readonly holder: string | null;
  readonly held_until: bigint | null;
};

export type RerateItemRow = {
  readonly run: RerateRunId;
  readonly payer: AccountPath;
  readonly leg_uuid: LegUuid;
  readonly state: RerateItemState;
  readonly admitted_at: bigint;
  readonly destination: string;
  readonly version_before: bigint;
  readonly price_before: bigint;
  readonly price_after: bigint;
  readonly currency: string;
  readonly tariff: TariffName | null;
  readonly prefix: string | null;
  readonly charges: JsonText<readonly Charge[]>;
  readonly applied_at: bigint | null;
  readonly reverted_at: bigint | null;
};

export type RevisionRow = { readonly name: 'accounts' | 'tariffs'; readonly value: bigint };
