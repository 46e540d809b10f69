import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AccountLookup } from '../../src/accounts/account-tree.ts';
import type { RatingBooks } from '../../src/charging/finished-call.ts';
import type { ChargedCall } from '../../src/charging/rerate-store.ts';
import { toPriceTerms } from '../../src/rating/price.ts';
import { ADHOC_RATE } from '../../src/records/records.ts';
import { createReplay } from '../../src/replay/replay.ts';
import type { AccountPath } from '../../src/units/ids.ts';
import { toEpochMs, toIsoUtc } from '../../src/units/time.ts';
import { tryLimits } from '../../src/whatif/by-limits.ts';
import type { Outcome } from '../../src/whatif/outcome.ts';
import type { Peak } from '../../src/whatif/peaks.ts';
import { warmUpFrom } from '../../src/replay/warm-up.ts';
import { BOOKS } from '../charging/charged-record.ts';
import { anyTalk, settledLive, type Talk } from '../charging/live-calls.ts';
import { accountsOf } from '../controller/world.ts';
import { money } from '../rating/samples.ts';

const FROM = toEpochMs(Date.UTC(2026, 6, 1));
const MINUTES_MS = 600_000;
const PEOPLE = ['acme', 'acme/shop', 'acme/shop/till'] as const;

/** Many calls within some minutes. */
const anyCalls = fc.array(
  anyTalk.map((talk): Talk => ({
    ...talk,
    caller: PEOPLE[talk.caller.length % PEOPLE.length] ?? 'acme',
    at: FROM + (talk.at % MINUTES_MS),
    billedSeconds: talk.billedSeconds % 400,
    soft: false,
  })),
  { minLength: 1, maxLength: 40 },
);

const anyCount = fc.option(fc.integer({ min: 1, max: 5 }), { nil: undefined });
const anyLimits = fc
  .record({
    calls: anyCount,
    outboundCalls: anyCount,
    publicCalls: anyCount,
    callsPerSecond: fc.option(fc.integer({ min: 1, max: 2 }), { nil: undefined }),
    maxCallSeconds: fc.option(fc.integer({ min: 1, max: 300 }), { nil: undefined }),
    maxCallCost: fc.option(fc.constantFrom('0.20', '1.00'), { nil: undefined }),
    maxSpend: fc.option(fc.constantFrom({ day: '2.00' }, { hour: '5.00' }), { nil: undefined }),
    allotments: fc.option(fc.constant({ international: { seconds: 300, cycle: 'hourly', minimum: 30 } }), {
      nil: undefined,
    }),
    trunks: fc.option(fc.constantFrom({ outbound: 1 }, { twoway: 1, burst: 1 }), { nil: undefined }),
  })
  .map((limits) => JSON.parse(JSON.stringify(limits)) as Readonly<Record<string, unknown>>);

type Limits = Readonly<Record<string, unknown>>;

function accountsIn(acme: Limits, shop: Limits, till: Limits, calls: number | undefined): AccountLookup {
  return accountsOf(
    [
      { account: 'acme', wallet: 'EUR', tariff: 'wholesale', operator: acme },
      { account: 'acme/shop', wallet: 'EUR', tariff: 'retail', operator: shop },
      { account: 'acme/shop/till', operator: till },
    ],
    [{ route: 'carrier', ...(calls === undefined ? {} : { calls }) }, { route: 'backup' }],
  );
}

const anyBooks = fc
  .tuple(anyLimits, anyLimits, anyLimits, anyCount)
  .map(([acme, shop, till, calls]): Books => ({ ...BOOKS, accounts: accountsIn(acme, shop, till, calls) }));
/** A minute to Berlin. */
const BERLIN: Talk = {
  caller: 'acme/shop',
  inbound: false,
  number: '4930123456',
  routes: ['carrier'],
  at: FROM,
  billedSeconds: 60,
  answered: true,
  soft: false,
  allotmentSeconds: undefined,
};

type Books = RatingBooks & { readonly accounts: AccountLookup };

/** As if nobody had any limit, in the order of their admission. */
function unlimited(talks: readonly Talk[]): readonly ChargedCall[] {
  const books = { ...BOOKS, accounts: accountsIn({}, {}, {}, undefined) };
  return talks
    .flatMap((talk, index) => settledLive(talk, books, `${index}`) ?? [])
    .map(({ cdr, charges }) => ({ call: cdr, charges }))
    .toSorted((a, b) => a.call.admittedAt - b.call.admittedAt || (a.call.legUuid < b.call.legUuid ? -1 : 1));
}

/** What these limits would have left of them, as it would be on record. */
function ruled(calls: readonly ChargedCall[], books: Books): readonly ChargedCall[] {
  const replay = createReplay(books, 'as_ruled');
  const over = [...calls.flatMap(({ call, charges }) => replay.admit(call, charges)), ...replay.finish()];
  const byLeg = new Map(over.map((outcome) => [outcome.call.legUuid, outcome]));
  return calls.flatMap(({ call }): readonly ChargedCall[] => {
    const outcome = byLeg.get(call.legUuid);
    if (outcome?.kind !== 'admitted') return [];
    const { charges, billedSeconds, cut } = outcome;
    if (cut === undefined || billedSeconds === call.billedSeconds) return [{ call, charges }];
    const ended = { billedSeconds, billMicroseconds: billedSeconds * 1_000_000, endedAt: cut.at };
    return [{ call: { ...call, ...ended }, charges }];
  });
}

