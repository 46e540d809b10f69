import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DATABASES, dumpOf, type TestedDatabase } from '../database/databases.ts';
import { createCli } from './cli-run.ts';
import { fillSmallRecord } from './whatif-record.ts';

const SPAN = ['--from', '2026-07-01', '--to', '2026-07-02'] as const;

/** The small record, and a command line that has no Redis: what is only asked needs none. */
async function createSmall({ freshUrl, openRecord }: TestedDatabase) {
  const url = await freshUrl();
  const database = await openRecord(url);
  await fillSmallRecord(database);
  return { ...createCli(undefined, undefined, url), url, database };
}

const eur = (amount: string) => ({ amount, currency: 'EUR' });
const sum = (calls: number, seconds: number, revenue: string) => ({ calls, seconds, revenue: eur(revenue) });

describe.each(DATABASES)('whatif --tariff on $name', (tested) => {
  it('says what calls would have brought, by account and by rate', async () => {
    const { ask } = await createSmall(tested);
    // Berlin: 90 s at 0.30 a minute; mobile: 0.05 and a minute at 0.10; London has no rate, so nobody earns by it.
    expect(await ask('whatif', '--tariff', 'gold', '--account', 'acme/retail', ...SPAN)).toEqual({
      from: '2026-07-01T00:00:00.000Z',
      to: '2026-07-02T00:00:00.000Z',
      account: 'acme/retail',
      tariff: 'gold',
      calls: 4,
      totals: [{ was: sum(3, 130, '2.13'), would: sum(2, 120, '0.72'), difference: eur('-1.41') }],
      accounts: [
        {
          account: 'acme/retail',
          was: sum(3, 130, '2.00'),
          would: sum(2, 120, '0.60'),
          difference: eur('-1.40'),
        },
        { account: 'acme', was: sum(3, 130, '0.13'), would: sum(2, 120, '0.12'), difference: eur('-0.01') },
      ],
      moreAccounts: 0,
      rates: [
        {
          wasBy: { tariff: 'standard', prefix: '49', description: 'Germany' },
          wouldBy: { tariff: 'gold', prefix: '49', description: 'Germany' },
          was: sum(1, 90, '1.20'),
          would: sum(1, 90, '0.45'),
          difference: eur('-0.75'),
        },
        {
          wasBy: { tariff: 'standard', prefix: '49', description: 'Germany' },
          wouldBy: { tariff: 'gold', prefix: '4915', description: 'Germany mobile' },
          was: sum(1, 30, '0.60'),
          would: sum(1, 30, '0.15'),
          difference: eur('-0.45'),
        },
        {
          wasBy: { tariff: 'standard', prefix: '44', description: 'Britain' },
          was: sum(1, 10, '0.20'),
          would: sum(0, 0, '0.00'),
          difference: eur('-0.20'),
        },
        {
          wasBy: { tariff: 'wholesale', prefix: '4', description: '' },
          was: sum(1, 10, '0.01'),
          would: sum(0, 0, '0.00'),
          difference: eur('-0.01'),
        },
        {
          wasBy: { tariff: 'wholesale', prefix: '4', description: '' },
          wouldBy: { tariff: 'wholesale', prefix: '4', description: '' },
          was: sum(2, 120, '0.12'),
          would: sum(2, 120, '0.12'),
          difference: eur('0.00'),
        },
      ],
      moreRates: 0,
      funding: [{ was: 'per_minute', would: 'per_minute', calls: 4 }],
      outcomes: [
        {
          outcome: 'refused',
          holder: 'acme/retail',
          limit: 'no_rate',
          calls: 1,
          lostSeconds: 10,
          examples: ['b-london'],
        },
      ],
    });
  });

  it('tries a version that is not in force yet, and a file that is not imported', async () => {
    const { ask, folder } = await createSmall(tested);
    const expected = {
      calls: 5,
      totals: [{ was: sum(4, 190, '2.79'), would: sum(4, 190, '3.99'), difference: eur('1.20') }],
      accounts: [
        { account: 'acme/retail', was: sum(3, 130, '2.00'), would: sum(3, 130, '2.90') },
        { account: 'acme/other', was: sum(1, 60, '0.60'), would: sum(1, 60, '0.90') },
        { account: 'acme', was: sum(4, 190, '0.19'), would: sum(4, 190, '0.19') },
      ],
      outcomes: [],
    };
    const version = ['--tariff', 'standard@2', '--replaces', 'standard'];
    expect(await ask('whatif', ...version, ...SPAN)).toMatchObject({ ...expected, tariff: 'standard@2' });
    const file = join(folder, 'new.csv');
    writeFileSync(file, 'prefix,rate,minimum,increment\n49,0.90,,\n44,1.20,1,1\n');
    const rates = ['--rates', file, '--replaces', 'standard'];
    expect(await ask('whatif', ...rates, ...SPAN)).toMatchObject({ ...expected, tariff: 'standard@new' });
  });

  it('changes nothing by the tariff in force, and nothing on record in any case', async () => {
    const { ask, run, url } = await createSmall(tested);
    const before = await dumpOf(url);
    const same = (await ask('whatif', '--tariff', 'standard', '--replaces', 'standard', ...SPAN)) as {
      readonly rates: readonly { readonly was: unknown; readonly would: unknown }[];
    };
    expect(same.rates).toHaveLength(3);
    for (const { was, would } of same.rates) expect(would).toEqual(was);
    await run('whatif', '--tariff', 'gold', ...SPAN);
    expect(await dumpOf(url)).toEqual(before);
  });

  it('leaves what is paid in other money', async () => {
    const { ask, run } = await createSmall(tested);
    const asked = ['whatif', '--tariff', 'dollars', '--replaces', 'standard', ...SPAN] as const;
    expect(await ask(...asked)).toMatchObject({
      totals: [{ difference: eur('0.00') }],
      outcomes: [
        { outcome: 'standing', holder: 'acme/retail', limit: 'currency_differs', calls: 3 },
        { outcome: 'standing', holder: 'acme/other', calls: 1, lostSeconds: 0, examples: ['b-other'] },
      ],
    });
    expect((await run(...asked)).out).toContain(
      '  as it was charged  acme/other   currency_differs  1 call     such as b-other',
    );
  });

  it('prints tables for people, and every part of every call as CSV', async () => {
    const { run, draw } = await createSmall(tested);
    const asked = ['whatif', '--tariff', 'gold', '--account', 'acme/retail', ...SPAN] as const;
    expect((await run(...asked)).out).toBe(
      [
        'what if gold had priced what any tariff charged, 2026-07-01 00:00:00 to 2026-07-02 00:00:00 UTC, calls of acme/retail; nothing is changed',
        '  calls   4',
        '  in all  3 → 2 calls  130 → 120 s  2.13 → 0.72 EUR  -1.41',
        'by account',
        '  acme/retail  3 → 2 calls  130 → 120 s  2.00 → 0.60 EUR  -1.40',
        '  acme         3 → 2 calls  130 → 120 s  0.13 → 0.12 EUR  -0.01',
        'by rate',
        '  standard 49 → gold 49    Germany         1 call       90 s      1.20 → 0.45 EUR  -0.75',
        '  standard 49 → gold 4915  Germany mobile  1 call       30 s      0.60 → 0.15 EUR  -0.45',
        '  standard 44 → nothing    Britain         1 → 0 calls  10 → 0 s  0.20 → 0.00 EUR  -0.20',
        '  wholesale 4 → nothing                    1 → 0 calls  10 → 0 s  0.01 → 0.00 EUR  -0.01',
        '  wholesale 4                              2 calls      120 s     0.12 → 0.12 EUR  0.00',
        'not as they went',
        '  refused  acme/retail  no_rate  1 call  10 s less  such as b-london',
        '',
      ].join('\n'),
    );
    expect(draw.join('')).toContain('4 calls');
    const csv = (await run(...asked, '--csv')).out.trimEnd().split('\n');
    expect(csv).toHaveLength(7);
    expect(csv).toContain(
      'b-mobile,acme/retail,2026-07-01T12:00:01.000Z,49151234567,goes,,,acme/retail,EUR,per_minute,standard,49,30,0.60,per_minute,gold,4915,30,0.15',
    );
    expect(csv).toContain(
      'b-london,acme/retail,2026-07-01T12:00:02.000Z,442071234567,refused,acme/retail,no_rate,acme/retail,EUR,per_minute,standard,44,10,0.20,,,,,',
    );
  });

  it('refuses what cannot be, naming what is wrong', async () => {
    const { run, folder } = await createSmall(tested);
    const wrong = async (...args: readonly string[]) => {
      const { code, err } = await run('whatif', ...args);
      expect(code).toBe(2);
      return err;
    };
    expect(await wrong(...SPAN)).toBe(
      '--tariff: nothing: expected what is to be tried: --tariff, --rates or --limits\n',
    );
    expect(await wrong('--tariff', 'gold', '--from', '2026-08-01')).toBe(
      '--to: now: expected a moment after --from\n',
    );
    expect(await wrong('--tariff', 'silver', ...SPAN)).toBe(
      '--tariff: silver: expected one of dollars, gold, standard, wholesale\n',
    );
    expect(await wrong('--tariff', 'standard@7', ...SPAN)).toBe(
      '--tariff: standard@7: expected one of its versions, which are 1 to 2\n',
    );
    expect(await wrong('--tariff', 'gold', '--replaces', 'silver', ...SPAN)).toContain('--replaces: silver');
    expect(await wrong('--replaces', 'gold', ...SPAN)).toContain(
      '--replaces: gold: expected it with --tariff or --rates',
    );
    expect(await wrong('--rates', 'x.csv', '--tariff', 'gold', ...SPAN)).toContain(
      '--rates: x.csv: expected it without --tariff',
    );
    expect(await wrong('--rates', 'x.csv', ...SPAN)).toContain('--replaces: nothing: expected the tariff');
    const missing = join(folder, 'none.csv');
    expect(await wrong('--rates', missing, '--replaces', 'gold', ...SPAN)).toContain(
      `--rates: ${missing}: expected a file that can be read`,
    );
    const bad = join(folder, 'bad.csv');
    writeFileSync(bad, 'prefix,rate\n49,ten\n');
    expect(await wrong('--rates', bad, '--replaces', 'gold', ...SPAN)).toContain(`${bad}:2: rate: "ten"`);
  });
});
