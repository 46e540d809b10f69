import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { differenceOf } from '../../src/accounts/account-difference.ts';
import { toAccountDocument, toRouteDocument } from '../../src/accounts/account-document.ts';
import { parseTree, type DescribedTree } from '../../src/accounts/tree-document.ts';

function tree(document: unknown): DescribedTree {
  const parsed = parseTree(document);
  if (parsed.kind === 'ok') return parsed.value;
  throw new Error(JSON.stringify(parsed.problems));
}

function problemsOf(document: unknown): readonly string[] {
  const parsed = parseTree(document);
  if (parsed.kind === 'ok') return [];
  return parsed.problems.map(({ field, value, expected }) => `${field}: ${value} → ${expected}`);
}

const NOTHING: DescribedTree = { accounts: [], routes: [] };

describe('a file that describes a tree', () => {
  const nested = {
    accounts: [
      {
        account: 'acme',
        wallet: 'EUR',
        accounts: [
          {
            account: 'Retail',
            operator: { calls: 3 },
            accounts: [{ account: 'alice' }, { account: 'bob/desk' }],
          },
        ],
      },
      { account: 'acme/retail/bob' },
    ],
    routes: [{ route: 'trunk-1', calls: 30 }],
  };
  const flat = {
    accounts: [
      { account: 'acme', wallet: 'EUR' },
      { account: 'acme/retail', operator: { calls: 3 } },
      { account: 'acme/retail/alice' },
      { account: 'acme/retail/bob/desk' },
      { account: 'acme/retail/bob' },
    ],
    routes: [{ route: 'trunk-1', calls: 30 }],
  };

  it('says the same nested and flat', () => {
    expect(tree(nested)).toEqual(tree(flat));
    expect(tree(nested).accounts.map(({ path }) => path)).toEqual(
      flat.accounts.map(({ account }) => account),
    );
  });

  it('may be a list of accounts, or one with those below it, or routes alone', () => {
    const names = (document: unknown) => tree(document).accounts.map(({ path }) => path);
    expect(names([{ account: 'a' }, { account: 'b', accounts: [{ account: 'c' }] }])).toEqual([
      'a',
      'b',
      'b/c',
    ]);
    expect(names({ account: 'a', accounts: [{ account: 'b' }] })).toEqual(['a', 'a/b']);
    expect(tree({ routes: [{ route: 'r' }] })).toMatchObject({ accounts: [], routes: [{ name: 'r' }] });
  });

  it.each([
    [{ acounts: [] }, 'acounts: [] → no such field; did you mean "accounts"?'],
    [{ account: 'a', calls: 3 }, 'calls: 3 → no such field; did you mean "operator.calls"?'],
    [{ account: 'a', two_way: 3 }, 'two_way: 3 → no such field; did you mean "operator.trunks.twoway"?'],
    [{ account: 'a', acounts: [] }, 'acounts: [] → no such field; did you mean "accounts"?'],
    [
      { accounts: [{ account: 'a', accounts: [{ account: 'b', operater: {} }] }] },
      'accounts[0].accounts[0].operater: {} → no such field; did you mean "operator"?',
    ],
    [
      { accounts: [{ account: 'a', accounts: [{ account: 'a/b' }] }] },
      'accounts[0].accounts[0].account: "a/b" → "b", for it stands below "a"',
    ],
    [
      { accounts: [{ account: 'a', accounts: [{ account: 'b', numbering: {} }] }] },
      'accounts[0].accounts[0].numbering: {} → to be left out: only the root',
    ],
    [{ accounts: [{ account: 'a' }, { account: 'A' }] }, 'accounts: "a" → each one once'],
    [{ routes: [{ route: 'a' }, { route: 'a' }] }, 'routes: "a" → each one once'],
    [{ routes: [{ route: 'a', call: 1 }] }, 'routes[0].call: 1 → no such field; did you mean "calls"?'],
    [{ accounts: { a: {} } }, 'accounts: {"a":{}} → a list'],
    [{ accounts: [{ account: 'a', accounts: {} }] }, 'accounts[0].accounts: this → a list of accounts'],
    [{ accounts: ['a'] }, 'accounts[0]: "a" → fields and values'],
    [{ account: 'a', accounts: [{ account: 'b//c' }] }, 'accounts[0].account: "b//c" →'],
    [undefined, 'document: undefined → fields and values'],
    ['acme', 'document: "acme" → fields and values'],
  ])('%j is refused', (document, problem) => {
    expect(problemsOf(document)).toContainEqual(expect.stringContaining(problem));
  });

  it('tells all that is wrong at once, levels that are too deep among it', () => {
    let deep: object = { account: 'z' };
    for (let level = 0; level < 12; level++) deep = { account: 'a', accounts: [deep] };
    const problems = problemsOf({ accounts: [deep, { account: 'x', operator: { calls: -1 } }], route: [] });
    expect(problems).toContainEqual(expect.stringContaining('at most 8 levels'));
    expect(problems).toContainEqual(expect.stringContaining('accounts[1].operator.calls: -1'));
    expect(problems).toContainEqual(
      expect.stringContaining('route: [] → no such field; did you mean "routes"?'),
    );
  });

  it('may not contain itself, as YAML can', () => {
    const account: Record<string, unknown> = { account: 'a' };
    account['accounts'] = [account];
    expect(problemsOf({ accounts: [account] })).toContainEqual(expect.stringContaining('at most 8 levels'));
    account['wallet'] = account;
    expect(problemsOf(account)).toContainEqual(
      expect.stringContaining('wallet: a value that cannot be shown'),
    );
  });

  it('throws at nothing a stranger can write', () => {
    const key = fc.constantFrom('account', 'accounts', 'routes', 'route', 'operator', 'calls');
    const { node } = fc.letrec((tie) => ({
      node: fc.oneof(
        { maxDepth: 6 },
        fc.constantFrom('a', 'a/b', 7, undefined),
        fc.array(tie('node'), { maxLength: 3 }),
        fc.dictionary(key, tie('node'), { maxKeys: 4 }),
      ),
    }));
    fc.assert(
      fc.property(node, (document) => {
        expect(['ok', 'bad']).toContain(parseTree(document).kind);
      }),
      { numRuns: 500 },
    );
  });
});

