import type { Evaluation, FundOutcome, LiveStore, WalletSettings } from '../admission/live-store.ts';
import { advance, nextToEnd } from '../credit/exhaustion.ts';
import { operate, type WalletOperation } from '../credit/operations.ts';
import { fundsOf, totalCommittedAt, type Wallet } from '../credit/wallet.ts';
import { assert } from '../units/assert.ts';
import { rootOf, type PoolId } from '../units/ids.ts';
import { toMicros, type Micros } from '../units/money.ts';
import { toEpochMs } from '../units/time.ts';
import { guardStore } from '../redis/connection.ts';
import { exactArguments, isDrawnOn, type Snapshot, pairs } from '../live-text/exact-wallet.ts';
import { extensionEntry } from './opened-pool.ts';
import { rootSlot, walletKey, walletPartsKey } from '../redis/keys.ts';
import type { StoreContext } from './store-context.ts';
import { formatPolicy, parseWallet, type WalletReading } from '../live-text/wallet-text.ts';

type WalletStore = Pick<
  LiveStore,
  'openWallet' | 'fund' | 'extend' | 'configureWallet' | 'readWallet' | 'funds' | 'evaluate' | 'dueWallets'
>;

/** Everything that concerns one wallet and no single leg. */
export function createWalletStore(context: StoreContext): WalletStore {
  const { redis, run } = context;
  const left: Left = new Map();

  return {
    async openWallet(account, { balance, credit, policy, refill, opened }) {
      const cycle = refill === undefined ? ['', ''] : [`${refill.amount}`, refill.endsAt];
      const args = [context.clockArgument(), `${balance}`, `${credit}`, formatPolicy(policy), ...cycle];
      args.push(...(opened === undefined ? ['', ''] : [`${opened.amount}`, opened.serial]));
      await run('open', [walletKey(account)], args);
    },
    fund: (account, transferId, amount) => change(context, account, { transferId, amount }),
    extend: (pool, { transferId, amount, currency }) => {
      const entry = currency === undefined ? '' : extensionEntry(pool, transferId, currency);
      return change(context, pool, { transferId, amount, entry });
    },
    async configureWallet(account, settings) {
      await change(context, account, { transferId: '', amount: toMicros(0n), settings });
    },
    async readWallet(account) {
      const { now, readings } = await readSnapshot(context, account);
      const reading = readings.get(account);
      if (reading === undefined) return undefined;
      const { wallet } = advance(reading.wallet, now);
      return { ...wallet, at: now, committed: totalCommittedAt(wallet.legs, now) };
    },
    async funds(account) {
      const text = await guardStore(() => redis.get(walletKey(account)));
      if (text === null) return undefined;
      const { wallet } = parseWallet(account, text, new Map(), context.rulesOf);
      return fundsOf(advance(wallet, context.options.clock()).wallet);
    },
    evaluate: (account) => evaluate(context, account, left),
    async dueWallets(root, until) {
      const { due } = context.keysOf(rootSlot(root));
      const flat = await guardStore(() => redis.zrangebyscore(due, '-inf', until, 'WITHSCORES'));
      return [...pairs(flat)].map(([account, score]) => ({
        account: account as PoolId,
        dueAt: toEpochMs(Number(score)),
      }));
    },
  };
}

type Change = {
  readonly transferId: string;
  readonly amount: Micros;
  /** The books' entry, where only the live state can tell whether there is a pool to put it into. */
  readonly entry?: string;
  readonly settings?: WalletSettings;
};

async function change(context: StoreContext, account: PoolId, wanted: Change): Promise<FundOutcome> {
  const { due, funded, settlements } = context.keysOf(rootSlot(rootOf(account)));
  const keys = [walletKey(account), walletPartsKey(account), due, funded, settlements];
  const { transferId, amount, settings, entry = '' } = wanted;
  const settingsText =
    settings === undefined
      ? ['', '', '']
      : [`${settings.credit}`, formatPolicy(settings.policy), `${settings.refillAmount ?? ''}`];
  const head = [account, transferId, `${amount}`, ...settingsText, entry];
  return await context.decide<FundOutcome>([account], async (basis, wished) => {
    const reading = basis?.readings.get(account);
    const mode: (string | number)[] = ['bound'];
    if (basis !== undefined && reading !== undefined) {
      const { credit, policy } = settings ?? reading.wallet;
      const refillAmount = settings?.refillAmount;
      const operation: WalletOperation = { kind: 'fund', amount, credit, policy, refillAmount };
      const operated = operate(reading.wallet, operation, basis.at);
      assert(operated.kind === 'done', 'money can always move');
      mode.splice(0, 1, 'exact', ...exactArguments(reading, operated.wallet));
    }
    const args = [context.clockArgument(), wished, ...head, ...mode];
    const reply = (await context.run('fund', keys, args)) as readonly unknown[];
    if (reply[0] === 'exact') return { undecided: context.snapshotOf(reply) };
    context.reportDue(account, reply[2]);
    return { kind: reply[0] as FundOutcome['kind'] };
  });
}

function evaluateKeys({ keysOf }: StoreContext, account: PoolId): string[] {
  return [walletKey(account), walletPartsKey(account), keysOf(rootSlot(rootOf(account))).due];
}

async function readSnapshot(context: StoreContext, account: PoolId): Promise<Snapshot> {
  return context.snapshotOf(
    await context.run('evaluate', evaluateKeys(context, account), [context.clockArgument(), account, 'read']),
  );
}

/** Wallets whose money ends soon, as the last look left them: the look at their last moment need not read first. */
type Left = Map<PoolId, WalletReading>;

const SOON_MS = 5_000;

async function evaluate(context: StoreContext, account: PoolId, left: Left): Promise<Evaluation> {
  return await context.decide<Evaluation>([account], async (basis, wished) => {
    if (basis === undefined) {
      if (!wished) return { undecided: undefined };
      const reading = left.get(account);
      left.delete(account);
      if (reading === undefined) return { undecided: await readSnapshot(context, account) };
      // If anything has changed since, the script says so, and what there is now.
      return { undecided: { now: context.options.clock(), readings: new Map([[account, reading]]) } };
    }
    const reading = basis.readings.get(account);
    if (reading === undefined) {
      await guardStore(() => context.redis.zrem(context.keysOf(rootSlot(rootOf(account))).due, account));
      return { at: basis.at, ended: [], next: [] };
    }
    const { wallet } = advance(reading.wallet, basis.at);
    const next = nextToEnd(wallet);
    const args = [context.clockArgument(), account, 'exact', ...exactArguments(reading, wallet, next)];
    const reply = (await context.run('evaluate', evaluateKeys(context, account), args)) as readonly unknown[];
    if (reply[0] !== 'written') return { undecided: context.snapshotOf(reply) };
    const at = toEpochMs(Number(reply[1]));
    const soon = next[0] !== undefined && next[0].endsAt - at <= SOON_MS;
    if (soon) left.set(account, { wallet, version: reading.version + 1 });
    const refilledAt = next.length === 0 && isDrawnOn(wallet) ? wallet.refill?.endsAt : undefined;
    return { at, ended: endedLegs(wallet), next, refilledAt };
  });
}

function endedLegs(wallet: Wallet): Evaluation['ended'] {
  return wallet.legs.flatMap(({ legKey, state }) =>
    state.kind === 'ended' ? [{ legKey, endsAt: state.endsAt }] : [],
  );
}
