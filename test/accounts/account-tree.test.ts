import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAccounts, parseRoutes } from '../../src/accounts/account-document.ts';
import {
  createAccountLookup,
  payersAt,
  type AccountLookup,
  type AccountNode,
} from '../../src/accounts/account-tree.ts';
import type { OperatorLimits } from '../../src/accounts/limits.ts';
import { assert } from '../../src/units/assert.ts';
import { parseAccountPath, parseRouteName, type AccountPath } from '../../src/units/ids.ts';
import { ALWAYS, parseMoment } from '../../src/units/time.ts';

function lookupOf(accounts: readonly unknown[], serviceDefaults: OperatorLimits = {}): AccountLookup {
  const parsed = parseAccounts(accounts);
  const routes = parseRoutes([{ route: 'trunk', calls: 2 }]);
  assert(parsed.kind === 'ok' && routes.kind === 'ok', 'the documents of this test are right');
  return createAccountLookup({ revision: 7, accounts: parsed.value, routes: routes.value }, serviceDefaults);
}

function path(text: string): AccountPath {
  const parsed = parseAccountPath(text);
  assert(parsed !== undefined, 'the paths of this test are right');
  return parsed;
}

function payersOf(node: AccountNode | undefined, at = '2026-08-01') {
  return node === undefined ? undefined : payersAt(node, parseMoment(at) ?? ALWAYS);
}

const acme = lookupOf([
  { account: 'acme/retail/alice', customer: { calls: 1 } },
  { account: 'acme', tariff: 'wholesale', wallet: 'EUR', defaults: { calls: 5 } },
  { account: 'acme/retail', wallet: 'EUR', operator: { calls: 50 } },
  { account: 'lost/child' },
]);

describe('the tree of accounts', () => {
  it('knows the chain of an account, root first, with the limits of each', () => {
    const chain = acme.node(path('acme/retail/alice'))?.chain;
    expect(chain?.map((node) => [node.path, node.limits.calls])).toEqual([
      ['acme', 5],
      ['acme/retail', 50],
      ['acme/retail/alice', 1],
    ]);
  });

  it('lists parents before children, and the children of each', () => {
    expect(acme.nodes.map((node) => node.path)).toEqual(['acme', 'acme/retail', 'acme/retail/alice']);
    expect(acme.children(path('acme'))).toEqual(['acme/retail']);
    expect(acme.children(path('acme/retail/alice'))).toEqual([]);
  });

  it('does not know an account whose parent is missing', () => {
    expect(acme.node(path('lost/child'))).toBeUndefined();
  });

  it('charges every account of the chain that has a wallet or a tariff, by the nearest tariff', () => {
    const payers = payersOf(acme.node(path('acme/retail/alice')));
    expect(payers).toMatchObject([
      { path: 'acme', walletCurrency: 'EUR', tariff: 'wholesale' },
      { path: 'acme/retail', walletCurrency: 'EUR', tariff: 'wholesale' },
    ]);
    const tariffOnly = lookupOf([
      { account: 'a' },
      { account: 'a/b', tariff: 't' },
      { account: 'a/c', wallet: 'EUR' },
    ]);
    expect(payersOf(tariffOnly.node(path('a')))).toEqual([]);
    expect(payersOf(tariffOnly.node(path('a/b')))).toMatchObject([
      { walletCurrency: undefined, tariff: 't' },
    ]);
    expect(payersOf(tariffOnly.node(path('a/c')))).toMatchObject([
      { walletCurrency: 'EUR', tariff: undefined },
    ]);
  });

  it('charges by the tariff of the day, its own or the nearest of that day', () => {
    const tree = lookupOf([
      {
        account: 'a',
        wallet: 'EUR',
        tariffs: [
          { tariff: 'old', from: 'always' },
          { tariff: 'new', from: '2026-03-01' },
        ],
      },
      {
        account: 'a/b',
        wallet: 'EUR',
        tariffs: [
          { tariff: 'gold', from: '2026-02-01' },
          { tariff: 'unset', from: '2026-04-01' },
        ],
      },
      { account: 'a/b/c', wallet: 'EUR' },
      { account: 'a/b/later', tariffs: [{ tariff: 'gold', from: '2026-02-01' }] },
    ]);
    const tariffsOn = (name: string, day: string) =>
      payersOf(tree.node(path(name)), day)?.map(({ tariff }) => tariff);
    expect(tariffsOn('a/b/c', '2026-01-31T23:59:59.999Z')).toEqual(['old', 'old', 'old']);
    expect(tariffsOn('a/b/c', '2026-02-01')).toEqual(['old', 'gold', 'gold']);
    expect(tariffsOn('a/b/c', '2026-03-01')).toEqual(['new', 'gold', 'gold']);
    expect(tariffsOn('a/b/c', '2026-04-01')).toEqual(['new', 'new', 'new']);
    // Without a wallet it pays as long as it has a tariff.
    expect(tariffsOn('a/b/later', '2026-01-31')).toEqual(['old', 'old']);
    expect(tariffsOn('a/b/later', '2026-02-01')).toEqual(['old', 'gold', 'gold']);
  });

  it("prefers the root's defaults to the service's, on every level", () => {
    const tree = lookupOf([{ account: 'a', defaults: { calls: 5 } }, { account: 'a/b' }, { account: 'c' }], {
      calls: 9,
      callsPerSecond: 2,
    });
    expect(tree.node(path('a/b'))?.limits).toMatchObject({ calls: 5, callsPerSecond: 2 });
    expect(tree.node(path('c'))?.limits).toMatchObject({ calls: 9, callsPerSecond: 2 });
  });

  it('knows the limits of a route; what is unset is unlimited', () => {
    const name = parseRouteName('trunk');
    assert(name !== undefined, 'the name is right');
    expect(acme.route(name)?.limits).toEqual({
      calls: 2,
      inboundCalls: 'unlimited',
      outboundCalls: 'unlimited',
      callsPerSecond: 'unlimited',
    });
    expect(acme.revision).toBe(7);
  });

  it('comes out the same in whatever order the accounts are read', () => {
    const bound = fc.option(fc.oneof(fc.nat(9), fc.constant('unlimited')), { nil: undefined });
    const documents = fc
      .uniqueArray(fc.constantFrom('a', 'a/b', 'a/b/c', 'a/d', 'e', 'e/f'), { minLength: 1 })
      .chain((paths) =>
        fc.tuple(
          ...paths.map((account) =>
            fc.record({ account: fc.constant(account), operator: fc.record({ calls: bound }) }),
          ),
        ),
      );
    const shuffled = documents.chain((list) =>
      fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })),
    );
    const picture = (accounts: readonly unknown[]) =>
      lookupOf(accounts, { calls: 4 }).nodes.map((node) => [node.path, node.limits.calls, node.chain.length]);
    fc.assert(
      fc.property(shuffled, ([list, other]) => {
        const nodes = picture(list);
        expect(picture(other)).toEqual(nodes);
        for (const [path, calls] of nodes) {
          const own = list.find((document) => document.account === path)?.operator.calls;
          // No account inherits its parent's limit: each level of a chain is asked by itself.
          expect(calls).toBe(own ?? 4);
        }
      }),
    );
  });
});
