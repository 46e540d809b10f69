import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exportTariffCsv } from '../../src/imports/tariff-export.ts';
import { toEpochMs } from '../../src/units/time.ts';
import { anyTariffRates } from '../rating/samples.ts';
import { createCli } from './cli-run.ts';

describe('a tariff with times of day', () => {
  const PERIODS = [
    'prefix,rate,weight,days,from,until',
    '49,0.10,,,,',
    '49,0.20,10,mon-fri,08:00,18:00',
    '49,0.05,10,"sat,sun",,',
    '',
  ].join('\n');

  it('prices by the clocks of its zone, which later versions keep', async () => {
    const { folder, run, ask } = createCli();
    const file = join(folder, 'rates.csv');
    writeFileSync(file, PERIODS);
    const imported = ['tariff', 'import', 'std', file];
    expect((await run(...imported, '--currency', 'EUR', '--zone', 'Mars/Olympus')).err).toContain(
      '--zone: Mars/Olympus: expected a name of the time zone database',
    );
    await run(...imported, '--currency', 'EUR', '--zone', 'Europe/Berlin');
    const priceAt = async (at: string) =>
      (await run('price', '--tariff', 'std', '--to', '4930', '--seconds', '60', '--at', at)).out;
    // Monday 08:00 in Berlin, in summer and in winter; Friday evening; Saturday.
    expect(await priceAt('2026-07-06T06:00Z')).toContain('0.20 EUR');
    expect(await priceAt('2026-07-06T06:00Z')).toContain('mon-fri 08:00-18:00');
    expect(await priceAt('2026-07-06T05:59Z')).toContain('0.10 EUR');
    expect(await priceAt('2026-01-05T07:00Z')).toContain('0.20 EUR');
    expect(await priceAt('2026-01-05T06:59Z')).toContain('0.10 EUR');
    expect(await priceAt('2026-07-10T16:00Z')).toContain('0.10 EUR');
    expect(await priceAt('2026-07-10T22:00Z')).toContain('0.05 EUR');
    const shown = await run('tariff', 'show', 'std', '--to', '4930');
    // Saturday, 2026-08-01.
    expect(shown.out.split('\n').map((line) => line.trim().replaceAll(/ {2,}/g, ' '))).toEqual([
      '49 0.20 EUR weight 10 mon-fri 08:00-18:00 rate 2',
      '→ 49 0.05 EUR weight 10 sat,sun rate 3',
      '49 0.10 EUR weight 100 always rate 1',
      'of std version 1, by the clocks of Europe/Berlin',
      '',
    ]);
    expect((await run('tariff', 'show', 'std', '--to', '1')).err).toBe(
      'tariff std has no outbound rate for 1\n',
    );
    expect((await run('tariff', 'show', 'std', '--route', 'x')).err).toContain(
      '--route: x: expected --to beside it',
    );
    writeFileSync(file, `${PERIODS}44,0.01,,,,\n`);
    await run(...imported);
    expect(await ask('tariff', 'show', 'std')).toMatchObject([
      { version: 1, zone: 'Europe/Berlin' },
      { version: 2, zone: 'Europe/Berlin' },
    ]);
  });
});

