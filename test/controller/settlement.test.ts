import { describe, expect, it } from 'vitest';
import { endingOf, settlementOf } from '../../src/controller/settlement.ts';
import type { AccountPath } from '../../src/units/ids.ts';
import { toMicros } from '../../src/units/money.ts';
import { toEpochMs } from '../../src/units/time.ts';
import { B_LEG, money } from './world.ts';
import { recordOf } from './legs.ts';

const ANSWERED = toEpochMs(2_000_000);
const ENDED = toEpochMs(2_031_500);
const TIMES = {
  startedAt: toEpochMs(500),
  answeredAt: toEpochMs(1_000),
  endedAt: toEpochMs(32_500),
  billMicroseconds: 31_500_001,
  billsec: 31,
};
const ENDING = endingOf(B_LEG, 'NORMAL_CLEARING', TIMES, { answeredAt: ANSWERED, endedAt: ENDED });
/** The shop pays twice what its reseller does. */
const RECORD = {
  ...recordOf(),
  payers: recordOf().payers.map((payer) =>
    payer.account === 'acme'
      ? payer
      : { ...payer, terms: { ...payer.terms, perMinute: toMicros(payer.terms.perMinute * 2n) } },
  ),
};
const FINAL = {
  billedSeconds: 32,
  allotmentSeconds: new Map<AccountPath, number>(),
  at: toEpochMs(2_032_000),
};

describe('a settlement', () => {
  it("keeps FreeSWITCH's durations and our moments", () => {
    const { cdr } = settlementOf(RECORD, ENDING, FINAL);
    expect(cdr).toMatchObject({
      legUuid: B_LEG,
      account: 'acme/shop',
      answeredAt: ANSWERED,
      endedAt: ENDED,
      billMicroseconds: 31_500_001,
      billsec: 31,
      billedSeconds: 32,
      cause: 'NORMAL_CLEARING',
      cut: undefined,
      estimated: false,
    });
  });

  it('charges every payer by its own price on the same seconds (ruling 10)', () => {
    const { charges } = settlementOf(RECORD, ENDING, FINAL);
    expect(charges).toMatchObject([
      { payer: 'acme', billedSeconds: 32, chargedSeconds: 36, price: 360_000n, segment: 1, version: 1 },
      { payer: 'acme/shop', billedSeconds: 32, chargedSeconds: 36, price: 720_000n, segment: 1, version: 1 },
    ]);
  });

  it("moves each charge from its payer's wallet to the root's revenue, once by its id", () => {
    const { transfers, charges } = settlementOf(RECORD, ENDING, FINAL);
    expect(transfers.map(({ debit, credit, amount }) => ({ debit, credit, amount }))).toEqual([
      { debit: 'wallet:acme', credit: 'revenue:acme', amount: 360_000n },
      { debit: 'wallet:acme/shop', credit: 'revenue:acme', amount: 720_000n },
    ]);
    expect(new Set(transfers.map(({ id }) => id)).size).toBe(charges.length);
    expect(settlementOf(RECORD, ENDING, FINAL)).toEqual(settlementOf(RECORD, ENDING, FINAL));
  });

  it('has a charge and no transfer where the price is nothing', () => {
    const { payers, ...record } = recordOf();
    const free = payers.map((payer) => ({ ...payer, terms: { ...payer.terms, perMinute: money('0') } }));
    const { charges, transfers } = settlementOf({ ...record, payers: free }, ENDING, FINAL);
    expect(charges.map(({ price }) => price)).toEqual([0n, 0n]);
    expect(transfers).toEqual([]);
  });

  it('of a leg that nobody answered has neither', () => {
    const { cdr, charges, transfers } = settlementOf(RECORD, { ...ENDING, answeredAt: undefined }, FINAL);
    expect(cdr.answeredAt).toBeUndefined();
    expect([...charges, ...transfers]).toEqual([]);
  });
});
