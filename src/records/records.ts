import type { PriceTerms, PulseSeconds } from '../rating/price.ts';
import {
  customerOf,
  type AccountPath,
  type LegKey,
  type LegUuid,
  type NodeId,
  type TariffName,
} from '../units/ids.ts';
import type { Micros } from '../units/money.ts';
import type { EpochMs } from '../units/time.ts';

/** What a leg is known by from its admission on, live and on record. Times are of Redis's clock (ruling 21). */
export type AdmittedLeg = {
  readonly legKey: LegKey;
  readonly node: NodeId;
  readonly coreUuid: string;
  /** The account whose call it is; its root is the settlement's home (ruling 5). */
  readonly account: AccountPath;
  /** The account that was called, where another one of ours placed the call. */
  readonly callee?: AccountPath | undefined;
  /** A branch of a call that came by a route and was forwarded: that one counts as the resource-consuming call (ruling 2). */
  readonly forwarded?: boolean | undefined;
  /** Accounts that would have refused it and let it go on: their bounds did not hold for it. */
  readonly soft?: readonly AccountPath[] | undefined;
  readonly direction: 'inbound' | 'outbound' | 'internal';
  readonly callerNumber: string;
  /** As dialled. */
  readonly dialled: string;
  /** In E.164 digits, as rated. */
  readonly destination: string;
  readonly routes: readonly string[];
  /** What it asked of its rate. */
  readonly options: readonly string[];
  readonly admittedAt: EpochMs;
  /** Converted once to Redis's clock; undefined: not answered. */
  readonly answeredAt: EpochMs | undefined;
  readonly decision: DecisionKind;
  readonly funding: FundingKind;
};

/** One metered leg, finished. */
export type Cdr = AdmittedLeg & {
  readonly legUuid: LegUuid;
  readonly endedAt: EpochMs;
  /** FreeSWITCH's exact duration: the source of `billedSeconds`. */
  readonly billMicroseconds: number;
  /** FreeSWITCH's `billsec`, kept for comparison and never charged. */
  readonly billsec: number;
  /** Computed once and used by every later rating (DESIGN 5). */
  readonly billedSeconds: number;
  readonly cause: string;
  /** Why Tollgate ended it, if it did. */
  readonly cut: CutReason | undefined;
  /** True where FreeSWITCH died and the times are the last ones known. */
  readonly estimated: boolean;
};

export type CutReason =
  | 'credit'
  | 'allotment'
  | 'max_time'
  | 'max_spend'
  | 'max_seconds'
  | 'max_cost'
  | 'killed'
  | 'ungated';
/** How a leg was paid for. Where payers do it differently, per minute comes first: the call has a price. */
export type FundingKind =
  | 'per_minute'
  | 'allotment'
  | 'flat_rate'
  | 'flat_rate_burst'
  | 'free'
  | 'toll_free'
  | 'none';
export type DecisionKind =
  | 'admitted'
  | 'refused'
  | 'dry_run'
  | 'unrestricted'
  | 'soft'
  | 'emergency'
  | 'store_down';

/**
 * How one payer pays for one part of one leg: a leg has more than one segment where its allotment ran dry in mid-call
 * and it went on per minute. Unique on (leg, segment, payer, version), ruling 9. A leg that talked leaves one for each
 * of its payers even where the price is zero; only a price above zero has a transfer.
 *
 * A leg that is rated again gets a further version of a payer's charges. The highest is in force, and what the one
 * before it has moved is moved back by a reversal of each of its charges. No version is ever lost.
 */
export type Charge = PerMinuteCharge | AllotmentCharge | TrunkCharge | FreeCharge;

type ChargePart = {
  readonly legUuid: LegUuid;
  /** From 1, in the order in which they were talked. */
  readonly segment: number;
  readonly payer: AccountPath;
  readonly version: number;
  /** Of this segment; all segments together are the CDR's. */
  readonly billedSeconds: number;
  readonly chargedSeconds: number;
  /** Zero for what was paid for in advance. */
  readonly price: Micros;
};

export type PerMinuteCharge = ChargePart & {
  readonly way: 'per_minute';
  readonly tariff: TariffName;
  readonly tariffVersion: number;
  readonly rateId: number;
  readonly prefix: string;
  readonly terms: PriceTerms;
  readonly currency: string;
};

/** `chargedSeconds` are what the call used of the allotment, and count in the cycles in which they were spoken. */
export type AllotmentCharge = ChargePart & {
  readonly way: 'allotment';
  readonly allotment: string;
  readonly pulses: PulseSeconds;
};

