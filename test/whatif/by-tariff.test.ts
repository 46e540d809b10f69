import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { reprice, type RatingBooks } from '../../src/charging/finished-call.ts';
import type { PricedCall } from '../../src/charging/rerate-store.ts';
import type { Settlement } from '../../src/records/records.ts';
import type { TariffName } from '../../src/units/ids.ts';
import { whatIfTariff } from '../../src/whatif/by-tariff.ts';
import type { Outcome } from '../../src/whatif/outcome.ts';
import { createTally } from '../../src/whatif/tally.ts';
import { EVERYTHING } from '../charging/charged-record.ts';
import { ACCOUNTS, anyTalk, anyTariffs, POLICY, settledLive } from '../charging/live-calls.ts';

const TARIFFS = ['retail', 'wholesale'] as readonly string[] as readonly TariffName[];
const anyCalls = fc.array(anyTalk, { minLength: 1, maxLength: 20 });

function settled(talks: readonly Parameters<typeof settledLive>[0][], books: RatingBooks) {
  return talks.flatMap((talk, index) => settledLive(talk, books, `${index}`) ?? []);
}

/** As the record gives them. */
function pricedOf({ cdr, charges }: Settlement): PricedCall {
  const parts = charges.flatMap((charge) =>
    charge.way === 'per_minute' ? [{ ...charge, discountPpm: charge.terms.discountPpm }] : [],
  );
  return { call: cdr, parts };
}

async function outcomesOf(
  calls: readonly Settlement[],
  tariff: TariffName,
  books: RatingBooks,
): Promise<readonly Outcome[]> {
  const pricedCalls = async function* () {
    yield calls.map(pricedOf);
  };
  const change = { by: tariff, replaces: tariff, account: undefined };
  return (await Array.fromAsync(whatIfTariff(EVERYTHING, change, books, { pricedCalls }))).flat();
}

describe('what calls would have cost', () => {
  it('is what they did cost, by the tariffs in force', async () => {
    await fc.assert(
      fc.asyncProperty(anyTariffs, anyCalls, async (tariffs, talks) => {
        const books = { accounts: ACCOUNTS, tariffs, policy: POLICY };
        const calls = settled(talks, books);
        for (const tariff of TARIFFS) {
          const tally = createTally();
          for (const outcome of await outcomesOf(calls, tariff, books)) {
            for (const { was, would } of outcome.payers) expect(would).toEqual(was);
            expect(outcome.fate).toEqual({ kind: 'goes' });
            tally.add(outcome);
          }
          const { totals, payers, rates } = tally.report();
          for (const { was, would } of [...totals, ...payers, ...rates]) expect(would).toEqual(was);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('is what re-rating says, where calls are split by the times of day of their rates', async () => {
    await fc.assert(
      fc.asyncProperty(anyTariffs, anyCalls, async (tariffs, talks) => {
        const books: RatingBooks = { accounts: ACCOUNTS, tariffs, policy: { ...POLICY, periods: 'split' } };
        const calls = settled(talks, books);
        for (const tariff of TARIFFS) {
          for (const [index, { payers }] of (await outcomesOf(calls, tariff, books)).entries()) {
            const { cdr, charges } = calls[index] ?? { charges: [] };
            if (cdr === undefined) throw new Error('as many as there were');
            for (const { payer, would } of payers) {
              const own = charges.filter((charge) => charge.payer === payer);
              if (!own.some((charge) => charge.way === 'per_minute' && charge.tariff === tariff)) continue;
              const again = reprice(cdr, own, books).charges.filter(({ way }) => way === 'per_minute');
              // Where the price is the same, what stands may be in other segments.
              const billed = again.reduce((sum, { billedSeconds }) => sum + billedSeconds, 0);
              expect(would.reduce((sum, { seconds }) => sum + seconds, 0)).toBe(billed);
              const paid = again.reduce((sum, { price }) => sum + price, 0n);
              expect(would.reduce((sum, { price }) => sum + price, 0n)).toBe(paid);
            }
          }
        }
      }),
      { numRuns: 200 },
    );
  });
});
