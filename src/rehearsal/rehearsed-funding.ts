import type { TrunkUse } from '../accounts/trunks.ts';
import type { AllotmentRecord, LegRecord, PayerRecord } from '../admission/leg-record.ts';
import {
  StoreUnavailableError,
  type HeldWallet,
  type LiveStore,
  type TakeRefusal,
  type WalletOpening,
} from '../admission/live-store.ts';
import {
  trunksOf,
  type FundingOption,
  type HoldTake,
  type SlotPlan,
  type TrunkTake,
} from '../admission/plan.ts';
import { isTrunkFull } from '../admission/trunk-funding.ts';
import { emptyPool, raisedTo } from '../credit/opened.ts';
import { operate } from '../credit/operations.ts';
import type { RefillRules } from '../credit/pools.ts';
import { availableAt, fundsOf, heldAmount, type PayerLeg, type Wallet } from '../credit/wallet.ts';
import { assert } from '../units/assert.ts';
import { accountOf, type AccountPath, type PoolId } from '../units/ids.ts';
import type { Micros } from '../units/money.ts';

/** One way in which an account could pay. */
export type FundingStep = {
  readonly account: AccountPath;
  readonly way: FundingWay;
  readonly passes: boolean;
  /** The first of its account's ways that can be taken: the one that is. */
  readonly chosen: boolean;
};

export type FundingWay =
  | {
      readonly kind: 'money';
      readonly payer: PayerRecord;
      /** Surcharge and first pulse against the wallet; undefined where nothing is held. */
      readonly hold: { readonly needed: Micros; readonly available: Micros } | undefined;
    }
  | {
      readonly kind: 'allotment';
      readonly allotment: AllotmentRecord;
      /** Seconds in micros, against what is left in the present cycle. */
      readonly hold: { readonly needed: Micros; readonly available: Micros };
    }
  | {
      readonly kind: 'flat_rate' | 'flat_rate_burst';
      readonly trunk: TrunkTake;
      /** The calls that are on its trunks already. */
      readonly inUse: TrunkUse;
    }
  /** The seconds that its customer's calls share, beside whatever pays. */
  | { readonly kind: 'time'; readonly hold: { readonly needed: Micros; readonly available: Micros } }
  /** Nobody prices the call, and that is allowed. */
  | { readonly kind: 'unpriced' }
  /** Not asked of the live store: known to be no way before. */
  | { readonly kind: 'closed'; readonly words: string };

/** What a rehearsal of the funding reads. */
export type FundingFigures = {
  readonly store: LiveStore;
  /** A wallet that the live store has not opened yet. */
  readonly loadWallet: (pool: PoolId) => Promise<WalletOpening | undefined>;
  /** How a pool that was not opened yet is filled. */
  readonly refillRules: (pool: PoolId) => RefillRules | undefined;
};

export type FundingVerdict = {
  readonly steps: readonly FundingStep[];
  readonly wallets: readonly HeldWallet[];
  /** Of each payer with several ways the one taken, as a take tells it. */
  readonly chosen: readonly number[];
  readonly refusal: TakeRefusal | undefined;
  /** Why the ways before the last could not be taken either, as a take tells it. */
  readonly besides: readonly TakeRefusal[];
};

type Judged = {
  readonly way: FundingWay;
  readonly refusal: TakeRefusal | undefined;
  readonly wallets: readonly HeldWallet[];
};

/** The script's verdict on who pays a leg, read instead of taken: the payers of one way first, then those of several. */
export async function judgeFunding(
  figures: FundingFigures,
  plan: SlotPlan,
  record: Pick<LegRecord, 'payers' | 'allotments' | 'time'> = { payers: [], allotments: [] },
): Promise<FundingVerdict> {
  const steps: FundingStep[] = [];
  const wallets: HeldWallet[] = [];
  const chosen: number[] = [];
  let refusal: TakeRefusal | undefined;
  let besides: readonly TakeRefusal[] = [];
  const judgeOnly = async (account: AccountPath, judging: Promise<Judged>): Promise<void> => {
    const judged = await judging;
    const passes = judged.refusal === undefined;
    steps.push({ account, way: judged.way, passes, chosen: passes });
    wallets.push(...judged.wallets);
    refusal ??= judged.refusal;
  };
  const heldBy = (pools: readonly PoolId[]): readonly HoldTake[] =>
    plan.holds.filter(({ wallet }) => pools.includes(wallet));
  for (const payer of record.payers) {
    const holds = heldBy([payer.wallet, ...(payer.windows ?? [])]);
    await judgeOnly(payer.account, judgeMoney(figures, plan, payer, holds));
  }
  for (const allotment of record.allotments) {
    const holds = heldBy([allotment.pool]);
    await judgeOnly(allotment.account, judgeAllotment(figures, plan, allotment, holds));
  }
  const { time } = record;
  if (time !== undefined) await judgeOnly(time.account, judgeTime(figures, plan, heldBy([time.pool])));
  for (const { payer: account, options, others, isDryRun } of plan.firstOf) {
    const judged: Judged[] = [];
    for (const option of options) judged.push(await judgeOption(figures, plan, option));
    const first = judged.findIndex((each) => each.refusal === undefined);
    for (const [index, { way, refusal: short }] of judged.entries()) {
      // What a dry run says is told apart.
      if (isDryRun === true) break;
      steps.push({ account, way, passes: short === undefined, chosen: index === first });
    }
    for (const words of others) {
      steps.push({ account, way: { kind: 'closed', words }, passes: false, chosen: false });
    }
    chosen.push(Math.max(0, first));
    wallets.push(...(judged[first]?.wallets ?? []));
    // Of several ways it is the last one whose want is told.
    if (first < 0 && refusal === undefined) {
      const refusals = judged.flatMap((each) => each.refusal ?? []);
      refusal = refusals.at(-1);
      besides = refusals.slice(0, -1);
    }
  }
  return { steps, wallets, chosen, refusal, besides };
}

