import { moneyJson } from '../cli-accounts/account-view.ts';
import { csvRow } from '../command-line/csv-row.ts';
import { columns } from '../command-line/help.ts';
import { showMoment } from '../command-line/moment.ts';
import type { TimeSpan } from '../command-line/time-span.ts';
import type { AccountPath } from '../units/ids.ts';
import { formatMicros } from '../units/money.ts';
import { toIsoUtc } from '../units/time.ts';
import type { Outcome, PaidPart } from '../whatif/outcome.ts';
import type {
  FateCount,
  FundingCount,
  Paid,
  PayerSums,
  RateSums,
  Report,
  Sum,
  Sums,
} from '../whatif/tally.ts';
import type { TariffChange } from '../whatif/tariff-change.ts';
import { changeTable, changeText, differenceJson, differenceText, ROWS_MAX } from './change-view.ts';
import { changedLines, limitsLines } from './whatif-limits-view.ts';
import type { LimitsReport } from './whatif-limits.ts';

/** What was asked for. */
export type Asking = {
  readonly span: TimeSpan;
  readonly account: AccountPath | undefined;
  readonly change: TariffChange | undefined;
  /** A file. */
  readonly limits: string | undefined;
};

const REST = 'every call';

export function whatIfJson(asking: Asking, report: Report): Readonly<Record<string, unknown>> {
  const { span, account, change, limits } = asking;
  const { calls, totals, payers, rates, funding, fates } = report;
  return {
    from: toIsoUtc(span.from),
    to: toIsoUtc(span.to),
    account,
    tariff: change?.by,
    replaces: change?.replaces,
    limits,
    calls,
    totals: totals.map(sumsJson),
    accounts: payers.slice(0, ROWS_MAX).map((row) => ({ account: row.payer, ...sumsJson(row) })),
    moreAccounts: Math.max(0, payers.length - ROWS_MAX),
    rates: rates
      .slice(0, ROWS_MAX)
      .map((row) => ({ wasBy: row.wasBy, wouldBy: row.wouldBy, ...sumsJson(row) })),
    moreRates: Math.max(0, rates.length - ROWS_MAX),
    funding,
    outcomes: fates.map(({ fate: { kind: outcome, ...by }, ...count }) => ({ outcome, ...by, ...count })),
  };
}

function sumsJson(sums: Sums): Readonly<Record<string, unknown>> {
  const { was, would, currency } = sums;
  return {
    was: sumJson(was, currency),
    would: sumJson(would, currency),
    difference: differenceJson(changeOf(sums)),
  };
}

function sumJson({ calls, seconds, revenue }: Sum, currency: string): Readonly<Record<string, unknown>> {
  return { calls, seconds, revenue: moneyJson(revenue, currency) };
}

export function whatIfLines(
  asking: Asking,
  report: Report,
  limits: LimitsReport | undefined,
): readonly string[] {
  const { calls, totals, payers, rates, funding, fates } = report;
  const otherwise = funding.filter(({ was, would }) => was !== would);
  return [
    headOf(asking),
    ...(limits === undefined ? [] : changedLines(limits)),
    ...columns([
      ['calls', `${calls}`],
      ...(payers.length === 0 ? [['in all', 'nothing was charged']] : []),
      ...totals.map((sums) => ['in all', ...sumsCells(sums)]),
    ]),
    ...tableOf('by account', payers, (row: PayerSums) => [row.payer, ...sumsCells(row)]),
    ...tableOf('by rate', rates, (row: RateSums) => [...rateCells(row), ...sumsCells(row)]),
    ...(otherwise.length === 0 ? [] : changeTable('paid otherwise', otherwise.map(fundingCells))),
    ...(fates.length === 0 ? [] : changeTable('not as they went', fates.map(fateCells))),
    ...(limits === undefined ? [] : limitsLines(limits)),
  ];
}

function tableOf<Row>(
  title: string,
  rows: readonly Row[],
  cells: (row: Row) => readonly string[],
): readonly string[] {
  if (rows.length === 0) return [];
  const more = Math.max(0, rows.length - ROWS_MAX);
  return changeTable(title, rows.slice(0, ROWS_MAX).map(cells), { more, rest: REST });
}

