import { moneyJson } from '../cli-accounts/account-view.ts';
import { csvRow } from '../command-line/csv-row.ts';
import { columns } from '../command-line/help.ts';
import { showMoment, showTalk } from '../command-line/moment.ts';
import type { Difference, DifferenceKind, Remark } from '../reconcile/difference.ts';
import { chargeTransferId, currencyOf, type Cdr, type Charge, type Transfer } from '../records/records.ts';
import { assertNever } from '../units/assert.ts';
import { addMicros, formatMicros, toMicros, type Micros } from '../units/money.ts';
import { toIsoUtc, type EpochMs } from '../units/time.ts';
import { faultLine, whyLeft } from './cdr-import-view.ts';
import type { ReadingReport } from './cdr-reading.ts';
import { assumedJson, assumedLines } from './assumed-funding.ts';
import type { FixReport } from './reconcile-fix.ts';

/** What `reconcile` found, as it is counted while it goes. */
export type ReconcileReport = {
  readonly legs: number;
  readonly found: Readonly<Record<DifferenceKind, number>>;
  readonly remarks: Readonly<Record<Remark, number>>;
  /** What the differences come to, by currency: what should have been charged less what was. */
  readonly amounts: ReadonlyMap<string, Micros>;
  /** The first thousand. */
  readonly shown: readonly DifferenceRow[];
  /** Whether FreeSWITCH's CDRs of this time were there to compare with. */
  readonly compared: boolean;
  readonly reading: ReadingReport | undefined;
  /** Undefined: nothing was to be put right. */
  readonly fixed: FixReport | undefined;
};

/** One difference as a row of the table. */
export type DifferenceRow = {
  readonly kind: DifferenceKind;
  readonly leg: string;
  readonly account: string;
  readonly at: EpochMs;
  readonly words: string;
  /** What should have been charged less what was, where that is known. */
  readonly amount: Micros | undefined;
  readonly currency: string;
};

const KIND_WORDS: Readonly<Record<DifferenceKind, string>> = {
  freeswitch_only: 'legs that only FreeSWITCH knows',
  tollgate_only: 'legs that only Tollgate knows',
  duration_differs: 'legs with two durations',
  answer_differs: 'legs that only one side knows to be answered',
  charge_differs: 'charges that their tariff does not give',
  charge_unrated: 'charges whose tariff has no rate for them any more',
  charge_missing: 'legs that cost something and were not charged',
  charge_without_transfer: 'charges whose money never moved',
  transfer_without_charge: 'transfers without a charge',
};

const REMARK_WORDS: Readonly<Record<Remark, string>> = {
  billsec_off: 'legs whose billsec is off by one, which is two floored clocks and no difference',
  undetermined: 'legs of FreeSWITCH alone, whose file leaves out whether they are charged',
  recent: 'legs that ended a moment ago, and may be on their way',
};

/** The table's row of one difference. */
export function rowOf(difference: Difference): DifferenceRow {
  const { kind } = difference;
  switch (kind) {
    case 'freeswitch_only': {
      const { leg, place } = difference.open;
      const { verdict } = difference;
      const settled = verdict.kind === 'chargeable' ? verdict.settlement : undefined;
      const where = `${leg.callerNumber} → ${leg.destination}, ${place.file}:${place.line}`;
      return {
        kind,
        leg: leg.uuid,
        account: settled?.cdr.account ?? leg.gate.account ?? '',
        at: leg.startedAt,
        words: `${whyLeft(verdict)}; ${where}`,
        ...totalOf(settled?.transfers.filter((transfer) => transfer.kind === 'charge') ?? []),
      };
    }
    case 'tollgate_only':
      return legRow(
        kind,
        difference.cdr,
        `${showTalk(difference.cdr.billMicroseconds)} on ${difference.cdr.node}`,
      );
    case 'duration_differs':
    case 'answer_differs': {
      const { cdr, theirs } = difference;
      const exact = theirs.leg.billMicroseconds;
      const their = exact === undefined ? `${theirs.leg.billsec} s (billsec)` : showTalk(exact);
      const estimated = cdr.estimated ? ', estimated' : '';
      const words = `Tollgate ${showTalk(cdr.billMicroseconds)}${estimated}, FreeSWITCH ${their}; ${theirs.place.file}:${theirs.place.line}`;
      return legRow(kind, cdr, words);
    }
    case 'charge_differs': {
      const { cdr, payer, before, after } = difference;
      const words = `${payer} was charged ${priceOf(before)}, the tariff gives ${priceOf(after)}`;
      const amount = toMicros(sumOf(after) - sumOf(before));
      return { ...legRow(kind, cdr, words), amount, currency: currencyIn([...after, ...before]) };
    }
    case 'charge_unrated': {
      const { cdr, payer, before, reason } = difference;
      const why = reason === 'no_rate' ? 'has no rate for it now' : 'is to pay in another currency now';
      return legRow(kind, cdr, `${payer} was charged ${priceOf(before)}, and ${why}`);
    }
    case 'charge_missing': {
      const { cdr, payer, after } = difference;
      const row = legRow(kind, cdr, `${payer} would pay ${priceOf(after)}`);
      return { ...row, amount: sumOf(after), currency: currencyIn(after) };
    }
    case 'charge_without_transfer': {
      const { cdr, charge } = difference;
      const words = `${charge.payer} was charged ${priceOf([charge])}; transfer ${chargeTransferId(charge)} is missing`;
      return { ...legRow(kind, cdr, words), amount: charge.price, currency: currencyIn([charge]) };
    }
    case 'transfer_without_charge': {
      const { id, debit, at, reference, amount, currency } = difference.transfer;
      const words = `${id} took ${formatMicros(amount)} ${currency}`;
      const account = debit.slice(debit.indexOf(':') + 1);
      return { kind, leg: reference, account, at, words, amount: toMicros(0n - amount), currency };
    }
    default:
      return assertNever(kind, 'difference');
  }
}

