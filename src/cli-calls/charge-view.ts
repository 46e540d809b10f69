import { moneyJson } from '../cli-accounts/account-view.ts';
import { madeByRun, type MadeByRun } from '../charging/rerate-step.ts';
import type { AppliedItem } from '../charging/rerate-run.ts';
import { showMoment } from '../command-line/moment.ts';
import { chargedInWords, sumInWords, termsJson } from '../command-line/price-words.ts';
import { chargedSeconds } from '../rating/price.ts';
import { quote } from '../rating/quote.ts';
import {
  chargeTransferId,
  currencyOf,
  isOfOwnPrice,
  type Charge,
  type PerMinuteCharge,
  type Transfer,
} from '../records/records.ts';
import { reversalIdPrefix, runOfReversal } from '../records/reversal.ts';
import type { AccountPath } from '../units/ids.ts';
import { addMicros, formatMicros } from '../units/money.ts';
import { addMs, toIsoUtc, type EpochMs } from '../units/time.ts';

/** Every charge of a leg, whatever the version, every transfer that they made, and what runs of re-rating did to them. */
export type LegMoney = {
  readonly answeredAt: EpochMs | undefined;
  readonly charges: readonly Charge[];
  readonly transfers: readonly Transfer[];
  readonly applied: readonly AppliedItem[];
};

/** Payer by payer, the version in force first: how each price comes about and what it moved, and what took it back. */
export function chargeRows(money: LegMoney): readonly (readonly string[])[] {
  return [...Map.groupBy(money.charges, ({ payer }) => payer)].flatMap(([payer, charges]) =>
    payerRows(payer, charges, money),
  );
}

function payerRows(
  payer: AccountPath,
  charges: readonly Charge[],
  money: LegMoney,
): readonly (readonly string[])[] {
  const versions = [...Map.groupBy(charges, ({ version }) => version)].toSorted(([a], [b]) => b - a);
  return versions.flatMap(([version, segments], index) => {
    const isAlone = versions.length === 1;
    const head = `${totalInWords(segments)}${isAlone ? '' : `, version ${version}`}`;
    const rows = segments.flatMap((charge, at) =>
      segmentLines(charge, { ahead: segments.slice(0, at), isAlone: segments.length === 1 }, money),
    );
    return [
      [index === 0 ? payer : '', index === 0 ? head : `before: ${head}`],
      ...[...runLines(segments, money), ...rows].map((line) => ['', `  ${line}`]),
    ];
  });
}

function runLines([first]: readonly Charge[], { applied }: LegMoney): readonly string[] {
  const made = first === undefined ? undefined : madeByRun(first, applied);
  return made === undefined ? [] : [runInWords(made)];
}

function runInWords(made: MadeByRun): string {
  const at = `${showMoment(made.at)} UTC`;
  if (made.change === 'reverted') return `put back ${at} by the revert of run ${made.run}`;
  const since = made.revertedAt === undefined ? '' : `, reverted ${showMoment(made.revertedAt)} UTC`;
  return `put in force ${at} by run ${made.run}${since}`;
}

function totalInWords(segments: readonly Charge[]): string {
  const priced = segments.find((charge) => charge.way === 'per_minute');
  if (priced === undefined) return segments[0]?.way === 'free' ? 'nothing' : 'paid for in advance';
  return `${formatMicros(addMicros(...segments.map(({ price }) => price)))} ${currencyOf(priced)}`;
}

type Place = { readonly ahead: readonly Charge[]; readonly isAlone: boolean };

/** One of several says from when on it was talked: by the clock it is told why its rate is another one. */
function segmentLines(charge: Charge, { ahead, isAlone }: Place, money: LegMoney): readonly string[] {
  const lines = [...wayLines(charge), ...movementLines(charge, money)];
  if (isAlone) return lines;
  const seconds = ahead.reduce((sum, { billedSeconds }) => sum + billedSeconds, 0);
  const { answeredAt } = money;
  const from = answeredAt === undefined ? '' : ` from ${showMoment(addMs(answeredAt, seconds * 1000))} UTC`;
  return lines.map((line, at) => (at === 0 ? `segment ${charge.segment}${from}: ${line}` : line));
}

