import { describe, expect, it } from 'vitest';
import { parseAccount } from '../../src/accounts/account-document.ts';
import { idleLimits } from '../../src/accounts/idle-limits.ts';

function idle(document: Readonly<Record<string, unknown>>): readonly string[] {
  const parsed = parseAccount({ account: 'acme', ...document });
  if (parsed.kind === 'bad') throw new Error(JSON.stringify(parsed.problems));
  return idleLimits(parsed.value);
}

describe('limits of what an account spends', () => {
  it.each([
    ['the dearest call', { operator: { maxCallCost: '0' } }, ['maxCallCost']],
    ['spend windows of the customer', { customer: { maxSpend: { day: '5.00' } } }, ['maxSpend']],
    ['discounts', { operator: { discounts: { international: '10' } } }, ['discounts']],
    ['postpay', { operator: { allowPostpay: true, maxPostpay: '5.00' } }, ['maxPostpay']],
    ['no prepay', { customer: { allowPrepay: false } }, ['allowPrepay']],
    ['no bounds', { operator: { maxCallCost: 'unlimited', maxSpend: { hour: 'unlimited' } } }, []],
    ['what is no money', { operator: { calls: 1, maxCallSeconds: 60, allowPrepay: true } }, []],
  ])('bound nothing without a wallet: %s', (_, document, names) => {
    expect(idle(document)).toEqual(names);
    expect(idle({ ...document, wallet: 'EUR', tariff: 'standard' })).toEqual([]);
  });
});
