import type { LegRecord, TakenSlot } from '../admission/leg-record.ts';
import {
  StoreUnavailableError,
  type CloseSettlement,
  type LiveStore,
  type Talk,
} from '../admission/live-store.ts';
import { COUNTERS, slotName, type Slot } from '../admission/plan.ts';
import { operate } from '../credit/operations.ts';
import type { PayerLeg } from '../credit/wallet.ts';
import { priceOf } from '../rating/price.ts';
import { assert } from '../units/assert.ts';
import type { AccountPath, LegKey } from '../units/ids.ts';
import { ZERO_MICROS, type Micros } from '../units/money.ts';
import { guardStore } from './connection.ts';
import { EXACT_ATTEMPTS, exactArguments, exactMoment, parseSnapshot, type Snapshot } from './exact-wallet.ts';
import { slotKeys, ticksKey, useKey, walletKey, walletPartsKey } from './keys.ts';
import { homeOf, type StoreContext } from './store-context.ts';
import { parsePart } from './wallet-text.ts';

export type LegCloser = Pick<LiveStore, 'giveBack' | 'release' | 'settle'>;

/** The ways a leg leaves its slots: its counters first, its money once, or everything because it never ran. */
export function closeLeg(context: StoreContext): LegCloser {
  return {
    async release(record) {
      await Promise.all(record.taken.map((taken) => releaseSlot(context, record.legKey, taken)));
    },
    async giveBack(slot, legKey, record) {
      const taken = record.taken.find((candidate) => slotName(candidate.slot) === slotName(slot));
      if (taken !== undefined) await dropSlot(context, legKey, record, taken);
    },
    settle: (record, talk, close) => settle(context, record, talk, close),
  };
}

async function releaseSlot(
  context: StoreContext,
  legKey: LegKey,
  { slot, counted }: TakenSlot,
): Promise<void> {
  const keys = [slotKeys(slot).slots, ...counted.map(({ holder }) => useKey(slot, holder))];
  await context.run('release', keys, [legKey, ...countedArguments(counted)]);
}

/** A leg that never ran: nothing is charged, and not even its tick stays (ruling 21). */
async function dropSlot(
  context: StoreContext,
  legKey: LegKey,
  record: LegRecord,
  taken: TakenSlot,
): Promise<void> {
  if (slotName(taken.slot) === slotName(homeOf(record))) {
    await closeHome(context, record, { talk: undefined, close: () => '', dropTicks: true });
    return;
  }
  const args = [context.clockArgument(), legKey, '', 1, 0, ...countedArguments(taken.counted), 0];
  await context.run('close', closeKeys(taken.slot, taken, []), args);
}

async function settle(
  context: StoreContext,
  record: LegRecord,
  talk: Talk,
  close: CloseSettlement,
): ReturnType<LiveStore['settle']> {
  const home = slotName(homeOf(record));
  const foreign = record.taken.filter((taken) => slotName(taken.slot) !== home);
  await Promise.all(foreign.map((taken) => releaseSlot(context, record.legKey, taken)));
  return await closeHome(context, record, { talk, close, dropTicks: false });
}

type Closing = {
  readonly talk: Talk | undefined;
  readonly close: CloseSettlement;
  readonly dropTicks: boolean;
};
type Final = Parameters<CloseSettlement>[0];

async function closeHome(
  context: StoreContext,
  record: LegRecord,
  { talk, close, dropTicks }: Closing,
): ReturnType<LiveStore['settle']> {
  const home = homeOf(record);
  const taken = record.taken.find((candidate) => slotName(candidate.slot) === slotName(home)) ?? {
    slot: home,
    counted: [],
  };
  const wallets = record.payers.map((payer) => payer.wallet);
  const keys = closeKeys(home, taken, wallets);
  let parts = await readParts(context, record);
  let snapshot: Snapshot | undefined;
  for (let attempt = 0; attempt < EXACT_ATTEMPTS; attempt += 1) {
    const priced = price(context, record, talk, parts, snapshot, attempt - 1);
    const entry = close(priced.final);
    const args: (string | number)[] = [context.clockArgument(), record.legKey, entry, dropTicks ? 1 : 0, 1];
    args.push(...countedArguments(taken.counted), wallets.length);
    for (const wallet of wallets) {
      const exact = priced.exact.get(wallet);
      args.push(wallet, `${priced.final.prices.get(wallet) ?? 0n}`, parts.get(wallet) ?? '');
      args.push(...(exact === undefined ? ['bound'] : ['exact', ...exact]));
    }
    const reply = (await context.run('close', keys, args)) as readonly unknown[];
    switch (reply[0]) {
      case 'already':
        return { kind: 'already' };
      case 'stale':
        parts = await readParts(context, record);
        snapshot = undefined;
        break;
      case 'exact':
        snapshot = parseSnapshot(reply);
        break;
      default: {
        const [, , ...dues] = reply as readonly [string, string, ...string[]];
        for (const [index, wallet] of wallets.entries()) context.reportDue(wallet, dues[index]);
        return { kind: 'settled', at: priced.final.at, billedSeconds: priced.final.billedSeconds };
      }
    }
  }
  throw new StoreUnavailableError(`a wallet of ${record.legKey} changed too often to settle it`);
}

