import type { LegRecord } from '../admission/leg-record.ts';
import type { HeldWallet, TakeOutcome } from '../admission/live-store.ts';
import { COUNTERS, holderName, slotName, type HoldTake, type SlotPlan } from '../admission/plan.ts';
import { legFiguresOf } from '../credit/figures.ts';
import { operate } from '../credit/operations.ts';
import type { PayerLeg } from '../credit/wallet.ts';
import { assert } from '../units/assert.ts';
import { rootOf, type AccountPath } from '../units/ids.ts';
import { toMicros } from '../units/money.ts';
import { toEpochMs } from '../units/time.ts';
import type { ExactBasis } from './exact-step.ts';
import { exactArguments, parseSnapshot } from './exact-wallet.ts';
import { slotKeys, ticksKey, useKey, walletKey, walletPartsKey } from './keys.ts';
import { formatRecord, parseRecord } from './record-text.ts';
import type { StoreContext } from './store-context.ts';
import { formatPart } from './wallet-text.ts';

export type OpenMissing = (account: AccountPath) => Promise<void>;

/** All of a leg's takes in one slot or none; the record goes to the home slot only. */
export async function takeLeg(
  context: StoreContext,
  openMissing: OpenMissing,
  plan: SlotPlan,
  record: LegRecord | undefined,
): Promise<TakeOutcome> {
  const wallets = walletsOf(plan);
  const keys = takeKeys(plan);
  const recordText = record === undefined ? '' : formatRecord(record);
  const head = [
    plan.legKey,
    recordText,
    record?.uuid ?? '',
    membershipText(plan),
    ...takeArguments(plan),
    plan.holds.length,
  ];
  return await context.decide<TakeOutcome>(wallets, async (basis, wished) => {
    const holds: (string | number)[] = [];
    for (const hold of plan.holds) {
      const decided = holdArguments(plan, hold, basis);
      if ('kind' in decided) return decided;
      holds.push(...decided);
    }
    const args = [context.clockArgument(), wished, ...head, ...holds];
    const reply = (await context.run('take', keys, args)) as readonly unknown[];
    if (reply[0] === 'exact') return { undecided: parseSnapshot(reply) };
    if (reply[0] !== 'no-wallet') return parseTaken(context, plan, reply);
    await openMissing(reply[1] as AccountPath);
    return { undecided: undefined };
  });
}

/** A leg's part in a wallet is kept by its key, in the slot of its root: two holds on one wallet would be one. */
function walletsOf({ slot, holds }: SlotPlan): readonly AccountPath[] {
  const wallets = holds.map(({ wallet }) => wallet);
  assert(new Set(wallets).size === wallets.length, 'a leg holds one amount of a wallet');
  for (const wallet of wallets) assert(rootOf(wallet) === slotName(slot), 'a wallet is held in its own slot');
  return wallets;
}

function takeKeys(plan: SlotPlan): string[] {
  const { legs, slots, due, bound, answered } = slotKeys(plan.slot);
  const uses = plan.takes.flatMap(({ holder }) => [useKey(plan.slot, holder), ticksKey(plan.slot, holder)]);
  const wallets = plan.holds.flatMap(({ wallet }) => [walletKey(wallet), walletPartsKey(wallet)]);
  return [legs, slots, due, bound, answered, ...uses, ...wallets];
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
  { wallet, terms }: HoldTake,
  basis: ExactBasis | undefined,
): readonly (string | number)[] | TakeOutcome {
  const leg: PayerLeg = { legKey, terms, state: { kind: 'held' } };
  const hold = [wallet, `${legFiguresOf(leg).amount}`, formatPart(leg)];
  const reading = basis?.readings.get(wallet);
  if (basis === undefined || reading === undefined) return [...hold, 'bound'];
  const operated = operate(reading.wallet, { kind: 'hold', leg }, basis.at);
  if (operated.kind === 'unaffordable') {
    const { available, needed } = operated;
    return { kind: 'refused', refusal: { kind: 'credit', wallet, available, needed } };
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
      const [at, ...wallets] = rest as [string, ...(readonly [string, string, string])[]];
      const heldWallets = wallets.map(([due, funds, available], index): HeldWallet => {
        const wallet = plan.holds[index]?.wallet;
        assert(wallet !== undefined, 'a reply per hold');
        context.reportDue(wallet, due);
        return { wallet, funds: toMicros(BigInt(funds)), availableAtLeast: toMicros(BigInt(available)) };
      });
      return { kind: 'taken', at: toEpochMs(Number(at)), wallets: heldWallets };
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
