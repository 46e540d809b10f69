import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  parseAccount,
  parseAccounts,
  parseRoute,
  parseRoutes,
  toAccountDocument,
  toRouteDocument,
} from '../../src/accounts/account-document.ts';
import { createAccountLookup } from '../../src/accounts/account-tree.ts';
import { parseOperatorLimits } from '../../src/accounts/limits-document.ts';
import { parseMicros } from '../../src/units/money.ts';

/** `field: value → expected` of each problem, for short expectations. */
function problemsOf(parsed: ReturnType<typeof parseAccount | typeof parseAccounts>): readonly string[] {
  if (parsed.kind === 'ok') return [];
  return parsed.problems.map(({ field, value, expected }) => `${field}: ${value} → ${expected}`);
}

describe('an account document', () => {
  it.each(['adhoc', 'Adhoc/john', 'acme/adhoc.john', 'acme/adhoc.x/y'])(
    'of %s is refused: customers of channel variables are called so',
    (account) => {
      expect(problemsOf(parseAccount({ account }))).toEqual([
        expect.stringContaining('→ another name: "adhoc"'),
      ]);
      expect(problemsOf(parseAccount({ account: 'acme/adhocs' }))).toEqual([]);
    },
  );

  it('becomes an account', () => {
    const parsed = parseAccount({
      account: 'Acme/Retail',
      wallet: 'EUR',
      tariff: 'Standard',
      operator: { calls: 5, maxPostpay: '10.5', onExhaustion: 'all' },
      customer: { calls: 'unlimited', allowPrepay: false },
    });
    expect(parsed).toMatchObject({
      kind: 'ok',
      value: {
        path: 'acme/retail',
        walletCurrency: 'EUR',
        tariffs: [{ from: 0, tariff: 'standard' }],
        operator: { calls: 5, maxPostpay: parseMicros('10.5'), onExhaustion: 'all' },
        customer: { calls: 'unlimited', allowPrepay: false },
      },
    });
  });

  it('tells all that is wrong with it at once', () => {
    const problems = problemsOf(
      parseAccount({
        account: 'acme/a b',
        wallet: 'euro',
        tarif: 'standard',
        operator: { calls: -1, callsPerSecond: 1.5, maxPostpay: 10, enabled: 'yes', enforcement: 'dry' },
        customer: { enabled: true, allowPrepay: true, maxPostpay: '1.00' },
      }),
    );
    expect(problems).toEqual([
      expect.stringContaining('account: "acme/a b" → 1 to 8 names'),
      expect.stringContaining('wallet: "euro" → three capital letters'),
      expect.stringContaining('operator.calls: -1 → a whole number'),
      expect.stringContaining('operator.callsPerSecond: 1.5 → a whole number'),
      expect.stringContaining('operator.enabled: "yes" → true or false'),
      expect.stringContaining('operator.maxPostpay: 10 → a decimal string such as "10.00": a bare number'),
      expect.stringContaining('operator.enforcement: "dry" → "enforce" or "dry_run"'),
      expect.stringContaining('customer.allowPrepay: true → false or nothing'),
      expect.stringContaining('customer.enabled: true → to be left out: only the operator'),
      expect.stringContaining('customer.maxPostpay: "1.00" → to be left out: only the operator'),
      expect.stringContaining('tarif: "standard" → no such field; did you mean "tariff"?'),
    ]);
  });

  it('has defaults and numbering only at the root of a tree', () => {
    const numbering = { country: '49', internationalPrefix: '00', trunkPrefix: '0' };
    expect(parseAccount({ account: 'acme', defaults: { calls: 3 }, numbering })).toMatchObject({
      kind: 'ok',
      value: { defaults: { calls: 3 }, numbering },
    });
    expect(problemsOf(parseAccount({ account: 'acme/x', defaults: {}, numbering }))).toHaveLength(2);
    expect(problemsOf(parseAccount({ account: 'acme', numbering: { country: 49 } }))).toEqual([
      expect.stringContaining(
        'numbering.country: 49 → a country code of 1 to 3 digits such as "49", in quotes',
      ),
      expect.stringContaining('numbering.internationalPrefix: nothing →'),
      expect.stringContaining('numbering.trunkPrefix: nothing →'),
    ]);
  });

  it.each([undefined, null, 7, 'acme', [], true])('is not %j', (document) => {
    expect(parseAccount(document).kind).toBe('bad');
  });

  it('may come as a list, with problems that name the place', () => {
    expect(parseAccounts({ accounts: [{ account: 'a' }, { account: 'a/b' }] })).toMatchObject({
      kind: 'ok',
      value: [{ path: 'a' }, { path: 'a/b' }],
    });
    expect(parseAccounts({ account: 'a' })).toMatchObject({ kind: 'ok', value: [{ path: 'a' }] });
    expect(problemsOf(parseAccounts([{ account: 'a' }, { account: 'b', operator: { calls: 'x' } }]))).toEqual(
      [expect.stringContaining('accounts[1].operator.calls: "x"')],
    );
    expect(problemsOf(parseAccounts([{ account: 'a' }, { account: 'A' }]))).toEqual([
      'accounts: "a" → each one once',
    ]);
  });

  it('reads back what it writes', () => {
    const bound = fc.oneof(fc.nat(1000), fc.constant('unlimited'));
    const operator = fc.record(
      {
        calls: bound,
        callsPerSecond: bound,
        enabled: fc.boolean(),
        allowPostpay: fc.boolean(),
        maxPostpay: fc
          .nat(10_000)
          .map((cents) => `${Math.floor(cents / 100)}.${`${cents % 100}`.padStart(2, '0')}`),
        enforcement: fc.constantFrom('enforce', 'dry_run'),
      },
      { requiredKeys: [] },
    );
    const document = fc.record(
      {
        account: fc.constant('acme'),
        wallet: fc.constant('EUR'),
        operator,
        customer: fc.constant({ calls: 1 }),
      },
      { requiredKeys: ['account', 'operator', 'customer'] },
    );
    fc.assert(
      fc.property(document, (written) => {
        const parsed = parseAccount(written);
        expect(parsed.kind === 'ok' ? toAccountDocument(parsed.value) : parsed).toEqual(written);
      }),
    );
  });

  it('throws at nothing a stranger can write', () => {
    const kinds = new Set(fc.sample(fc.jsonValue(), 500).map((value) => parseAccounts(value).kind));
    expect(new Set([...kinds, 'ok', 'bad']).size).toBe(2);
  });
});

