import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
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
