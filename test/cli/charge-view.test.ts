import { describe, expect, it } from 'vitest';
import { chargesOf, transferOfCharge } from '../../src/charging/charges.ts';
import { chargeRows } from '../../src/cli-calls/charge-view.ts';
import { toPriceTerms } from '../../src/rating/price.ts';
import { toEpochMs } from '../../src/units/time.ts';
import { account, chargeOf, leg, money, tariffName } from '../records/samples.ts';

const ANSWERED = toEpochMs(Date.UTC(2026, 5, 15, 17, 58));
const LEG = leg('b-1');

describe('the charges of a call', () => {
  it('that was paid for in several ways say from when on each of them was', () => {
    const payer = account('acme/alice');
    const pulses = { minimumSeconds: 60, incrementSeconds: 60, graceSeconds: 0 };
    const tariff = { tariff: tariffName('retail'), tariffVersion: 1, currency: 'EUR', account: payer };
    const perMinute = (rateId: number, rate: string, billedSeconds: number) =>
      ({
        way: 'per_minute',
        payer: {
          ...tariff,
          rateId,
          prefix: '44',
          terms: toPriceTerms({ perMinute: money(rate), minimumSeconds: 0 }),
        },
        goesOn: true,
        billedSeconds,
      }) as const;
    const charges = chargesOf({ legUuid: LEG, version: 1 }, [
      { way: 'allotment', account: payer, allotment: 'international', pulses, billedSeconds: 60 },
      perMinute(1, '0.20', 60),
      perMinute(2, '0.05', 90),
    ]);
    const transfers = charges.flatMap((charge) => transferOfCharge(charge, ANSWERED) ?? []);
    expect(chargeRows({ answeredAt: ANSWERED, charges, transfers, applied: [] })).toEqual([
      ['acme/alice', '0.30 EUR'],
      ['', '  segment 1 from 2026-06-15 17:58:00 UTC: 60 s of the allotment international for 60 s'],
      ['', '  segment 2 from 2026-06-15 17:59:00 UTC: 60 s for 60 s: 1 pulse (60 s)'],
      ['', '  retail version 1, rate 1 for 44'],
      ['', '  (0.00 + 0.20 × 60 / 60) = 0.20, rounded up to 6 decimals'],
      ['', '  moved 2026-06-15 17:58:00 UTC: charge:b-1:2:acme/alice:1'],
      ['', '  segment 3 from 2026-06-15 18:00:00 UTC: 120 s for 90 s: 2 pulses (60 s + 1 × 60 s)'],
      ['', '  retail version 1, rate 2 for 44'],
      ['', '  (0.00 + 0.05 × 120 / 60) = 0.10, rounded up to 6 decimals'],
      ['', '  moved 2026-06-15 17:58:00 UTC: charge:b-1:3:acme/alice:1'],
    ]);
  });

  it('that was paid for in one way need no such word', () => {
    const [head, first] = chargeRows({
      answeredAt: ANSWERED,
      charges: [chargeOf(LEG)],
      transfers: [],
      applied: [],
    });
    expect([head, first]).toEqual([
      ['acme/alice', '0.20 EUR'],
      ['', '  120 s for 61 s: 2 pulses (60 s + 1 × 60 s)'],
    ]);
  });
});