function legRow(kind: DifferenceKind, cdr: Cdr, words: string): DifferenceRow {
  const { legUuid, account, admittedAt } = cdr;
  return { kind, leg: legUuid, account, at: admittedAt, words, amount: undefined, currency: '' };
}

/** Payers of one leg may differ in their currency: then there is no one sum. */
function totalOf(transfers: readonly Transfer[]): Pick<DifferenceRow, 'amount' | 'currency'> {
  const currency = transfers[0]?.currency;
  if (currency === undefined || transfers.some((other) => other.currency !== currency)) {
    return { amount: undefined, currency: '' };
  }
  let sum = 0n;
  for (const { amount } of transfers) sum += amount;
  return { amount: toMicros(sum), currency };
}

function priceOf(charges: readonly Charge[]): string {
  const currency = currencyIn(charges);
  return currency === '' ? 'nothing' : `${formatMicros(sumOf(charges))} ${currency}`;
}

function sumOf(charges: readonly Charge[]): Micros {
  return addMicros(...charges.map(({ price }) => price));
}

/** One payer has one wallet; empty where nothing is paid in money. */
function currencyIn(charges: readonly Charge[]): string {
  return charges.map(currencyOf).find((currency) => currency !== '') ?? '';
}

export function reconcileLines(report: ReconcileReport): readonly string[] {
  const { legs, found, remarks, amounts, shown, compared, reading, fixed } = report;
  const count = Object.values(found).reduce((sum, each) => sum + each, 0);
  const totals = [...amounts].map(([currency, amount]) => `${formatMicros(amount)} ${currency}`).join(', ');
  return [
    ...(reading?.faults.map(faultLine) ?? []),
    ...columns(shown.map((row) => [row.kind, row.leg, row.account, `${showMoment(row.at)} UTC`, row.words])),
    ...(count > shown.length ? [`and ${count - shown.length} more: --csv has them all`] : []),
    ...columns([...entries(found, KIND_WORDS), ...entries(remarks, REMARK_WORDS)]),
    ...(compared
      ? []
      : ["no CDR of FreeSWITCH's own is on record for this time: legs were compared with nothing"]),
    count === 0
      ? `nothing is off in ${legs} legs`
      : `${count} difference${count === 1 ? '' : 's'} in ${legs} legs${totals === '' ? '' : `: ${totals} too little`}`,
    ...(fixed === undefined || count === 0 ? [] : fixLines(fixed)),
  ];
}

function fixLines({
  settled,
  corrected,
  transfers,
  charges,
  run,
  runRefused,
  left,
  untold,
  assumed,
}: FixReport): readonly string[] {
  const parts = [
    [settled, 'legs charged'],
    [corrected, 'legs corrected'],
    [transfers, 'transfers written'],
    [charges, `charges changed by run ${run ?? ''}`],
  ] as const;
  const put = parts.filter(([count]) => count > 0).map(([count, words]) => `${count} ${words}`);
  return [
    `put right: ${put.length === 0 ? 'nothing' : put.join(', ')}; ${left} left for a person`,
    ...(run === undefined || charges === 0 ? [] : [`tollgate rerate revert ${run} takes the charges back`]),
    ...(runRefused === undefined
      ? []
      : [`${run ?? ''} was not carried out: ${runRefused}; tollgate rerate apply does it`]),
    ...assumedLines(assumed),
    ...(untold === 0
      ? []
      : [`${untold} movements of money are on record and not in Redis: tollgate verify --fix`]),
  ];
}

function entries<Kind extends string>(
  counts: Readonly<Record<Kind, number>>,
  words: Readonly<Record<Kind, string>>,
): readonly (readonly string[])[] {
  return Object.entries<string>(words).flatMap(([kind, said]) => {
    const count = Object.entries<number>(counts).find(([counted]) => counted === kind)?.[1] ?? 0;
    return count === 0 ? [] : [[`${count}`, said]];
  });
}

export function reconcileJson(report: ReconcileReport): unknown {
  const { amounts, shown, reading, fixed, ...rest } = report;
  return {
    ...rest,
    ...(fixed === undefined ? {} : { fixed: fixedJson(fixed) }),
    amounts: [...amounts].map(([currency, amount]) => moneyJson(amount, currency)),
    differences: shown.map(({ at, amount, currency, ...row }) => ({
      ...row,
      at: toIsoUtc(at),
      ...(amount === undefined ? {} : { amount: moneyJson(amount, currency) }),
    })),
    ...(reading === undefined ? {} : { faults: reading.faults, files: reading.files }),
  };
}

function fixedJson({ assumed, ...fixed }: FixReport): unknown {
  return { ...fixed, assumedFunding: assumedJson(assumed) };
}

export const CSV_HEADER = 'kind,leg,account,at,amount,currency,words';

export function csvLine({ kind, leg, account, at, amount, currency, words }: DifferenceRow): string {
  const cells = [
    kind,
    leg,
    account,
    toIsoUtc(at),
    amount === undefined ? '' : formatMicros(amount),
    currency,
    words,
  ];
  return csvRow(cells);
}
