import type { LegRecord, TakenSlot } from '../admission/leg-record.ts';
import type { CountOutcome, TakeOutcome, TakeRefusal } from '../admission/live-store.ts';
import {
  COUNTERS,
  slotName,
  trunksOf,
  type FundingOption,
  type HoldTake,
  type SlotPlan,
} from '../admission/plan.ts';
import { legFiguresOf } from '../credit/figures.ts';
import { raisedTo } from '../credit/opened.ts';
import { operate } from '../credit/operations.ts';
import type { PayerLeg } from '../credit/wallet.ts';
import { assert } from '../units/assert.ts';
import { rootOf, type AccountPath, type PoolId } from '../units/ids.ts';
import { formatCounted, takeArguments } from '../live-text/counted-text.ts';
import type { ExactBasis } from './exact-step.ts';
import { exactArguments } from '../live-text/exact-wallet.ts';
import { ticksKey, useKey, walletKey, walletPartsKey } from '../redis/keys.ts';
import { formatFunded, formatRecord } from '../live-text/record-text.ts';
import type { StoreContext } from './store-context.ts';
import { notThere, openingArguments } from './opened-pool.ts';
import { holdsOf, parseCountReply, parseTakeReply, parseUses } from './take-reply.ts';
import { formatPart } from '../live-text/wallet-text.ts';

/** Where the script needs no time, it does not ask for it. */
const NO_CLOCK = 'none';

export type OpenMissing = (account: PoolId) => Promise<void>;
/** Has the books asked what they know of pools of that root which Redis has lost. */
export type AskBooks = (root: AccountPath) => Promise<void>;

/** All of a leg's takes in its home slot or none. */
export async function takeLeg(
  context: StoreContext,
  { openMissing, askBooks }: { readonly openMissing: OpenMissing; readonly askBooks: AskBooks },
  plan: SlotPlan,
  record: LegRecord,
): Promise<TakeOutcome> {
  const wallets = walletsOf(plan);
  const keys = takeKeys(context, plan);
  const head = [
    plan.legKey,
    formatRecord(record, plan.firstOf.length > 0),
    record.uuid ?? '',
    formatCounted(takenOf(plan)),
    ...takeArguments(plan.takes),
    plan.holds.length,
  ];
  // What was in use when the wallets were read that the exact sum is of.
  let seen: unknown;
  return await context.decide<TakeOutcome>(wallets, async (basis, wished) => {
    const short = new Map<PoolId, TakeRefusal>();
    const holds: (string | number)[] = [];
    for (const hold of plan.holds) {
      const decided = holdArguments(plan, hold, basis);
      if ('kind' in decided) return { kind: 'refused', refusal: decided, uses: parseUses(plan, seen) };
      holds.push(...decided);
    }
    const ways = waysArguments(plan, record.account, basis, short);
    const args = [context.clockArgument(), wished, ...head, ...holds, ...ways];
    const reply = (await context.run('take', keys, args)) as readonly unknown[];
    if (reply[0] === 'undecided') {
      seen = reply[1];
      return { undecided: context.snapshotOf(reply[2]) };
    }
    if (reply[0] === 'unasked') await askBooks(rootOf(reply[1] as PoolId));
    else if (reply[0] === 'no-wallet') await openMissing(reply[1] as PoolId);
    else return parseTakeReply(context, plan, reply, short);
    return { undecided: undefined };
  });
}

/** All of a leg's takes in another slot or none: a script of a fifth of the price. */
export async function countLeg(context: StoreContext, plan: SlotPlan): Promise<CountOutcome> {
  assert(plan.holds.length + plan.firstOf.length === 0, 'a leg is paid for in its home slot');
  const asksClock = plan.takes.some(({ perSecond }) => perSecond !== undefined);
  const head = [asksClock ? context.clockArgument() : NO_CLOCK, plan.legKey, formatCounted(takenOf(plan))];
  const keys = [context.keysOf(plan.slot).slots, ...holderKeys(plan)];
  return parseCountReply(plan, await context.run('count', keys, [...head, ...takeArguments(plan.takes)]));
}

