import type { Counter } from '../../src/admission/plan.ts';

/**
 * One row of the tables of this folder. Accounts are paths below `acme`, routes are names; a call is written
 * `acme/alice → carrier`, `trunk → acme/bob`, `acme/alice → acme/bob`.
 */
export type Case = {
  /** A sentence about what is wanted. */
  readonly title: string;
  readonly accounts: Readonly<Record<string, AccountSpec>>;
  readonly routes?: Readonly<Record<string, Limits>>;
  readonly steps: readonly Step[];
};

export type Limits = Readonly<Record<string, unknown>>;

/** The operator's limits beside what else an account has. */
export type AccountSpec = Limits & {
  readonly wallet?: string;
  readonly tariff?: string;
  readonly customer?: Limits;
  readonly balance?: string;
  /** Of a root: how its numbers are dialled and what they are called. */
  readonly numbering?: Limits;
};

export type Step =
  /** A call and what becomes of it: `rings`, or `503 calls of acme/alice`. Calls stay up. */
  | readonly [call: Call, verdict: string]
  /** Calls placed at one moment, and how many of them end in which way. */
  | { readonly together: readonly Call[]; readonly verdicts: Readonly<Record<string, number>> }
  /** The call placed as the n-th ends. */
  | { readonly hangUp: number }
  /** The operator changes an account or a route while calls run. */
  | { readonly set: string; readonly to: AccountSpec }
  | { readonly setRoute: string; readonly to: Limits }
  | { readonly pay: string; readonly amount: string }
  /** What is counted now; all other counters are 0. */
  | { readonly use: string; readonly is: Readonly<Partial<Record<Counter, number>>> }
  /** How the decision on the n-th call is named. */
  | { readonly decision: string; readonly of: number };

export type Call =
  /** `FROM → TO`, with a number or a forwarding where it matters: `acme/alice → carrier at 112`. */
  | string
  /** Dialled to several at once, by the caller or, where it `forwards`, by the account that was called. */
  | { readonly call: string; readonly fork: readonly string[]; readonly forwards?: boolean };

/** So many times the same step. */
export function times(count: number, step: Step): readonly Step[] {
  return Array.from({ length: count }, () => step);
}
