import type { AccountLookup } from '../accounts/account-tree.ts';
import { nextToEnd, type Exhausted } from '../credit/exhaustion.ts';
import { operate, type WalletOperation } from '../credit/operations.ts';
import { isDryPool, meaningOf, refillRules } from '../credit/pools.ts';
import type { Wallet } from '../credit/wallet.ts';
import { assert } from '../units/assert.ts';
import { accountOf, type LegKey, type PoolId } from '../units/ids.ts';
import { ZERO_MICROS } from '../units/money.ts';
import type { EpochMs } from '../units/time.ts';
import type { Agenda } from './agenda.ts';

/** What is replayed: allotments and spend windows. Money that was talked away was there; a dry run pays nothing. */
export function isReplayed(pool: PoolId): boolean {
  const { kind } = meaningOf(pool);
  if (isDryPool(pool)) return false;
  return kind === 'allotment' || kind === 'spend';
}

/** Allotments and spend windows, by the limits of now; each is full when it is drawn on for the first time. */
export type Pools = {
  /** As the pool was left, or as it is given anew. */
  read(pool: PoolId, at: EpochMs): Wallet;
  /** Puts back what an operation has left, and looks at it again when somebody may run dry. */
  write(wallet: Wallet): void;
  operate(pool: PoolId, operation: WalletOperation, at: EpochMs): void;
  /** The leg's part here runs on whatever there is, also where it had ended. */
  runOn(pool: PoolId, legKey: LegKey, at: EpochMs): void;
};

export function createPools(
  accounts: Pick<AccountLookup, 'node'>,
  agenda: Agenda,
  onExhausted: (pool: PoolId, exhausted: Exhausted) => void,
): Pools {
  const wallets = new Map<PoolId, Wallet>();
  const looks = new Map<PoolId, EpochMs>();

  const read = (pool: PoolId, at: EpochMs): Wallet => {
    const known = wallets.get(pool);
    if (known !== undefined) return known;
    const rules = refillRules(pool, accounts.node(accountOf(pool))?.limits);
    assert(rules !== undefined, 'what is replayed is filled by the calendar');
    const { amount, endsAt } = rules.cycleAt(at);
    const empty = { credit: ZERO_MICROS, policy: 'unpaid', legs: [] } as const;
    return { account: pool, balance: amount, ...empty, at, refill: { ...rules, amount, endsAt } };
  };
  const write = (wallet: Wallet): void => {
    const { account: pool } = wallet;
    wallets.set(pool, wallet);
    const lookAt = nextLook(wallet);
    if (lookAt === undefined || looks.get(pool) === lookAt) return;
    looks.set(pool, lookAt);
    agenda.add('look', lookAt, (at) => {
      if (looks.get(pool) !== at) return;
      looks.delete(pool);
      pools.operate(pool, { kind: 'wait' }, at);
    });
  };
  const pools: Pools = {
    read,
    write,
    operate(pool, operation, at) {
      const operated = operate(read(pool, at), operation, at);
      assert(
        operated.kind === 'done' || operated.kind === 'settled',
        'only what may be refused is asked first',
      );
      write(operated.wallet);
      for (const exhausted of operated.exhausted) onExhausted(pool, exhausted);
    },
    runOn(pool, legKey, at) {
      const wallet = read(pool, at);
      const legs = wallet.legs.map((leg) => {
        if (leg.legKey !== legKey || leg.state.kind === 'held') return leg;
        const { answeredAt } = leg.state;
        return { ...leg, state: { kind: 'running', answeredAt }, isForced: true } as const;
      });
      write({ ...wallet, legs });
    },
  };
  return pools;
}

/** When somebody may run dry: at an instant that is known, or once the pool was filled anew. */
function nextLook(wallet: Wallet): EpochMs | undefined {
  const isWatched = wallet.legs.some(({ state, isForced }) => state.kind === 'running' && isForced !== true);
  return isWatched ? (nextToEnd(wallet)[0]?.endsAt ?? wallet.refill?.endsAt) : undefined;
}
