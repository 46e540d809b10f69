import type { ChainableCommander, Redis } from 'ioredis';
import type { LegRecord } from '../admission/leg-record.ts';
import { StoreUnavailableError, type AnswerOutcome, type LiveStore } from '../admission/live-store.ts';
import { poolsAtAnswer, poolsOfLeg } from '../admission/leg-pools.ts';
import { slotOf, type Holder } from '../admission/plan.ts';
import { operate } from '../credit/operations.ts';
import { rootOf, type AccountPath, type LegKey } from '../units/ids.ts';
import { toEpochMs, type EpochMs } from '../units/time.ts';
import { closeLeg } from './close-leg.ts';
import { goOn, runningLeg } from './go-on.ts';
import { defineScripts, guardStore } from '../redis/connection.ts';
import { createExactSteps } from './exact-step.ts';
import { exactArguments, pairs, parseSnapshot } from '../live-text/exact-wallet.ts';
import { keysLike } from '../redis/key-walk.ts';
import { limitLength } from './limit-length.ts';
import {
  holderOfUseKey,
  rootSlot,
  slotKeys,
  ticksKey,
  USE_KEYS,
  useKey,
  walletKey,
  walletPartsKey,
} from '../redis/keys.ts';
import { createLostPools } from './lost-pools.ts';
import { parseRecord } from '../live-text/record-text.ts';
import { homeOf, type LegKeysOf, type LiveStoreOptions, type StoreContext } from './store-context.ts';
import { countsOf } from './take-reply.ts';
import { countLeg, takeLeg, type OpenMissing } from './take-leg.ts';
import { createWalletStore } from './wallet-store.ts';
import { formatPart, parsePart } from '../live-text/wallet-text.ts';

/** A tick counts for a second (ruling 21). */
const TICK_MS = 1_000;

/** The live state in Redis. One script per slot and step; what a script cannot decide is decided here and written back by version. */
export function createLiveStore(
  redis: Redis,
  options: LiveStoreOptions,
  keysOf: LegKeysOf = slotKeys,
): LiveStore {
  const rulesOf = options.refillRules ?? (() => undefined);
  const context: StoreContext = {
    redis,
    keysOf,
    rulesOf,
    goingOn: options.goingOn ?? ((_record, goesOn) => goesOn),
    snapshotOf: (reply) => parseSnapshot(reply, rulesOf),
    options,
    run: defineScripts(redis),
    decide: createExactSteps(),
    reportDeadline: ({ account, legKey }, endsAt) =>
      options.onDeadline?.(rootOf(account), { legKey, endsAt }),
    clockArgument: () => (options.clockRules === true ? `${options.clock()}` : ''),
    reportDue: (account, due) => {
      if (typeof due === 'string' && due !== '') options.onDue(account, toEpochMs(Number(due)));
    },
  };
  const wallets = createWalletStore(context);
  const openMissing: OpenMissing = async (account) => {
    const opening = await options.loadWallet(account).catch((cause: unknown) => {
      throw new StoreUnavailableError(`no wallet of ${account} in Redis, and SQL cannot be asked`, { cause });
    });
    if (opening === undefined) throw new StoreUnavailableError(`no wallet of ${account} in Redis or in SQL`);
    await wallets.openWallet(account, opening);
  };
  const { askBooks, ...lostPools } = createLostPools(context);
  return {
    now: options.clock,
    take: (plan, record) => takeLeg(context, { openMissing, askBooks }, plan, record),
    count: (plan) => countLeg(context, plan),
    answer: (record, answeredAt) => answer(context, record, answeredAt),
    goOn: (record, allotment, isDryRun = false) => goOn(context, openMissing, record, allotment, isDryRun),
    ...closeLeg(context, openMissing),
    ...wallets,
    ...lostPools,
    bind: async (record, uuid) => {
      const { legs, channels } = keysOf(homeOf(record));
      return (await context.run('bind', [legs, channels], [record.legKey, uuid])) as
        | 'bound'
        | 'taken'
        | 'gone';
    },
    unbind: async (record, uuid) => {
      await context.run('unbind', [keysOf(homeOf(record)).channels], [record.legKey, uuid]);
    },
    find: (root, legKey) => find(context, root, legKey),
    liveLegs: (root) => liveLegs(context, root),
    limitLength: (record, cap) => limitLength(context, record, cap),
    dueDeadlines: async (root, until, after) => {
      const { deadlines } = keysOf(rootSlot(root));
      const from = after === undefined ? '-inf' : `(${after}`;
      const flat = await guardStore(() => redis.zrangebyscore(deadlines, from, until, 'WITHSCORES'));
      return [...pairs(flat)].map(([legKey, score]) => ({
        legKey: legKey as LegKey,
        endsAt: toEpochMs(Number(score)),
      }));
    },
    recentAdmissions: async (holder) => {
      const key = ticksKey(slotOf(holder), holder);
      return await guardStore(() => redis.zcount(key, `(${options.clock() - TICK_MS}`, '+inf'));
    },
    countingHolders: () => countingHolders(redis),
    usage: async (holder) => {
      const text = await guardStore(() => redis.get(useKey(slotOf(holder), holder)));
      return countsOf(text ?? '');
    },
  };
}

