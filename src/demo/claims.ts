/** One thing the demonstration says of itself, and whether it was so, with the numbers it was judged by. */
export type Claim = { readonly says: string; readonly holds: boolean; readonly figures: string };

export function claim(says: string, holds: boolean, figures: string): Claim {
  return { says, holds, figures };
}

export type Verdict = { readonly checked: number; readonly failed: readonly Claim[] };

/** Nothing checked is nothing shown: a demonstration without claims has failed as well. */
export function isProven(verdict: Verdict): boolean {
  return verdict.checked > 0 && verdict.failed.length === 0;
}

export function verdictOf(claims: readonly Claim[]): Verdict {
  return { checked: claims.length, failed: claims.filter(({ holds }) => !holds) };
}

/** Milliseconds as they are told: `12.3 ms late`. */
export function lateness(ms: number): string {
  const tenths = (Math.round(Math.abs(ms) * 10) / 10).toFixed(1);
  return `${tenths} ms ${ms < 0 ? 'early' : 'late'}`;
}
