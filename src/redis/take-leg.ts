import type { LegRecord } from '../admission/leg-record.ts';
import type { HeldWallet, TakeOutcome, TakeRefusal } from '../admission/live-store.ts';
import {
  COUNTERS,
  holderName,
  slotName,
  type FundingOption,
  type HoldTake,
  type SlotPlan,
} from '../admission/plan.ts';
import { legFiguresOf } from '../credit/figures.ts';
import { operate } from '../credit/operations.ts';
import type { PayerLeg } from '../credit/wallet.ts';
import { assert } from '../units/assert.ts';
import { rootOf, type PoolId } from '../units/ids.ts';
import { toMicros } from '../units/money.ts';
import { toEpochMs } from '../units/time.ts';
import type { ExactBasis } from './exact-step.ts';
import { exactArguments } from './exact-wallet.ts';
import { slotKeys, ticksKey, useKey, walletKey, walletPartsKey } from './keys.ts';
import { formatFunded, formatRecord, parseRecord } from './record-text.ts';
import type { StoreContext } from './store-context.ts';
import { formatPart } from './wallet-text.ts';

export type OpenMissing = (account: PoolId) => Promise<void>;

/** All of a leg's takes in one slot or none; the record goes to the home slot only. */
export async function takeLeg(
  context: StoreContext,
  openMissing: OpenMissing,
  plan: SlotPlan,
  record: LegRecord | undefined,
): Promise<TakeOutcome> {
  const wallets = walletsOf(plan);
  const keys = takeKeys(plan);
  const recordText = record === undefined ? '' : formatRecord(record, plan.firstOf.length > 0);
  const head = [
    plan.legKey,
    recordText,
    record?.uuid ?? '',
    membershipText(plan),
    ...takeArguments(plan),
    plan.holds.length,
  ];
  return await context.decide<TakeOutcome>(wallets, async (basis, wished) => {
    const short = new Map<PoolId, TakeRefusal>();
    const holds: (string | number)[] = [];
    for (const hold of plan.holds) {
      const decided = holdArguments(plan, hold, basis);
      if ('kind' in decided) return { kind: 'refused', refusal: decided };
      holds.push(...decided);
    }
    const ways = waysArguments(plan, basis, short);
    const args = [context.clockArgument(), wished, ...head, ...holds, ...ways];
    const reply = (await context.run('take', keys, args)) as readonly unknown[];
    if (reply[0] === 'exact') return { undecided: context.snapshotOf(reply) };
    if (reply[0] === 'unfunded') return parseUnfunded(plan, reply, short);
    if (reply[0] !== 'no-wallet') return parseTaken(context, plan, reply);
    await openMissing(reply[1] as PoolId);
    return { undecided: undefined };
  });
}

/** A leg's part in a wallet is kept by its key, in the slot of its root: two holds on one wallet would be one. */
function walletsOf(plan: SlotPlan): readonly PoolId[] {
  const { slot, holds } = plan;
  const wallets = [...holds, ...optionsOf(plan).flatMap(holdsOf)].map(({ wallet }) => wallet);
  assert(new Set(wallets).size === wallets.length, 'a leg holds one amount of a wallet');
  for (const wallet of wallets) assert(rootOf(wallet) === slotName(slot), 'a wallet is held in its own slot');
  return wallets;
}

function takeKeys(plan: SlotPlan): string[] {
  const { legs, slots, due, bound, answered } = slotKeys(plan.slot);
  const uses = plan.takes.flatMap(({ holder }) => [useKey(plan.slot, holder), ticksKey(plan.slot, holder)]);
  const wallets = plan.holds.flatMap(({ wallet }) => [walletKey(wallet), walletPartsKey(wallet)]);
  const ways = optionsOf(plan).flatMap(({ take }) => {
    if (take?.kind === 'holds')
      return take.holds.flatMap(({ wallet }) => [walletKey(wallet), walletPartsKey(wallet)]);
    return take === undefined ? [] : [useKey(plan.slot, { kind: 'trunks', path: take.trunk.account })];
  });
  return [legs, slots, due, bound, answered, ...uses, ...wallets, ...ways];
}

function optionsOf({ firstOf }: SlotPlan): readonly FundingOption[] {
  return firstOf.flatMap(({ options }) => options);
}

function holdsOf({ take }: FundingOption): readonly HoldTake[] {
  return take?.kind === 'holds' ? take.holds : [];
}

/** ARGV of the payers that may pay in several ways. Which of their wallets are short of it is put down in `short`. */
function waysArguments(
  plan: SlotPlan,
  basis: ExactBasis | undefined,
  short: Map<PoolId, TakeRefusal>,
): readonly (string | number)[] {
  const args: (string | number)[] = [plan.firstOf.length];
  for (const { options } of plan.firstOf) {
    args.push(options.length);
    for (const { take, part } of options) {
      args.push(take?.kind ?? 'free', part === undefined ? '' : formatFunded(part));
      if (take?.kind === 'trunk') {
        const { account, counter, inbound, outbound, shared } = take.trunk;
        args.push(`;${holderName({ kind: 'trunks', path: account })}=${counter}`);
        args.push(COUNTERS.indexOf(counter) + 1, inbound ?? -1, outbound ?? -1, shared ?? -1);
      } else if (take?.kind === 'holds') {
        args.push('', ...holdsArguments(plan, take.holds, basis, short));
      } else {
        args.push('');
      }
    }
  }
  return args;
}