describe('the difference between the record and a description', () => {
  const before = tree([
    { account: 'acme', wallet: 'EUR', operator: { calls: 5, maxPostpay: '10.00' }, customer: { calls: 2 } },
    { account: 'acme/x' },
    { account: 'other' },
  ]);

  it('names each field with its value before and after, parents first', () => {
    const after = tree([
      { account: 'acme/x/y' },
      { account: 'acme', wallet: 'EUR', operator: { calls: 7, maxPostpay: '10' } },
      { account: 'acme/x', accounts: [] },
    ]);
    const difference = differenceOf(before, after);
    expect(difference.accounts.map(({ account, isNew, fields }) => [account.path, isNew, fields])).toEqual([
      [
        'acme',
        false,
        [
          { field: 'operator.calls', before: 5, after: 7 },
          { field: 'customer.calls', before: 2, after: undefined },
        ],
      ],
      ['acme/x/y', true, []],
    ]);
    expect(difference.unchanged).toBe(1);
  });

  it('is nothing for what is on record already', () => {
    expect(differenceOf(before, before)).toEqual({ accounts: [], routes: [], unchanged: 3 });
    expect(differenceOf(before, NOTHING)).toEqual({ accounts: [], routes: [], unchanged: 0 });
  });

  it('of routes too', () => {
    const [one, two] = [
      tree({ routes: [{ route: 'r', calls: 1 }] }),
      tree({ routes: [{ route: 'r', calls: 2 }, { route: 's' }] }),
    ];
    expect(differenceOf(one, two).routes).toMatchObject([
      { route: { name: 'r' }, isNew: false, fields: [{ field: 'calls', before: 1, after: 2 }] },
      { route: { name: 's' }, isNew: true, fields: [] },
    ]);
  });

  it('once saved, is nothing, whatever was described', () => {
    const limits = fc.record(
      { calls: fc.oneof(fc.nat(3), fc.constant('unlimited')), maxPostpay: fc.constantFrom('1', '2.50') },
      { requiredKeys: [] },
    );
    const account = fc.record(
      { account: fc.constantFrom('a', 'a/b', 'a/b/c', 'd'), operator: limits },
      { requiredKeys: ['account'] },
    );
    const route = fc.record(
      { route: fc.constantFrom('r', 's'), calls: fc.nat(3) },
      { requiredKeys: ['route'] },
    );
    const described = fc.record({
      accounts: fc.uniqueArray(account, { selector: (each) => each.account }),
      routes: fc.uniqueArray(route, { selector: (each) => each.route }),
    });
    fc.assert(
      fc.property(described, described, (first, second) => {
        const [before, wanted] = [tree(first), tree(second)];
        const { accounts, routes } = differenceOf(before, wanted);
        const saved = {
          accounts: [
            ...new Map(
              [...before.accounts, ...accounts.map((change) => change.account)].map((each) => [
                each.path,
                each,
              ]),
            ).values(),
          ],
          routes: [
            ...new Map(
              [...before.routes, ...routes.map((change) => change.route)].map((each) => [each.name, each]),
            ).values(),
          ],
        };
        expect(differenceOf(saved, wanted)).toMatchObject({ accounts: [], routes: [] });
        const find = (path: string) => saved.accounts.find((each) => each.path === path);
        for (const each of wanted.accounts)
          expect(find(each.path) && toAccountDocument(each)).toEqual(toAccountDocument(each));
        expect(
          wanted.routes
            .map(toRouteDocument)
            .every((each) =>
              saved.routes
                .map(toRouteDocument)
                .some((other) => JSON.stringify(other) === JSON.stringify(each)),
            ),
        ).toBe(true);
      }),
    );
  });
});
