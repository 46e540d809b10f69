import type {
  CountOutcome,
  HeldWallet,
  TakeOutcome,
  TakeRefusal,
  TakeRefused,
} from '../admission/live-store.ts';
import {
  COUNTERS,
  trunksOf,
  type Counter,
  type FundingOption,
  type HolderUse,
  type HoldTake,
  type SlotPlan,
} from '../admission/plan.ts';
import { assert } from '../units/assert.ts';
import type { PoolId } from '../units/ids.ts';
import { toMicros } from '../units/money.ts';
import { toEpochMs } from '../units/time.ts';
import { parseRecord } from '../live-text/record-text.ts';
import type { StoreContext } from './store-context.ts';

/** What the script says of a plan that it could decide. `short`: why wallets of it were known to be none for this leg. */
export function parseTakeReply(
  context: Pick<StoreContext, 'reportDue'>,
  plan: SlotPlan,
  reply: readonly unknown[],
  short: ReadonlyMap<PoolId, TakeRefusal>,
): TakeOutcome {
  const [kind, ...rest] = reply;
  switch (kind) {
    case 'taken':
      return parseTaken(context, plan, rest);
    case 'already': {
      const [text, channel] = rest as [string, string];
      return { kind: 'already', record: parseRecord({ legKey: plan.legKey, text, channel }) };
    }
    case 'full':
      return parseFull(plan, rest);
    case 'unfunded':
      return parseUnfunded(plan, rest, short);
    default:
      assert(false, `take answered ${JSON.stringify(reply)}`);
  }
}

/** What the script says of a plan of which nobody pays. */
export function parseCountReply(plan: SlotPlan, reply: unknown): CountOutcome {
  if (typeof reply === 'string') return { kind: 'counted', uses: parseUses(plan, reply) };
  const [kind, ...rest] = reply as readonly unknown[];
  if (kind === 'already') return { kind };
  assert(kind === 'full', `count answered ${JSON.stringify(reply)}`);
  return parseFull(plan, rest);
}

function parseFull(plan: SlotPlan, rest: readonly unknown[]): TakeRefused {
  const [uses, position, index, bound, inUse] = rest;
  const holder = holderAt(plan, position);
  const counter = COUNTERS[Number(index) - 1];
  const numbers = { bound: Number(bound), inUse: Number(inUse) };
  const refusal: TakeRefusal =
    counter === undefined
      ? { kind: 'rate', holder, ...numbers }
      : { kind: 'count', holder, counter, ...numbers };
  return { kind: 'refused', refusal, uses: parseUses(plan, uses) };
}

type TakenWallet = readonly [due: string, funds: string, available: string, balance: string];

function parseTaken(
  context: Pick<StoreContext, 'reportDue'>,
  plan: SlotPlan,
  rest: readonly unknown[],
): TakeOutcome {
  const [at, options, uses, trunks, ...wallets] = rest as [
    string,
    readonly number[],
    string,
    string,
    ...TakenWallet[],
  ];
  const chosen = options.map((option) => option - 1);
  const ways = plan.firstOf.flatMap((payer, index) => payer.options[chosen[index] ?? 0] ?? []);
  const holds = [...plan.holds, ...ways.flatMap(holdsOf)];
  const heldWallets = wallets.map(([due, funds, available, balance], index): HeldWallet => {
    const wallet = holds[index]?.wallet;
    assert(wallet !== undefined, 'a reply per hold');
    context.reportDue(wallet, due);
    return {
      wallet,
      funds: toMicros(BigInt(funds)),
      availableAtLeast: toMicros(BigInt(available)),
      balance: toMicros(BigInt(balance)),
    };
  });
  const seen = [...parseUses(plan, uses), ...parseTrunks(plan, trunks)];
  return { kind: 'taken', at: toEpochMs(Number(at)), wallets: heldWallets, chosen, uses: seen };
}

/** Why none of a payer's ways could be taken: the last one's reason first. */
function parseUnfunded(
  plan: SlotPlan,
  rest: readonly unknown[],
  short: ReadonlyMap<PoolId, TakeRefusal>,
): TakeOutcome {
  const [uses, payer, inbound, outbound] = rest;
  const refusals = (plan.firstOf[Number(payer) - 1]?.options ?? []).flatMap(
    ({ take }): readonly TakeRefusal[] => {
      // The first of its wallets that is short says why.
      if (take?.kind === 'holds')
        return take.holds.flatMap(({ wallet }) => short.get(wallet) ?? []).slice(0, 1);
      if (take === undefined) return [];
      return [{ kind: 'trunk', trunk: take.trunk, inbound: Number(inbound), outbound: Number(outbound) }];
    },
  );
  const refusal = refusals.at(-1);
  assert(refusal !== undefined, 'a payer without a way had ways to refuse');
  return { kind: 'refused', refusal, besides: refusals.slice(0, -1), uses: parseUses(plan, uses) };
}

/** Of as many holders as were looked at, in the plan's order. */
export function parseUses({ takes }: SlotPlan, text: unknown): readonly HolderUse[] {
  if (typeof text !== 'string' || takes.length === 0) return [];
  return text.split(';').flatMap((each, index): readonly HolderUse[] => {
    const holder = takes[index]?.holder;
    if (holder === undefined) return [];
    const [counts = '', recent] = each.split('/');
    return [{ holder, before: countsOf(counts), recent: recent === undefined ? undefined : Number(recent) }];
  });
}

/** Trunks that were asked for by one of their account's ways to pay. */
function parseTrunks({ firstOf }: SlotPlan, text: string): readonly HolderUse[] {
  if (firstOf.length === 0) return [];
  return text.split(';').flatMap((each, index): readonly HolderUse[] => {
    const first = firstOf[index];
    if (first === undefined || each === '') return [];
    const [inbound, outbound] = each.split(' ');
    const before = countsOf(`0 0 ${inbound} ${outbound} 0 0`);
    const holder = trunksOf({ account: first.payer, ...(first.isDryRun && { isDryRun: true }) });
    return [{ holder, before, recent: undefined }];
  });
}

/** A holder that counts nothing has no text. */
export function countsOf(text: string): Readonly<Record<Counter, number>> {
  const counts = text.split(' ');
  const entries = COUNTERS.map((counter, index) => [counter, Number(counts[index] ?? 0)] as const);
  return Object.fromEntries(entries) as Record<Counter, number>;
}

function holderAt({ takes }: SlotPlan, index: unknown): SlotPlan['takes'][number]['holder'] {
  const found = takes[Number(index) - 1];
  assert(found !== undefined, 'a refusal names a holder of the plan');
  return found.holder;
}

export function holdsOf({ take }: FundingOption): readonly HoldTake[] {
  return take?.kind === 'holds' ? take.holds : [];
}
