import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DecisionQuery, LedgerBalance, Page, PageCursor } from '../../src/records/record-store.ts';
import type { Cdr, Decision, Transfer } from '../../src/records/records.ts';
import { addMs, toEpochMs } from '../../src/units/time.ts';
import { negateMicros, toMicros } from '../../src/units/money.ts';
import { account, cdrOf, leg, NOON, topupOf } from '../records/samples.ts';
import { DATABASES } from './databases.ts';

const ALWAYS = { from: toEpochMs(0), to: toEpochMs(Number.MAX_SAFE_INTEGER) };

describe.each(DATABASES)('the CDRs of an account on $name', ({ openScratch }) => {
  const cdrs = ['acme', 'acme/alice', 'acme/alice/desk', 'acme-two', 'acme.three', 'acme0', 'zeta'].flatMap(
    (path, index) =>
      [0, 1, 2].map((number): Cdr => ({
        ...cdrOf(`l-${index}-${number}`),
        account: account(path),
        admittedAt: addMs(NOON, number * 1_000),
      })),
  );
  const opened = async () => {
    const { records } = await openScratch();
    const settlements = cdrs.map((cdr) => ({ cdr, charges: [], transfers: [] }));
    await records.writeBatch({ settlements, decisions: [] });
    return records;
  };

  it('are its own, or those of everything below it and of nothing beside it', async () => {
    const records = await opened();
    const accountsIn = async (scope: 'account' | 'subtree') => {
      const { rows } = await records.cdrs({
        ...ALWAYS,
        account: account('acme'),
        scope,
        order: 'oldest_first',
        limit: 100,
      });
      return new Set(rows.map((cdr) => cdr.account));
    };
    expect(await accountsIn('account')).toEqual(new Set(['acme']));
    expect(await accountsIn('subtree')).toEqual(new Set(['acme', 'acme/alice', 'acme/alice/desk']));
  });

  it('begin at the first moment asked for and end before the last', async () => {
    const records = await opened();
    const { rows } = await records.cdrs({
      account: account('zeta'),
      scope: 'subtree',
      from: addMs(NOON, 1_000),
      to: addMs(NOON, 2_000),
      order: 'oldest_first',
      limit: 100,
    });
    expect(rows.map(({ admittedAt }) => admittedAt)).toEqual([addMs(NOON, 1_000)]);
  });

  it.each(['oldest_first', 'newest_first'] as const)(
    'come %s in pages without gap or repetition',
    async (order) => {
      const records = await opened();
      const paged = await allPages((after) =>
        records.cdrs({ ...ALWAYS, account: account('acme'), scope: 'subtree', order, limit: 2, after }),
      );
      const oldestFirst = cdrs
        .filter((cdr) => /^acme($|\/)/.test(cdr.account))
        .toSorted((a, b) => a.admittedAt - b.admittedAt || (a.legUuid < b.legUuid ? -1 : 1));
      expect(paged).toEqual(order === 'oldest_first' ? oldestFirst : oldestFirst.toReversed());
    },
  );
});

describe.each(DATABASES)('what became of customers on $name', ({ openScratch }) => {
  it('counts theirs, and no account that looks like one', async () => {
    const { records } = await openScratch();
    const cdrs = (
      [
        ['adhoc/john', 'credit'],
        ['adhoc/john', 'max_time'],
        ['acme/adhoc.mary', undefined],
        ['adhocracy/bob', 'credit'],
        ['acme/adhocs', 'credit'],
        ['acme', 'max_time'],
      ] as const
    ).map(([path, cut], n): Cdr => ({ ...cdrOf(`c-${n}`), account: account(path), cut }));
    const refusal = (n: number, path: string, reason: string, holder: string, limit: string): Decision => ({
      id: `refusal-${n}`,
      at: NOON,
      kind: 'refusal',
      verdict: 'refused',
      aLeg: leg(`a-${n}`),
      legUuid: undefined,
      account: account(path),
      reason,
      inputs: { limit, holder },
    });
    await records.writeBatch({
      settlements: cdrs.map((cdr) => ({ cdr, charges: [], transfers: [] })),
      decisions: [
        refusal(1, 'adhoc/john', 'no_credit', 'adhoc/john', 'credit'),
        refusal(2, 'adhoc/john', 'no_time', 'adhoc/john', 'max_time'),
        refusal(3, 'adhoc/john', 'limit_reached', 'adhoc/john', 'calls'),
        refusal(4, 'acme/adhoc.mary', 'limit_reached', 'acme', 'calls'),
        refusal(5, 'acme', 'limit_reached', 'acme', 'calls'),
      ],
    });
    expect(await records.customerTotals()).toEqual({
      customers: 2,
      calls: 3,
      answered: 3,
      ended: { credit: 1, time: 1 },
      refused: { credit: 1, time: 1, channels: 1, other: 1 },
    });
  });

  it('keeps the transfers of their pools once, however often they come', async () => {
    const { records } = await openScratch();
    const opening = { ...topupOf({ id: 'opening:adhoc/john:x:1' }), kind: 'opening' } as const;
    const batch = { settlements: [], decisions: [], transfers: [opening] };
    expect((await records.writeBatch(batch)).inserted.transfers).toBe(1);
    expect((await records.writeBatch(batch)).already.transfers).toBe(1);
    expect(await records.transfer(opening.id)).toEqual(opening);
  });
});

