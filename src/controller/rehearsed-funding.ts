import { trunksBeyond, type TrunkUse } from '../accounts/trunks.ts';
import type { PayerRecord } from '../admission/leg-record.ts';
import {
  StoreUnavailableError,
  type HeldWallet,
  type LiveStore,
  type TakeRefusal,
  type WalletOpening,
} from '../admission/live-store.ts';
import type { FundingOption, HoldTake, SlotPlan, TrunkTake } from '../admission/plan.ts';
import { operate } from '../credit/operations.ts';
import { availableAt, fundsOf, type PayerLeg, type Wallet } from '../credit/wallet.ts';
import { commitmentOf } from '../rating/price.ts';
import { assert } from '../units/assert.ts';
import type { AccountPath } from '../units/ids.ts';
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
      readonly kind: 'flat_rate' | 'flat_rate_burst';
      readonly trunk: TrunkTake;
      /** The calls that are on its trunks already. */
      readonly inUse: TrunkUse;
    }
  /** Nobody prices the call, and that is allowed. */
  | { readonly kind: 'unpriced' }
  /** Not asked of the live store: known to be no way before. */
  | { readonly kind: 'closed'; readonly words: string };

/** What a rehearsal of the funding reads. */
export type FundingFigures = {
  readonly store: LiveStore;
  /** A wallet that the live store has not opened yet. */
  readonly loadWallet: (account: AccountPath) => Promise<WalletOpening | undefined>;
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
  readonly wallet: HeldWallet | undefined;
};

/** The script's verdict on who pays a leg, read instead of taken: the payers of one way first, then those of several. */
export async function judgeFunding(
  figures: FundingFigures,
  plan: SlotPlan,
  payers: readonly PayerRecord[],
): Promise<FundingVerdict> {
  const steps: FundingStep[] = [];
  const wallets: HeldWallet[] = [];
  const chosen: number[] = [];
  let refusal: TakeRefusal | undefined;
  let besides: readonly TakeRefusal[] = [];
  for (const payer of payers) {
    const hold = plan.holds.find(({ wallet }) => wallet === payer.wallet);
    const judged = await judgeMoney(figures, plan, payer, hold);
    const passes = judged.refusal === undefined;
    steps.push({ account: payer.account, way: judged.way, passes, chosen: passes });
    if (judged.wallet !== undefined) wallets.push(judged.wallet);
    refusal ??= judged.refusal;
  }
  for (const { payer: account, options, others } of plan.firstOf) {
    const judged: Judged[] = [];
    for (const option of options) judged.push(await judgeOption(figures, plan, option));
    const first = judged.findIndex((each) => each.refusal === undefined);
    for (const [index, { way, refusal: short }] of judged.entries()) {
      steps.push({ account, way, passes: short === undefined, chosen: index === first });
    }
    for (const words of others) {
      steps.push({ account, way: { kind: 'closed', words }, passes: false, chosen: false });
    }
    chosen.push(Math.max(0, first));
    const wallet = judged[first]?.wallet;
    if (wallet !== undefined) wallets.push(wallet);
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
    assert(part !== undefined && part.way !== 'per_minute', 'a trunk is taken as one');
    return await judgeTrunk(figures, part.way, take.trunk);
  }
  if (part?.way === 'per_minute') return await judgeMoney(figures, plan, part.payer, take?.hold);
  return { way: { kind: 'unpriced' }, refusal: undefined, wallet: undefined };
}

async function judgeTrunk(
  { store }: FundingFigures,
  kind: 'flat_rate' | 'flat_rate_burst',
  trunk: TrunkTake,
): Promise<Judged> {
  const { account, counter } = trunk;
  const { inboundCalls: inbound, outboundCalls: outbound } = await store.usage({
    kind: 'trunks',
    path: account,
  });
  const after = {
    inbound: inbound + (counter === 'inboundCalls' ? 1 : 0),
    outbound: outbound + (counter === 'outboundCalls' ? 1 : 0),
  };
  const trunks = {
    inbound: trunk.inbound ?? 'unlimited',
    outbound: trunk.outbound ?? 'unlimited',
    twoway: trunk.shared ?? 'unlimited',
    burst: 0,
  } as const;
  const isFull = trunksBeyond(trunks, after) > 0;
  return {
    way: { kind, trunk, inUse: { inbound, outbound } },
    refusal: isFull ? { kind: 'trunk', trunk, inbound, outbound } : undefined,
    wallet: undefined,
  };
}

async function judgeMoney(
  figures: FundingFigures,
  { legKey }: SlotPlan,
  payer: PayerRecord,
  hold: HoldTake | undefined,
): Promise<Judged> {
  if (hold === undefined) {
    return { way: { kind: 'money', payer, hold: undefined }, refusal: undefined, wallet: undefined };
  }
  const { wallet: account, terms } = hold;
  const wallet = await readWallet(figures, account);
  const available = availableAt(wallet, wallet.at);
  const leg: PayerLeg = { legKey, terms, state: { kind: 'held' } };
  const held = operate(wallet, { kind: 'hold', leg }, wallet.at);
  const needed = commitmentOf(terms, 1);
  return {
    way: { kind: 'money', payer, hold: { needed, available } },
    refusal: held.kind === 'done' ? undefined : { kind: 'credit', wallet: account, available, needed },
    wallet: { wallet: account, funds: fundsOf(wallet), availableAtLeast: available },
  };
}

async function readWallet({ store, loadWallet }: FundingFigures, account: AccountPath): Promise<Wallet> {
  const open = await store.readWallet(account);
  if (open !== undefined) return open;
  const opening = await loadWallet(account);
  if (opening === undefined) throw new StoreUnavailableError(`no wallet of ${account} in Redis or in SQL`);
  return { account, at: store.now(), legs: [], ...opening };
}
