import type { AccountPath, LegUuid } from '../units/ids.ts';
import { subtractMicros, toMicros, type Micros } from '../units/money.ts';
import type { Fate, NamedRate, Outcome, PaidPart } from './outcome.ts';

/** Of calls, what was talked and what it brought. */
export type Sum = { readonly calls: number; readonly seconds: number; readonly revenue: Micros };

export type Sums = { readonly currency: string; readonly was: Sum; readonly would: Sum };

export type PayerSums = Sums & { readonly payer: AccountPath };

/** By what parts of calls were paid, and would have been; undefined: by nothing, for they were not paid. */
export type RateSums = Sums & { readonly wasBy: Paid | undefined; readonly wouldBy: Paid | undefined };

/** In which ways payers paid for calls, and would have paid: `allotment + per_minute`. */
export type FundingCount = { readonly was: string; readonly would: string; readonly calls: number };

export type Paid = NamedRate | { readonly way: PaidPart['way'] };

/** Calls of one account that came to the same end. */
export type FateCount = {
  readonly fate: Exclude<Fate, { readonly kind: 'goes' }>;
  readonly calls: number;
  /** Of talk that there would not have been. */
  readonly lostSeconds: number;
  /** The first of them. */
  readonly examples: readonly LegUuid[];
};

export type Report = {
  /** That were looked at. */
  readonly calls: number;
  readonly totals: readonly Sums[];
  /** Those first whose sums differ most; likewise the rates. */
  readonly payers: readonly PayerSums[];
  readonly rates: readonly RateSums[];
  /** Of calls that they would have paid for all the same, the most frequent first. */
  readonly funding: readonly FundingCount[];
  readonly fates: readonly FateCount[];
};

/** Sums up any number of calls, in a memory that grows with accounts and rates only. */
export type Tally = { add(outcome: Outcome): void; report(): Report };

const EXAMPLES_MAX = 5;

type Side = { calls: number; seconds: number; revenue: bigint };
type Row = { readonly was: Side; readonly would: Side };
type PayerRow = Row & { readonly payer: AccountPath; readonly currency: string };
type RateRow = Row & Pick<RateSums, 'currency' | 'wasBy' | 'wouldBy'>;
type FateRow = Pick<FateCount, 'fate'> & {
  calls: number;
  lostSeconds: number;
  readonly examples: LegUuid[];
};

export function createTally(): Tally {
  const payers = new Map<string, PayerRow>();
  const rates = new Map<string, RateRow>();
  const totals = new Map<string, Row>();
  const ways = new Map<string, { readonly was: string; readonly would: string; calls: number }>();
  const fates = new Map<string, FateRow>();
  let calls = 0;

  const payerRow = (payer: AccountPath, currency: string): PayerRow => {
    const key = `${payer} ${currency}`;
    const row = payers.get(key) ?? { payer, currency, ...emptyRow() };
    payers.set(key, row);
    return row;
  };
  const totalRow = (currency: string): Row => {
    const row = totals.get(currency) ?? emptyRow();
    totals.set(currency, row);
    return row;
  };
  const rateRow = (was: PaidPart | undefined, would: PaidPart | undefined): RateRow => {
    const currency = currencyOf([was, would]);
    const key = `${keyOf(was)} ${keyOf(would)} ${currency}`;
    const row = rates.get(key) ?? {
      wasBy: was && paidBy(was),
      wouldBy: would && paidBy(would),
      currency,
      ...emptyRow(),
    };
    rates.set(key, row);
    return row;
  };
  const countWays = (was: string, would: string): void => {
    if (was === '' || would === '') return;
    const row = ways.get(`${was} ${would}`) ?? { was, would, calls: 0 };
    ways.set(`${was} ${would}`, row);
    row.calls += 1;
  };
  const count = ({ fate, call, lostSeconds }: Outcome): void => {
    if (fate.kind === 'goes') return;
    const key = JSON.stringify(fate);
    const row = fates.get(key) ?? { fate, calls: 0, lostSeconds: 0, examples: [] };
    fates.set(key, row);
    row.calls += 1;
    row.lostSeconds += lostSeconds;
    if (row.examples.length < EXAMPLES_MAX) row.examples.push(call.legUuid);
  };

  return {
    add(outcome) {
      calls += 1;
      count(outcome);
      const talked = new Map<string, Row>();
      for (const { payer, was, would } of outcome.payers) {
        const currency = currencyOf([...was, ...would]);
        const row = payerRow(payer, currency);
        addParts(row.was, was);
        addParts(row.would, would);
        countWays(waysOf(was), waysOf(would));
        for (let at = 0; at < Math.max(was.length, would.length); at += 1) {
          const parts = rateRow(was[at], would[at]);
          addParts(parts.was, was.slice(at, at + 1));
          addParts(parts.would, would.slice(at, at + 1));
        }
        const call = talked.get(currency) ?? emptyRow();
        talked.set(currency, call);
        joinTalk(call.was, was);
        joinTalk(call.would, would);
      }
      for (const [currency, call] of talked) {
        // What was paid for in advance is in no total of money.
        if (currency === '') continue;
        const total = totalRow(currency);
        addSide(total.was, call.was);
        addSide(total.would, call.would);
      }
    },
    report: () => ({
      calls,
      totals: [...totals]
        .map(([currency, row]) => ({ currency, ...toSums(row) }))
        .toSorted((a, b) => order(a.currency, b.currency)),
      payers: withoutCurrencyless([...payers.values()])
        .map(toSums)
        .toSorted((a, b) => byDifference(a, b) || order(a.payer, b.payer)),
      rates: [...rates.values()]
        .map(toSums)
        .toSorted((a, b) => byDifference(a, b) || order(nameOf(a), nameOf(b))),
      funding: [...ways.values()].toSorted((a, b) => b.calls - a.calls || order(a.was, b.was)),
      fates: [...fates.values()].toSorted((a, b) => b.calls - a.calls),
    }),
  };
}

