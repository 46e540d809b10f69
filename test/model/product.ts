import type { Redis } from 'ioredis';
import { parseAccounts, parseRoutes } from '../../src/accounts/account-document.ts';
import { createAccountLookup, type AccountLookup } from '../../src/accounts/account-tree.ts';
import { serviceDefaultsOf } from '../../src/accounts/effective-limits.ts';
import { parseOperatorLimits } from '../../src/accounts/limits-document.ts';
import type { LiveStore } from '../../src/admission/live-store.ts';
import { COUNTERS } from '../../src/admission/plan.ts';
import { loadConfig } from '../../src/config/config.ts';
import { createController, type Controller } from '../../src/controller/controller.ts';
import { allotmentPool, spendPool, type SpendWindow } from '../../src/credit/pools.ts';
import type { TariffBook } from '../../src/rating/tariff-book.ts';
import type { Decision, Settlement } from '../../src/records/records.ts';
import { slotKeys, ticksKey, useKey } from '../../src/redis/keys.ts';
import { createShadowStore } from '../../src/live-store/shadow-store.ts';
import { createLiveStore } from '../../src/live-store/live-store.ts';
import { formatSettlement, parseSettlement } from '../../src/redis/settlement-text.ts';
import type { ControllerContext } from '../../src/state/context.ts';
import { createWalletSettings, walletSettingsOf } from '../../src/state/wallet-settings.ts';
import { rootOf, type AccountPath, type PoolId, type RouteName } from '../../src/units/ids.ts';
import { toMicros } from '../../src/units/money.ts';
import { policyOf } from '../../src/wiring/parts.ts';
import { createPools } from '../../src/wiring/pools.ts';
import { createMemoryLog, type MemoryLog } from '../freeswitch/support/memory-log.ts';
import type { House } from './house.ts';
import { createTelephones, CORE, NODE, type Telephones } from './telephones.ts';
import { createVirtualTime, type VirtualTime } from './virtual-time.ts';

/** A job brings a wallet near so long before its time. */
const JOB_EARLY_MS = 1_500;
const RESYNC_MS = 60_000;

/** The real controller on the real Redis, with its clock, its FreeSWITCH and its accounts in the hands of a test. */
export type Product = {
  readonly time: VirtualTime;
  readonly phones: Telephones;
  readonly keeper: Controller['gatekeeper'];
  readonly log: MemoryLog;
  /** What it has decided since it was asked last. */
  decisions(): readonly Decision[];
  /** The latest that it has decided on the end of a leg. */
  lastCut(uuid: string): Decision | undefined;
  settlements(): Promise<readonly Settlement[]>;
  /** Resolves when everything that was begun is done. */
  settled(): Promise<void>;
  change(house: House): Promise<void>;
  pay(account: string, amount: bigint, id: string): Promise<void>;
  /** Of an account, or of `route …`; zeros left out. */
  uses(holders: readonly string[]): Promise<readonly Readonly<Record<string, number>>[]>;
  /** What of a purse is neither used nor promised; undefined: nobody has ever drawn on it. */
  left(purse: string): Promise<bigint | undefined>;
  /** Admissions of the last second that each holder remembers. */
  recent(holders: readonly string[]): Promise<readonly number[]>;
  stop(): Promise<void>;
};

