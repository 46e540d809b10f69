import { moneyJson } from '../cli-accounts/account-view.ts';
import { columns } from '../command-line/help.ts';
import { showMoment, showTalk } from '../command-line/moment.ts';
import { assertNever } from '../units/assert.ts';
import { formatMicros, type Micros } from '../units/money.ts';
import { toIsoUtc } from '../units/time.ts';
import { assumedJson, assumedLines } from './assumed-funding.ts';
import type { MatchingReport, Remaining, RemainingKind } from './cdr-matching.ts';
import type { FileFault, ReadingReport } from './cdr-reading.ts';

export type ImportReport = {
  readonly reading: ReadingReport;
  readonly matching: MatchingReport;
  readonly applied: boolean;
};

/** How each kind of leg that is left is called, and what it means. */
const REMAINING_WORDS: Readonly<Record<RemainingKind, string>> = {
  chargeable: 'unknown to Tollgate and to be charged',
  estimated: 'settled by Tollgate from what was last known, and different here',
  differs: 'known to Tollgate with another duration',
  undetermined: 'unknown to Tollgate, and the file leaves out whether they are charged',
  inexact: 'unknown to Tollgate and to be charged, but without their exact duration (billusec)',
  recent: 'ended a moment ago, and perhaps not yet recorded',
  account_unknown: 'unknown to Tollgate, and of no account that there is',
  unpayable: 'unknown to Tollgate, and their account has no way to pay for them',
};

export function importLines({ reading, matching, applied }: ImportReport): readonly string[] {
  const { files, legs } = reading;
  const { remaining, shown, amounts } = matching;
  const known =
    matching.billsecOff === 0 ? '' : `, ${matching.billsecOff} of them with billsec off by one, as it may be`;
  return [
    ...reading.faults.map(faultLine),
    ...(reading.moreFaults === 0 ? [] : [`and ${reading.moreFaults} more faults`]),
    ...columns([
      [
        'files',
        `${files.read} read, ${files.unchanged} unchanged, ${files.later} left for later, ${files.faulty} with faults`,
      ],
      ['legs', `${legs.new} new, ${legs.again + legs.completed} read before`],
      ['', `${matching.confirmed} as Tollgate has them${known}`],
      ['', `${matching.notMetered} that are not charged`],
      ...(applied ? [['', `${matching.settled} charged now${amountWords(amounts)}`]] : []),
      ...(matching.corrected > 0
        ? [['', `${matching.corrected} corrected, which had been settled from what was last known`]]
        : []),
      ...Object.entries(remaining).flatMap(([kind, count]) =>
        count === 0
          ? []
          : [['', `${count} ${wordsOf(kind)}${kind === 'chargeable' ? amountWords(amounts) : ''}`]],
      ),
    ]),
    ...columns(shown.map(remainingCells)),
    ...(remaining.chargeable > 0 && !applied ? ['nothing is charged yet: repeat it with --apply'] : []),
    ...assumedLines(matching.assumed),
    ...(matching.untold > 0
      ? [
          `${matching.untold} transfers are on record and not in Redis: the same command brings them there, or tollgate verify --fix`,
        ]
      : []),
  ];
}

export function faultLine({ file, line, field, value, expected }: FileFault): string {
  return `${file}${line === 0 ? '' : `:${line}`}: ${field}: ${JSON.stringify(value)}: expected ${expected}`;
}

function wordsOf(kind: string): string {
  return Object.entries(REMAINING_WORDS).find(([known]) => known === kind)?.[1] ?? kind;
}

function amountWords(amounts: ReadonlyMap<string, Micros>): string {
  const words = [...amounts].map(([currency, amount]) => `${formatMicros(amount)} ${currency}`);
  return words.length === 0 ? '' : `: ${words.join(', ')}`;
}

function remainingCells({ open, verdict }: Remaining): readonly string[] {
  const { leg, place } = open;
  return [
    leg.uuid,
    `${showMoment(leg.startedAt)} UTC`,
    `${leg.callerNumber} → ${leg.destination}`,
    leg.billMicroseconds === undefined ? `${leg.billsec} s` : showTalk(leg.billMicroseconds),
    whyLeft(verdict),
    `${place.file}:${place.line}`,
  ];
}

/** What is to be said of one leg, in a few words. */
export function whyLeft(verdict: Remaining['verdict']): string {
  switch (verdict.kind) {
    case 'chargeable': {
      const { cdr, charges } = verdict.settlement;
      const prices = charges.flatMap((charge) =>
        charge.way === 'per_minute'
          ? [`${charge.payer} ${formatMicros(charge.price)} ${charge.currency}`]
          : [],
      );
      return prices.length === 0 ? `${cdr.account}, at no price` : prices.join(', ');
    }
    case 'estimated':
    case 'differs':
      return `Tollgate has ${showTalk(verdict.cdr.billMicroseconds)}`;
    case 'account_unknown':
      return verdict.words;
    case 'unpayable':
      return verdict.refusal.words;
    case 'undetermined':
      return 'charged or not, it cannot be told';
    case 'inexact':
      return 'no exact duration';
    case 'recent':
      return 'ended a moment ago';
    case 'confirmed':
    case 'not_metered':
      return 'nothing to do';
    default:
      return assertNever(verdict, 'verdict');
  }
}

export function importJson({ reading, matching, applied }: ImportReport): unknown {
  const { amounts, shown, remaining, assumed, ...counts } = matching;
  return {
    applied,
    files: reading.files,
    legs: reading.legs,
    ...counts,
    assumedFunding: assumedJson(assumed),
    remaining,
    amounts: [...amounts].map(([currency, amount]) => moneyJson(amount, currency)),
    faults: reading.faults,
    moreFaults: reading.moreFaults,
    open: shown.map(remainingJson),
  };
}

function remainingJson({ open, verdict }: Remaining): unknown {
  const { leg, place } = open;
  return {
    leg: leg.uuid,
    kind: verdict.kind,
    why: whyLeft(verdict),
    startedAt: toIsoUtc(leg.startedAt),
    callerNumber: leg.callerNumber,
    destination: leg.destination,
    billMicroseconds: leg.billMicroseconds,
    billsec: leg.billsec,
    ...place,
    ...(verdict.kind === 'chargeable'
      ? {
          account: verdict.settlement.cdr.account,
          charges: verdict.settlement.charges.map((charge) => ({
            payer: charge.payer,
            way: charge.way,
            ...(charge.way === 'per_minute' ? { price: moneyJson(charge.price, charge.currency) } : {}),
          })),
        }
      : {}),
  };
}
