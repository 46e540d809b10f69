import { meaningOf, microsToSeconds } from '../credit/pools.ts';
import { accountOf, type AccountPath } from '../units/ids.ts';
import { formatMicros } from '../units/money.ts';
import type { TakeRefusal } from './live-store.ts';
import { holderName, type Counter, type Holder } from './plan.ts';

/** What kind of answer a refusal gets; the causes are one configured table (DESIGN 4). */
export type RefusalCause = 'concurrency' | 'busy' | 'rate' | 'credit' | 'barred' | 'storeDown';

/** Why a call may not go through, with the numbers that explain it. A value, never an error. */
export type Refusal = {
  readonly reason: RefusalReason;
  readonly cause: RefusalCause;
  /** The limit's name as in the account document; empty where no limit is behind it. */
  readonly limit: string;
  /** The account or route that refused; empty where none did. */
  readonly holder: string;
  /** Words for a customer-care person. */
  readonly words: string;
  readonly figures: Readonly<Record<string, string | number>>;
};

export type RefusalReason =
  | 'no_account'
  | 'unknown_account'
  | 'bad_destination'
  | 'bad_route'
  | 'bad_variable'
  | 'limit_reached'
  | 'too_many_calls_per_second'
  | 'no_credit'
  | 'no_wallet'
  | 'no_payer'
  | 'no_rate'
  | 'no_trunk'
  | 'no_allotment'
  | 'no_time'
  | 'spend_limit'
  | 'currency_differs'
  | 'store_down';

/** The script's refusal in words. A limit of the called side is a busy callee. */
export function explainTakeRefusal(refusal: TakeRefusal, calledSide: (holder: string) => boolean): Refusal {
  switch (refusal.kind) {
    case 'count': {
      const { bound, inUse, counter } = refusal;
      const { holder, limit, used } = inWords(refusal.holder, counter);
      const cause = calledSide(holder) ? 'busy' : 'concurrency';
      const words = `${holder} has ${inUse} of ${bound} ${used} in use`;
      return { reason: 'limit_reached', cause, limit, holder, words, figures: { bound, inUse } };
    }
    case 'rate': {
      const { bound, inUse } = refusal;
      const holder = holderName(refusal.holder);
      const words = `${holder} has admitted ${inUse} calls within a second; ${bound} are allowed`;
      return {
        reason: 'too_many_calls_per_second',
        cause: 'rate',
        limit: 'callsPerSecond',
        holder,
        words,
        figures: { bound, inUse },
      };
    }
    case 'trunk': {
      const { trunk, inbound, outbound } = refusal;
      const words = `${trunk.account} has ${inbound} inbound and ${outbound} outbound calls on its trunks, and none is free`;
      return {
        reason: 'no_trunk',
        cause: 'credit',
        limit: 'trunks',
        holder: trunk.account,
        words,
        figures: {
          inbound,
          outbound,
          inboundTrunks: trunk.inbound ?? 'unlimited',
          outboundTrunks: trunk.outbound ?? 'unlimited',
          sharedTrunks: trunk.shared ?? 'unlimited',
        },
      };
    }
    case 'credit':
      return explainShortage(refusal);
  }
}

/** What has run out: money, seconds of an allotment, or what may be spent in a window of the calendar. */
function explainShortage(refusal: Extract<TakeRefusal, { readonly kind: 'credit' }>): Refusal {
  const { wallet } = refusal;
  const holder = accountOf(wallet);
  const meaning = meaningOf(wallet);
  switch (meaning.kind) {
    case 'allotment': {
      const left = microsToSeconds(refusal.available);
      const needed = microsToSeconds(refusal.needed);
      const words = `the allotment ${meaning.name} of ${holder} has ${left} s left; the call needs ${needed} s to begin`;
      const figures = { left, needed, allotment: meaning.name };
      return { reason: 'no_allotment', cause: 'credit', limit: 'allotments', holder, words, figures };
    }
    case 'spend': {
      const available = formatMicros(refusal.available);
      const needed = formatMicros(refusal.needed);
      const words = `${holder} may spend ${available} more this ${meaning.window}; the call needs ${needed} to begin`;
      const figures = { available, needed, window: meaning.window };
      return { reason: 'spend_limit', cause: 'credit', limit: 'maxSpend', holder, words, figures };
    }
    case 'time': {
      const left = microsToSeconds(refusal.available);
      const words = `${holder} has ${left} s of talk left for all calls; the call needs 1 s to begin`;
      return { reason: 'no_time', cause: 'credit', limit: 'max_time', holder, words, figures: { left } };
    }
    case 'money': {
      const available = formatMicros(refusal.available);
      const needed = formatMicros(refusal.needed);
      const words = `${holder} has ${available} available; the call needs ${needed} to begin`;
      return {
        reason: 'no_credit',
        cause: 'credit',
        limit: 'credit',
        holder,
        words,
        figures: { available, needed },
      };
    }
  }
}

/** A limit of one number is its account's. */
function inWords(
  holder: Holder,
  counter: Counter,
): { readonly holder: string; readonly limit: string; readonly used: string } {
  if (holder.kind !== 'number') return { holder: holderName(holder), limit: counter, used: counter };
  return { holder: holder.path, limit: 'perNumber', used: `calls to ${holder.number}` };
}

export function refuse(
  reason: RefusalReason,
  cause: RefusalCause,
  holder: AccountPath | '',
  words: string,
  limit = '',
): Refusal {
  return { reason, cause, limit, holder, words, figures: {} };
}
