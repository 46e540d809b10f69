import { ratiosOf, readingOf, type Reading } from './statistics.ts';

/** One line of the report. A target is either on the ratio or, where it is in plain units, on what was measured. */
export type Row = {
  readonly what: string;
  readonly unit: string;
  readonly measured: Reading;
  readonly baseline: { readonly what: string } & Reading;
  readonly ratio: Reading;
  readonly target: Target | undefined;
  readonly reached: boolean | undefined;
  readonly note: string | undefined;
};

export type Target = {
  readonly of: 'ratio' | 'measured';
  readonly is: 'at most' | 'at least';
  readonly value: number;
};

export type RowSource = {
  readonly what: string;
  readonly unit: string;
  /** One value a round, and the baseline's of the same rounds. */
  readonly measured: readonly number[];
  readonly baselineWhat: string;
  readonly baseline: readonly number[];
  readonly target?: Target | undefined;
  readonly note?: string | undefined;
};

export function rowOf(source: RowSource): Row {
  const { what, unit, baselineWhat, target, note } = source;
  const measured = readingOf(source.measured);
  const baseline = { what: baselineWhat, ...readingOf(source.baseline) };
  const ratio = readingOf(ratiosOf(source.measured, source.baseline));
  const reached = target && isReached(target, target.of === 'ratio' ? ratio : measured);
  return { what, unit, measured, baseline, ratio, target, reached, note };
}

/** By the median: a single lucky round reaches nothing, a single unlucky one misses nothing. */
function isReached({ is, value }: Target, { median }: Reading): boolean {
  return is === 'at most' ? median <= value : median >= value;
}

export function ratioAtMost(value: number): Target {
  return { of: 'ratio', is: 'at most', value };
}

export function ratioAtLeast(value: number): Target {
  return { of: 'ratio', is: 'at least', value };
}

export function atMost(value: number): Target {
  return { of: 'measured', is: 'at most', value };
}

export function atLeast(value: number): Target {
  return { of: 'measured', is: 'at least', value };
}
