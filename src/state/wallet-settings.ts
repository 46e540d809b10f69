import type { AccountLookup, AccountNode } from '../accounts/account-tree.ts';
import type { WalletSettings } from '../admission/live-store.ts';
import { meaningOf, poolsOf, refillRules } from '../credit/pools.ts';
import { accountOf, type PoolId } from '../units/ids.ts';
import { ZERO_MICROS } from '../units/money.ts';
import type { EpochMs } from '../units/time.ts';
import type { ControllerContext } from './context.ts';

/** What an account's limits mean for its wallet. */
export function walletSettingsOf({ limits }: Pick<AccountNode, 'limits'>): WalletSettings {
  return { credit: limits.allowPostpay ? limits.maxPostpay : ZERO_MICROS, policy: limits.onExhaustion };
}

/** Brings changed limits to the wallets, so that running calls feel them too. Unchanged wallets are not touched. */
export function createWalletSettings(context: ControllerContext): {
  /** Wallets, and other pools, that were set anew. */
  apply(): Promise<readonly PoolId[]>;
} {
  const applied = new Map<PoolId, string>();
  return {
    async apply() {
      const changed: PoolId[] = [];
      const wanted = settingsOfAll(context.directory.accounts(), context.store.now());
      // A limit that is gone must let go of what still runs by it.
      for (const pool of applied.keys())
        if (!wanted.has(pool) && meaningOf(pool).kind !== 'money')
          wanted.set(pool, settingsOfPool(pool, context));
      for (const [pool, settings] of wanted) {
        const word = `${settings.credit} ${settings.policy} ${settings.refillAmount ?? ''}`;
        if (applied.get(pool) === word) continue;
        await context.store.configureWallet(pool, settings);
        applied.set(pool, word);
        changed.push(pool);
      }
      return changed;
    },
  };
}

function settingsOfAll({ nodes }: AccountLookup, now: EpochMs): Map<PoolId, WalletSettings> {
  const settings = new Map<PoolId, WalletSettings>();
  for (const node of nodes) {
    if (node.account.walletCurrency !== undefined) settings.set(node.path, walletSettingsOf(node));
    for (const pool of poolsOf(node.path, node.limits)) settings.set(pool, filledSettings(pool, node, now));
  }
  return settings;
}

function settingsOfPool(pool: PoolId, { directory, store }: ControllerContext): WalletSettings {
  return filledSettings(pool, directory.accounts().node(accountOf(pool)), store.now());
}

function filledSettings(pool: PoolId, node: AccountNode | undefined, now: EpochMs): WalletSettings {
  const rules = refillRules(pool, node?.limits);
  const settings = { credit: ZERO_MICROS, policy: 'unpaid' } as const;
  return rules === undefined ? settings : { ...settings, refillAmount: rules.cycleAt(now).amount };
}