describe('the tariff of an account', () => {
  it('changes from a day on, and what it was stays on record', async () => {
    const { folder, run, ask, setNow } = createCli();
    const file = join(folder, 'rates.csv');
    writeFileSync(file, 'prefix,rate\n49,0.10\n');
    for (const name of ['std', 'gold', 'tin']) await run('tariff', 'import', name, file, '--currency', 'EUR');
    const set = async (...flags: readonly string[]) => await run('account', 'set', 'acme', ...flags);
    const tariffs = async () => {
      const shown = await ask('account', 'show', 'acme');
      return [(shown as { tariff?: unknown }).tariff, (shown as { tariffs?: unknown }).tariffs];
    };
    await set('--wallet', 'EUR', '--tariff', 'std');
    expect(await tariffs()).toEqual(['std', undefined]);
    expect((await set('--tariff', 'gold', '--tariff-from', '2026-09-01')).out).toBe('acme: saved\n');
    expect((await set('--tariff', 'gold', '--tariff-from', '2026-09-01')).out).toBe('acme: unchanged\n');
    const dated = [
      { tariff: 'std', from: 'always' },
      { tariff: 'gold', from: '2026-09-01T00:00:00.000Z' },
    ];
    expect(await tariffs()).toEqual([undefined, dated]);
    expect((await run('account', 'list')).out).toContain('std, then gold from 2026-09-01T00:00:00.000Z');
    expect((await run('account', 'show', 'acme')).out).toContain('acme (EUR, std)');
    setNow(toEpochMs(Date.UTC(2026, 8, 1)));
    expect((await run('account', 'list')).out).toContain('gold  ');
    expect((await run('account', 'show', 'acme')).out).toContain('acme (EUR, gold)');
    await set('--tariff', 'tin');
    expect(await tariffs()).toEqual([
      undefined,
      [dated[0], { tariff: 'tin', from: '2026-09-01T00:00:00.000Z' }],
    ]);
    setNow(toEpochMs(Date.UTC(2026, 9, 1)));
    await set('--tariff', 'unset');
    expect(await tariffs()).toEqual([
      undefined,
      [
        dated[0],
        { tariff: 'tin', from: '2026-09-01T00:00:00.000Z' },
        { tariff: 'unset', from: '2026-10-01T00:00:00.000Z' },
      ],
    ]);
    await set('--tariff', 'gold', '--tariff-from', 'always');
    expect(await tariffs()).toEqual(['gold', undefined]);
    await set('--calls', '3');
    expect(await tariffs()).toEqual(['gold', undefined]);
  });

  it('is refused with a date that is none, and in another currency at whatever time', async () => {
    const { folder, run } = createCli();
    const file = join(folder, 'rates.csv');
    writeFileSync(file, 'prefix,rate\n49,0.10\n');
    await run('tariff', 'import', 'std', file, '--currency', 'EUR');
    await run('tariff', 'import', 'dollars', file, '--currency', 'USD');
    const set = async (...flags: readonly string[]) => await run('account', 'set', 'acme', ...flags);
    await set('--wallet', 'EUR', '--tariff', 'std');
    expect(await set('--tariff', 'std', '--tariff-from', '01.09.2026')).toMatchObject({
      code: 2,
      err: '--tariff-from: 01.09.2026: expected a moment such as 2026-08-01 or 2026-08-01T00:00:00Z, or "always"\n',
    });
    expect(await set('--tariff-from', '2026-09-01')).toMatchObject({
      code: 2,
      err: '--tariff-from: 2026-09-01: expected --tariff beside it\n',
    });
    expect(await set('--tariff', 'dollars', '--tariff-from', '2026-09-01')).toMatchObject({
      code: 1,
      err: 'acme: the wallet of acme is in EUR and its tariff dollars in USD\n',
    });
    expect((await set('--tariff', 'none', '--tariff-from', '2026-09-01')).err).toBe(
      'acme: there is no tariff none\n',
    );
  });

  it('is applied from a file from now on, once, and shown before', async () => {
    const { folder, run } = createCli();
    const rates = join(folder, 'rates.csv');
    const tree = join(folder, 'tree.yaml');
    writeFileSync(rates, 'prefix,rate\n49,0.10\n');
    for (const name of ['std', 'gold']) await run('tariff', 'import', name, rates, '--currency', 'EUR');
    writeFileSync(tree, 'accounts: [{ account: acme, tariff: std }]\n');
    await run('account', 'apply', tree, '--yes');
    expect((await run('account', 'apply', tree)).out).toContain('0 to change, 1 as described already');
    writeFileSync(tree, 'accounts: [{ account: acme, tariff: gold }]\n');
    expect((await run('account', 'apply', tree, '--yes')).out).toContain(
      'tariffs  std → std, gold from 2026-08-01T00:00:00.000Z',
    );
    expect((await run('account', 'apply', tree, '--yes')).out).toContain(
      '0 to change, 1 as described already',
    );
    writeFileSync(
      tree,
      'accounts:\n  - account: acme\n    tariffs:\n      - { tariff: gold, from: 2026-01-01 }\n',
    );
    expect((await run('account', 'apply', tree, '--yes')).out).toContain(
      '→ gold from 2026-01-01T00:00:00.000Z',
    );
    expect((await run('account', 'apply', tree, '--yes')).out).toContain(
      '0 to change, 1 as described already',
    );
  });
});

