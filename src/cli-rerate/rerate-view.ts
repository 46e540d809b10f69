import type { RerateFilter, RerateItemState, RerateRun, RerateSum } from '../charging/rerate-run.ts';
import type { RatedBy, RerateReader, StoredItem } from '../charging/rerate-store.ts';
import { moneyJson } from '../cli-accounts/account-view.ts';
import { csvRow } from '../command-line/csv-row.ts';
import { columns } from '../command-line/help.ts';
import { showMoment } from '../command-line/moment.ts';
import type { AccountPath, RerateRunId } from '../units/ids.ts';
import { formatMicros, subtractMicros } from '../units/money.ts';
import { toIsoUtc } from '../units/time.ts';
import { changeTable, changeText, differenceJson, differenceText, ROWS_MAX } from './change-view.ts';

type PayerSum = RerateSum & { readonly payer: AccountPath };
type RateSum = RerateSum & RatedBy;

/** What `rerate show` tells of a run. */
export type RerateReport = {
  readonly run: RerateRun;
  readonly states: ReadonlyMap<RerateItemState, number>;
  readonly totals: readonly RerateSum[];
  readonly payers: readonly PayerSum[];
  /** More than these there are. */
  readonly morePayers: number;
  readonly rates: readonly RateSum[];
  readonly moreRates: number;
  readonly biggest: readonly StoredItem[];
};

const BIGGEST_COUNT = 10;
const REST = 'every charge';

export async function readReport(store: RerateReader, id: RerateRunId): Promise<RerateReport | undefined> {
  const run = await store.run(id);
  if (run === undefined) return undefined;
  const payers = await firstOf(store.sumsByPayer(id));
  const rates = await firstOf(store.sumsByRate(id));
  return {
    run,
    states: await store.itemStates(id),
    totals: await store.totals(id),
    payers: payers.rows,
    morePayers: payers.more,
    rates: rates.rows,
    moreRates: rates.more,
    biggest: await store.biggest(id, BIGGEST_COUNT),
  };
}

async function firstOf<Row>(
  rows: AsyncIterable<Row>,
): Promise<{ readonly rows: readonly Row[]; readonly more: number }> {
  const kept: Row[] = [];
  let more = 0;
  for await (const row of rows) {
    if (kept.length < ROWS_MAX) kept.push(row);
    else more += 1;
  }
  return { rows: kept, more };
}

export function runJson(run: RerateRun): Readonly<Record<string, unknown>> {
  const { id, state, funding, filter, createdAt, appliedAt, revertedAt, calls, unrated, refused, cut } = run;
  return {
    run: id,
    state,
    funding,
    ...filter,
    from: toIsoUtc(filter.from),
    to: toIsoUtc(filter.to),
    createdAt: toIsoUtc(createdAt),
    ...(appliedAt === undefined ? {} : { appliedAt: toIsoUtc(appliedAt) }),
    ...(revertedAt === undefined ? {} : { revertedAt: toIsoUtc(revertedAt) }),
    calls,
    unrated,
    ...(funding === 'replayed' ? { refused, cut } : {}),
  };
}

/** One line of the list. */
export function runRows({ id, state, funding, filter, createdAt, calls }: RerateRun): readonly string[] {
  return [
    id,
    state,
    `made ${showMoment(createdAt)} UTC`,
    filterWords(filter),
    `${calls} calls`,
    `funding ${funding}`,
  ];
}

function filterWords({ from, to, account, prefix, tariff }: RerateFilter): string {
  const parts = [
    `${showMoment(from)} to ${showMoment(to)} UTC`,
    ...(account === undefined ? [] : [`of ${account}`]),
    ...(prefix === undefined ? [] : [`to ${prefix}…`]),
    ...(tariff === undefined ? [] : [`by ${tariff}`]),
  ];
  return parts.join(', ');
}