function emptyRow(): Row {
  return { was: emptySide(), would: emptySide() };
}

function emptySide(): Side {
  return { calls: 0, seconds: 0, revenue: 0n };
}

/** The parts that one payer pays of one call. */
function addParts(side: Side, parts: readonly PaidPart[]): void {
  if (parts.length > 0) addSide(side, sideOf(parts));
}

function sideOf(parts: readonly PaidPart[]): Side {
  const side = { ...emptySide(), calls: 1 };
  for (const { seconds, price } of parts) {
    side.seconds += seconds;
    side.revenue += price;
  }
  return side;
}

function addSide(to: Side, { calls, seconds, revenue }: Side): void {
  to.calls += calls;
  to.seconds += seconds;
  to.revenue += revenue;
}

/** One call, by all who pay for it: what several of them pay for was talked once. */
function joinTalk(call: Side, parts: readonly PaidPart[]): void {
  if (parts.length === 0) return;
  const { seconds, revenue } = sideOf(parts);
  call.calls = 1;
  call.seconds = Math.max(call.seconds, seconds);
  call.revenue += revenue;
}

function currencyOf(parts: readonly (PaidPart | undefined)[]): string {
  return parts.find((part) => part !== undefined && part.currency !== '')?.currency ?? '';
}

function waysOf(parts: readonly PaidPart[]): string {
  return [...new Set(parts.map(({ way }) => way))].join(' + ');
}

function keyOf(part: PaidPart | undefined): string {
  if (part === undefined) return '';
  return part.rate === undefined ? part.way : `${part.rate.tariff} ${part.rate.prefix}`;
}

function paidBy({ rate, way }: PaidPart): Paid {
  return rate ?? { way };
}

function toSums<From extends Row>(row: From): Omit<From, 'was' | 'would'> & Pick<Sums, 'was' | 'would'> {
  return { ...row, was: toSum(row.was), would: toSum(row.would) };
}

function toSum({ calls, seconds, revenue }: Side): Sum {
  return { calls, seconds, revenue: toMicros(revenue) };
}

/** What a payer paid for in advance is told beside its money, where it pays any. */
function withoutCurrencyless(rows: readonly PayerRow[]): readonly PayerRow[] {
  const byPayer = Map.groupBy(rows, ({ payer }) => payer);
  return [...byPayer.values()].flatMap((own) => {
    const [money, ...others] = own.filter(({ currency }) => currency !== '');
    const ahead = own.find(({ currency }) => currency === '');
    if (money === undefined || ahead === undefined) return own;
    const joined = emptyRow();
    for (const row of [money, ahead]) {
      addSide(joined.was, row.was);
      addSide(joined.would, row.would);
    }
    return [{ ...money, ...joined }, ...others];
  });
}

function byDifference(a: Sums, b: Sums): number {
  const [one, other] = [differenceOf(a), differenceOf(b)];
  return one === other ? 0 : other > one ? 1 : -1;
}

function differenceOf({ was, would }: Sums): Micros {
  const difference = subtractMicros(would.revenue, was.revenue);
  return difference < 0n ? toMicros(0n - difference) : difference;
}

function nameOf({ wasBy, wouldBy }: RateSums): string {
  return JSON.stringify([wasBy, wouldBy]);
}

function order(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}
