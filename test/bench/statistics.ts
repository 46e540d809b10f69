/** A figure as measured over several rounds: never one number without how far the rounds lay apart. */
export type Reading = { readonly median: number; readonly min: number; readonly max: number };

export function readingOf(values: readonly number[]): Reading {
  const sorted = values.toSorted((a, b) => a - b);
  return { median: quantile(sorted, 0.5), min: sorted[0] ?? Number.NaN, max: sorted.at(-1) ?? Number.NaN };
}

/** The value that this share of them does not exceed; `sorted` ascending. */
export function quantile(sorted: readonly number[], share: number): number {
  if (sorted.length === 0) return Number.NaN;
  if (share === 0.5 && sorted.length % 2 === 0) {
    const upper = sorted.length / 2;
    return ((sorted[upper - 1] ?? 0) + (sorted[upper] ?? 0)) / 2;
  }
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export function percentile(values: readonly number[], share: number): number {
  return quantile(
    values.toSorted((a, b) => a - b),
    share,
  );
}

/** Each round's measurement over the same round's baseline: what the machine did in that round, it did to both. */
export function ratiosOf(measured: readonly number[], baseline: readonly number[]): readonly number[] {
  return measured.map((value, round) => value / (baseline[round] ?? Number.NaN));
}
