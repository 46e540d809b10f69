import { describe, expect, it } from 'vitest';
import { differenceOf } from '../../src/accounts/account-difference.ts';
import { savingOrder, type RecordFacts } from '../../src/accounts/saving-order.ts';
import { parseTree, type DescribedTree } from '../../src/accounts/tree-document.ts';
import { parseAccountPath, parseTariffName } from '../../src/units/ids.ts';

function tree(document: unknown): DescribedTree {
  const parsed = parseTree(document);
  if (parsed.kind === 'ok') return parsed.value;
  throw new Error(JSON.stringify(parsed.problems));
}

describe('the order in which changes can be saved', () => {
  const facts = (held: Readonly<Record<string, string>> = {}): RecordFacts => ({
    currencyOfTariff: new Map(
      [['euros', 'EUR'] as const, ['dollars', 'USD'] as const].flatMap(([name, currency]) => {
        const tariff = parseTariffName(name);
        return tariff === undefined ? [] : [[tariff, currency] as const];
      }),
    ),
    currencyHeld: new Map(
      Object.entries(held).flatMap(([name, currency]) => {
        const path = parseAccountPath(name);
        return path === undefined ? [] : [[path, currency] as const];
      }),
    ),
  });
  const orderOf = (before: unknown, after: unknown, known = facts()) => {
    const onRecord = tree(before);
    const { order, refused } = savingOrder(
      onRecord.accounts,
      differenceOf(onRecord, tree(after)).accounts,
      known,
    );
    return {
      order: order.map(({ account }) => account.path),
      refused: refused.map(({ account, refusal }) => `${account} ${refusal.reason}`),
    };
  };

  it('is parents before children', () => {
    expect(orderOf([], [{ account: 'a/b/c' }, { account: 'a/b' }, { account: 'a' }])).toEqual({
      order: ['a', 'a/b', 'a/b/c'],
      refused: [],
    });
  });

  it('has none for a change that the record would refuse, and says why', () => {
    expect(orderOf([], [{ account: 'a/b' }, { account: 'a/b/c' }])).toEqual({
      order: [],
      refused: ['a/b no_parent'],
    });
    expect(orderOf([], [{ account: 'a', tariff: 'none' }])).toEqual({ order: [], refused: ['a no_tariff'] });
    expect(orderOf([], [{ account: 'a', tariff: 'euros', wallet: 'USD' }]).refused).toEqual([
      'a currency_differs',
    ]);
    expect(orderOf([{ account: 'a', tariff: 'euros' }], [{ account: 'a/b', wallet: 'USD' }]).refused).toEqual(
      ['a/b currency_differs'],
    );
    expect(
      orderOf([{ account: 'a', wallet: 'EUR' }], [{ account: 'a', wallet: 'USD' }], facts({ a: 'EUR' }))
        .refused,
    ).toEqual(['a currency_fixed']);
    // Below an account with a tariff of its own that one holds.
    const below = [
      { account: 'a' },
      { account: 'a/b', tariff: 'dollars' },
      { account: 'a/b/c', wallet: 'USD' },
    ];
    expect(orderOf(below, [{ account: 'a', tariff: 'euros' }])).toEqual({ order: ['a'], refused: [] });
  });

  it('puts a change behind the one that makes it possible', () => {
    const before = [{ account: 'a' }, { account: 'a/b', wallet: 'USD' }];
    const after = [
      { account: 'a', tariff: 'euros' },
      { account: 'a/b', wallet: 'EUR' },
    ];
    expect(orderOf(before, after)).toEqual({ order: ['a/b', 'a'], refused: [] });
  });
});