describe('the difference of two tariffs', () => {
  const BEFORE = [
    'prefix,description,rate,surcharge,minimum,increment,direction,weight,days',
    '49,Germany,0.10,,60,60,,,',
    '4915,"Mobile, all",0.30,0.05,,,,,',
    '4930,Berlin,0.08,,,,,,',
    '44,UK,0.05,,,,,,',
    '44,UK,0.04,,,,,90,"sat,sun"',
    '33,France,0,,,,,,',
    '1,US,0.02,,,,,,',
    '',
  ].join('\n');
  const AFTER = [
    'prefix,description,rate,surcharge,minimum,increment,direction,weight,days',
    '1,US,0.02,,60,,outbound,100,',
    '49,Deutschland,0.125,,30,6,,,',
    '4915,"Mobile, all",0.20,0.10,,,,,',
    '44,UK,0.05,,,,,,',
    '44,UK,0.04,,,,,90,sun',
    '33,France,0.01,,,,,,',
    '4930,Berlin,0.08,,,,,,',
    '',
  ].join('\n');

  async function twoVersions() {
    const cli = createCli();
    const file = join(cli.folder, 'rates.csv');
    writeFileSync(file, BEFORE);
    await cli.run('tariff', 'import', 'std', file, '--currency', 'EUR');
    writeFileSync(file, AFTER);
    await cli.run('tariff', 'import', 'std', file, '--rounding', 'half_up', '--zone', 'Europe/Berlin');
    return { ...cli, file };
  }

  it('is told rate by rate, in the order of their prefixes, with what they were', async () => {
    const { run } = await twoVersions();
    expect(
      (await run('tariff', 'diff', 'std@1', 'std@2')).out.split('\n').map((line) => line.trim()),
    ).toEqual([
      'std version 1 → std version 2',
      '~  zone                               UTC → Europe/Berlin',
      '~  rounding                           up to 6 decimals → half_up to 6 decimals',
      '~  33                    France       rate 0.00 → 0.01',
      '-  44 weight 90 sat,sun  UK           0.04',
      '+  44 weight 90 sun      UK           0.04',
      '~  49                    Deutschland  rate 0.10 → 0.125 (+25 %), minimum 60 → 30, increment 60 → 6, description Germany → Deutschland',
      '~  4915                  Mobile, all  rate 0.30 → 0.20 (-33.33 %), surcharge 0.05 → 0.10',
      '1 added, 1 removed, 3 changed (2 dearer, 1 cheaper), 3 as they were',
      '',
    ]);
  });

  it('is a file, and JSON', async () => {
    const { run, ask } = await twoVersions();
    const csv = (await run('tariff', 'diff', 'std@1', 'std@2', '--csv')).out.split('\n');
    expect(csv[0]).toBe(
      'change,prefix,direction,routes,options,weight,days,from,until,rate_percent,rate_before,rate_after,surcharge_before,surcharge_after,minimum_before,minimum_after,increment_before,increment_after,grace_before,grace_after,description_before,description_after',
    );
    expect(csv).toContain('removed,44,,,,90,"sat,sun",,,,0.04,,0.00,,60,,60,,0,,UK,');
    expect(csv).toContain(
      'changed,4915,,,,,,,,-33.33,0.30,0.20,0.05,0.10,60,60,60,60,0,0,"Mobile, all","Mobile, all"',
    );
    expect(await ask('tariff', 'diff', 'std@1', 'std')).toMatchObject({
      before: { tariff: 'std', version: 1, currency: 'EUR', rateCount: 7 },
      after: { version: 2, rounding: { mode: 'half_up' } },
      counts: { added: 1, removed: 1, changed: 3, dearer: 2, cheaper: 1, unchanged: 3 },
      changes: [
        {
          change: 'changed',
          prefix: '33',
          before: { rate: '0.00' },
          after: { rate: '0.01' },
          details: ['rate'],
        },
        { change: 'removed', prefix: '44', period: 'sat,sun', before: { rate: '0.04' } },
        { change: 'added', prefix: '44', period: 'sun', after: { rate: '0.04' } },
        { prefix: '49', ratePercent: '+25' },
        { prefix: '4915', ratePercent: '-33.33' },
      ],
    });
  });

  it('is none between a version and itself, and has no percents between currencies', async () => {
    const { run, file } = await twoVersions();
    expect((await run('tariff', 'diff', 'std@2', 'std')).out).toBe(
      'std version 2 → std version 2\n0 added, 0 removed, 0 changed (0 dearer, 0 cheaper), 7 as they were\n',
    );
    writeFileSync(file, 'prefix,rate\n49,0.25\n');
    await run('tariff', 'import', 'dollars', file, '--currency', 'USD');
    const { out } = await run('tariff', 'diff', 'std', 'dollars');
    expect(out).toContain('EUR → USD');
    expect(out).toContain('rate 0.125 → 0.25,');
  });

  it('wants tariffs and versions that are there', async () => {
    const { run } = await twoVersions();
    expect((await run('tariff', 'diff', 'std', 'gold')).err).toBe('no tariff gold\n');
    expect((await run('tariff', 'diff', 'std@3', 'std')).err).toBe('no tariff std@3\n');
    expect(await run('tariff', 'diff', 'std@x', 'std')).toMatchObject({
      code: 2,
      err: 'A: std@x: expected a tariff such as standard, or a version of one such as standard@3\n',
    });
    expect((await run('tariff', 'diff', 'std')).code).toBe(2);
  });
});