export function reportJson(report: RerateReport): Readonly<Record<string, unknown>> {
  const { run, states, totals, payers, morePayers, rates, moreRates, biggest } = report;
  return {
    ...runJson(run),
    charges: Object.fromEntries(states),
    totals: totals.map(sumJson),
    accounts: payers.map((row) => ({ account: row.payer, ...sumJson(row) })),
    moreAccounts: morePayers,
    rates: rates.map((row) => ({ tariff: row.tariff, prefix: row.prefix, ...sumJson(row) })),
    moreRates,
    biggest: biggest.map(itemJson),
  };
}

function sumJson(sum: RerateSum): Readonly<Record<string, unknown>> {
  const { charges, before, after, currency } = sum;
  return {
    charges,
    before: moneyJson(before, currency),
    after: moneyJson(after, currency),
    difference: differenceJson(sum),
  };
}

function itemJson(item: StoredItem): Readonly<Record<string, unknown>> {
  const { legUuid, payer, state, admittedAt, destination, currency, before, after, tariff, prefix } = item;
  return {
    leg: legUuid,
    payer,
    state,
    admittedAt: toIsoUtc(admittedAt),
    destination,
    tariff,
    prefix,
    before: moneyJson(before, currency),
    after: moneyJson(after, currency),
  };
}

export function reportLines(report: RerateReport): readonly string[] {
  const { run, states, totals, payers, morePayers, rates, moreRates, biggest } = report;
  const counts = [...states].map(([state, count]) => `${count} ${state}`).join(', ');
  const head = [
    `${run.id}: ${run.state}, ${filterWords(run.filter)}, funding ${run.funding}`,
    ...columns([
      [
        'calls',
        `${run.calls} rated again${run.unrated === 0 ? '' : `, ${run.unrated} charges without a rate now`}`,
      ],
      ...(run.funding === 'replayed'
        ? [['replayed', `${run.refused} would have been refused, ${run.cut} cut`]]
        : []),
      ['charges', counts === '' ? 'nothing differs' : counts],
      ...totals.map((sum) => ['in all', ...sumCells(sum)]),
    ]),
  ];
  if (totals.length === 0) return head;
  return [
    ...head,
    ...changeTable(
      'by account',
      payers.map((row) => [row.payer, ...sumCells(row)]),
      { more: morePayers, rest: REST },
    ),
    ...changeTable(
      'by rate',
      rates.map((row) => [row.tariff ?? 'no tariff', row.prefix ?? '', ...sumCells(row)]),
      { more: moreRates, rest: REST },
    ),
    'where most',
    ...columns(biggest.map(biggestCells)),
  ];
}

function sumCells(sum: RerateSum): readonly string[] {
  const { charges } = sum;
  return [charges === 1 ? '1 charge' : `${charges} charges`, changeText(sum), differenceText(sum)];
}

function biggestCells(item: StoredItem): readonly string[] {
  const { legUuid, payer, admittedAt, destination } = item;
  return [`${showMoment(admittedAt)} UTC`, legUuid, payer, destination, changeText(item)];
}

const CSV_COLUMNS = [
  'leg',
  'payer',
  'state',
  'admitted_at',
  'destination',
  'tariff',
  'prefix',
  'currency',
  'before',
  'after',
  'difference',
];

/** A line for each charge that changes; a run has any number of them. */
export async function writeItemsCsv(
  items: AsyncIterable<StoredItem>,
  print: (line: string) => void,
): Promise<void> {
  print(csvRow(CSV_COLUMNS));
  for await (const item of items) {
    const { legUuid, payer, state, admittedAt, destination, tariff, prefix, currency, before, after } = item;
    const cells = [
      legUuid,
      payer,
      state,
      toIsoUtc(admittedAt),
      destination,
      tariff ?? '',
      prefix ?? '',
      currency,
      formatMicros(before),
      formatMicros(after),
      formatMicros(subtractMicros(after, before)),
    ];
    print(csvRow(cells));
  }
}
