import type { Redis } from 'ioredis';
import type { LegRecord } from '../admission/leg-record.ts';
import {
  StoreUnavailableError,
  type HeldWallet,
  type LiveStore,
  type TakeOutcome,
} from '../admission/live-store.ts';
import { COUNTERS, type Slot, type SlotPlan } from '../admission/plan.ts';
import { legFiguresOf } from '../credit/figures.ts';
import { operate, type Operated } from '../credit/operations.ts';
import type { PayerLeg } from '../credit/wallet.ts';
import { assert } from '../units/assert.ts';
import { rootOf, type AccountPath, type LegKey } from '../units/ids.ts';
import { toMicros } from '../units/money.ts';
import { toEpochMs, type EpochMs } from '../units/time.ts';
import { closeLeg, type LegCloser } from './close-leg.ts';
import { defineScripts, guardStore } from './connection.ts';
import { EXACT_ATTEMPTS, exactArguments, exactMoment, parseSnapshot, type Snapshot } from './exact-wallet.ts';
import { rootSlot, slotKeys, ticksKey, useKey, walletKey, walletPartsKey } from './keys.ts';
import { homeOf, type LiveStoreOptions, type StoreContext } from './store-context.ts';
import { formatRecord, parseRecord } from './record-text.ts';
import { formatPart, parsePart } from './wallet-text.ts';
import { createWalletStore } from './wallet-store.ts';

/** The live state in Redis. One script per slot and step; what a script cannot decide is decided here and written back by version. */
export function createLiveStore(redis: Redis, options: LiveStoreOptions): LiveStore {
  const context: StoreContext = {
    redis,
    options,
    run: defineScripts(redis),
    clockArgument: () => (options.clockRules === true ? `${options.clock()}` : ''),
    reportDue: (account, due) => {
      if (typeof due === 'string' && due !== '') options.onDue(account, toEpochMs(Number(due)));
    },
  };
  const wallets = createWalletStore(context);
  const close: LegCloser = closeLeg(context);
  return {
    now: options.clock,
    take: (plan, record) => take(context, wallets.openMissing, plan, record),
    answer: (record, answeredAt) => answer(context, record, answeredAt),
    ...close,
    ...wallets,
    bind: async (record, uuid) => {
      const { legs, bound } = slotKeys(homeOf(record));
      const text = formatRecord({ ...record, uuid });
      return (await context.run('bind', [legs, bound], [record.legKey, uuid, text])) as
        | 'bound'
        | 'taken'
        | 'gone';
    },
    unbind: async (record, uuid) => {
      const { legs, bound } = slotKeys(homeOf(record));
      const text = formatRecord({ ...record, uuid: undefined });
      await context.run('unbind', [legs, bound], [record.legKey, uuid, text]);
    },
    find: (root, legKey) => find(context, root, legKey),
    liveLegs: async (root) => {
      const records = await guardStore(() => redis.hvals(slotKeys(rootSlot(root)).legs));
      return records.map(parseRecord);
    },
    usage: async (holder) => {
      const slot: Slot =
        holder.kind === 'route' ? { kind: 'route', route: holder.route } : rootSlot(rootOf(holder.path));
      const text = await guardStore(() => redis.get(useKey(slot, holder)));
      const counts = (text ?? '').split(' ').map((count) => Number(count));
      return Object.fromEntries(COUNTERS.map((counter, index) => [counter, counts[index] ?? 0])) as Record<
        (typeof COUNTERS)[number],
        number
      >;
    },
  };
}

