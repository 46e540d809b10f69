import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chargesOf, transferOfCharge } from '../../src/charging/charges.ts';
import { EMPTY_TARIFF_BOOK } from '../../src/rating/tariff-book.ts';
import { toPriceTerms } from '../../src/rating/price.ts';
import { correctionOf, type CorrectionRules } from '../../src/reconcile/correction.ts';
import { netOf } from '../../src/records/proof.ts';
import { chargesInForce, walletLedger, type Cdr, type Charge } from '../../src/records/records.ts';
import { toEpochMs } from '../../src/units/time.ts';
import { account, cdrOf, money, NOON, tariffName } from '../records/samples.ts';
import { placed, switchLeg } from './samples.ts';

const RULES: CorrectionRules = {
  now: toEpochMs(NOON + 86_400_000),
  seconds: 'up',
  books: {
    accounts: { node: () => undefined, route: () => undefined, customer: () => undefined },
    tariffs: EMPTY_TARIFF_BOOK,
    policy: { unrated: 'refuse', unratedInbound: 'allow', unfunded: 'allow', customerCurrency: 'EUR' },
  },
};
const ALICE = account('acme/alice');

const guessed = (billedSeconds: number, changes: Partial<Cdr> = {}): Cdr => ({
  ...cdrOf('a'),
  billMicroseconds: billedSeconds * 1_000_000,
  billsec: billedSeconds,
  billedSeconds,
  estimated: true,
  ...changes,
});

const perMinute = (perMinuteText: string, changes: object = {}) =>
  ({
    way: 'per_minute',
    payer: {
      account: ALICE,
      tariff: tariffName('standard'),
      tariffVersion: 1,
      rateId: 1,
      prefix: '44',
      currency: 'EUR',
      terms: toPriceTerms({
        perMinute: money(perMinuteText),
        minimumSeconds: 1,
        incrementSeconds: 6,
        ...changes,
      }),
    },
  }) as const;

/** By the minute, or first by an allotment. */
function chargesFor({ legUuid }: Cdr, seconds: readonly [number, number]): readonly Charge[] {
  const [first, rest] = seconds;
  const pulses = { minimumSeconds: 6, incrementSeconds: 6, graceSeconds: 0 };
  const allotment = { way: 'allotment', account: ALICE, allotment: 'national', pulses } as const;
  return chargesOf({ legUuid, version: 1 }, [
    ...(first === 0 ? [] : [{ ...allotment, billedSeconds: first }]),
    { ...perMinute('0.10'), billedSeconds: rest },
  ]);
}

const exactly = (microseconds: number) =>
  placed(switchLeg('a', { billMicroseconds: microseconds, billsec: Math.floor(microseconds / 1e6) }));

describe('what a guess becomes by the exact figures', () => {
  it('is charged for them and nothing else, whatever was charged before', () => {
    const guess = fc.tuple(fc.nat({ max: 500 }), fc.integer({ min: 1, max: 500 }));
    fc.assert(
      fc.property(guess, fc.integer({ min: 0, max: 1_000_000_000 }), ([first, rest], microseconds) => {
        const before = guessed(first + rest);
        const charges = chargesFor(before, [first, rest]);
        const {
          after,
          charges: next,
          transfers,
          movements,
        } = correctionOf(before, charges, exactly(microseconds), RULES);
        expect(after).toMatchObject({
          billedSeconds: Math.ceil(microseconds / 1_000_000),
          billMicroseconds: microseconds,
          estimated: false,
        });
        const all = [...charges, ...next];
        const seconds = chargesInForce(all).reduce((sum, charge) => sum + charge.billedSeconds, 0);
        expect(seconds).toBe(after.billedSeconds);
        // The money of every version, what went back included, is the price of the one in force.
        const moved = [...charges.flatMap((charge) => transferOfCharge(charge, NOON) ?? []), ...transfers];
        const price = chargesInForce(all).reduce((sum, charge) => sum + charge.price, 0n);
        expect(netOf(moved, walletLedger(ALICE), 'EUR')).toBe(0n - price);
        expect(movements.reduce((sum, { amount }) => sum + amount, 0n)).toBe(
          netOf(transfers, walletLedger(ALICE), 'EUR'),
        );
        expect(new Set(transfers.map(({ id }) => id)).size).toBe(transfers.length);
      }),
    );
  });

  it('keeps its charge where the guess was right to the second', () => {
    const before = guessed(30);
    const { after, charges, transfers, movements } = correctionOf(
      before,
      chargesFor(before, [0, 30]),
      exactly(29_100_000),
      RULES,
    );
    expect({ charges, transfers, movements }).toEqual({ charges: [], transfers: [], movements: [] });
    expect(after).toMatchObject({ billMicroseconds: 29_100_000, billsec: 29, cause: 'NORMAL_CLEARING' });
    expect(after.endedAt).toBe((before.answeredAt ?? 0) + 29_100);
  });

  it.each([
    ['credit', 10],
    ['max_seconds', 10],
    ['killed', 13],
    [undefined, 13],
  ] as const)('is charged past the end that it was cut at by %s for no second: %s', (cut, billedSeconds) => {
    const before = guessed(10, { cut });
    const { after } = correctionOf(before, chargesFor(before, [0, 10]), exactly(12_300_000), RULES);
    expect(after.billedSeconds).toBe(billedSeconds);
  });

  it.each([4_000_000, 25_000_000])(
    'leaves the wallet of a customer that nobody stored at nothing, for %s microseconds',
    (microseconds) => {
      const john = account('adhoc/john');
      const before = guessed(10, { account: john });
      const part = perMinute('0.60', { incrementSeconds: 1 });
      const payer = { ...part.payer, account: john };
      const charges = chargesOf({ legUuid: before.legUuid, version: 1 }, [
        { ...part, payer, billedSeconds: 10 },
      ]);
      const {
        charges: next,
        transfers,
        movements,
      } = correctionOf(before, charges, exactly(microseconds), RULES);
      expect(next).toMatchObject([{ payer: john, billedSeconds: microseconds / 1_000_000 }]);
      expect(transfers.map(({ kind }) => kind)).toEqual([
        'reversal',
        'charge',
        microseconds > 10_000_000 ? 'opening' : 'closing',
      ]);
      expect(netOf(transfers, walletLedger(john), 'EUR')).toBe(0n);
      expect(movements).toEqual([]);
    },
  );

  it('costs nothing where FreeSWITCH says that nobody answered', () => {
    const before = guessed(10);
    const unanswered = placed(switchLeg('a', { answeredAt: undefined, billMicroseconds: 0, billsec: 0 }));
    const { after, charges, movements } = correctionOf(
      before,
      chargesFor(before, [0, 10]),
      unanswered,
      RULES,
    );
    expect(after).toMatchObject({ answeredAt: undefined, billedSeconds: 0 });
    expect(charges).toMatchObject([{ version: 2, price: 0n, billedSeconds: 0 }]);
    // A second and two times six of them at 0.10 a minute, back.
    expect(movements).toMatchObject([{ account: ALICE, amount: money('0.021667') }]);
  });
});