describe.each(DATABASES)('the CDRs of a subtree on $name', ({ openScratch }) => {
  it('are the same whether it calls often or seldom, page by page', async () => {
    const { records } = await openScratch();
    // More often than a page is looked for among everybody's calls, and several in one millisecond.
    const accounts = ['busy/a', 'busy/b', 'rare', 'rare/x', 'rare/x/y', 'rarer', 'rare.z'].map(account);
    const cdrs = Array.from({ length: 700 }, (_, number): Cdr => ({
      ...cdrOf(`l-${(number * 7_919) % 10_007}`),
      account:
        accounts[number % 40 < 6 && number % 3 === 0 ? 2 + (number % 5) : number % 2] ?? account('busy'),
      admittedAt: addMs(NOON, Math.floor(number / 3) * 10),
    }));
    const settlements = cdrs.map((cdr) => ({ cdr, charges: [], transfers: [] }));
    await records.writeBatch({ settlements, decisions: [] });
    for (const [top, limit, order] of [
      ['rare', 1, 'oldest_first'],
      ['rare', 2, 'newest_first'],
      ['rare/x', 1, 'newest_first'],
      ['busy', 5, 'oldest_first'],
      ['nobody', 1, 'newest_first'],
    ] as const) {
      const range = { from: addMs(NOON, 50), to: addMs(NOON, 2_000) };
      const paged = await allPages((after) =>
        records.cdrs({ ...range, account: account(top), scope: 'subtree', order, limit, after }),
      );
      const expected = cdrs
        .filter((cdr) => cdr.account === top || cdr.account.startsWith(`${top}/`))
        .filter(({ admittedAt }) => admittedAt >= range.from && admittedAt < range.to)
        .toSorted((a, b) => a.admittedAt - b.admittedAt || (a.legUuid < b.legUuid ? -1 : 1));
      const oldestFirst = order === 'oldest_first';
      expect(paged.map(({ legUuid }) => legUuid)).toEqual(
        (oldestFirst ? expected : expected.toReversed()).map(({ legUuid }) => legUuid),
      );
    }
  });
});

describe.each(DATABASES)('decisions of one kind on $name', ({ openScratch }) => {
  it('are walked in their order, of all accounts or of a subtree, page after page', async () => {
    const { records } = await openScratch();
    const paths = ['acme', 'acme/alice', 'acme-two', undefined];
    const decisions = Array.from({ length: 1_203 }, (_, n): Decision => {
      const path = paths[n % paths.length];
      return {
        id: `d-${n}`,
        at: addMs(NOON, Math.floor(n / 10)),
        kind: n % 3 === 0 ? 'shadow' : 'refusal',
        verdict: 'refused',
        aLeg: leg(`a-${n}`),
        legUuid: undefined,
        account: path === undefined ? undefined : account(path),
        reason: 'limit_reached',
        inputs: { n },
      };
    });
    await records.writeBatch({ settlements: [], decisions });
    const walked = async (query: Partial<DecisionQuery>): Promise<readonly Decision[]> => {
      const found: Decision[] = [];
      const all = { kind: 'shadow', account: undefined, ...ALWAYS } as const;
      for await (const each of records.decisionsOfKind({ ...all, ...query })) found.push(each);
      return found;
    };
    const wanted = (isWanted: (each: Decision) => boolean): readonly Decision[] =>
      decisions
        .filter((each) => each.kind === 'shadow' && isWanted(each))
        .toSorted((left, right) => left.at - right.at || (left.id < right.id ? -1 : 1));
    expect(await walked({})).toEqual(wanted(() => true));
    expect(await walked({ account: account('acme') })).toEqual(
      wanted(({ account: path }) => path === 'acme' || path === 'acme/alice'),
    );
    const window = { from: addMs(NOON, 7), to: addMs(NOON, 9) };
    expect(await walked(window)).toEqual(wanted(({ at }) => at >= window.from && at < window.to));
  });
});

