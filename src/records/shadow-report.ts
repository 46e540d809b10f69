import type { AccountPath } from '../units/ids.ts';
import type { Decision } from './records.ts';

/** What the limits of an account that only report would have done to its calls. */
export type ShadowCount = {
  readonly account: AccountPath;
  /** Calls, branch by branch, that they were held against. */
  readonly judged: number;
  /** Refused by them, whatever became of the calls. */
  readonly refused: number;
  /** Of those the ones that went through. */
  readonly refusedAlone: number;
  /** Refused by what holds, and not by them. */
  readonly letThrough: number;
  /** Went on for longer than they would have let them. */
  readonly cut: number;
  /** Would have gone on per minute after an allotment. */
  readonly goneOn: number;
  /** By the limit's name, or the reason where no limit is behind it; the most frequent first. */
  readonly byLimit: readonly LimitCount[];
};

export type LimitCount = { readonly limit: string; readonly refused: number; readonly cut: number };

type Tally = {
  judged: number;
  refused: number;
  refusedAlone: number;
  letThrough: number;
  cut: number;
  goneOn: number;
  readonly limits: Map<string, { refused: number; cut: number }>;
};

/** Counts decisions of one kind, `shadow` or `dry_run`, account by account. What tells only of a price counts nothing. */
export async function countShadows(decisions: AsyncIterable<Decision>): Promise<readonly ShadowCount[]> {
  const tallies = new Map<AccountPath, Tally>();
  for await (const { account, verdict, reason, inputs } of decisions) {
    if (account === undefined || verdict === 'dry_run') continue;
    const tally = tallies.get(account) ?? createTally();
    tallies.set(account, tally);
    const name = typeof inputs['limit'] === 'string' && inputs['limit'] !== '' ? inputs['limit'] : reason;
    if (verdict === 'cut') {
      tally.cut += 1;
      limitOf(tally, name).cut += 1;
      continue;
    }
    if (verdict === 'continued') {
      tally.goneOn += 1;
      continue;
    }
    const wasRefused = inputs['really'] === 'refused';
    tally.judged += 1;
    if (verdict === 'refused') {
      tally.refused += 1;
      if (!wasRefused) tally.refusedAlone += 1;
      limitOf(tally, name).refused += 1;
    } else if (wasRefused) tally.letThrough += 1;
  }
  return [...tallies]
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .map(([account, { limits, ...counts }]) => ({ account, ...counts, byLimit: inOrder(limits) }));
}

function createTally(): Tally {
  return { judged: 0, refused: 0, refusedAlone: 0, letThrough: 0, cut: 0, goneOn: 0, limits: new Map() };
}

function limitOf({ limits }: Tally, name: string): { refused: number; cut: number } {
  const known = limits.get(name) ?? { refused: 0, cut: 0 };
  limits.set(name, known);
  return known;
}

function inOrder(limits: Tally['limits']): readonly LimitCount[] {
  return [...limits]
    .map(([limit, counts]) => ({ limit, ...counts }))
    .toSorted(
      (left, right) =>
        right.refused + right.cut - left.refused - left.cut || (left.limit < right.limit ? -1 : 1),
    );
}