describe('other documents', () => {
  it('a route has only the limits of a route', () => {
    const parsed = parseRoute({ route: 'Trunk-1', calls: 30, callsPerSecond: 5 });
    expect(parsed).toMatchObject({ kind: 'ok', value: { name: 'trunk-1', limits: { calls: 30 } } });
    expect(parsed.kind === 'ok' && toRouteDocument(parsed.value)).toEqual({
      route: 'trunk-1',
      calls: 30,
      callsPerSecond: 5,
    });
    expect(parseRoute({ route: 'trunk-1', enabled: true })).toMatchObject({
      problems: [{ field: 'enabled' }],
    });
    expect(parseRoutes([{ route: 'a' }, { calls: 1 }])).toMatchObject({
      problems: [{ field: 'routes[1].route' }],
    });
  });

  it('limits may stand alone, as the defaults of the service do', () => {
    expect(parseOperatorLimits({ calls: 5 })).toMatchObject({ kind: 'ok', value: { calls: 5 } });
    expect(parseOperatorLimits({ cals: 5 })).toMatchObject({
      problems: [{ field: 'cals', expected: 'no such field; did you mean "calls"?' }],
    });
  });
});

describe('shadow limits', () => {
  const written = { account: 'acme', operator: {}, customer: {}, shadow: { calls: 3, maxPostpay: '1.00' } };

  it('stand beside the limits that hold, and in the place of them where they are judged', () => {
    const parsed = parseAccount({
      ...written,
      operator: { calls: 5, publicCalls: 7 },
      customer: { calls: 4 },
    });
    if (parsed.kind === 'bad') throw new Error(JSON.stringify(parsed.problems));
    expect(toAccountDocument(parsed.value)).toMatchObject({ shadow: written.shadow });
    const tree = { revision: 1, accounts: [parsed.value], routes: [] };
    const [node] = createAccountLookup(tree, { inboundCalls: 2 }).nodes;
    expect(node?.limits).toMatchObject({ calls: 4, publicCalls: 7, inboundCalls: 2 });
    expect(node?.shadow?.limits).toMatchObject({
      calls: 3,
      publicCalls: 7,
      inboundCalls: 2,
      maxPostpay: 1_000_000n,
    });
  });

  const allotments = { international: { seconds: 60, cycle: 'daily' } };

  it('count what is used up over time, by a name of their own as long as they say the same of it', () => {
    const countedAs = (shadow: object): string | undefined => {
      const parsed = parseAccount({ account: 'acme', operator: { maxSpend: { day: '9.00' } }, shadow });
      if (parsed.kind === 'bad') throw new Error(JSON.stringify(parsed.problems));
      const tree = { revision: 1, accounts: [parsed.value], routes: [] };
      return createAccountLookup(tree, {}).nodes[0]?.shadow?.countedAs;
    };
    expect(countedAs({ calls: 3, fundingOrder: ['per_minute'] })).toBeUndefined();
    const names = [
      countedAs({ allotments }),
      countedAs({ allotments: {} }),
      countedAs({ allotments, maxSpend: { day: '1.00' } }),
      countedAs({ maxSpend: { day: '1.00' } }),
      countedAs({ timeZone: 'Europe/Berlin' }),
    ];
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(name).toMatch(/^[0-9a-f]{8}$/);
    expect(countedAs({ calls: 3, maxSpend: { day: '1.00' }, allotments })).toBe(names[2]);
    expect(countedAs({ maxSpend: { hour: '0.50', day: '1.00' } })).toBe(
      countedAs({ maxSpend: { day: '1.00', hour: '0.50' } }),
    );
  });

  it('name allotments as those that hold do, and classifiers that these need stay', () => {
    const said = parseAccount({
      account: 'acme',
      shadow: { allotments: { moon: allotments.international } },
    });
    expect(problemsOf(said)).toEqual([expect.stringContaining('shadow.allotments.moon')]);
  });

  it('say nothing of how an account is treated', () => {
    const shadow = { enabled: false, softLimitInbound: true, allotments: {}, timeZone: 'UTC', cals: 1 };
    const problems = problemsOf(parseAccount({ account: 'acme', shadow }));
    expect(problems.map((problem) => problem.split(':')[0] ?? '').toSorted()).toEqual([
      'shadow.cals',
      'shadow.enabled',
      'shadow.softLimitInbound',
    ]);
  });
});
