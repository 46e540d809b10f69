import type { LegRecord, TakenSlot } from '../admission/leg-record.ts';
import type { CloseSettlement, LiveStore, SettleOutcome, Talk } from '../admission/live-store.ts';
import { poolsOfLeg } from '../admission/leg-pools.ts';
import { slotName } from '../admission/plan.ts';
import type { LegKey, PoolId } from '../units/ids.ts';
import { ZERO_MICROS } from '../units/money.ts';
import { guardStore } from '../redis/connection.ts';
import { backArguments } from '../live-text/counted-text.ts';
import { ticksKey, useKey, walletKey, walletPartsKey, type SlotKeys } from '../redis/keys.ts';
import { priceLeg, type Debit } from './leg-price.ts';
import { closingEntry } from './opened-pool.ts';
import { homeOf, type StoreContext } from './store-context.ts';
import type { OpenMissing } from './take-leg.ts';

export type LegCloser = Pick<LiveStore, 'giveBack' | 'release' | 'settle'>;

/** The ways a leg leaves its slots: its counters first, its money once, or everything because it never ran. */
export function closeLeg(context: StoreContext, openMissing: OpenMissing): LegCloser {
  return {
    async release(record) {
      await Promise.all(record.taken.map((taken) => releaseSlot(context, record.legKey, taken)));
    },
    async giveBack(slot, _legKey, record, why) {
      const taken = record.taken.find((candidate) => slotName(candidate.slot) === slotName(slot));
      if (taken !== undefined) await dropSlot(context, openMissing, record, taken, why === 'refused');
    },
    settle: (record, talk, close) => settle(context, openMissing, record, talk, close),
  };
}

async function releaseSlot(
  context: StoreContext,
  legKey: LegKey,
  taken: TakenSlot,
  dropTicks = false,
): Promise<void> {
  const keys = [context.keysOf(taken.slot).slots, ...holderKeys(taken, dropTicks)];
  await context.run('release', keys, [legKey, ...backArguments(taken.counted)]);
}

/** A leg that never ran: nothing is charged. */
async function dropSlot(
  context: StoreContext,
  openMissing: OpenMissing,
  record: LegRecord,
  taken: TakenSlot,
  dropTicks: boolean,
): Promise<void> {
  if (slotName(taken.slot) === slotName(homeOf(record))) {
    await closeHome(context, openMissing, record, { talk: undefined, close: () => '', dropTicks });
    return;
  }
  await releaseSlot(context, record.legKey, taken, dropTicks);
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
  const pools = poolsOfLeg(record).map(({ pool }) => pool);
  const keys = [...closeKeys(context.keysOf(home), pools), ...holderKeys(taken, dropTicks)];
  let parts = await readParts(context, record.legKey, pools);
  return await context.decide<SettleOutcome>(pools, async (basis, wished) => {
    const { final, debits } = priceLeg({ record, talk, parts, basis, goingOn: context.goingOn });
    const at = context.options.clock();
    const entry = close({ ...final, at });
    const args: (string | number)[] = [context.clockArgument(), wished, record.legKey, entry, pools.length];
    for (const pool of pools) {
      const { amount, isWithoutPart, mode } = debits.get(pool) ?? NO_DEBIT;
      args.push(pool, `${amount}`, parts.get(pool) ?? '', isWithoutPart ? 1 : 0);
      args.push(closingEntry(pool, record.payers), ...mode);
    }
    args.push(...backArguments(taken.counted));
    const reply = (await context.run('close', keys, args)) as readonly unknown[];
    switch (reply[0]) {
      case 'already':
        return { kind: 'already' };
      case 'exact':
        return { undecided: context.snapshotOf(reply) };
      case 'no-wallet':
        await openMissing(reply[1] as PoolId);
        return { undecided: undefined };
      case 'stale':
        parts = await readParts(context, record.legKey, pools);
        return { undecided: undefined };
      default: {
        const [, , ...dues] = reply as readonly [string, string, ...string[]];
        for (const [index, pool] of pools.entries()) context.reportDue(pool, dues[index]);
        return { kind: 'settled', at, billedSeconds: final.billedSeconds };
      }
    }
  });
}

const NO_DEBIT: Debit = { amount: ZERO_MICROS, isWithoutPart: false, mode: ['bound'] };

async function readParts(
  context: StoreContext,
  legKey: LegKey,
  pools: readonly PoolId[],
): Promise<ReadonlyMap<PoolId, string>> {
  const parts = new Map<PoolId, string>();
  await Promise.all(
    pools.map(async (pool) => {
      const text = await guardStore(() => context.redis.hget(walletPartsKey(pool), legKey));
      if (text !== null) parts.set(pool, text);
    }),
  );
  return parts;
}

function closeKeys(keys: SlotKeys, pools: readonly PoolId[]): readonly string[] {
  const { legs, slots, channels, due, settlements, deadlines } = keys;
  const walletKeys = pools.flatMap((pool) => [walletKey(pool), walletPartsKey(pool)]);
  return [legs, slots, channels, due, settlements, deadlines, ...walletKeys];
}

function holderKeys({ slot, counted }: TakenSlot, dropTicks: boolean): readonly string[] {
  const uses = counted.map(({ holder }) => useKey(slot, holder));
  return [...uses, ...(dropTicks ? counted.map(({ holder }) => ticksKey(slot, holder)) : [])];
}