function headOf({ span, account, change, limits }: Asking): string {
  const changes = [
    ...(change === undefined
      ? []
      : [`${change.by} had priced what ${change.replaces ?? 'any tariff'} charged`]),
    ...(limits === undefined ? [] : [`${limits} had held`]),
  ];
  const parts = [
    `what if ${changes.join(' and ')}`,
    `${showMoment(span.from)} to ${showMoment(span.to)} UTC`,
    ...(account === undefined ? [] : [`calls of ${account}`]),
  ];
  return `${parts.join(', ')}; nothing is changed`;
}

function sumsCells(sums: Sums): readonly string[] {
  const { was, would } = sums;
  const isOne = was.calls === 1 && would.calls === 1;
  return [
    isOne ? '1 call' : `${counted(was.calls, would.calls)} calls`,
    `${counted(was.seconds, would.seconds)} s`,
    changeText(changeOf(sums)),
    differenceText(changeOf(sums)),
  ];
}

function counted(was: number, would: number): string {
  return was === would ? `${was}` : `${was} → ${would}`;
}

function changeOf({ was, would, currency }: Sums) {
  return { before: was.revenue, after: would.revenue, currency };
}

/** `standard 49 → gold 4915`, and what the latter is called. */
function rateCells({ wasBy, wouldBy }: RateSums): readonly string[] {
  const [before, after] = [paidText(wasBy), paidText(wouldBy)];
  const named = [wouldBy, wasBy].find((paid) => paid !== undefined && 'description' in paid);
  return [
    before === after ? after : `${before} → ${after}`,
    named !== undefined && 'description' in named ? named.description : '',
  ];
}

function paidText(paid: Paid | undefined): string {
  if (paid === undefined) return 'nothing';
  return 'way' in paid ? paid.way : `${paid.tariff} ${paid.prefix}`.trimEnd();
}

function fundingCells({ was, would, calls }: FundingCount): readonly string[] {
  return [`${was} → ${would}`, calls === 1 ? '1 call' : `${calls} calls`];
}

/** What became of calls that did not go as they went. */
function fateCells({ fate, calls, lostSeconds, examples }: FateCount): readonly string[] {
  return [
    FATES[fate.kind],
    fate.holder,
    fate.limit,
    calls === 1 ? '1 call' : `${calls} calls`,
    lostSeconds === 0 ? '' : `${lostSeconds} s less`,
    `such as ${examples[0]}`,
  ];
}

const FATES: Readonly<Record<FateCount['fate']['kind'], string>> = {
  refused: 'refused',
  cut: 'cut',
  free: 'for nothing',
  standing: 'as it was charged',
};

export const OUTCOME_HEADER = csvRow([
  'leg',
  'account',
  'admitted_at',
  'destination',
  'outcome',
  'holder',
  'limit',
  'payer',
  'currency',
  'way_was',
  'tariff_was',
  'prefix_was',
  'seconds_was',
  'price_was',
  'way_would',
  'tariff_would',
  'prefix_would',
  'seconds_would',
  'price_would',
]);

/** A line for each part of a call that was or would be paid; for a call that nobody paid none. */
export function outcomeRows({ call, payers, fate }: Outcome): readonly string[] {
  return payers.flatMap(({ payer, was, would }) =>
    Array.from({ length: Math.max(was.length, would.length) }, (_, at) =>
      csvRow([
        call.legUuid,
        call.account,
        toIsoUtc(call.admittedAt),
        call.destination,
        ...(fate.kind === 'goes' ? ['goes', '', ''] : [fate.kind, fate.holder, fate.limit]),
        payer,
        was[at]?.currency || would[at]?.currency || '',
        ...partCells(was[at]),
        ...partCells(would[at]),
      ]),
    ),
  );
}

function partCells(part: PaidPart | undefined): readonly string[] {
  if (part === undefined) return ['', '', '', '', ''];
  const { way, rate, seconds, price } = part;
  return [way, rate?.tariff ?? '', rate?.prefix ?? '', `${seconds}`, formatMicros(price)];
}