async function take(
  context: StoreContext,
  openMissing: (account: AccountPath) => Promise<void>,
  plan: SlotPlan,
  record: LegRecord | undefined,
): Promise<TakeOutcome> {
  const { legs, slots, due } = slotKeys(plan.slot);
  const keys = [legs, slots, due];
  for (const { holder } of plan.takes) keys.push(useKey(plan.slot, holder), ticksKey(plan.slot, holder));
  for (const { wallet } of plan.holds) keys.push(walletKey(wallet), walletPartsKey(wallet));
  const head = [
    plan.legKey,
    record === undefined ? '' : formatRecord(record),
    membershipText(plan),
    ...takeArguments(plan),
  ];
  const held = plan.holds.map((hold): PayerLeg => ({
    legKey: plan.legKey,
    terms: hold.terms,
    state: { kind: 'held' },
  }));

  let snapshot: Snapshot | undefined;
  for (let attempt = 0; attempt < EXACT_ATTEMPTS; attempt += 1) {
    const holds: (string | number)[] = [];
    for (const [index, { wallet }] of plan.holds.entries()) {
      const leg = held[index] as PayerLeg;
      holds.push(wallet, `${legFiguresOf(leg).amount}`, formatPart(leg));
      const reading = snapshot?.readings.get(wallet);
      if (snapshot === undefined || reading === undefined) {
        holds.push('bound');
        continue;
      }
      const operated = operate(reading.wallet, { kind: 'hold', leg }, exactMoment(snapshot.now, attempt - 1));
      if (operated.kind === 'unaffordable') {
        const { available, needed } = operated;
        return { kind: 'refused', refusal: { kind: 'credit', wallet, available, needed } };
      }
      holds.push('exact', ...exactArguments(reading, walletOf(operated)));
    }
    const args = [context.clockArgument(), ...head, plan.holds.length, ...holds];
    const reply = (await context.run('take', keys, args)) as readonly unknown[];
    if (reply[0] === 'no-wallet') {
      await openMissing(reply[1] as AccountPath);
      snapshot = undefined;
    } else if (reply[0] === 'exact') {
      snapshot = parseSnapshot(reply);
    } else {
      return parseTaken(context, plan, reply);
    }
  }
  throw new StoreUnavailableError(`the wallet of ${plan.legKey} changed too often to be decided exactly`);
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

/** What `HGETALL …:slots` shows an operator: where the leg is counted. */
function membershipText(plan: SlotPlan): string {
  return plan.takes
    .map(({ holder, counts }) => {
      const name = holder.kind === 'account' ? holder.path : `route ${holder.route}`;
      return `${name}=${counts.map((count) => count.counter).join(',')}`;
    })
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
      const text = rest[0] as string;
      return { kind: 'already', record: text.startsWith('{') ? parseRecord(text) : undefined };
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

async function answer(
  context: StoreContext,
  record: LegRecord,
  answeredAt: EpochMs,
): ReturnType<LiveStore['answer']> {
  const { legs, due } = slotKeys(homeOf(record));
  const keys = [
    legs,
    due,
    ...record.payers.flatMap(({ wallet }) => [walletKey(wallet), walletPartsKey(wallet)]),
  ];
  const text = formatRecord({ ...record, answeredAt });
  let snapshot: Snapshot | undefined;
  for (let attempt = 0; attempt < EXACT_ATTEMPTS; attempt += 1) {
    const payers: (string | number)[] = [];
    for (const { wallet, terms } of record.payers) {
      const running: PayerLeg = { legKey: record.legKey, terms, state: { kind: 'running', answeredAt } };
      payers.push(wallet, formatPart(running));
      const reading = snapshot?.readings.get(wallet);
      if (snapshot === undefined || reading === undefined) {
        payers.push('bound');
        continue;
      }
      const operation = { kind: 'answer', legKey: record.legKey, answeredAt } as const;
      const operated = operate(reading.wallet, operation, exactMoment(snapshot.now, attempt - 1));
      payers.push(
        ...(operated.kind === 'done' ? ['exact', ...exactArguments(reading, operated.wallet)] : ['bound']),
      );
    }
    const args = [context.clockArgument(), record.legKey, text, record.payers.length, ...payers];
    const reply = (await context.run('answer', keys, args)) as readonly unknown[];
    if (reply[0] === 'exact') {
      snapshot = parseSnapshot(reply);
      continue;
    }
    const [kind, , ...dues] = reply as readonly ['running' | 'already' | 'gone', string, ...string[]];
    for (const [index, { wallet }] of record.payers.entries()) context.reportDue(wallet, dues[index]);
    return { kind };
  }
  throw new StoreUnavailableError(`a wallet of ${record.legKey} changed too often to take its answer`);
}

async function find(context: StoreContext, root: AccountPath, legKey: LegKey): ReturnType<LiveStore['find']> {
  const text = await guardStore(() => context.redis.hget(slotKeys(rootSlot(root)).legs, legKey));
  if (text === null) return undefined;
  const record = parseRecord(text);
  const parts = await Promise.all(
    record.payers.map(({ wallet }) => guardStore(() => context.redis.hget(walletPartsKey(wallet), legKey))),
  );
  const payers = parts.filter((part) => part !== null).map((part) => parsePart(legKey, part));
  return { record, payers };
}

function walletOf(operated: Operated): Extract<Operated, { kind: 'done' }>['wallet'] {
  assert(operated.kind === 'done', 'a hold is done or unaffordable');
  return operated.wallet;
}