describe('a tariff file', () => {
  it('is told of as wrong with the first thousand faults and their sum, and nothing of it is imported', async () => {
    const { folder, run, ask } = createCli();
    const file = join(folder, 'rates.csv');
    writeFileSync(file, `prefix,rate\n49,0.10\n${'4x,0.10\n'.repeat(1_500)}`);
    const wrong = await run('tariff', 'import', 'std', file, '--currency', 'EUR');
    expect(wrong.code).toBe(2);
    expect(wrong.err).toContain(`${file}:3: prefix: "4x": expected up to 32 digits`);
    expect(wrong.err.trimEnd().split('\n')).toHaveLength(1_001);
    expect(wrong.err).toContain('1500 problems in all; the first 1000 are shown\n');
    expect(await ask('tariff', 'import', 'std', file, '--currency', 'EUR')).toMatchObject({ total: 1_500 });
    expect((await run('tariff', 'list')).out).toBe('');
  });

  it('may come into force at a day to come', async () => {
    const { folder, run } = createCli();
    const file = join(folder, 'rates.csv');
    writeFileSync(file, 'prefix,rate\n49,0.10\n');
    await run('tariff', 'import', 'std', file, '--currency', 'EUR');
    writeFileSync(file, 'prefix,rate\n49,0.20\n');
    expect((await run('tariff', 'import', 'std', file, '--starts', '2027-01-01')).out).toContain(
      'in force from 2027-01-01 00:00:00 UTC',
    );
    const priceOn = async (day: string) =>
      (await run('price', '--tariff', 'std', '--to', '49', '--seconds', '60', '--at', day)).out;
    expect(await priceOn('2026-12-31')).toContain('0.10 EUR');
    // A rate without a description.
    expect(await priceOn('2026-12-31')).toContain('49, rate 1 of std version 1\n');
    expect(await priceOn('2027-01-01')).toContain('0.20 EUR');
    expect((await run('tariff', 'import', 'std', file, '--starts', '2027-02-30')).err).toContain(
      '--starts: 2027-02-30',
    );
  });

  it('that was exported is the same again, whatever the tariff', async () => {
    const { folder, run, ask } = createCli();
    const file = join(folder, 'rates.csv');
    await fc.assert(
      fc.asyncProperty(anyTariffRates, fc.constantFrom('UTC', 'Asia/Kolkata'), async (rates, zone) => {
        writeFileSync(file, [...exportTariffCsv({ rates })].join('\n'));
        const first = await ask('tariff', 'import', 'std', file, '--currency', 'EUR', '--zone', zone);
        expect(first).toMatchObject({ rates: rates.length });
        const exported = (await run('tariff', 'show', 'std', '--csv')).out;
        writeFileSync(file, exported);
        expect(await ask('tariff', 'import', 'std', file)).toMatchObject({ result: 'unchanged' });
        expect((await run('tariff', 'show', 'std', '--csv')).out).toBe(exported);
      }),
      { numRuns: 25 },
    );
  });
});
