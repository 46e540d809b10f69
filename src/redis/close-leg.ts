import type { LegRecord, TakenSlot } from '../admission/leg-record.ts';
import type { CloseSettlement, LiveStore, SettleOutcome, Talk } from '../admission/live-store.ts';
import { COUNTERS, slotName, type Slot } from '../admission/plan.ts';
import { operate } from '../credit/operations.ts';
import type { PayerLeg } from '../credit/wallet.ts';
import { priceOf } from '../rating/price.ts';
import { assert } from '../units/assert.ts';
import type { AccountPath, LegKey } from '../units/ids.ts';
import { negateMicros, ZERO_MICROS, type Micros } from '../units/money.ts';
import { guardStore } from './connection.ts';
import type { ExactBasis } from './exact-step.ts';
import { exactArguments, parseSnapshot } from './exact-wallet.ts';
import { slotKeys, ticksKey, useKey, walletKey, walletPartsKey } from './keys.ts';
import { homeOf, type StoreContext } from './store-context.ts';
import type { OpenMissing } from './take-leg.ts';
import { parsePart } from './wallet-text.ts';

export type LegCloser = Pick<LiveStore, 'giveBack' | 'release' | 'settle'>;

/** The ways a leg leaves its slots: its counters first, its money once, or everything because it never ran. */
export function closeLeg(context: StoreContext, openMissing: OpenMissing): LegCloser {
  return {
    async release(record) {
      await Promise.all(record.taken.map((taken) => releaseSlot(context, record.legKey, taken)));
    },
    async giveBack(slot, _legKey, record) {
      const taken = record.taken.find((candidate) => slotName(candidate.slot) === slotName(slot));
      if (taken !== undefined) await dropSlot(context, openMissing, record, taken);
    },
    settle: (record, talk, close) => settle(context, openMissing, record, talk, close),
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
  openMissing: OpenMissing,
  record: LegRecord,
  taken: TakenSlot,
): Promise<void> {
  if (slotName(taken.slot) === slotName(homeOf(record))) {
    await closeHome(context, openMissing, record, { talk: undefined, close: () => '', dropTicks: true });
    return;
  }
  const args = [context.clockArgument(), 0, record.legKey, '', 1, 0, ...countedArguments(taken.counted), 0];
  await context.run('close', closeKeys(taken.slot, taken, []), args);
}

async function settle(
  context: StoreContext,
  openMissing: OpenMissing,
  record: LegRecord,
  talk: Talk,
  close: CloseSettlement,
): Promise<SettleOutcome> {
  const home = slotName(homeOf(record));
  const foreign = record.taken.filter((taken) => slotName(taken.slot) !== home);
  await Promise.all(foreign.map((taken) => releaseSlot(context, record.legKey, taken)));
  return await closeHome(context, openMissing, record, { talk, close, dropTicks: false });
}

type Closing = {
  readonly talk: Talk | undefined;
  readonly close: CloseSettlement;
  readonly dropTicks: boolean;
};
type Final = Parameters<CloseSettlement>[0];

async function closeHome(
  context: StoreContext,
  openMissing: OpenMissing,
  record: LegRecord,
  { talk, close, dropTicks }: Closing,
): Promise<SettleOutcome> {
  const home = homeOf(record);
  const taken = record.taken.find((candidate) => slotName(candidate.slot) === slotName(home)) ?? {
    slot: home,
    counted: [],
  };
  const wallets = record.payers.map((payer) => payer.wallet);
  const keys = closeKeys(home, taken, wallets);
  let parts = await readParts(context, record);
  return await context.decide<SettleOutcome>(wallets, async (basis, wished) => {
    const { final, exact } = price(context, record, talk, parts, basis);
    const args: (string | number)[] = [context.clockArgument(), wished, record.legKey, close(final)];
    args.push(dropTicks ? 1 : 0, 1, ...countedArguments(taken.counted), wallets.length);
    for (const { wallet, soft } of record.payers) {
      args.push(wallet, `${final.prices.get(wallet) ?? 0n}`, parts.get(wallet) ?? '', soft === true ? 1 : 0);
      args.push(...(exact.get(wallet) ?? ['bound']));
    }
    const reply = (await context.run('close', keys, args)) as readonly unknown[];
    switch (reply[0]) {
      case 'already':
        return { kind: 'already' };
      case 'exact':
        return { undecided: parseSnapshot(reply) };
      case 'no-wallet':
        await openMissing(reply[1] as AccountPath);
        return { undecided: undefined };
      case 'stale':
        parts = await readParts(context, record);
        return { undecided: undefined };
      default: {
        const [, , ...dues] = reply as readonly [string, string, ...string[]];
        for (const [index, wallet] of wallets.entries()) context.reportDue(wallet, dues[index]);
        return { kind: 'settled', at: final.at, billedSeconds: final.billedSeconds };
      }
    }
  });
}

type Priced = {
  readonly final: Final;
  readonly exact: ReadonlyMap<AccountPath, readonly (string | number)[]>;
};

/** Every payer pays for the same seconds: the least that any of them could pay for (ruling 10). */
function price(
  context: StoreContext,
  { legKey, payers, cap }: LegRecord,
  measured: Talk | undefined,
  parts: ReadonlyMap<AccountPath, string>,
  basis: ExactBasis | undefined,
): Priced {
  const talk = measured && cappedTalk(measured, cap);
  const talkMs = talk?.talkMs ?? 0;
  const settled = (wallet: AccountPath, billedSeconds: number) => {
    const reading = basis?.readings.get(wallet);
    if (basis === undefined || reading === undefined) return undefined;
    const operated = operate(reading.wallet, { kind: 'settle', legKey, billedSeconds, talkMs }, basis.at);
    return operated.kind === 'settled' ? { reading, operated } : undefined;
  };
  const paying = payers.filter(({ wallet }) => parts.has(wallet));
  let billedSeconds = talk?.billedSeconds ?? 0;
  const tried = paying.map(({ wallet }) => {
    billedSeconds = payableSeconds(parsePart(legKey, parts.get(wallet) ?? ''), billedSeconds);
    const exactly = settled(wallet, billedSeconds);
    billedSeconds = exactly?.operated.billedSeconds ?? billedSeconds;
    return exactly;
  });
  const prices = new Map<AccountPath, Micros>(payers.map(({ wallet }) => [wallet, ZERO_MICROS]));
  const exact = new Map<AccountPath, readonly (string | number)[]>();
  for (const [index, { wallet, terms }] of paying.entries()) {
    prices.set(wallet, priceOf(terms, billedSeconds));
    const before = tried[index];
    // A payer after this one may have been able to pay for less.
    const exactly =
      before?.operated.billedSeconds === billedSeconds ? before : settled(wallet, billedSeconds);
    if (exactly === undefined) continue;
    assert(exactly.operated.billedSeconds === billedSeconds, 'the least seconds are payable by every payer');
    exact.set(wallet, ['exact', ...exactArguments(exactly.reading, exactly.operated.wallet)]);
  }
  for (const { wallet, terms, soft } of payers) {
    if (soft !== true) continue;
    const cost = priceOf(terms, billedSeconds);
    prices.set(wallet, cost);
    const reading = basis?.readings.get(wallet);
    if (basis === undefined || reading === undefined) continue;
    const { credit, policy } = reading.wallet;
    const operation = { kind: 'fund', amount: negateMicros(cost), credit, policy } as const;
    const operated = operate(reading.wallet, operation, basis.at);
    if (operated.kind === 'done') exact.set(wallet, ['exact', ...exactArguments(reading, operated.wallet)]);
  }
  const endedByCredit = talk !== undefined && (billedSeconds < talk.billedSeconds || anyEnded(legKey, parts));
  return { final: { billedSeconds, prices, endedByCredit, at: context.options.clock() }, exact };
}

/** However late the hang-up lands, a call is as long as it may be. */
function cappedTalk(talk: Talk, cap: LegRecord['cap']): Talk {
  if (cap === undefined) return talk;
  return {
    billedSeconds: Math.min(talk.billedSeconds, cap.seconds),
    talkMs: Math.min(talk.talkMs, cap.seconds * 1000),
  };
}

/** What is paid for already; exactly worked out, a running leg may get less than it talked, too. */
function payableSeconds({ state }: PayerLeg, billedSeconds: number): number {
  return state.kind === 'ended' ? Math.min(state.paidSeconds, billedSeconds) : billedSeconds;
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
  const { legs, slots, bound, answered, due, settlements, deadlines } = slotKeys(slot);
  const uses = counted.flatMap(({ holder }) => [useKey(slot, holder), ticksKey(slot, holder)]);
  const walletKeys = wallets.flatMap((wallet) => [walletKey(wallet), walletPartsKey(wallet)]);
  return [legs, slots, bound, answered, due, settlements, deadlines, ...uses, ...walletKeys];
}

function countedArguments(counted: TakenSlot['counted']): readonly (string | number)[] {
  const args: (string | number)[] = [counted.length];
  for (const { counters } of counted) {
    args.push(counters.length, ...counters.map((counter) => COUNTERS.indexOf(counter) + 1));
  }
  return args;
}
