import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { reprice, type RatingBooks } from '../../src/charging/finished-call.ts';
import { FIRST_WAY, rateFirst } from '../../src/charging/first-rating.ts';
import { withTariffVersions, type TariffBook } from '../../src/rating/tariff-book.ts';
import { ADHOC_RATE, type Charge, type Settlement } from '../../src/records/records.ts';
import { addMicros, toMicros, ZERO_MICROS } from '../../src/units/money.ts';
import { accountsOf, mergedTariffs, tariffOf } from '../controller/world.ts';
import { account, cdrOf, chargeOf, tariffName } from '../records/samples.ts';
import { ACCOUNTS, anyTalk, anyTariffs, POLICY, settledLive } from './live-calls.ts';

const settled = fc.record({ tariffs: anyTariffs, talk: anyTalk }).map(({ tariffs, talk }) => {
  const books: RatingBooks = { accounts: ACCOUNTS, tariffs, policy: POLICY };
  return { books, live: settledLive(talk, books, '1'), talk };
});

describe('a call that was charged live', () => {
  it('has the same charges when it is rated again by the same books', () => {
    fc.assert(
      fc.property(settled, ({ books, live }) => {
        if (live === undefined) return;
        const { charges, unrated } = reprice(live.cdr, live.charges, books);
        expect(unrated).toEqual([]);
        for (const [index, charge] of charges.entries()) expect(charge).toBe(live.charges[index]);
      }),
      { numRuns: 3_000 },
    );
  });

  it('is charged and funded alike when it is rated for the first time after its end', () => {
    fc.assert(
      fc.property(settled, ({ books, live, talk }) => {
        // How much of an allotment was left only the calls of its cycle can tell.
        if (live === undefined || talk.allotmentSeconds !== undefined) return;
        const rated = rateFirst(live.cdr, books, FIRST_WAY);
        expect(rated).toEqual({
          kind: 'rated',
          charges: live.charges,
          funding: live.cdr.funding,
        });
      }),
      { numRuns: 3_000 },
    );
  });

  it('costs more by exactly what each rate makes of it when the rates are doubled, and is changed nowhere else', () => {
    fc.assert(
      fc.property(settled, ({ books, live }) => {
        if (live === undefined) return;
        const { charges } = reprice(live.cdr, live.charges, { ...books, tariffs: doubled(books.tariffs) });
        const again = reprice(live.cdr, charges, books);
        expect(again.charges.map(({ price }) => price)).toEqual(live.charges.map(({ price }) => price));
        expect(sumOf(charges)).toBeGreaterThanOrEqual(sumOf(live.charges));
        expect(charges.map(placeOf)).toEqual(live.charges.map(placeOf));
      }),
    );
  });
});

const RETAIL = [
  { prefix: '44', rate: '0.10', surcharge: toMicros(50_000n), minimumSeconds: 60, incrementSeconds: 60 },
];
const BOOKS: RatingBooks = {
  accounts: accountsOf([
    { account: 'acme', wallet: 'EUR', tariff: 'retail' },
    { account: 'acme/alice', wallet: 'EUR' },
  ]),
  tariffs: tariffOf('retail', RETAIL),
  policy: POLICY,
};
const CDR = cdrOf('b-1');

