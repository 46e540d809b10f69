import type { LegFacts } from './switch-event.ts';

/** One call asking at a gate. The same question whichever way it came. */
export type GateRequest = {
  readonly via: 'socket' | 'park';
  readonly leg: LegFacts;
};

/** What the gate does with the call: variables out, then one verb. */
export type GateAnswer = {
  readonly variables: ReadonlyMap<string, string>;
  readonly verb:
    | { readonly kind: 'continue' }
    /** Ends an unanswered A-leg by `respond`, or an answered one by `hangup`. */
    | {
        readonly kind: 'refuse';
        readonly sipCode: number;
        readonly sipReason: string;
        readonly cause: string;
      }
    | { readonly kind: 'bridge'; readonly dialString: string };
};

/** A gate asks; the controller answers within its time, or rejects, and the gate then fails as configured. */
export type GateKeeper = (request: GateRequest) => Promise<GateAnswer>;
