import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DATABASES, dumpOf, type TestedDatabase } from '../database/databases.ts';
import { createCli } from './cli-run.ts';
import { fillSmallRecord } from './whatif-record.ts';

const SPAN = ['--from', '2026-07-01', '--to', '2026-07-02'] as const;

/** The small record, a command line that has no Redis, and a file to try. */
async function createSmall({ freshUrl, openRecord }: TestedDatabase) {
  const url = await freshUrl();
  await fillSmallRecord(await openRecord(url));
  const cli = createCli(undefined, undefined, url);
  const write = (document: string): string => {
    const file = join(cli.folder, 'limits.yaml');
    writeFileSync(file, document);
    return file;
  };
  return { ...cli, url, write };
}

/** Two calls at once, and none longer than a minute. */
const TIGHT = `
accounts:
  - account: acme/retail
    wallet: EUR
    tariff: standard
    operator: { calls: 2, maxCallSeconds: 60 }
`;

const eur = (amount: string) => ({ amount, currency: 'EUR' });
const sum = (calls: number, seconds: number, revenue: string) => ({ calls, seconds, revenue: eur(revenue) });
const at = (time: string) => `2026-07-01T${time}.000Z`;

describe.each(DATABASES)('whatif --limits on $name', (tested) => {
  it('says which calls would have been refused and cut, and what they would have brought', async () => {
    const { ask, write } = await createSmall(tested);
    const answer = (await ask('whatif', '--limits', write(TIGHT), ...SPAN)) as Answer;
    // Berlin ends after a minute of its 90 s; London, and the call that nobody answered, are the third at once.
    expect(answer).toMatchObject({
      calls: 5,
      totals: [{ was: sum(4, 190, '2.79'), would: sum(3, 150, '1.95'), difference: eur('-0.84') }],
      accounts: [
        { account: 'acme/retail', was: sum(3, 130, '2.00'), would: sum(2, 90, '1.20') },
        { account: 'acme', was: sum(4, 190, '0.19'), would: sum(3, 150, '0.15') },
        { account: 'acme/other', was: sum(1, 60, '0.60'), would: sum(1, 60, '0.60') },
      ],
      outcomes: [
        { outcome: 'refused', holder: 'acme/retail', limit: 'calls', calls: 2, lostSeconds: 10 },
        { outcome: 'cut', holder: 'acme/retail', limit: 'maxCallSeconds', calls: 1, lostSeconds: 30 },
      ],
      changes: [{ account: 'acme/retail', change: 'change' }],
      refusedReally: [
        {
          holder: 'acme/retail',
          limit: 'calls',
          calls: 2,
          again: { passes: 1, refused: 1, unknown: 0 },
          examples: ['busy', 'later'],
        },
      ],
    });
    expect(answer.peaks.filter(({ counter }) => counter === 'calls')).toEqual([
      {
        account: 'acme',
        counter: 'calls',
        was: { calls: 5, at: at('12:00:04') },
        would: { calls: 3, at: at('12:00:03') },
      },
      {
        account: 'acme/other',
        counter: 'calls',
        was: { calls: 1, at: at('12:00:03') },
        would: { calls: 1, at: at('12:00:03') },
      },
      {
        account: 'acme/retail',
        counter: 'calls',
        was: { calls: 4, at: at('12:00:04') },
        would: { calls: 2, at: at('12:00:01') },
      },
      {
        route: 'carrier',
        counter: 'calls',
        was: { calls: 5, at: at('12:00:04') },
        would: { calls: 3, at: at('12:00:03') },
      },
    ]);
  });

  it('counts calls that were up before', async () => {
    const { ask, write } = await createSmall(tested);
    const later = ['--from', '2026-07-01T12:00:01.500Z', '--to', '2026-07-02'] as const;
    // Berlin and the mobile are up, and are not cut: they were before.
    expect(await ask('whatif', '--limits', write(TIGHT), ...later)).toMatchObject({
      calls: 3,
      outcomes: [
        {
          outcome: 'refused',
          holder: 'acme/retail',
          limit: 'calls',
          calls: 2,
          examples: ['b-london', 'b-unheard'],
        },
      ],
    });
  });

  it('ends calls with an allotment that nothing follows', async () => {
    const { ask, write } = await createSmall(tested);
    const file = write(`
accounts:
  - account: acme/other
    wallet: EUR
    operator:
      fundingOrder: [allotment]
      allotments: { international: { seconds: 45, cycle: monthly, minimum: 10, increment: 1 } }
`);
    // 45 s of the minute that it talked.
    expect(await ask('whatif', '--limits', file, ...SPAN)).toMatchObject({
      outcomes: [{ outcome: 'cut', holder: 'acme/other', limit: 'allotments', calls: 1, lostSeconds: 15 }],
      funding: [
        { was: 'per_minute', would: 'per_minute', calls: 7 },
        { was: 'per_minute', would: 'allotment', calls: 1 },
      ],
    });
  });

  it('prices by another tariff what other limits let through', async () => {
    const { ask, write } = await createSmall(tested);
    const tariff = ['--tariff', 'gold', '--account', 'acme/retail'];
    // Berlin a minute at 0.30, mobile 0.15; London is the third at once before anybody looks for its rate.
    expect(await ask('whatif', '--limits', write(TIGHT), ...tariff, ...SPAN)).toMatchObject({
      calls: 4,
      tariff: 'gold',
      accounts: [
        { account: 'acme/retail', was: sum(3, 130, '2.00'), would: sum(2, 90, '0.45') },
        { account: 'acme', was: sum(3, 130, '0.13'), would: sum(2, 90, '0.09') },
      ],
      rates: expect.arrayContaining([
        expect.objectContaining({
          wouldBy: { tariff: 'gold', prefix: '4915', description: 'Germany mobile' },
          was: sum(1, 30, '0.60'),
          would: sum(1, 30, '0.15'),
        }),
      ]),
    });
  });

  it('says who would have paid otherwise', async () => {
    const { ask, run, write } = await createSmall(tested);
    const file = write(`
routes: [{ route: carrier, calls: 3 }]
accounts:
  - account: acme/retail
    wallet: EUR
    tariff: standard
    operator:
      trunks: { outbound: 1 }
      flatRate: { whitelist: ['^[+]49'] }
`);
    const answer = (await ask('whatif', '--limits', file, ...SPAN)) as Answer;
    // Berlin goes over the only trunk; the route has no room for the call of acme/other and for what came after it.
    expect(answer.rates).toContainEqual(
      expect.objectContaining({
        wasBy: { tariff: 'standard', prefix: '49', description: 'Germany' },
        wouldBy: { way: 'flat_rate' },
        was: sum(1, 90, '1.20'),
        would: sum(1, 90, '0.00'),
      }),
    );
    expect(answer.outcomes).toEqual([
      {
        outcome: 'refused',
        holder: 'route carrier',
        limit: 'calls',
        calls: 2,
        lostSeconds: 60,
        examples: ['b-other', 'b-unheard'],
      },
    ]);
    expect(answer.funding).toEqual([
      { was: 'per_minute', would: 'per_minute', calls: 5 },
      { was: 'per_minute', would: 'flat_rate', calls: 1 },
    ]);
    expect((await run('whatif', '--limits', file, ...SPAN)).out).toContain(
      'paid otherwise\n  per_minute → flat_rate  1 call\n',
    );
    expect(answer.accounts).toContainEqual({
      account: 'acme/retail',
      was: sum(3, 130, '2.00'),
      would: sum(3, 130, '0.80'),
      difference: eur('-1.20'),
    });
  });

  it('changes nothing by the limits in force, and nothing on record in any case', async () => {
    const { ask, run, write, url } = await createSmall(tested);
    const before = await dumpOf(url);
    const same = (await ask('whatif', '--limits', write('accounts: []'), ...SPAN)) as Answer;
    expect(same.outcomes).toEqual([]);
    expect(same.changes).toEqual([]);
    expect(same.rates).toHaveLength(3);
    for (const { was, would } of [...same.accounts, ...same.rates, ...same.peaks]) expect(would).toEqual(was);
    await run('whatif', '--limits', write(TIGHT), '--tariff', 'gold', ...SPAN, '--csv');
    expect(await dumpOf(url)).toEqual(before);
  });

  it('prints tables for people', async () => {
    const { run, write } = await createSmall(tested);
    const file = write(TIGHT);
    const { out } = await run('whatif', '--limits', file, ...SPAN);
    expect(out.replace(file, 'limits.yaml')).toBe(
      [
        'what if limits.yaml had held, 2026-07-01 00:00:00 to 2026-07-02 00:00:00 UTC; nothing is changed',
        '~ acme/retail',
        '   operator.calls           unset → 2',
        '   operator.maxCallSeconds  unset → 60',
        '  calls   5',
        '  in all  4 → 3 calls  190 → 150 s  2.79 → 1.95 EUR  -0.84',
        'by account',
        '  acme/retail  3 → 2 calls  130 → 90 s   2.00 → 1.20 EUR  -0.80',
        '  acme         4 → 3 calls  190 → 150 s  0.19 → 0.15 EUR  -0.04',
        '  acme/other   1 call       60 s         0.60 → 0.60 EUR  0.00',
        'by rate',
        '  standard 49            Germany  3 calls      180 → 150 s  2.40 → 1.80 EUR  -0.60',
        '  standard 44 → nothing  Britain  1 → 0 calls  10 → 0 s     0.20 → 0.00 EUR  -0.20',
        '  wholesale 4                     3 calls      180 → 150 s  0.18 → 0.15 EUR  -0.03',
        '  wholesale 4 → nothing           1 → 0 calls  10 → 0 s     0.01 → 0.00 EUR  -0.01',
        'not as they went',
        '  refused  acme/retail  calls           2 calls  10 s less  such as b-london',
        '  cut      acme/retail  maxCallSeconds  1 call   30 s less  such as b-berlin',
        'at most at once',
        '  acme           calls  5 → 3  2026-07-01 12:00:04 UTC → 2026-07-01 12:00:03 UTC',
        '  acme/retail    calls  4 → 2  2026-07-01 12:00:04 UTC → 2026-07-01 12:00:01 UTC',
        '  route carrier  calls  5 → 3  2026-07-01 12:00:04 UTC → 2026-07-01 12:00:03 UTC',
        '  acme/other     calls  1      2026-07-01 12:00:03 UTC',
        'refused really, and how long they would have been nobody knows',
        '  acme/retail  calls  2 calls  1 would be again, 1 would go through  such as busy',
        '',
      ].join('\n'),
    );
  });

  it('refuses what cannot be, naming what is wrong', async () => {
    const { run, write, folder } = await createSmall(tested);
    const wrong = async (file: string) => {
      const { code, err } = await run('whatif', '--limits', file, ...SPAN);
      expect(code).toBe(2);
      return err;
    };
    const missing = join(folder, 'none.yaml');
    expect(await wrong(missing)).toContain(`--limits: ${missing}: expected a file that can be read`);
    const file = write('accounts: [{ account: acme, operator: { cals: 2 } }]');
    expect(await wrong(file)).toContain(`${file}: accounts[0].operator`);
    expect(await wrong(write('accounts: [{ account: nobody/here }]'))).toBe(
      `${file}: nobody/here: its parent nobody does not exist: expected accounts that could be saved\n`,
    );
  });
});

type Side = { readonly was: unknown; readonly would: unknown };
type Answer = {
  readonly peaks: readonly (Side & { readonly counter: string })[];
  readonly accounts: readonly Side[];
  readonly rates: readonly Side[];
  readonly funding: readonly unknown[];
  readonly outcomes: readonly unknown[];
  readonly changes: readonly unknown[];
};
