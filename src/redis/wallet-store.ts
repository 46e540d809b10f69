import { StoreUnavailableError, type LiveStore } from '../admission/live-store.ts';
import { advance, nextCutoff } from '../credit/exhaustion.ts';
import { operate, type WalletOperation } from '../credit/operations.ts';
import { paidUntil, pulsesPaid, totalCommittedAt, type Wallet } from '../credit/wallet.ts';
import { assert } from '../units/assert.ts';
import { rootOf, type AccountPath } from '../units/ids.ts';
import { toMicros, type Micros } from '../units/money.ts';
import { toEpochMs, type EpochMs } from '../units/time.ts';
import { guardStore } from './connection.ts';
import { EXACT_ATTEMPTS, exactArguments, exactMoment, parseSnapshot, type Snapshot } from './exact-wallet.ts';
import { rootSlot, slotKeys, walletKey, walletPartsKey } from './keys.ts';
import type { StoreContext } from './store-context.ts';
import { formatPolicy } from './wallet-text.ts';

type WalletStore = Pick<
  LiveStore,
  'openWallet' | 'fund' | 'configureWallet' | 'readWallet' | 'evaluate' | 'dueWallets'
> & { openMissing(account: AccountPath): Promise<void> };

/** Everything that concerns one wallet and no single leg. */
export function createWalletStore(context: StoreContext): WalletStore {
  const { redis, run, options } = context;

  const openWallet: WalletStore['openWallet'] = async (account, { balance, credit, policy }) => {
    const args = [context.clockArgument(), `${balance}`, `${credit}`, formatPolicy(policy)];
    await run('open', [walletKey(account)], args);
  };

  return {
    openWallet,
    async openMissing(account) {
      const opening = await options.loadWallet(account);
      if (opening === undefined)
        throw new StoreUnavailableError(`no wallet of ${account} in Redis or in SQL`);
      await openWallet(account, opening);
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
    evaluate: (account) => evaluate(context, account),
    async dueWallets(root, until) {
      const { due } = slotKeys(rootSlot(root));
      return (await guardStore(() => redis.zrangebyscore(due, '-inf', until))) as AccountPath[];
    },
  };
}

type Change = {
  readonly transferId: string;
  readonly amount: Micros;
  readonly settings?: { readonly credit: Micros; readonly policy: Wallet['policy'] };
};

async function change(
  context: StoreContext,
  account: AccountPath,
  wanted: Change,
): ReturnType<LiveStore['fund']> {
  const { due, funded } = slotKeys(rootSlot(rootOf(account)));
  const keys = [walletKey(account), walletPartsKey(account), due, funded];
  const { transferId, amount, settings } = wanted;
  const settingsText =
    settings === undefined ? ['', ''] : [`${settings.credit}`, formatPolicy(settings.policy)];
  const head = [account, transferId, `${amount}`, ...settingsText];
  let snapshot: Snapshot | undefined;
  for (let attempt = 0; attempt < EXACT_ATTEMPTS; attempt += 1) {
    const reading = snapshot?.readings.get(account);
    const mode: (string | number)[] = ['bound'];
    if (snapshot !== undefined && reading !== undefined) {
      const { credit, policy } = settings ?? reading.wallet;
      const operation: WalletOperation = { kind: 'fund', amount, credit, policy };
      const operated = operate(reading.wallet, operation, exactMoment(snapshot.now, attempt - 1));
      assert(operated.kind === 'done', 'money can always move');
      mode.splice(0, 1, 'exact', ...exactArguments(reading, operated.wallet));
    }
    const reply = (await context.run('fund', keys, [
      context.clockArgument(),
      ...head,
      ...mode,
    ])) as readonly unknown[];
    if (reply[0] === 'exact') {
      snapshot = parseSnapshot(reply);
      continue;
    }
    context.reportDue(account, reply[2]);
    return { kind: reply[0] as 'moved' | 'already' | 'no-wallet' };
  }
  throw new StoreUnavailableError(`the wallet of ${account} changed too often to move money exactly`);
}

function evaluateKeys(account: AccountPath): string[] {
  return [walletKey(account), walletPartsKey(account), slotKeys(rootSlot(rootOf(account))).due];
}

async function readSnapshot(context: StoreContext, account: AccountPath): Promise<Snapshot> {
  return parseSnapshot(
    await context.run('evaluate', evaluateKeys(account), [context.clockArgument(), account, 'read']),
  );
}

async function evaluate(context: StoreContext, account: AccountPath): ReturnType<LiveStore['evaluate']> {
  let snapshot = await readSnapshot(context, account);
  for (let attempt = 0; attempt < EXACT_ATTEMPTS; attempt += 1) {
    const reading = snapshot.readings.get(account);
    if (reading === undefined) {
      await guardStore(() => context.redis.zrem(slotKeys(rootSlot(rootOf(account))).due, account));
      return { at: snapshot.now, ended: [], nextCutoffAt: undefined };
    }
    const { wallet } = advance(reading.wallet, exactMoment(snapshot.now, attempt));
    const args = [context.clockArgument(), account, 'exact', ...exactArguments(reading, wallet)];
    const reply = (await context.run('evaluate', evaluateKeys(account), args)) as readonly unknown[];
    if (reply[0] === 'written') {
      return { at: toEpochMs(Number(reply[1])), ended: endedLegs(wallet), nextCutoffAt: nextCutoff(wallet) };
    }
    snapshot = parseSnapshot(reply);
  }
  throw new StoreUnavailableError(`the wallet of ${account} changed too often to be evaluated`);
}

function endedLegs(
  wallet: Wallet,
): { readonly legKey: Wallet['legs'][number]['legKey']; readonly endsAt: EpochMs }[] {
  return wallet.legs.flatMap(({ legKey, terms, state }) =>
    state.kind === 'ended'
      ? [{ legKey, endsAt: paidUntil(terms, state.answeredAt, pulsesPaid(terms, state.paidSeconds)) }]
      : [],
  );
}