function trial(calls: readonly ChargedCall[], books: Books, from = FROM) {
  const limits = tryLimits({ from, accounts: books.accounts, books });
  const outcomes = [...calls.flatMap((charged) => limits.admit(charged)), ...limits.finish()];
  return { outcomes, peaks: limits.peaks() };
}

describe('what other limits would have let through', () => {
  it('they let through again as it is, and nobody is up more often than before', async () => {
    let refused = 0;
    let cut = 0;
    fc.assert(
      fc.property(anyCalls, anyBooks, (talks, books) => {
        const calls = unlimited(talks);
        const first = trial(calls, books);
        expect(first.outcomes).toHaveLength(calls.length);
        refused += first.outcomes.filter(({ fate }) => fate.kind === 'refused').length;
        cut += first.outcomes.filter(({ fate }) => fate.kind === 'cut').length;

        const { outcomes, peaks } = trial(ruled(calls, books), books);
        expect(outcomes).toHaveLength(calls.length - first.outcomes.filter(isRefused).length);
        for (const { fate, payers, lostSeconds } of outcomes) {
          expect([fate, lostSeconds]).toEqual([{ kind: 'goes' }, 0]);
          for (const { was, would } of payers) expect(would).toEqual(was);
        }
        const inOrder = (each: readonly Peak[]) => each.map((peak) => JSON.stringify(peak)).toSorted();
        expect(inOrder(peaks.would)).toEqual(inOrder(peaks.was));
        expect(inOrder(peaks.would)).toEqual(inOrder(first.peaks.would));
      }),
      { numRuns: 300 },
    );
    expect(refused).toBeGreaterThan(100);
    expect(cut).toBeGreaterThan(100);
  });

  it('keeps every bound of calls at once', () => {
    fc.assert(
      fc.property(anyCalls, anyBooks, (talks, books) => {
        for (const { holder, counter, calls } of trial(unlimited(talks), books).peaks.would) {
          if (holder.kind !== 'account') continue;
          const bound = books.accounts.node(holder.path)?.limits[counter] ?? 'unlimited';
          expect(calls).toBeLessThanOrEqual(bound === 'unlimited' ? Infinity : bound);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('are told of calls from a day before the earliest cycle on', () => {
    const cycles = (cycle: string) => ({ allotments: { international: { seconds: 60, cycle } } });
    const from = (acme: Limits, shop: Limits): string =>
      toIsoUtc(warmUpFrom(accountsIn(acme, shop, {}, undefined), toEpochMs(Date.UTC(2026, 6, 15, 12))));
    expect(from({}, {})).toBe('2026-07-14T12:00:00.000Z');
    expect(from(cycles('hourly'), { maxSpend: { hour: '1.00' } })).toBe('2026-07-14T12:00:00.000Z');
    expect(from(cycles('yearly'), cycles('monthly'))).toBe('2025-12-31T00:00:00.000Z');
    expect(from({}, { maxSpend: { month: '1.00' } })).toBe('2026-06-30T00:00:00.000Z');
  });

  it('charges a customer whom nobody stored by the price that his call came with', () => {
    const [plain] = unlimited([BERLIN]);
    if (plain === undefined) throw new Error('it is let through');
    const account = 'acme/shop/adhoc.john' as AccountPath;
    const terms = toPriceTerms({ perMinute: money('0.60'), minimumSeconds: 1, incrementSeconds: 1 });
    const own = { ...ADHOC_RATE, way: 'per_minute', currency: 'EUR', terms, segment: 1, version: 1 } as const;
    const { legUuid } = plain.call;
    const talked = { legUuid, payer: account, billedSeconds: 60, chargedSeconds: 60 } as const;
    const call: ChargedCall = {
      call: { ...plain.call, account },
      charges: [...plain.charges, { ...own, ...talked, price: money('0.60') }],
    };
    const priceUnder = (acme: Limits) => {
      const books = { ...BOOKS, accounts: accountsIn(acme, {}, {}, undefined) };
      const [outcome] = trial([call], books).outcomes;
      const john = outcome?.payers.find(({ payer }) => payer === account);
      return [outcome?.payers.length, john?.would.map(({ price }) => price)];
    };
    expect(priceUnder({})).toEqual([3, [money('0.60')]]);
    expect(priceUnder({ maxCallSeconds: 20 })).toEqual([3, [money('0.20')]]);
  });

  it('says nothing of calls before, which are in the way all the same', () => {
    const books = { ...BOOKS, accounts: accountsIn({ calls: 1 }, {}, {}, undefined) };
    const calls = unlimited([0, 10, 70].map((second) => ({ ...BERLIN, at: FROM + second * 1000 })));
    const { outcomes } = trial(calls, books, toEpochMs(FROM + 5_000));
    expect(outcomes.map(({ call, fate }) => [call.legUuid, fate])).toEqual([
      ['b-1', { kind: 'refused', holder: 'acme', limit: 'calls' }],
      ['b-2', { kind: 'goes' }],
    ]);
  });
});

function isRefused({ fate }: Outcome): boolean {
  return fate.kind === 'refused';
}
