import type { AccountLookup, AccountNode } from '../accounts/account-tree.ts';
import { usedUpBy } from '../accounts/allotment-use.ts';
import type { Allotments } from '../accounts/limits.ts';
import type { WalletOpening } from '../admission/live-store.ts';
import { usedSince, type FinishedTalk } from '../credit/pool-use.ts';
import {
  allotmentTerms,
  isDryPool,
  meaningOf,
  refillRules,
  shadowCounting,
  type PoolLimits,
  type PoolMeaning,
  type RefillRules,
} from '../credit/pools.ts';
import type { PaidPart, RecordReader } from '../records/record-store.ts';
import type { Charge } from '../records/records.ts';
import { walletSettingsOf } from '../state/wallet-settings.ts';
import { accountOf, type PoolId } from '../units/ids.ts';
import { toMicros, ZERO_MICROS, type Micros } from '../units/money.ts';
import type { Clock, EpochMs } from '../units/time.ts';

type Reader = Pick<RecordReader, 'toldBalance' | 'paidSince'>;

/** What the live store is told of pools: how they are filled, and what is in one that Redis does not have. */
export type Pools = {
  readonly refillRules: (pool: PoolId) => RefillRules | undefined;
  /** Undefined where there is none to open. */
  readonly loadWallet: (pool: PoolId) => Promise<WalletOpening | undefined>;
};

export function createPools(records: Reader, accounts: () => AccountLookup, clock: Clock): Pools {
  const rulesOf = (pool: PoolId): RefillRules | undefined =>
    refillRules(pool, limitsOf(pool, accounts().node(accountOf(pool))));
  return {
    refillRules: rulesOf,
    async loadWallet(pool) {
      const account = accountOf(pool);
      const node = accounts().node(account);
      const meaning = meaningOf(pool);
      if (node === undefined) return undefined;
      if (meaning.kind === 'money') {
        const currency = node.account.walletCurrency;
        if (currency === undefined) return undefined;
        const balance = await records.toldBalance(account, currency);
        return { balance, ...walletSettingsOf(node) };
      }
      const rules = rulesOf(pool);
      if (rules === undefined) return undefined;
      const { amount, startsAt, endsAt } = rules.cycleAt(clock());
      const filled = { credit: ZERO_MICROS, policy: 'unpaid', refill: { amount, endsAt } } as const;
      // What a dry run has used is on no record, nor what a shadow document has counted.
      if (isDryPool(pool) || shadowCounting(pool) !== undefined) return { balance: amount, ...filled };
      const paid = await records.paidSince(account, startsAt);
      const used = usedOf(pool, paid, { allotments: node.limits.allotments, counts: rules.counts, startsAt });
      const balance = toMicros(amount - used);
      return { balance, ...filled };
    },
  };
}

/** Those by which a pool is filled; undefined: nobody's any more. */
function limitsOf(pool: PoolId, node: AccountNode | undefined): PoolLimits | undefined {
  const countedAs = shadowCounting(pool);
  if (countedAs === undefined) return node?.limits;
  return node?.shadow?.countedAs === countedAs ? node.shadow.limits : undefined;
}

/** What the charges of a payer have used of one of its pools in the cycle that began then. */
export function usedOf(
  pool: PoolId,
  paid: readonly PaidPart[],
  cycle: {
    readonly allotments: Allotments;
    readonly counts: RefillRules['counts'];
    readonly startsAt: EpochMs;
  },
): Micros {
  const { allotments, counts, startsAt } = cycle;
  const talks = paid.flatMap((part) => talkOf(part, meaningOf(pool), allotments));
  return usedSince(talks, counts, startsAt);
}

/** What a charge draws from a pool of its payer, if it does. */
function talkOf(
  { charge, talkedFrom }: PaidPart,
  meaning: PoolMeaning,
  allotments: Allotments,
): readonly FinishedTalk[] {
  const { billedSeconds } = charge;
  const terms = termsIn(charge, meaning, allotments);
  return terms === undefined ? [] : [{ terms, answeredAt: talkedFrom, billedSeconds }];
}

function termsIn(
  charge: Charge,
  meaning: PoolMeaning,
  allotments: Allotments,
): FinishedTalk['terms'] | undefined {
  if (meaning.kind === 'spend') return charge.way === 'per_minute' ? charge.terms : undefined;
  if (meaning.kind !== 'allotment' || charge.way !== 'allotment') return undefined;
  if (!usedUpBy(allotments, charge.allotment).includes(meaning.name)) return undefined;
  return allotmentTerms(charge.pulses);
}
