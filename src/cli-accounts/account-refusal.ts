import type { SaveRefusal } from '../accounts/saving-order.ts';
import { assertNever } from '../units/assert.ts';

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