type Priced = {
  readonly final: Final;
  readonly exact: ReadonlyMap<AccountPath, readonly (string | number)[]>;
};

/** Every payer pays for the same seconds: the least that any of them could pay for (ruling 10). */
function price(
  context: StoreContext,
  record: LegRecord,
  talk: Talk | undefined,
  parts: ReadonlyMap<AccountPath, string>,
  snapshot: Snapshot | undefined,
  attempt: number,
): Priced {
  const { legKey, payers } = record;
  let billedSeconds = talk?.billedSeconds ?? 0;
  const at = snapshot === undefined ? undefined : exactMoment(snapshot.now, attempt);
  for (const { wallet } of payers) {
    const text = parts.get(wallet);
    if (text === undefined) continue;
    billedSeconds = Math.min(billedSeconds, payableSeconds(parsePart(legKey, text), billedSeconds));
    const reading = snapshot?.readings.get(wallet);
    if (reading === undefined || at === undefined) continue;
    const operation = { kind: 'settle', legKey, billedSeconds, talkMs: talk?.talkMs ?? 0 } as const;
    const operated = operate(reading.wallet, operation, at);
    if (operated.kind === 'settled') billedSeconds = Math.min(billedSeconds, operated.billedSeconds);
  }
  const prices = new Map<AccountPath, Micros>();
  const exact = new Map<AccountPath, readonly (string | number)[]>();
  for (const { wallet, terms } of payers) {
    if (!parts.has(wallet)) {
      prices.set(wallet, ZERO_MICROS);
      continue;
    }
    prices.set(wallet, priceOf(terms, billedSeconds));
    const reading = snapshot?.readings.get(wallet);
    if (reading === undefined || at === undefined) continue;
    const operation = { kind: 'settle', legKey, billedSeconds, talkMs: talk?.talkMs ?? 0 } as const;
    const operated = operate(reading.wallet, operation, at);
    if (operated.kind !== 'settled') continue;
    assert(operated.billedSeconds === billedSeconds, 'the least seconds are payable by every payer');
    exact.set(wallet, exactArguments(reading, operated.wallet));
  }
  const endedByCredit = talk !== undefined && (billedSeconds < talk.billedSeconds || anyEnded(legKey, parts));
  return { final: { billedSeconds, prices, endedByCredit, at: context.options.clock() }, exact };
}

function payableSeconds({ state }: PayerLeg, billedSeconds: number): number {
  switch (state.kind) {
    case 'held':
      return 0;
    case 'running':
      return billedSeconds;
    case 'ended':
      return state.paidSeconds;
  }
}

function anyEnded(legKey: LegKey, parts: ReadonlyMap<AccountPath, string>): boolean {
  return [...parts.values()].some((text) => parsePart(legKey, text).state.kind === 'ended');
}

async function readParts(context: StoreContext, record: LegRecord): Promise<Map<AccountPath, string>> {
  const parts = new Map<AccountPath, string>();
  await Promise.all(
    record.payers.map(async ({ wallet }) => {
      const text = await guardStore(() => context.redis.hget(walletPartsKey(wallet), record.legKey));
      if (text !== null) parts.set(wallet, text);
    }),
  );
  return parts;
}

function closeKeys(slot: Slot, { counted }: TakenSlot, wallets: readonly AccountPath[]): string[] {
  const { legs, slots, bound, due, settlements } = slotKeys(slot);
  return [
    legs,
    slots,
    bound,
    due,
    settlements,
    ...counted.flatMap(({ holder }) => [useKey(slot, holder), ticksKey(slot, holder)]),
    ...wallets.flatMap((wallet) => [walletKey(wallet), walletPartsKey(wallet)]),
  ];
}

function countedArguments(counted: TakenSlot['counted']): readonly (string | number)[] {
  const args: (string | number)[] = [counted.length];
  for (const { counters } of counted) {
    args.push(counters.length, ...counters.map((counter) => COUNTERS.indexOf(counter) + 1));
  }
  return args;
}