async function judgeOption(
  figures: FundingFigures,
  plan: SlotPlan,
  { take, part }: FundingOption,
): Promise<Judged> {
  if (take?.kind === 'trunk') {
    assert(part?.way === 'flat_rate' || part?.way === 'flat_rate_burst', 'a trunk is taken as one');
    return await judgeTrunk(figures, part.way, take.trunk);
  }
  const holds = take?.holds ?? [];
  if (part?.way === 'per_minute') return await judgeMoney(figures, plan, part.payer, holds);
  if (part?.way === 'allotment') return await judgeAllotment(figures, plan, part.allotment, holds);
  return { way: { kind: 'unpriced' }, refusal: undefined, wallets: [] };
}

async function judgeTrunk(
  { store }: FundingFigures,
  kind: 'flat_rate' | 'flat_rate_burst',
  trunk: TrunkTake,
): Promise<Judged> {
  const { inboundCalls: inbound, outboundCalls: outbound } = await store.usage(trunksOf(trunk));
  const inUse = { inbound, outbound };
  return {
    way: { kind, trunk, inUse },
    refusal: isTrunkFull(trunk, inUse) ? { kind: 'trunk', trunk, ...inUse } : undefined,
    wallets: [],
  };
}

async function judgeMoney(
  figures: FundingFigures,
  plan: SlotPlan,
  payer: PayerRecord,
  holds: readonly HoldTake[],
): Promise<Judged> {
  const held = await judgeHolds(figures, plan, holds);
  const { refusal, wallets, first } = held;
  return { way: { kind: 'money', payer, hold: first }, refusal, wallets };
}

async function judgeAllotment(
  figures: FundingFigures,
  plan: SlotPlan,
  allotment: AllotmentRecord,
  holds: readonly HoldTake[],
): Promise<Judged> {
  const { refusal, wallets, first } = await judgeHolds(figures, plan, holds);
  assert(first !== undefined, 'an allotment is held');
  return { way: { kind: 'allotment', allotment, hold: first }, refusal, wallets };
}

async function judgeTime(
  figures: FundingFigures,
  plan: SlotPlan,
  holds: readonly HoldTake[],
): Promise<Judged> {
  const { refusal, wallets, first } = await judgeHolds(figures, plan, holds);
  assert(first !== undefined, 'seconds are held');
  return { way: { kind: 'time', hold: first }, refusal, wallets };
}

type JudgedHolds = {
  /** Of the first of them that is short, else of the first. */
  readonly first: { readonly needed: Micros; readonly available: Micros } | undefined;
  readonly refusal: TakeRefusal | undefined;
  readonly wallets: readonly HeldWallet[];
};

/** All of them or none: the first that is short says why. */
async function judgeHolds(
  figures: FundingFigures,
  { legKey }: SlotPlan,
  holds: readonly HoldTake[],
): Promise<JudgedHolds> {
  const wallets: HeldWallet[] = [];
  let first: JudgedHolds['first'];
  for (const hold of holds) {
    const { wallet: pool, terms, amount, isForced } = hold;
    const wallet = await readWallet(figures, hold);
    const available = availableAt(wallet, wallet.at);
    const leg: PayerLeg = {
      legKey,
      terms,
      state: amount === undefined ? { kind: 'held' } : { kind: 'held', amount },
      ...(isForced && { isForced }),
    };
    const needed = heldAmount(leg);
    const held = operate(wallet, { kind: 'hold', leg }, wallet.at);
    if (held.kind !== 'done') {
      const refusal = { kind: 'credit', wallet: pool, available, needed } as const;
      return { first: { needed, available }, refusal, wallets: [] };
    }
    first ??= { needed, available };
    const { balance } = wallet;
    wallets.push({ wallet: pool, funds: fundsOf(wallet), availableAtLeast: available, balance });
  }
  return { first, refusal: undefined, wallets };
}

async function readWallet(
  figures: FundingFigures,
  { wallet: account, opening: customers }: HoldTake,
): Promise<Wallet> {
  const { store, loadWallet, refillRules } = figures;
  const open = await store.readWallet(account);
  if (customers !== undefined) {
    const at = open?.at ?? store.now();
    const isLost = open === undefined && customers.currency !== undefined;
    const lost = isLost ? await store.lostPool(accountOf(account)) : undefined;
    const pool = {
      ...emptyPool(account, '', at),
      ...(lost && { balance: lost.balance, opened: lost.opened }),
    };
    return raisedTo(open ?? pool, customers.amount, at);
  }
  if (open !== undefined) return open;
  const opening = await loadWallet(account);
  if (opening === undefined) throw new StoreUnavailableError(`no wallet of ${account} in Redis or in SQL`);
  const { balance, credit, policy, refill } = opening;
  const rules = refillRules(account);
  return {
    account,
    at: store.now(),
    legs: [],
    balance,
    credit,
    policy,
    ...(refill && rules && { refill: { ...rules, ...refill } }),
  };
}
