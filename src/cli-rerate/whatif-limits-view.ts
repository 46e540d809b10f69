import { COUNTERS, holderName, type Counter, type Holder } from '../admission/plan.ts';
import { differenceJson, differenceLines } from '../cli-accounts/account-difference-view.ts';
import { showMoment } from '../command-line/moment.ts';
import { toIsoUtc } from '../units/time.ts';
import type { Peak } from '../whatif/peaks.ts';
import type { RefusalCount } from '../whatif/real-refusals.ts';
import { changeTable } from './change-view.ts';
import type { LimitsReport } from './whatif-limits.ts';

export function limitsJson({ difference, peaks, refusals }: LimitsReport): Readonly<Record<string, unknown>> {
  return {
    changes: differenceJson(difference),
    peaks: joined(peaks).map(({ holder, counter, was, would }) => ({
      ...holderJson(holder),
      counter,
      was: peakJson(was),
      would: peakJson(would),
    })),
    refusedReally: refusals,
  };
}

function holderJson(holder: Holder): Readonly<Record<string, unknown>> {
  switch (holder.kind) {
    case 'account':
      return { account: holder.path };
    case 'trunks':
      return { account: holder.path, trunks: true };
    case 'number':
      return { account: holder.path, number: holder.number };
    case 'route':
      return { route: holder.route };
  }
}

function peakJson(peak: Peak | undefined): Readonly<Record<string, unknown>> {
  return peak === undefined ? { calls: 0 } : { calls: peak.calls, at: toIsoUtc(peak.at) };
}

/** What the file changes, before anything is told of it. */
export function changedLines({ difference }: LimitsReport): readonly string[] {
  const lines = differenceLines(difference);
  return lines.length === 0 ? ['the file changes nothing that is on record'] : lines;
}

export function limitsLines({ peaks, refusals }: LimitsReport): readonly string[] {
  const rows = shownPeaks(joined(peaks));
  return [
    ...(rows.length === 0 ? [] : changeTable('at most at once', rows)),
    ...(refusals.length === 0 ? [] : changeTable(REFUSED_REALLY, refusals.map(refusalRow))),
  ];
}

const REFUSED_REALLY = 'refused really, and how long they would have been nobody knows';

type Pair = {
  readonly holder: Holder;
  readonly counter: Counter;
  readonly was: Peak | undefined;
  readonly would: Peak | undefined;
};

/** By the holders' names, each counter in the order of the limits. */
function joined({ was, would }: LimitsReport['peaks']): readonly Pair[] {
  const pairs = new Map<string, Pair>();
  const keyOf = ({ holder, counter }: Peak): string => `${holderName(holder)} ${COUNTERS.indexOf(counter)}`;
  for (const peak of was) {
    const { holder, counter } = peak;
    pairs.set(keyOf(peak), { holder, counter, was: peak, would: undefined });
  }
  for (const peak of would) {
    const { holder, counter } = peak;
    pairs.set(keyOf(peak), { holder, counter, was: pairs.get(keyOf(peak))?.was, would: peak });
  }
  return [...pairs].toSorted(([left], [right]) => (left < right ? -1 : 1)).map(([, pair]) => pair);
}

/** Those first that differ. Of a holder whose other counters say what its calls say, the calls. */
function shownPeaks(pairs: readonly Pair[]): readonly (readonly string[])[] {
  const shown = [...Map.groupBy(pairs, ({ holder }) => holderName(holder)).values()].flatMap((own) => {
    const calls = own.find(({ counter }) => counter === 'calls');
    return own.filter((pair) => pair === calls || calls === undefined || callsIn(pair) !== callsIn(calls));
  });
  const [same = [], other = []] = [true, false].map((isSame) =>
    shown.filter(({ was, would }) => (was?.calls === would?.calls) === isSame),
  );
  return [...other, ...same].map((pair) => [
    holderName(pair.holder),
    pair.counter,
    callsIn(pair),
    momentsOf(pair),
  ]);
}

function callsIn({ was, would }: Pair): string {
  const [before, after] = [was?.calls ?? 0, would?.calls ?? 0];
  return before === after ? `${before}` : `${before} → ${after}`;
}

function momentsOf({ was, would }: Pair): string {
  const moments = [was, would].flatMap((peak) => (peak === undefined ? [] : [`${showMoment(peak.at)} UTC`]));
  return [...new Set(moments)].join(' → ');
}

function refusalRow({ holder, limit, calls, again, examples }: RefusalCount): readonly string[] {
  const { passes, refused, unknown } = again;
  return [
    holder,
    limit,
    calls === 1 ? '1 call' : `${calls} calls`,
    [
      ...(refused > 0 ? [`${refused} would be again`] : []),
      ...(passes > 0 ? [`${passes} would go through`] : []),
      ...(unknown > 0 ? [`${unknown} cannot be told`] : []),
    ].join(', '),
    `such as ${examples[0]}`,
  ];
}