/** All holds of one way. One that its wallet cannot bear makes the way none, and is not written. */
function holdsArguments(
  plan: SlotPlan,
  holds: readonly HoldTake[],
  basis: ExactBasis | undefined,
  short: Map<PoolId, TakeRefusal>,
): readonly (string | number)[] {
  let isShort = false;
  const args = holds.flatMap((hold): readonly (string | number)[] => {
    const decided = holdArguments(plan, hold, basis);
    if (!('kind' in decided)) return decided;
    isShort = true;
    short.set(hold.wallet, decided);
    return [hold.wallet, 0, '', 'bound'];
  });
  return [holds.length, isShort ? 1 : 0, ...args];
}

/** Why none of a payer's ways could be taken: the last one's reason first. */
function parseUnfunded(
  plan: SlotPlan,
  reply: readonly unknown[],
  short: ReadonlyMap<PoolId, TakeRefusal>,
): TakeOutcome {
  const [, , payer, inbound, outbound] = reply;
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
  return { kind: 'refused', refusal, besides: refusals.slice(0, -1) };
}

function takeArguments(plan: SlotPlan): readonly (string | number)[] {
  const args: (string | number)[] = [plan.takes.length];
  for (const { counts, perSecond } of plan.takes) {
    args.push(counts.length);
    for (const { counter, bound } of counts) args.push(COUNTERS.indexOf(counter) + 1, bound ?? -1);
    args.push(perSecond ?? -1);
  }
  return args;
}

/** ARGV of one hold; or the refusal, which only the exact sum may give (ruling 6). */
function holdArguments(
  { legKey }: SlotPlan,
  { wallet, terms, amount: needed, isForced }: HoldTake,
  basis: ExactBasis | undefined,
): readonly (string | number)[] | TakeRefusal {
  const leg: PayerLeg = {
    legKey,
    terms,
    state: needed === undefined ? { kind: 'held' } : { kind: 'held', amount: needed },
    ...(isForced && { isForced }),
  };
  const hold = [wallet, `${legFiguresOf(leg).amount}`, formatPart(leg)];
  const reading = basis?.readings.get(wallet);
  if (basis === undefined || reading === undefined) return [...hold, 'bound'];
  const operated = operate(reading.wallet, { kind: 'hold', leg }, basis.at);
  if (operated.kind === 'unaffordable') {
    const { available, needed } = operated;
    return { kind: 'credit', wallet, available, needed };
  }
  assert(operated.kind === 'done', 'a hold is done or unaffordable');
  return [...hold, 'exact', ...exactArguments(reading, operated.wallet)];
}

/** What `HGETALL …:slots` shows an operator: where the leg is counted. */
function membershipText(plan: SlotPlan): string {
  return plan.takes
    .map(({ holder, counts }) => `${holderName(holder)}=${counts.map((count) => count.counter).join(',')}`)
    .join(';');
}

function parseTaken(context: StoreContext, plan: SlotPlan, reply: readonly unknown[]): TakeOutcome {
  const [kind, ...rest] = reply;
  const holderAt = (index: unknown): SlotPlan['takes'][number] => {
    const takes = plan.takes[Number(index) - 1];
    assert(takes !== undefined, 'a refusal names a holder of the plan');
    return takes;
  };
  switch (kind) {
    case 'taken': {
      const [at, options, ...wallets] = rest as [
        string,
        readonly number[],
        ...(readonly [string, string, string])[],
      ];
      const chosen = options.map((option) => option - 1);
      const ways = plan.firstOf.flatMap((payer, index) => payer.options[chosen[index] ?? 0] ?? []);
      const holds = [...plan.holds, ...ways.flatMap(holdsOf)];
      const heldWallets = wallets.map(([due, funds, available], index): HeldWallet => {
        const wallet = holds[index]?.wallet;
        assert(wallet !== undefined, 'a reply per hold');
        context.reportDue(wallet, due);
        return { wallet, funds: toMicros(BigInt(funds)), availableAtLeast: toMicros(BigInt(available)) };
      });
      return { kind: 'taken', at: toEpochMs(Number(at)), wallets: heldWallets, chosen };
    }
    case 'already': {
      const [text, uuid, answeredAt] = rest as [string, string, string];
      return { kind: 'already', record: text === '' ? undefined : parseRecord(text, uuid, answeredAt) };
    }
    case 'count': {
      const [, holder, index, bound, inUse] = rest;
      const counter = COUNTERS[Number(index) - 1];
      assert(counter !== undefined, 'a refusal names a counter');
      const refusal = {
        kind: 'count',
        holder: holderAt(holder).holder,
        counter,
        bound: Number(bound),
        inUse: Number(inUse),
      } as const;
      return { kind: 'refused', refusal };
    }
    case 'rate': {
      const [, holder, bound, inUse] = rest;
      const refusal = {
        kind: 'rate',
        holder: holderAt(holder).holder,
        bound: Number(bound),
        inUse: Number(inUse),
      } as const;
      return { kind: 'refused', refusal };
    }
    default:
      assert(false, `take answered ${JSON.stringify(reply)}`);
  }
}