export async function createProduct(
  redis: Redis,
  options: {
    readonly house: House;
    readonly tariffs: TariffBook;
    readonly balances: ReadonlyMap<string, bigint>;
    readonly startAt: number;
    readonly twice: boolean;
    readonly completesAfterMs: number;
  },
): Promise<Product> {
  const time = createVirtualTime(options.startAt);
  const log = createMemoryLog();
  const decisions: Decision[] = [];
  const roots = [...new Set([...options.house.accounts.keys()].map((path) => rootOf(path as AccountPath)))];
  /** The last entry of each root's stream that was read. */
  const read = new Map<string, string>();
  let accounts = lookupOf(options.house, 1);
  let revision = 1;
  // Wallets are opened below, and nothing was ever charged before.
  const records = { toldBalance: () => Promise.resolve(toMicros(0n)), paidSince: () => Promise.resolve([]) };
  const pools = createPools(records, () => accounts, time.now.bind(time));
  const live = createLiveStore(redis, {
    clock: () => time.now(),
    clockRules: true,
    lostPools: async () => [],
    onDue: (account, dueAt) => controller.cutoffs.onDue(account, dueAt),
    onDeadline: (root, deadline) => controller.cutoffs.onDeadline(root, deadline),
    ...pools,
  });
  const pending = new Set<Promise<unknown>>();
  const store = watched(live, pending);
  const phones = createTelephones(time, {
    tell: (event) => controller.listener.onEvent(event),
    twice: options.twice,
    completesAfterMs: options.completesAfterMs,
  });
  const context: ControllerContext = {
    store,
    directory: {
      accounts: () => accounts,
      tariffs: () => options.tariffs,
      refresh: () => Promise.resolve(true),
    },
    policy: { ...policyFor(options.house), warningSeconds: [] },
    controlOf: () => phones.control,
    record: (decision) => void decisions.push(decision),
    announce: () => undefined,
    formatSettlement,
    log,
  };
  const schedule = {
    arm: (account: AccountPath, dueAt: number): void => {
      const delayMs = Math.max(0, dueAt - JOB_EARLY_MS - time.now());
      const endOfSecond = (Math.floor(dueAt / 1000) * 1000 + 999) as ReturnType<VirtualTime['now']>;
      time.after(delayMs, () => void controller.cutoffs.lookAt([rootOf(account)], endOfSecond));
    },
  };
  const controller: Controller = createController(context, {
    schedule,
    timers: time,
    shadows: createShadowStore(redis, { clock: () => time.now(), clockRules: true, ...pools }),
    figures: {
      loadWallet: () => Promise.reject(new Error('every wallet is open')),
      refillRules: () => undefined,
    },
    resyncMs: RESYNC_MS,
    onParked: () => undefined,
  });
  const settings = createWalletSettings(context);
  const settled = async (): Promise<void> => {
    // The controller may wait for time to pass, which it does not meanwhile: only what it asks the store is waited for.
    do {
      await Promise.allSettled(pending);
      // What was waited for may have begun something new.
      await new Promise((resolve) => setImmediate(resolve));
    } while (pending.size > 0);
  };

  for (const [account, balance] of options.balances) {
    const node = accounts.node(account as AccountPath);
    if (node === undefined) throw new Error(`no account ${account}`);
    await live.openWallet(node.path, { balance: toMicros(balance), ...walletSettingsOf(node) });
  }
  await settings.apply();
  await controller.listener.onUp({ node: NODE, coreUuid: CORE, restarted: false });
  await settled();

  return {
    time,
    phones,
    keeper: controller.gatekeeper,
    log,
    decisions: () => decisions.splice(0),
    lastCut: (uuid) =>
      decisions.findLast((each) => each.kind === 'cutoff' && (each.legUuid === uuid || each.aLeg === uuid)),
    async settlements() {
      const all = await Promise.all(
        roots.map(async (root) => {
          const { settlements } = slotKeys({ kind: 'root', root });
          const entries = await redis.xrange(settlements, `(${read.get(root) ?? '0'}`, '+');
          read.set(root, entries.at(-1)?.[0] ?? read.get(root) ?? '0');
          return entries.map(([, [, text = '']]) => parseSettlement(text));
        }),
      );
      return all.flat();
    },
    settled,
    async change(house) {
      accounts = lookupOf(house, (revision += 1));
      for (const account of await settings.apply()) await controller.walletChanged(account);
      await controller.limitsChanged();
      await settled();
    },
    async pay(account, amount, id) {
      await store.fund(account as AccountPath, id, toMicros(amount));
      await controller.walletChanged(account as AccountPath);
      await settled();
    },
    async uses(holders) {
      const texts = holders.length === 0 ? [] : await redis.mget(...holders.map(useKeyOf));
      return texts.map((text) => {
        const counts = (text ?? '').split(' ').map(Number);
        const entries = COUNTERS.map((counter, index) => [counter, counts[index] ?? 0] as const);
        return Object.fromEntries(entries.filter(([, count]) => count !== 0));
      });
    },
    async left(purse) {
      const view = await live.readWallet(poolNamed(purse));
      return view && view.balance + view.credit - view.committed;
    },
    recent: (holders) =>
      Promise.all(holders.map((holder) => redis.zcount(ticksKeyOf(holder), `(${time.now() - 1000}`, '+inf'))),
    stop: () => controller.stop(),
  };
}

/** The same store, which notes what it was asked and has not answered yet. */
function watched(store: LiveStore, pending: Set<Promise<unknown>>): LiveStore {
  const methods = Object.entries(store).map(([name, method]) => {
    const noting = (...args: readonly never[]): unknown => {
      const answer: unknown = (method as (...all: readonly never[]) => unknown)(...args);
      if (!(answer instanceof Promise)) return answer;
      const noted: Promise<unknown> = answer.finally(() => void pending.delete(noted));
      pending.add(noted);
      return noted;
    };
    return [name, noting] as const;
  });
  return Object.fromEntries(methods) as unknown as LiveStore;
}

export function lookupOf(house: House, revision: number): AccountLookup {
  const accounts = parseAccounts([...house.accounts.values()]);
  const routes = parseRoutes([...house.routes.values()]);
  const defaults = parseOperatorLimits(house.defaults);
  if (accounts.kind === 'bad' || routes.kind === 'bad' || defaults.kind === 'bad') {
    throw new Error(JSON.stringify([accounts, routes, defaults]));
  }
  const tree = { revision, accounts: accounts.value, routes: routes.value };
  return createAccountLookup(tree, serviceDefaultsOf({ defaults: defaults.value, onStoreDown: 'refuse' }));
}

export function policyFor({ unfunded, unrated }: House): ControllerContext['policy'] {
  const loaded = loadConfig({
    file: undefined,
    environment: { TOLLGATE_ADMISSION_UNFUNDED: unfunded, TOLLGATE_RATING_UNRATED: unrated },
    parseDefaults: parseOperatorLimits,
  });
  if (loaded.kind === 'bad') throw new Error(JSON.stringify(loaded.problems));
  return policyOf(loaded.config);
}

/** The model's name of a purse, as the store has it. */
function poolNamed(purse: string): PoolId {
  const [account = '', kind, name = ''] = purse.split(' ');
  const path = account as AccountPath;
  if (kind === 'allotment') return allotmentPool(path, name);
  return kind === 'spend' ? spendPool(path, name as SpendWindow) : path;
}

function slotAndHolder(holder: string): Parameters<typeof useKey> {
  if (holder.startsWith('route ')) {
    const route = holder.slice('route '.length) as RouteName;
    return [
      { kind: 'route', route },
      { kind: 'route', route },
    ];
  }
  const path = holder as AccountPath;
  return [
    { kind: 'root', root: rootOf(path) },
    { kind: 'account', path },
  ];
}

const useKeyOf = (holder: string): string => useKey(...slotAndHolder(holder));
const ticksKeyOf = (holder: string): string => ticksKey(...slotAndHolder(holder));