export type TrunkCharge = ChargePart & { readonly way: 'flat_rate' | 'flat_rate_burst' };

/** Only of a later version: rated again, the payer does not pay for the leg, or never had to. */
export type FreeCharge = ChargePart & { readonly way: 'free' };

/** The two sides of a transfer: an account's wallet, or a system account of the root (ruling 10). */
export type LedgerName = `wallet:${string}` | `revenue:${string}` | `cash:${string}` | `adjust:${string}`;

/** One double-entry movement of money; immutable. A wallet's balance is what came in less what went out. */
export type Transfer = {
  /** Unique for ever: the same id moves money once. */
  readonly id: string;
  /** `opening` and `closing`: what a customer's pool is filled with, and what his last call leaves of it (ruling 23). */
  readonly kind: 'charge' | 'reversal' | 'topup' | 'adjustment' | 'opening' | 'closing';
  readonly debit: LedgerName;
  readonly credit: LedgerName;
  /** Positive. */
  readonly amount: Micros;
  readonly currency: string;
  readonly at: EpochMs;
  readonly reference: string;
};

/** What one settlement appends to the stream, and the writer puts into SQL in one transaction. */
export type Settlement = {
  readonly cdr: Cdr;
  readonly charges: readonly Charge[];
  readonly transfers: readonly Transfer[];
};

/** The stored answer to "why": `inputs` is what the decision was made from, as JSON. */
export type Decision = {
  readonly id: string;
  readonly at: EpochMs;
  /**
   * `segment`: the leg goes on by another way to pay. `shadow` and `dry_run`: what limits would have said, and what a
   * call would have cost, that were not asked.
   */
  readonly kind: 'admission' | 'refusal' | 'segment' | 'cutoff' | 'kill' | 'shadow' | 'dry_run';
  readonly verdict: DecisionKind | 'continued' | 'cut';
  readonly aLeg: LegUuid;
  readonly legUuid: LegUuid | undefined;
  readonly account: AccountPath | undefined;
  readonly reason: string;
  readonly inputs: Readonly<Record<string, unknown>>;
};

/** The decision that admitted a leg. */
export function admissionDecisionId(legKey: LegKey): string {
  return `${legKey}:admission`;
}

/** The one by which a leg was charged from a CDR file. */
export function importDecisionId(leg: LegUuid): string {
  return `${leg}:import`;
}

export function walletLedger(account: AccountPath): LedgerName {
  return `wallet:${account}`;
}

export function systemLedger(kind: 'revenue' | 'cash' | 'adjust', root: AccountPath): LedgerName {
  return `${kind}:${root}`;
}

/** The charge's one transfer: the same leg, segment, payer and version can move money only once. */
export function chargeTransferId(charge: Pick<Charge, 'legUuid' | 'segment' | 'payer' | 'version'>): string {
  return `charge:${charge.legUuid}:${charge.segment}:${charge.payer}:${charge.version}`;
}

/** The version of the charge that a transfer is of, by its id; undefined for one that is of none. */
export function versionOfTransfer({ kind, id }: Pick<Transfer, 'kind' | 'id'>): number | undefined {
  if (kind !== 'charge') return undefined;
  const version = Number.parseInt(id.slice(id.lastIndexOf(':') + 1), 10);
  return Number.isSafeInteger(version) ? version : undefined;
}

/** The rate of a call that came with its own price: of no tariff on record. Versions on record begin at 1. */
export const ADHOC_RATE = { tariff: 'adhoc' as TariffName, tariffVersion: 0, rateId: 0, prefix: '' } as const;

/** Whether its price came with the call, and is on record nowhere but in the charge. */
export function isOfOwnPrice({
  payer,
  tariffVersion,
}: Pick<PerMinuteCharge, 'payer' | 'tariffVersion'>): boolean {
  return tariffVersion === ADHOC_RATE.tariffVersion && customerOf(payer) !== undefined;
}

/** Of each payer the latest version, of the charges of one leg. */
export function chargesInForce(charges: readonly Charge[]): readonly Charge[] {
  const latest = new Map<AccountPath, number>();
  for (const { payer, version } of charges) latest.set(payer, Math.max(version, latest.get(payer) ?? 0));
  return charges.filter(({ payer, version }) => latest.get(payer) === version);
}

/** The currency of what it costs; empty where nothing is paid in money. */
export function currencyOf(charge: Charge): string {
  return charge.way === 'per_minute' ? charge.currency : '';
}
