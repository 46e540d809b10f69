import type { TakeRefusal } from '../admission/live-store.ts';
import {
  trunksOf,
  type FundingOption,
  type HolderTakes,
  type HoldTake,
  type Plan,
  type TrunkTake,
} from '../admission/plan.ts';
import { isTrunkFull } from '../admission/trunk-funding.ts';
import { operate } from '../credit/operations.ts';
import type { Wallet } from '../credit/wallet.ts';
import { assert } from '../units/assert.ts';
import type { LegKey, PoolId } from '../units/ids.ts';
import type { EpochMs } from '../units/time.ts';
import type { Counts } from './counts.ts';
import { isReplayed, type Pools } from './pools.ts';

export type ReplayState = { readonly counts: Counts; readonly pools: Pools };

export type PlanTaken =
  | {
      readonly kind: 'taken';
      /** Of each payer that has several ways the one taken. */
      readonly chosen: readonly number[];
      /** All that it is counted by, trunks included. */
      readonly takes: readonly HolderTakes[];
      /** With what it holds of them; they are not put back yet. */
      readonly wallets: readonly Wallet[];
    }
  | { readonly kind: 'refused'; readonly refusal: TakeRefusal };

/** What the store's script does, to the state of a replay: all of the plan or none of it. Nothing is changed yet. */
export function takePlan(
  state: ReplayState,
  { home, others }: Plan,
  { at, isCounted }: { readonly at: EpochMs; readonly isCounted: boolean },
): PlanTaken {
  const { counts } = state;
  const full = isCounted ? counts.refusalOf(home.takes, at) : undefined;
  if (full !== undefined) return { kind: 'refused', refusal: full };
  const staged = new Map<PoolId, Wallet>();
  const trunks: HolderTakes[] = [];
  const chosen: number[] = [];
  const leg = { legKey: home.legKey, at };
  const short = tryHolds(state, staged, home.holds, leg);
  if (short !== undefined) return { kind: 'refused', refusal: short };
  for (const { options } of home.firstOf) {
    let refusal: TakeRefusal | undefined;
    const way = options.findIndex((option) => {
      refusal = tryOption(state, staged, trunks, option, leg);
      return refusal === undefined;
    });
    if (way === -1) {
      assert(refusal !== undefined, 'a payer who pays in no way has none or was refused');
      return { kind: 'refused', refusal };
    }
    chosen.push(way);
  }
  const elsewhere = others.flatMap(({ takes }) => takes);
  const fullElsewhere = isCounted ? counts.refusalOf(elsewhere, at) : undefined;
  if (fullElsewhere !== undefined) return { kind: 'refused', refusal: fullElsewhere };
  const takes = [...home.takes, ...elsewhere, ...trunks];
  return { kind: 'taken', chosen, takes, wallets: [...staged.values()] };
}

type Leg = { readonly legKey: LegKey; readonly at: EpochMs };

function tryOption(
  state: ReplayState,
  staged: Map<PoolId, Wallet>,
  trunks: HolderTakes[],
  { take }: FundingOption,
  leg: Leg,
): TakeRefusal | undefined {
  if (take === undefined) return undefined;
  if (take.kind === 'holds') return tryHolds(state, staged, take.holds, leg);
  const { trunk } = take;
  const takes = trunkTakes(trunk);
  const { inboundCalls: inbound, outboundCalls: outbound } = state.counts.useOf(takes.holder);
  if (isTrunkFull(trunk, { inbound, outbound })) return { kind: 'trunk', trunk, inbound, outbound };
  trunks.push(takes);
  return undefined;
}

/** A call more on the trunks of an account. */
export function trunkTakes({
  account,
  counter,
  isDryRun,
}: Pick<TrunkTake, 'account' | 'counter' | 'isDryRun'>): HolderTakes {
  const holder = trunksOf({ account, ...(isDryRun && { isDryRun }) });
  return { holder, counts: [{ counter, bound: undefined }], perSecond: undefined };
}

/** All of them, or what is short. */
function tryHolds(
  { pools }: ReplayState,
  staged: Map<PoolId, Wallet>,
  holds: readonly HoldTake[],
  { legKey, at }: Leg,
): TakeRefusal | undefined {
  const after: Wallet[] = [];
  for (const { wallet: pool, terms, amount, isForced } of holds) {
    if (!isReplayed(pool)) continue;
    const state = { kind: 'held', ...(amount !== undefined && { amount }) } as const;
    const leg = { legKey, terms, state, ...(isForced && { isForced }) };
    const operated = operate(staged.get(pool) ?? pools.read(pool, at), { kind: 'hold', leg }, at);
    if (operated.kind === 'unaffordable') {
      const { available, needed } = operated;
      return { kind: 'credit', wallet: pool, available, needed };
    }
    assert(operated.kind === 'done', 'a hold is done or unaffordable');
    after.push(operated.wallet);
  }
  for (const wallet of after) staged.set(wallet.account, wallet);
  return undefined;
}
