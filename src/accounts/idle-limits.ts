import type { Account } from './account.ts';
import type { OperatorLimits } from './limits.ts';

/** Limits of what an account spends: from its own wallet, whoever's calls it pays for. */
const OF_OWN_MONEY = [
  'maxCallCost',
  'maxSpend',
  'maxPostpay',
  'discounts',
] as const satisfies readonly (keyof OperatorLimits)[];

/** Those that are set on an account and bound nothing, for it has no wallet and others pay for its calls. */
export function idleLimits({ walletCurrency, operator, customer }: Account): readonly string[] {
  if (walletCurrency !== undefined) return [];
  const set = OF_OWN_MONEY.filter((name) =>
    [operator, customer].some((said: OperatorLimits) => bounds(said[name])),
  );
  const mayNotPay = operator.allowPrepay === false || customer.allowPrepay === false;
  return [...set, ...(mayNotPay ? ['allowPrepay'] : [])];
}

function bounds(value: OperatorLimits[(typeof OF_OWN_MONEY)[number]]): boolean {
  if (value === undefined || value === 'unlimited') return false;
  return (
    typeof value === 'bigint' ||
    Object.values(value).some((part) => part !== undefined && part !== 'unlimited')
  );
}
