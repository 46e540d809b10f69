import type { Unrated } from '../charging/finished-call.ts';
import type { Cdr, Charge, Transfer } from '../records/records.ts';
import type { AccountPath } from '../units/ids.ts';
import type { ImportVerdict } from './import-verdict.ts';
import type { OpenLeg } from './switch-cdr-store.ts';
import type { PlacedCdr } from './switch-cdr.ts';

/** One thing in which FreeSWITCH's record, ours, and the tariffs do not agree. */
export type Difference =
  /** A leg that is to be charged, and of which we know nothing. */
  | { readonly kind: 'freeswitch_only'; readonly open: OpenLeg; readonly verdict: ImportVerdict }
  | { readonly kind: 'tollgate_only'; readonly cdr: Cdr }
  | {
      readonly kind: 'duration_differs' | 'answer_differs';
      readonly cdr: Cdr;
      readonly theirs: PlacedCdr;
    }
  /** The tariff in force at the admission gives another price. All segments of one payer. */
  | {
      readonly kind: 'charge_differs';
      readonly cdr: Cdr;
      readonly payer: AccountPath;
      readonly before: readonly Charge[];
      readonly after: readonly Charge[];
    }
  /** The tariff in force at the admission gives no price at all, and what was charged stands. */
  | {
      readonly kind: 'charge_unrated';
      readonly cdr: Cdr;
      readonly payer: AccountPath;
      readonly before: readonly Charge[];
      readonly reason: Unrated['reason'];
    }
  /** It would cost something, and this payer was not charged. */
  | {
      readonly kind: 'charge_missing';
      readonly cdr: Cdr;
      readonly payer: AccountPath;
      readonly after: readonly Charge[];
    }
  | { readonly kind: 'charge_without_transfer'; readonly cdr: Cdr; readonly charge: Charge }
  | { readonly kind: 'transfer_without_charge'; readonly transfer: Transfer };

export type DifferenceKind = Difference['kind'];

/** What is no difference, and yet worth telling: how often. */
export type Remark =
  /** `billsec` is off by one against the exact duration: two floored clocks. */
  | 'billsec_off'
  /** A leg of FreeSWITCH alone, of which its file does not tell whether it is charged. */
  | 'undetermined'
  /** Ended a moment ago: one side may not have it yet. */
  | 'recent';

export type Reconciled =
  | { readonly kind: 'difference'; readonly difference: Difference }
  | { readonly kind: 'remark'; readonly remark: Remark }
  /** So many legs that have been looked at, ours or theirs. */
  | { readonly kind: 'looked'; readonly legs: number };