async function answer(context: StoreContext, record: LegRecord, answeredAt: EpochMs): Promise<AnswerOutcome> {
  const { legKey, cap } = record;
  const pools = poolsAtAnswer(record);
  const home = homeOf(record);
  const { legs, due, channels, deadlines } = context.keysOf(home);
  const endsAt = cap && toEpochMs(answeredAt + cap.seconds * 1000);
  const wallets = pools.map(({ pool }) => pool);
  const walletKeys = wallets.flatMap((wallet) => [walletKey(wallet), walletPartsKey(wallet)]);
  return await context.decide<AnswerOutcome>(wallets, async (basis, wished) => {
    const args = [context.clockArgument(), wished, legKey, answeredAt, endsAt ?? '', pools.length];
    for (const pool of pools) {
      args.push(pool.pool, formatPart(runningLeg(context, pool, legKey, answeredAt)));
      const reading = basis?.readings.get(pool.pool);
      const operated =
        basis &&
        reading &&
        operate(reading.wallet, { kind: 'answer', legKey, answeredAt, terms: pool.terms }, basis.at);
      if (reading === undefined || operated?.kind !== 'done') args.push('bound');
      else args.push('exact', ...exactArguments(reading, operated.wallet));
    }
    const reply = (await context.run(
      'answer',
      [legs, due, channels, deadlines, ...walletKeys],
      args,
    )) as readonly unknown[];
    if (reply[0] === 'exact') return { undecided: context.snapshotOf(reply) };
    const [kind, , ...dues] = reply as readonly [AnswerOutcome['kind'], string, ...string[]];
    for (const [index, wallet] of wallets.entries()) context.reportDue(wallet, dues[index]);
    if (kind === 'running' && endsAt !== undefined) {
      context.reportDeadline(record, endsAt);
    }
    return { kind };
  });
}

async function find(context: StoreContext, root: AccountPath, legKey: LegKey): ReturnType<LiveStore['find']> {
  const { legs, channels } = context.keysOf(rootSlot(root));
  const [text, channel] = await transaction<string | null>(
    context.redis.multi().hget(legs, legKey).hget(channels, legKey),
  );
  if (typeof text !== 'string') return undefined;
  const record = parseRecord({ legKey, text, channel });
  const parts = await Promise.all(
    poolsOfLeg(record).map(({ pool }) => guardStore(() => context.redis.hget(walletPartsKey(pool), legKey))),
  );
  const payers = parts.filter((part) => part !== null).map((part) => parsePart(legKey, part));
  return { record, payers };
}

async function liveLegs(context: StoreContext, root: AccountPath): ReturnType<LiveStore['liveLegs']> {
  const { legs, channels } = context.keysOf(rootSlot(root));
  const [texts = {}, known = {}] = await transaction<Record<string, string>>(
    context.redis.multi().hgetall(legs).hgetall(channels),
  );
  return Object.entries(texts).map(([key, text]) =>
    parseRecord({ legKey: key as LegKey, text, channel: known[key] }),
  );
}

async function countingHolders(redis: Redis): Promise<readonly Holder[]> {
  return (await keysLike(redis, USE_KEYS)).flatMap((key) => holderOfUseKey(key) ?? []);
}

/** Reads several keys of one slot at one instant. */
async function transaction<T>(reads: ChainableCommander): Promise<readonly T[]> {
  return await guardStore(async () => {
    const replies = await reads.exec();
    return (replies ?? []).map(([error, reply]) => {
      if (error !== null) throw error;
      return reply as T;
    });
  });
}
