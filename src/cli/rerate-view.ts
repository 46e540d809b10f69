import type { RerateFilter, RerateItemState, RerateRun, RerateSum } from '../charging/rerate-run.ts';
import type { RatedBy, RerateReader, StoredItem } from '../charging/rerate-store.ts';
import type { AccountPath, RerateRunId } from '../units/ids.ts';
import { formatMicros, subtractMicros } from '../units/money.ts';
import { toIsoUtc } from '../units/time.ts';
import { moneyJson } from './account-view.ts';
import { csvRow } from './csv-row.ts';
import { columns } from './help.ts';
import { showMoment } from './moment.ts';

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

/** A person reads some; a program reads the CSV. */
const ROWS_MAX = 1_000;
const BIGGEST_COUNT = 10;
const ROWS_SHOWN_MAX = 20;

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
  const { id, state, funding, filter, createdAt, appliedAt, revertedAt, calls, unrated } = run;
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

function sumJson({ charges, before, after, currency }: RerateSum): Readonly<Record<string, unknown>> {
  return {
    charges,
    before: moneyJson(before, currency),
    after: moneyJson(after, currency),
    difference: moneyJson(subtractMicros(after, before), currency),
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
      ['charges', counts === '' ? 'nothing differs' : counts],
      ...totals.map((sum) => ['in all', ...sumCells(sum)]),
    ]),
  ];
  if (totals.length === 0) return head;
  return [
    ...head,
    ...table(
      'by account',
      payers.map((row) => [row.payer, ...sumCells(row)]),
      morePayers,
    ),
    ...table(
      'by rate',
      rates.map((row) => [row.tariff ?? 'no tariff', row.prefix ?? '', ...sumCells(row)]),
      moreRates,
    ),
    'where most',
    ...columns(biggest.map(biggestCells)),
  ];
}

function table(title: string, rows: readonly (readonly string[])[], more: number): readonly string[] {
  const left = rows.length - ROWS_SHOWN_MAX + more;
  return [
    title,
    ...columns(rows.slice(0, ROWS_SHOWN_MAX)),
    ...(left > 0 ? [`  and ${left} more: --json has ${ROWS_MAX}, --csv every charge`] : []),
  ];
}

function sumCells({ charges, before, after, currency }: RerateSum): readonly string[] {
  const difference = subtractMicros(after, before);
  const sign = difference > 0n ? '+' : '';
  return [
    charges === 1 ? '1 charge' : `${charges} charges`,
    `${formatMicros(before)} → ${formatMicros(after)} ${currency}`.trimEnd(),
    `${sign}${formatMicros(difference)}`,
  ];
}

function biggestCells({
  legUuid,
  payer,
  admittedAt,
  destination,
  before,
  after,
  currency,
}: StoredItem): readonly string[] {
  return [
    `${showMoment(admittedAt)} UTC`,
    legUuid,
    payer,
    destination,
    `${formatMicros(before)} → ${formatMicros(after)} ${currency}`.trimEnd(),
  ];
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
