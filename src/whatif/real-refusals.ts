import type { Decision } from '../records/records.ts';
import type { LegUuid } from '../units/ids.ts';

/** What the other limits would have said of a call that was refused: `unknown` where its decision says too little. */
export type SecondVerdict = 'passes' | 'refused' | 'unknown';

/** Calls that were refused really, by one account's or route's limit. How long they would have been nobody knows. */
export type RefusalCount = {
  /** Empty where no account was behind it. */
  readonly holder: string;
  /** The limit's name, or the reason where no limit is behind it. */
  readonly limit: string;
  readonly calls: number;
  readonly again: Readonly<Record<SecondVerdict, number>>;
  /** The A-legs of the first of them. */
  readonly examples: readonly LegUuid[];
};

export type RefusalTally = {
  add(decision: Pick<Decision, 'aLeg' | 'reason' | 'inputs'>, verdict: SecondVerdict): void;
  /** The most frequent first. */
  report(): readonly RefusalCount[];
};

const EXAMPLES_MAX = 5;

type Row = Omit<RefusalCount, 'calls' | 'again' | 'examples'> & {
  calls: number;
  readonly again: Record<SecondVerdict, number>;
  readonly examples: LegUuid[];
};

export function createRefusalTally(): RefusalTally {
  const rows = new Map<string, Row>();
  return {
    add({ aLeg, reason, inputs }, verdict) {
      const holder = textOf(inputs['holder']);
      const limit = textOf(inputs['limit']) || reason;
      const key = `${holder} ${limit}`;
      const row = rows.get(key) ?? { holder, limit, calls: 0, again: nothing(), examples: [] };
      rows.set(key, row);
      row.calls += 1;
      row.again[verdict] += 1;
      if (row.examples.length < EXAMPLES_MAX && !row.examples.includes(aLeg)) row.examples.push(aLeg);
    },
    report: () =>
      [...rows.values()].toSorted(
        (a, b) => b.calls - a.calls || (`${a.holder} ${a.limit}` < `${b.holder} ${b.limit}` ? -1 : 1),
      ),
  };
}

function nothing(): Record<SecondVerdict, number> {
  return { passes: 0, refused: 0, unknown: 0 };
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
