import type { Charge } from '../records/records.ts';
import type { AccountPath, LegUuid, RerateRunId, TariffName } from '../units/ids.ts';
import type { Micros } from '../units/money.ts';
import type { EpochMs } from '../units/time.ts';

/**
 * planning → planned → applying → applied → reverting → reverted. A run whose process died stays in the state that
 * ends in -ing: planning is of no use any more, the others go on where they were. One that applies may also turn to
 * reverting.
 */
export type RerateState = 'planning' | 'planned' | 'applying' | 'applied' | 'reverting' | 'reverted';

/** Which calls are rated again: those admitted from `from` up to but not including `to`. */
export type RerateFilter = {
  readonly from: EpochMs;
  readonly to: EpochMs;
  /** The calls of this account and of those below it. */
  readonly account?: AccountPath | undefined;
  /** Of the destination, in E.164 digits. */
  readonly prefix?: string | undefined;
  /** Only what was charged by this tariff, or would be now. */
  readonly tariff?: TariffName | undefined;
};

/** Each leg's payers pay in the ways they paid in, or in those that the rules would give them, in the order of the calls. */
export type RerateFunding = 'kept' | 'replayed';

export type RerateRun = {
  readonly id: RerateRunId;
  readonly state: RerateState;
  readonly funding: RerateFunding;
  readonly filter: RerateFilter;
  readonly createdAt: EpochMs;
  readonly appliedAt: EpochMs | undefined;
  readonly revertedAt: EpochMs | undefined;
  /** How many were rated again. */
  readonly calls: number;
  /** How many charges stay as they were for want of a rate. */
  readonly unrated: number;
  /** Of a replay: how many would have been refused, and cut, and took place all the same. */
  readonly refused: number;
  readonly cut: number;
};

/** One payer of one leg pays otherwise. */
export type RerateItem = {
  readonly legUuid: LegUuid;
  readonly payer: AccountPath;
  readonly admittedAt: EpochMs;
  readonly destination: string;
  /** In force when it was planned; 0: the payer had no charge. */
  readonly versionBefore: number;
  readonly before: Micros;
  readonly after: Micros;
  readonly currency: string;
  /** What it is charged by now, or was; undefined: it has no price. */
  readonly tariff: TariffName | undefined;
  readonly prefix: string | undefined;
  /** The next version: all of its segments. */
  readonly charges: readonly Charge[];
};

/**
 * `stale`: somebody else put a further version in force meanwhile, so that it was not applied; `superseded`: the same
 * of one that was applied and was to be reverted.
 */
export type RerateItemState = 'planned' | 'applied' | 'reverted' | 'stale' | 'superseded';

/** An item that was applied, whatever became of it since: its payer's next version is of that moment. */
export type AppliedItem = Pick<RerateItem, 'legUuid' | 'payer' | 'versionBefore'> & {
  readonly run: RerateRunId;
  readonly appliedAt: EpochMs;
  /** When the version after that put in force again what was before. */
  readonly revertedAt: EpochMs | undefined;
};

/** What some items change, together. */
export type RerateSum = {
  readonly currency: string;
  readonly charges: number;
  readonly before: Micros;
  readonly after: Micros;
};
