import type { FundingPolicy } from '../admission/funding.ts';
import type { RefusalCause } from '../admission/refusal.ts';
import type { SecondsMode } from '../rating/quote.ts';

/** What the operator decided for the whole service; the configuration fills it in. */
export type ControllerPolicy = FundingPolicy & {
  readonly emergencyNumbers: readonly string[];
  /** A refused call is ended by Tollgate, or goes on so that the dialplan can play an announcement. */
  readonly refusal: 'end' | 'continue';
  readonly causes: Readonly<Record<RefusalCause, CauseAnswer>>;
  /** Legs that came by no gate (ruling 12). */
  readonly ungated: 'admit' | 'kill' | 'ignore';
  readonly onStoreDown: 'refuse' | 'allow';
  readonly seconds: SecondsMode;
  /** How long before its cutoff a leg is warned, and by what sound (DESIGN 6). */
  readonly warningSeconds: readonly number[];
  readonly warningSound: string;
  /** FreeSWITCH's own timer stands so long past the last second that could ever be funded (ruling 11). */
  readonly deadmanSlackSeconds: number;
  /** No timer of FreeSWITCH is set longer than this; a leg that talks on is looked at again before. */
  readonly deadmanSecondsMax: number;
};

/** `sipCode` and `reason` answer an unanswered A-leg; `cause` ends any other leg. */
export type CauseAnswer = { readonly sipCode: number; readonly reason: string; readonly cause: string };