describe.each(DATABASES)('ledgers on $name', ({ openScratch }) => {
  const ledgers = [
    'wallet:acme',
    'wallet:acme/alice',
    'wallet:zeta',
    'wallet:é🕿',
    'cash:acme',
    'revenue:acme',
  ] as const;
  const anyTransfers = fc
    .array(
      fc.record({
        debit: fc.constantFrom(...ledgers),
        credit: fc.constantFrom(...ledgers),
        amount: fc.bigInt({ min: 1n, max: 10n ** 12n }).map(toMicros),
        currency: fc.constantFrom('EUR', 'USD'),
        at: fc.nat({ max: 20 }).map(toEpochMs),
      }),
      { maxLength: 40 },
    )
    .map((drawn) =>
      drawn
        .filter(({ debit, credit }) => debit !== credit)
        .map((changes, number): Transfer => topupOf({ ...changes, id: `t${number}` })),
    );

  it('balance as the plain sum of their transfers, one by one and all wallets together', async () => {
    await fc.assert(
      fc.asyncProperty(anyTransfers, async (transfers) => {
        const { records, close } = await openScratch();
        for (const transfer of transfers) await records.insertTransfer(transfer);
        const expected = oracle(transfers);
        for (const { ledger, currency, balance } of expected) {
          expect(await records.balance(ledger, currency)).toBe(balance);
        }
        const wallets = await Array.fromAsync(records.walletBalances());
        expect(wallets).toEqual(expected.filter(({ ledger }) => ledger.startsWith('wallet:')));
        for (const ledger of ledgers) {
          const paged = await allPages((after) =>
            records.transfersOf({ ...ALWAYS, ledger, order: 'newest_first', limit: 3, after }),
          );
          const own = transfers.filter(({ debit, credit }) => debit === ledger || credit === ledger);
          expect(paged.map(({ id }) => id).toSorted()).toEqual(own.map(({ id }) => id).toSorted());
          expect(paged.map(({ at }) => at)).toEqual(own.map(({ at }) => at).toSorted((a, b) => b - a));
        }
        await close();
      }),
      { numRuns: 30 },
    );
  });

  it('are walked over more wallets than a page holds, each once', async () => {
    const { records } = await openScratch();
    const transfers = Array.from({ length: 1_300 }, (_, number) =>
      topupOf({ id: `t${number}`, credit: `wallet:acme/u${number}`, amount: toMicros(BigInt(number + 1)) }),
    );
    await records.writeBatch({
      settlements: [{ cdr: cdrOf('l1'), charges: [], transfers }],
      decisions: [],
    });
    const wallets = await Array.fromAsync(records.walletBalances());
    expect(new Set(wallets.map(({ ledger }) => ledger)).size).toBe(1_300);
    expect(wallets.reduce((sum, { balance }) => sum + balance, 0n)).toBe((1_300n * 1_301n) / 2n);
  });

  it('are walked below one account alone, and not below one whose name begins alike', async () => {
    const { records } = await openScratch();
    const owners = ['acme', 'acme/a', 'acme/a/adhoc.john', 'acme-north/a', 'acme0/a', 'adhoc/acme'];
    for (const owner of owners)
      await records.insertTransfer(topupOf({ id: owner, credit: `wallet:${owner}` }));
    const below = await Array.fromAsync(records.walletBalances(account('acme')));
    expect(below.map(({ ledger }) => ledger)).toEqual(['wallet:acme/a', 'wallet:acme/a/adhoc.john']);
  });

  it('know which transfers of the stream are already here', async () => {
    const { records } = await openScratch();
    await records.insertTransfer(topupOf({}));
    expect(await records.knownTransferIds(['topup:1', 'topup:2'])).toEqual(new Set(['topup:1']));
  });
});

function oracle(transfers: readonly Transfer[]): readonly LedgerBalance[] {
  const sums = new Map<string, LedgerBalance>();
  for (const { debit, credit, amount, currency } of transfers) {
    for (const [ledger, change] of [
      [debit, negateMicros(amount)],
      [credit, amount],
    ] as const) {
      const before = sums.get(`${ledger} ${currency}`);
      sums.set(`${ledger} ${currency}`, {
        ledger,
        currency,
        balance: toMicros((before?.balance ?? 0n) + change),
        transfers: (before?.transfers ?? 0) + 1,
      });
    }
  }
  return [...sums.entries()]
    .toSorted(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    .map(([, balance]) => balance);
}

async function allPages<Row>(
  read: (after: PageCursor | undefined) => Promise<Page<Row>>,
): Promise<readonly Row[]> {
  const rows: Row[] = [];
  let page = await read(undefined);
  for (;;) {
    rows.push(...page.rows);
    if (page.next === undefined) return rows;
    page = await read(page.next);
  }
}
