import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { toEpochMs } from '../../src/units/time.ts';
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
