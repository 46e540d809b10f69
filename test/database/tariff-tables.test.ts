import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_ROUNDING } from '../../src/rating/price.ts';
import type { Rate } from '../../src/rating/rate.ts';
import type { TariffImport } from '../../src/rating/tariff-store.ts';
import { toMicros } from '../../src/units/money.ts';
import { addMs } from '../../src/units/time.ts';
import { anyMicros, hostileText, money, NOON, storable, tariffName } from '../records/samples.ts';
import { DATABASES } from './databases.ts';

const RETAIL = tariffName('retail');

function rateOf(id: number, changes: Partial<Rate> = {}): Rate {
  return {
    id,
    prefix: String(id),
    description: `Place ${id}`,
    perMinute: toMicros(BigInt(id)),
    surcharge: undefined,
    minimumSeconds: undefined,
    incrementSeconds: undefined,
    graceSeconds: undefined,
    direction: undefined,
    routes: [],
    options: [],
    weight: undefined,
    period: undefined,
    ...changes,
  };
}

function importOf(changes: Partial<TariffImport> = {}): TariffImport {
  return {
    tariff: RETAIL,
    currency: 'EUR',
    rounding: DEFAULT_ROUNDING,
    startsAt: NOON,
    zone: 'UTC',
    rates: [rateOf(1), rateOf(2)],
    ...changes,
  };
}

