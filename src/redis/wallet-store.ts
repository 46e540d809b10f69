import type { Evaluation, FundOutcome, LiveStore } from '../admission/live-store.ts';
import { advance, nextToEnd } from '../credit/exhaustion.ts';
import { operate, type WalletOperation } from '../credit/operations.ts';
import { fundsOf, totalCommittedAt, type Wallet } from '../credit/wallet.ts';
import { assert } from '../units/assert.ts';
import { rootOf, type AccountPath } from '../units/ids.ts';
import { toMicros, type Micros } from '../units/money.ts';
import { toEpochMs } from '../units/time.ts';
import { guardStore } from './connection.ts';
import { exactArguments, parseSnapshot, type Snapshot, pairs } from './exact-wallet.ts';
import { rootSlot, slotKeys, walletKey, walletPartsKey } from './keys.ts';
import type { StoreContext } from './store-context.ts';
import { formatPolicy, parseWallet, type WalletReading } from './wallet-text.ts';

type WalletStore = Pick<
  LiveStore,
  'openWallet' | 'fund' | 'configureWallet' | 'readWallet' | 'funds' | 'evaluate' | 'dueWallets'
>;

/** Everything that concerns one wallet and no single leg. */
export function createWalletStore(context: StoreContext): WalletStore {
  const { redis, run } = context;
  const left: Left = new Map();

  return {
    async openWallet(account, { balance, credit, policy }) {
      const args = [context.clockArgument(), `${balance}`, `${credit}`, formatPolicy(policy)];
      await run('open', [walletKey(account)], args);
    },
    fund: (account, transferId, amount) => change(context, account, { transferId, amount }),
    async configureWallet(account, settings) {
      await change(context, account, { transferId: '', amount: toMicros(0n), settings });
    },
    async readWallet(account) {
      const { now, readings } = await readSnapshot(context, account);
      const reading = readings.get(account);
      if (reading === undefined) return undefined;
      const { wallet } = advance(reading.wallet, now);
      const { balance, credit, policy, legs } = wallet;
      return { account, at: now, balance, credit, policy, legs, committed: totalCommittedAt(legs, now) };
    },
    async funds(account) {
      const text = await guardStore(() => redis.get(walletKey(account)));
      if (text === null) return undefined;
      const { wallet } = parseWallet(account, text, new Map());
      return fundsOf(wallet);
    },
    evaluate: (account) => evaluate(context, account, left),
    async dueWallets(root, until) {
      const { due } = slotKeys(rootSlot(root));
      const flat = await guardStore(() => redis.zrangebyscore(due, '-inf', until, 'WITHSCORES'));
      return [...pairs(flat)].map(([account, score]) => ({
        account: account as AccountPath,
        dueAt: toEpochMs(Number(score)),
      }));
    },
  };
}

type Change = {
  readonly transferId: string;
  readonly amount: Micros;
  readonly settings?: { readonly credit: Micros; readonly policy: Wallet['policy'] };
};

async function change(context: StoreContext, account: AccountPath, wanted: Change): Promise<FundOutcome> {
  const { due, funded } = slotKeys(rootSlot(rootOf(account)));
  const keys = [walletKey(account), walletPartsKey(account), due, funded];
  const { transferId, amount, settings } = wanted;
  const settingsText =
    settings === undefined ? ['', ''] : [`${settings.credit}`, formatPolicy(settings.policy)];
  const head = [account, transferId, `${amount}`, ...settingsText];
  return await context.decide<FundOutcome>([account], async (basis, wished) => {
    const reading = basis?.readings.get(account);
    const mode: (string | number)[] = ['bound'];
    if (basis !== undefined && reading !== undefined) {
      const { credit, policy } = settings ?? reading.wallet;
      const operation: WalletOperation = { kind: 'fund', amount, credit, policy };
      const operated = operate(reading.wallet, operation, basis.at);
      assert(operated.kind === 'done', 'money can always move');
      mode.splice(0, 1, 'exact', ...exactArguments(reading, operated.wallet));
    }
    const args = [context.clockArgument(), wished, ...head, ...mode];
    const reply = (await context.run('fund', keys, args)) as readonly unknown[];
    if (reply[0] === 'exact') return { undecided: parseSnapshot(reply) };
    context.reportDue(account, reply[2]);
    return { kind: reply[0] as FundOutcome['kind'] };
  });
}

function evaluateKeys(account: AccountPath): string[] {
  return [walletKey(account), walletPartsKey(account), slotKeys(rootSlot(rootOf(account))).due];
}

async function readSnapshot(context: StoreContext, account: AccountPath): Promise<Snapshot> {
  return parseSnapshot(
    await context.run('evaluate', evaluateKeys(account), [context.clockArgument(), account, 'read']),
  );
}

/** Wallets whose money ends soon, as the last look left them: the look at their last moment need not read first. */
type Left = Map<AccountPath, WalletReading>;

const SOON_MS = 5_000;

async function evaluate(context: StoreContext, account: AccountPath, left: Left): Promise<Evaluation> {
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
      await guardStore(() => context.redis.zrem(slotKeys(rootSlot(rootOf(account))).due, account));
      return { at: basis.at, ended: [], next: [] };
    }
    const { wallet } = advance(reading.wallet, basis.at);
    const next = nextToEnd(wallet);
    const args = [context.clockArgument(), account, 'exact', ...exactArguments(reading, wallet, next)];
    const reply = (await context.run('evaluate', evaluateKeys(account), args)) as readonly unknown[];
    if (reply[0] !== 'written') return { undecided: parseSnapshot(reply) };
    const at = toEpochMs(Number(reply[1]));
    const soon = next[0] !== undefined && next[0].endsAt - at <= SOON_MS;
    if (soon) left.set(account, { wallet, version: reading.version + 1 });
    return { at, ended: endedLegs(wallet), next };
  });
}

function endedLegs(wallet: Wallet): Evaluation['ended'] {
  return wallet.legs.flatMap(({ legKey, state }) =>
    state.kind === 'ended' ? [{ legKey, endsAt: state.endsAt }] : [],
  );
}