/** A leg's part in a wallet is kept by its key, in the slot of its root: two holds on one wallet would be one. */
function walletsOf(plan: SlotPlan): readonly PoolId[] {
  const { slot, holds } = plan;
  const wallets = [...holds, ...optionsOf(plan).flatMap(holdsOf)].map(({ wallet }) => wallet);
  assert(new Set(wallets).size === wallets.length, 'a leg holds one amount of a wallet');
  for (const wallet of wallets) assert(rootOf(wallet) === slotName(slot), 'a wallet is held in its own slot');
  return wallets;
}

function takeKeys({ keysOf }: StoreContext, plan: SlotPlan): string[] {
  const { legs, slots, due, channels, settlements, lost } = keysOf(plan.slot);
  const wallets = plan.holds.flatMap(({ wallet }) => [walletKey(wallet), walletPartsKey(wallet)]);
  const ways = optionsOf(plan).flatMap(({ take }) => {
    if (take?.kind === 'holds')
      return take.holds.flatMap(({ wallet }) => [walletKey(wallet), walletPartsKey(wallet)]);
    return take === undefined ? [] : [useKey(plan.slot, trunksOf(take.trunk))];
  });
  return [legs, slots, due, channels, settlements, lost, ...holderKeys(plan), ...wallets, ...ways];
}

function holderKeys({ slot, takes }: SlotPlan): readonly string[] {
  const uses = takes.map(({ holder }) => useKey(slot, holder));
  // The scripts read all uses before they write one.
  assert(new Set(uses).size === uses.length, 'a leg takes what it takes of a holder at once');
  const ticks = takes.filter(({ perSecond }) => perSecond !== undefined);
  return [...uses, ...ticks.map(({ holder }) => ticksKey(slot, holder))];
}

function optionsOf({ firstOf }: SlotPlan): readonly FundingOption[] {
  return firstOf.flatMap(({ options }) => options);
}

/** ARGV of the payers that may pay in several ways. Which of their wallets are short of it is put down in `short`. */
function waysArguments(
  plan: SlotPlan,
  account: AccountPath,
  basis: ExactBasis | undefined,
  short: Map<PoolId, TakeRefusal>,
): readonly (string | number)[] {
  const args: (string | number)[] = [plan.firstOf.length];
  for (const { options } of plan.firstOf) {
    args.push(options.length);
    for (const { take, part } of options) {
      args.push(take?.kind ?? 'free', part === undefined ? '' : formatFunded(part, account));
      if (take?.kind === 'trunk') {
        const { counter, inbound, outbound, shared } = take.trunk;
        const onTrunk = { holder: trunksOf(take.trunk), counters: [counter] };
        args.push(`;${formatCounted({ slot: plan.slot, counted: [onTrunk] })}`);
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
    return [hold.wallet, 0, '', '', '', 'bound'];
  });
  return [holds.length, isShort ? 1 : 0, ...args];
}

/** ARGV of one hold; or the refusal, which only the exact sum may give (ruling 6). */
function holdArguments(
  { legKey }: SlotPlan,
  { wallet, terms, amount: needed, isForced, opening }: HoldTake,
  basis: ExactBasis | undefined,
): readonly (string | number)[] | TakeRefusal {
  const leg: PayerLeg = {
    legKey,
    terms,
    state: needed === undefined ? { kind: 'held' } : { kind: 'held', amount: needed },
    ...(isForced && { isForced }),
  };
  const hold = [wallet, `${legFiguresOf(leg).amount}`, formatPart(leg), ...openingArguments(wallet, opening)];
  const stored = basis?.readings.get(wallet);
  const reading = stored ?? (basis && opening && notThere(wallet, legKey, basis.at));
  if (basis === undefined || reading === undefined) return [...hold, 'bound'];
  const raised = opening === undefined ? reading.wallet : raisedTo(reading.wallet, opening.amount, basis.at);
  const operated = operate(raised, { kind: 'hold', leg }, basis.at);
  if (operated.kind === 'unaffordable') {
    const { available, needed } = operated;
    return { kind: 'credit', wallet, available, needed };
  }
  assert(operated.kind === 'done', 'a hold is done or unaffordable');
  return [...hold, 'exact', ...exactArguments(reading, operated.wallet)];
}

function takenOf({ slot, takes }: SlotPlan): TakenSlot {
  const counted = takes.map(({ holder, counts }) => ({
    holder,
    counters: counts.map(({ counter }) => counter),
  }));
  return { slot, counted };
}
