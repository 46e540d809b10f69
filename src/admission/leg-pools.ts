import type { PriceTerms } from '../rating/price.ts';
import type { PoolId } from '../units/ids.ts';
import type { AllotmentRecord, LegRecord, PayerRecord } from './leg-record.ts';

/** One of the pools that a leg draws on, and the terms by which it does. */
export type LegPool = {
  readonly pool: PoolId;
  readonly terms: PriceTerms;
  readonly isForced?: true;
  /** In a dry run: it ends nobody. */
  readonly isDryRun?: true;
};

type DrawsOn = Pick<LegRecord, 'payers' | 'allotments' | 'time' | 'dryRun'>;

/** A payer's wallet, and the spend windows that it draws on alike. */
export function poolsOfPayer({ wallet, windows = [], terms }: PayerRecord): readonly LegPool[] {
  return [wallet, ...windows].map((pool) => ({ pool, terms }));
}

/** What the leg draws on from its answer: not yet what it may go on by when an allotment has run dry. */
export function poolsAtAnswer(record: DrawsOn): readonly LegPool[] {
  const { payers, allotments, time } = record;
  return [
    ...payers.flatMap(poolsOfPayer),
    ...(time === undefined ? [] : [{ pool: time.pool, terms: time.terms }]),
    ...allotments.flatMap(poolsOfAllotment),
    ...dryRunAllotments(record).flatMap((allotment) => inDryRun(poolsOfAllotment(allotment))),
    ...dryRunPayers(record).flatMap(windowsInDryRun),
  ];
}

/** The allotment, and those that count its use as theirs. */
export function poolsOfAllotment({ pool, groups, terms }: AllotmentRecord): readonly LegPool[] {
  return [{ pool, terms }, ...groups.map((group): LegPool => ({ pool: group, terms, isForced: true }))];
}

/** Those by which accounts in a dry run would pay. */
export function dryRunAllotments({ dryRun = [] }: Pick<LegRecord, 'dryRun'>): readonly AllotmentRecord[] {
  return dryRun.flatMap((part) => (part.way === 'allotment' ? [part.allotment] : []));
}

/** Those by whose tariffs accounts in a dry run would pay. */
export function dryRunPayers({ dryRun = [] }: Pick<LegRecord, 'dryRun'>): readonly PayerRecord[] {
  return dryRun.flatMap((part) => (part.way === 'per_minute' ? [part.payer] : []));
}

/** Nobody's money is asked in a dry run, only what its windows would have left. */
export function windowsInDryRun({ windows = [], terms }: PayerRecord): readonly LegPool[] {
  return inDryRun(windows.map((pool) => ({ pool, terms })));
}

function inDryRun(pools: readonly LegPool[]): readonly LegPool[] {
  return pools.map((each) => ({ ...each, isDryRun: true }));
}

/** All that it may draw on in its life. */
export function poolsOfLeg(record: DrawsOn): readonly LegPool[] {
  return [
    ...poolsAtAnswer(record),
    ...record.allotments.flatMap(poolsAfter),
    ...dryRunAllotments(record).flatMap(dryPoolsAfter),
  ];
}

/**
 * What it goes on by when its allotment has run dry. What costs nothing is drawn from nowhere: its payer need not even
 * have a wallet.
 */
export function poolsAfter({ goesOn }: Pick<AllotmentRecord, 'goesOn'>): readonly LegPool[] {
  return goesOn === undefined || goesOn.isFree === true ? [] : poolsOfPayer(goesOn.payer);
}

/** The same in a dry run. */
export function dryPoolsAfter({ goesOn }: Pick<AllotmentRecord, 'goesOn'>): readonly LegPool[] {
  return goesOn === undefined || goesOn.isFree === true ? [] : windowsInDryRun(goesOn.payer);
}