describe('rating again', () => {
  it('goes by the tariff and the rate in force at the admission', () => {
    const { charges } = reprice(CDR, [chargeOf(CDR.legUuid)], BOOKS);
    // 61 s are two minutes: 0.05 + 2 × 0.10.
    expect(charges).toMatchObject([
      {
        payer: 'acme/alice',
        version: 1,
        segment: 0,
        tariff: 'retail',
        prefix: '44',
        chargedSeconds: 120,
        price: 250_000n,
      },
    ]);
  });

  it('leaves a customer the price that his call came with, and rates the account above him by its tariff', () => {
    const cdr = { ...CDR, account: account('acme/adhoc.john') };
    const own = { ...chargeOf(cdr.legUuid), ...ADHOC_RATE, payer: cdr.account };
    const above = { ...chargeOf(cdr.legUuid), payer: account('acme'), tariff: tariffName('former') };
    const { charges, unrated } = reprice(cdr, [own, above], BOOKS);
    expect(unrated).toEqual([]);
    expect(charges[0]).toBe(own);
    expect(charges[1]).toMatchObject({ payer: 'acme', tariff: 'retail', price: 250_000n });
  });

  it('takes no connect fee, minimum or grace of a part that was talked after an allotment ran dry', () => {
    const ran = { legUuid: CDR.legUuid, payer: chargeOf(CDR.legUuid).payer, version: 1, price: ZERO_MICROS };
    const pulses = { minimumSeconds: 30, incrementSeconds: 30, graceSeconds: 0 };
    const first: Charge = {
      ...ran,
      segment: 1,
      way: 'allotment',
      allotment: 'international',
      pulses,
      billedSeconds: 30,
      chargedSeconds: 30,
    };
    const second: Charge = { ...chargeOf(CDR.legUuid), segment: 2, billedSeconds: 31 };
    const { charges } = reprice(CDR, [first, second], BOOKS);
    expect(charges[0]).toBe(first);
    expect(charges[1]).toMatchObject({ segment: 2, billedSeconds: 31, chargedSeconds: 60, price: 100_000n });
  });

  it('leaves a charge as it was where other pulses and another rate come to the same price', () => {
    const rates = [{ prefix: '44', rate: '0.20', minimumSeconds: 30, incrementSeconds: 30 }];
    const standing = chargeOf(CDR.legUuid);
    const terms = { ...standing.terms, perMinute: toMicros(100_000n), surcharge: ZERO_MICROS };
    // 60 s of 0.10 a minute, and now 30 s of 0.20.
    const charge = { ...standing, terms, billedSeconds: 30, chargedSeconds: 60, price: toMicros(100_000n) };
    const { charges, unrated } = reprice(CDR, [charge], { ...BOOKS, tariffs: tariffOf('retail', rates) });
    expect(charges[0]).toBe(charge);
    expect(unrated).toEqual([]);
    const longer = { ...charge, billedSeconds: 31 };
    expect(reprice(CDR, [longer], { ...BOOKS, tariffs: tariffOf('retail', rates) }).charges).toMatchObject([
      { chargedSeconds: 60, price: 200_000n },
    ]);
  });

  it('leaves a charge as it was where there is no rate now, and says so', () => {
    const charge = chargeOf(CDR.legUuid);
    const { charges, unrated } = reprice({ ...CDR, destination: '33123' }, [charge], BOOKS);
    expect(charges[0]).toBe(charge);
    expect(unrated).toEqual([{ payer: 'acme/alice', reason: 'no_rate' }]);
  });

  it('never turns one currency into another', () => {
    const charge = { ...chargeOf(CDR.legUuid), currency: 'USD' };
    const { charges, unrated } = reprice(CDR, [charge], BOOKS);
    expect(charges[0]).toBe(charge);
    expect(unrated).toEqual([{ payer: 'acme/alice', reason: 'currency_differs' }]);
  });

  it('goes by the tariff and the discount that a payer had who is gone', () => {
    const charge = chargeOf(CDR.legUuid);
    const gone = { ...charge, terms: { ...charge.terms, discountPpm: 500_000 } };
    const books = { ...BOOKS, accounts: accountsOf([{ account: 'acme' }]) };
    expect(reprice(CDR, [gone], books).charges).toMatchObject([{ price: 125_000n }]);
  });
});

describe('rating for the first time', () => {
  it('tells why nobody can pay for it', () => {
    const rated = rateFirst({ ...CDR, destination: '33123' }, BOOKS, FIRST_WAY);
    expect(rated).toMatchObject({ kind: 'refused', refusal: { reason: 'no_rate', holder: 'acme' } });
  });

  it.each(['emergency', 'refused'] as const)('charges nobody for a call that was %s', (decision) => {
    expect(rateFirst({ ...CDR, decision }, BOOKS, FIRST_WAY)).toEqual({
      kind: 'rated',
      charges: [],
      funding: 'none',
    });
  });

  it('charges nobody for a call that was not answered, and says how it was funded', () => {
    expect(rateFirst({ ...CDR, answeredAt: undefined }, BOOKS, FIRST_WAY)).toEqual({
      kind: 'rated',
      charges: [],
      funding: 'per_minute',
    });
  });

  it('spares an account whose calls were only watched, and not those above it', () => {
    expect(rateFirst({ ...CDR, decision: 'dry_run' }, BOOKS, FIRST_WAY)).toMatchObject({
      charges: [{ payer: 'acme' }],
    });
  });

  it('takes the way that is chosen of several', () => {
    const accounts = accountsOf([
      {
        account: 'acme',
        wallet: 'EUR',
        tariff: 'retail',
        operator: { trunks: { outbound: 1 }, flatRate: { whitelist: ['^\\+44'], blacklist: [] } },
      },
    ]);
    const books = { ...BOOKS, accounts, tariffs: mergedTariffs(BOOKS.tariffs) };
    const call = { ...CDR, account: chargeOf(CDR.legUuid).payer.slice(0, 4) as typeof CDR.account };
    expect(rateFirst(call, books, () => 0)).toMatchObject({
      charges: [{ way: 'flat_rate' }],
      funding: 'flat_rate',
    });
    expect(rateFirst(call, books, () => 1)).toMatchObject({
      charges: [{ way: 'per_minute' }],
      funding: 'per_minute',
    });
  });
});

function doubled(book: TariffBook): TariffBook {
  const versions = [...book.values()].flat().map(({ version }) => ({
    ...version,
    version: version.version + 10,
    rates: version.rates.map((rate) => ({ ...rate, perMinute: toMicros(rate.perMinute * 2n) })),
  }));
  return withTariffVersions(book, versions);
}

function sumOf(charges: Settlement['charges']): bigint {
  return addMicros(...charges.map(({ price }) => price));
}

function placeOf({ payer, segment, way, version, billedSeconds }: Charge): object {
  return { payer, segment, way, version, billedSeconds };
}