function wayLines(charge: Charge): readonly string[] {
  const { billedSeconds } = charge;
  switch (charge.way) {
    case 'per_minute':
      return perMinuteLines(charge);
    case 'allotment': {
      const used = chargedSeconds(charge.pulses, billedSeconds);
      return [`${used} s of the allotment ${charge.allotment} for ${billedSeconds} s`];
    }
    case 'flat_rate':
      return [`${billedSeconds} s over a flat-rate trunk`];
    case 'flat_rate_burst':
      return [`${billedSeconds} s over a burst trunk`];
    case 'free':
      return [`${billedSeconds} s for nothing`];
  }
}

function perMinuteLines(charge: PerMinuteCharge): readonly string[] {
  const { terms, tariff, tariffVersion, rateId, prefix, billedSeconds, price } = charge;
  const { pulses } = quote(terms, billedSeconds);
  const rate = isOfOwnPrice(charge)
    ? 'at the price that the call came with'
    : `${tariff} version ${tariffVersion}, rate ${rateId} for ${prefix}`;
  return [
    chargedInWords(terms, { billedSeconds, chargedSeconds: charge.chargedSeconds, pulses }),
    rate,
    sumInWords(terms, charge.chargedSeconds, price),
  ];
}

/** Nothing moves for a price of zero. */
function movementLines(charge: Charge, { transfers }: LegMoney): readonly string[] {
  const moved = transfers.find(({ id }) => id === chargeTransferId(charge));
  const back = reversalOf(charge, transfers);
  return [
    ...(moved === undefined ? [] : [`moved ${showMoment(moved.at)} UTC: ${moved.id}`]),
    ...(back === undefined
      ? []
      : [`taken back ${showMoment(back.at)} UTC by run ${runOfReversal(back.id)}: ${back.id}`]),
  ];
}

function reversalOf(charge: Charge, transfers: readonly Transfer[]): Transfer | undefined {
  const prefix = reversalIdPrefix(chargeTransferId(charge));
  return transfers.find(({ id }) => id.startsWith(prefix));
}

function runJson(made: MadeByRun): Readonly<Record<string, unknown>> {
  const { run, change, at } = made;
  const revertedAt = made.change === 'applied' ? made.revertedAt : undefined;
  return {
    run,
    change,
    at: toIsoUtc(at),
    ...(revertedAt === undefined ? {} : { revertedAt: toIsoUtc(revertedAt) }),
  };
}

export function chargeJson(
  entry: Charge,
  { charges, transfers, applied }: LegMoney,
): Readonly<Record<string, unknown>> {
  const moved = transfers.find(({ id }) => id === chargeTransferId(entry));
  const back = reversalOf(entry, transfers);
  const made = madeByRun(entry, applied);
  const isInForce = !charges.some(({ payer, version }) => payer === entry.payer && version > entry.version);
  const history = {
    inForce: isInForce,
    ...(made === undefined ? {} : { rerate: runJson(made) }),
    ...(moved === undefined ? {} : { transfer: { id: moved.id, at: toIsoUtc(moved.at) } }),
    ...(back === undefined
      ? {}
      : { reversal: { id: back.id, at: toIsoUtc(back.at), run: runOfReversal(back.id) } }),
  };
  if (entry.way !== 'per_minute') return { ...entry, price: formatMicros(entry.price), ...history };
  const { terms, price, currency, ...charge } = entry;
  return {
    ...charge,
    price: moneyJson(price, currency),
    pulses: quote(terms, charge.billedSeconds).pulses,
    terms: termsJson(terms),
    sum: sumInWords(terms, charge.chargedSeconds, price),
    ...history,
  };
}
