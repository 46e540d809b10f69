import type { AccountNode } from '../accounts/account-tree.ts';
import type { WalletSettings } from '../admission/live-store.ts';
import { ZERO_MICROS } from '../units/money.ts';
import type { AccountPath } from '../units/ids.ts';
import type { ControllerContext } from './context.ts';

/** What an account's limits mean for its wallet. */
export function walletSettingsOf({ limits }: Pick<AccountNode, 'limits'>): WalletSettings {
  return { credit: limits.allowPostpay ? limits.maxPostpay : ZERO_MICROS, policy: limits.onExhaustion };
}

/** Brings changed limits to the wallets, so that running calls feel them too. Unchanged wallets are not touched. */
export function createWalletSettings(context: ControllerContext): {
  /** Accounts whose wallet was set anew. */
  apply(): Promise<readonly AccountPath[]>;
} {
  const applied = new Map<AccountPath, string>();
  return {
    async apply() {
      const changed: AccountPath[] = [];
      for (const node of context.directory.accounts().nodes) {
        if (node.account.walletCurrency === undefined) continue;
        const settings = walletSettingsOf(node);
        const word = `${settings.credit} ${settings.policy}`;
        if (applied.get(node.path) === word) continue;
        await context.store.configureWallet(node.path, settings);
        applied.set(node.path, word);
        changed.push(node.path);
      }
      return changed;
    },
  };
}
