import type { Account } from '../accounts/account.ts';
import { idleLimits } from '../accounts/idle-limits.ts';
import type { SaveRefusal } from '../accounts/saving-order.ts';
import { assertNever } from '../units/assert.ts';

/** Of each account those of its limits that bound nothing, for somebody to hear who meant them to. */
export function idleWords(accounts: readonly Account[]): readonly string[] {
  return accounts.flatMap((account) => {
    const names = idleLimits(account);
    if (names.length === 0) return [];
    return [`${account.path}: ${names.join(', ')}: ${IDLE_WHY}`];
  });
}

export const IDLE_WHY = 'only for money of its own, and it has no wallet';

/** Why an account or a route could not be saved, in words. */
export function refusalOf(name: string, refusal: SaveRefusal): string {
  switch (refusal.reason) {
    case 'no_parent':
      return `${name}: its parent ${refusal.parent} does not exist`;
    case 'no_tariff':
      return `${name}: there is no tariff ${refusal.tariff}`;
    case 'currency_differs':
      return `${name}: the wallet of ${refusal.account} is in ${refusal.walletCurrency} and its tariff ${refusal.tariff} in ${refusal.tariffCurrency}`;
    case 'currency_fixed':
      return `${name}: its wallet has held ${refusal.walletCurrency} and stays in it`;
    default:
      return assertNever(refusal, 'refusal');
  }
}