describe.each(DATABASES)('a tariff on $name', ({ openRecord, freshUrl, trip, rowsOf }) => {
  it('reads back as it was imported, absent fields and all', async () => {
    const { tariffs } = await openRecord();
    const whole = fc.option(fc.nat(), { nil: undefined });
    const anyRates = fc.array(
      fc.record({
        prefix: fc.stringMatching(/^\d{1,15}$/),
        description: hostileText,
        perMinute: anyMicros,
        surcharge: fc.option(anyMicros, { nil: undefined }),
        minimumSeconds: whole,
        incrementSeconds: whole,
        graceSeconds: whole,
        direction: fc.constantFrom(undefined, 'inbound' as const, 'outbound' as const, 'both' as const),
        routes: fc.array(hostileText),
        options: fc.array(hostileText),
        weight: whole,
        period: fc.option(fc.record({ days: fc.nat(), fromMinute: fc.nat(), untilMinute: fc.nat() }), {
          nil: undefined,
        }),
      }),
      { maxLength: 8 },
    );
    await fc.assert(
      fc.asyncProperty(anyRates, async (drawn) => {
        const rates = drawn.map((rate, index) => ({ ...rate, id: index + 1 }));
        const verdict = await tariffs.importVersion(importOf({ rates }));
        if (verdict.kind === 'refused') throw new Error(verdict.reason);
        const stored = rates.map((rate) => ({ ...rate, description: storable(rate.description) }));
        expect(await tariffs.loadVersion(RETAIL, verdict.version)).toEqual({
          ...importOf({ rates: stored }),
          version: verdict.version,
        });
      }),
      { numRuns: 50 },
    );
  });

  it('imported again is the same version; anything changed is the next one', async () => {
    const { tariffs } = await openRecord();
    expect(await tariffs.importVersion(importOf())).toEqual({ kind: 'imported', version: 1 });
    expect(await tariffs.importVersion(importOf())).toEqual({ kind: 'unchanged', version: 1 });
    const changes: readonly Partial<TariffImport>[] = [
      { startsAt: addMs(NOON, 1) },
      { rounding: { mode: 'up', decimals: 2 } },
      { zone: 'Europe/Berlin' },
      { rates: [rateOf(1), rateOf(2, { options: ['fax'] })] },
      { rates: [rateOf(1), rateOf(2, { period: { days: 1, fromMinute: 0, untilMinute: 60 } })] },
      { rates: [rateOf(1), rateOf(2, { perMinute: money('7') })] },
      { rates: [rateOf(1), rateOf(2, { surcharge: money('0') })] },
      { rates: [rateOf(1)] },
      {},
    ];
    for (const [index, change] of changes.entries()) {
      expect(await tariffs.importVersion(importOf(change))).toEqual({ kind: 'imported', version: index + 2 });
    }
    expect(await tariffs.revision()).toBe(10);
    expect((await tariffs.versions(RETAIL)).map(({ version }) => version)).toEqual([
      1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
    ]);
    expect(await tariffs.listTariffs()).toEqual([
      expect.objectContaining({ tariff: 'retail', version: 10, rateCount: 2, currency: 'EUR' }),
    ]);
    expect(await tariffs.loadVersion(RETAIL, 11)).toBeUndefined();
  });

  it('imported by two processes at once is one version of what is the same, and two of what differs', async () => {
    const url = await freshUrl();
    const [one, other] = [await openRecord(url), await openRecord(url)];
    const same = await Promise.all([one, other].map(({ tariffs }) => tariffs.importVersion(importOf())));
    expect(same.map(({ kind }) => kind).toSorted()).toEqual(['imported', 'unchanged']);
    const differing = await Promise.all([
      one.tariffs.importVersion(importOf({ rates: [rateOf(1)] })),
      other.tariffs.importVersion(importOf({ rates: [rateOf(1), rateOf(2), rateOf(3)] })),
    ]);
    const versions = differing.map((verdict) => (verdict.kind === 'imported' ? verdict.version : 0));
    expect(new Set(versions)).toEqual(new Set([2, 3]));
    expect(await one.tariffs.revision()).toBe(3);
  });

  it('is in force from its start, and of two that start together the later import holds', async () => {
    const { tariffs } = await openRecord();
    await tariffs.importVersion(importOf({ startsAt: NOON }));
    await tariffs.importVersion(importOf({ startsAt: addMs(NOON, 100) }));
    await tariffs.importVersion(importOf({ startsAt: NOON, rates: [rateOf(1)] }));
    const versionAt = async (afterMs: number) =>
      (await tariffs.inForce(RETAIL, addMs(NOON, afterMs)))?.version;
    expect(await versionAt(-1)).toBeUndefined();
    expect(await versionAt(0)).toBe(3);
    expect(await versionAt(99)).toBe(3);
    expect(await versionAt(100)).toBe(2);
    expect((await tariffs.loadInForce(RETAIL, NOON))?.rates).toEqual([rateOf(1)]);
    expect(await tariffs.loadInForce(tariffName('other'), NOON)).toBeUndefined();
  });

  it('keeps its currency, and its rates stand in the order of their file', async () => {
    const { tariffs } = await openRecord();
    await tariffs.importVersion(importOf());
    expect(await tariffs.importVersion(importOf({ currency: 'USD' }))).toEqual({
      kind: 'refused',
      reason: 'currency_fixed',
      currency: 'EUR',
    });
    expect(await tariffs.importVersion(importOf({ rates: [rateOf(1), rateOf(3)] }))).toEqual({
      kind: 'refused',
      reason: 'rate_ids',
      rateId: 3,
    });
  });

  it('that fails half way is not there at all', async () => {
    const url = await freshUrl();
    const { tariffs } = await openRecord(url);
    await trip(url, 'rate', 'new.id = 900');
    const rates = Array.from({ length: 1_000 }, (_, index) => rateOf(index + 1));
    await expect(tariffs.importVersion(importOf({ rates }))).rejects.toThrow('tripped');
    expect(await tariffs.listTariffs()).toEqual([]);
    expect(await tariffs.loadVersion(RETAIL, 1)).toBeUndefined();
    expect(await rowsOf(url, 'rate')).toBe(0);
    expect(await tariffs.revision()).toBe(0);
  });

  it('of 200,000 rates is imported and loaded in seconds, while other work goes on', async () => {
    const { tariffs } = await openRecord();
    const rates = Array.from({ length: 200_000 }, (_, index) => rateOf(index + 1));
    let turns = 0;
    const turning = setInterval(() => (turns += 1), 1);
    expect(await tariffs.importVersion(importOf({ rates }))).toEqual({ kind: 'imported', version: 1 });
    const loaded = await tariffs.loadVersion(RETAIL, 1);
    clearInterval(turning);
    expect(loaded?.rates).toHaveLength(200_000);
    expect(loaded?.rates.at(-1)).toEqual(rateOf(200_000));
    expect(turns).toBeGreaterThan(100);
  });
});
