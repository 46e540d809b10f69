import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { createAliceBooks } from './alice-books.ts';
import { jsonLeg } from './cdr-files.ts';
import { createCli } from './cli-run.ts';

const SINCE = ['--from', '2026-07-01', '--to', '2026-09-01'];

/** A record with acme/alice, who was charged for three legs of FreeSWITCH's own CDRs, ten seconds each. */
async function createBooks() {
  const books = await createAliceBooks({});
  for (const uuid of ['aa-1', 'aa-2', 'aa-3']) {
    books.write(`${uuid}.json`, jsonLeg({ uuid, microseconds: 10_000_000 }));
  }
  await books.run('cdr', 'import', books.folder, '--apply');
  /** Somebody else's hands on the record. */
  const meddle = (sql: string): void => {
    const raw = new DatabaseSync(join(books.folder, '../record.sqlite'), {
      enableForeignKeyConstraints: false,
    });
    raw.exec(sql);
    raw.close();
  };
  return { ...books, meddle };
}

describe('reconcile', () => {
  it('finds nothing off where nothing is', async () => {
    const { run, ask } = await createBooks();
    const { code, out } = await run('reconcile', ...SINCE);
    expect({ code, out }).toEqual({ code: 0, out: 'nothing is off in 3 legs\n' });
    expect(await ask('reconcile', ...SINCE)).toMatchObject({ legs: 3, compared: true, amounts: [] });
  });

  it('says that there was nothing to compare with, and looks at the money all the same', async () => {
    const { run, meddle } = await createBooks();
    meddle(`delete from switch_cdr; update charge set price = 1 where leg_uuid = 'aa-1'`);
    const { code, out } = await run('reconcile', ...SINCE);
    expect(code).toBe(1);
    expect(out).toContain("no CDR of FreeSWITCH's own is on record for this time");
    expect(out).toContain('acme/alice was charged 0.000001 EUR, the tariff gives 0.01 EUR');
    expect(out).toContain('1 difference in 3 legs: 0.009999 EUR too little');
  });

  it.each([
    ['tollgate_only', `delete from switch_cdr where leg_uuid = 'aa-1'`, '10.000 s on freeswitch', undefined],
    [
      'freeswitch_only',
      `delete from transfer where reference = 'aa-1'; delete from charge where leg_uuid = 'aa-1'; delete from cdr where leg_uuid = 'aa-1'`,
      'acme/alice 0.01 EUR; 1001 → 4930123',
      '0.01',
    ],
    [
      'duration_differs',
      `update switch_cdr set bill_microseconds = 10000001 where leg_uuid = 'aa-1'`,
      'Tollgate 10.000 s, FreeSWITCH 10.000001 s',
      undefined,
    ],
    [
      'duration_differs',
      `update switch_cdr set bill_microseconds = 11000000, billsec = 11 where leg_uuid = 'aa-1'`,
      'Tollgate 10.000 s, FreeSWITCH 11.000 s',
      undefined,
    ],
    [
      'duration_differs',
      `update switch_cdr set bill_microseconds = null, billsec = 11 where leg_uuid = 'aa-1'`,
      'Tollgate 10.000 s, FreeSWITCH 11 s (billsec)',
      undefined,
    ],
    [
      'answer_differs',
      `update switch_cdr set answered_at = null where leg_uuid = 'aa-1'`,
      'Tollgate 10.000 s',
      undefined,
    ],
    [
      'charge_differs',
      `update charge set price = 20000 where leg_uuid = 'aa-1'`,
      'was charged 0.02 EUR, the tariff gives 0.01 EUR',
      '-0.01',
    ],
    [
      'charge_unrated',
      `update cdr set destination = '441' where leg_uuid = 'aa-1'`,
      'acme/alice was charged 0.01 EUR, and has no rate for it now',
      undefined,
    ],
    [
      'charge_missing',
      `delete from transfer where reference = 'aa-1'; delete from charge where leg_uuid = 'aa-1'`,
      'acme/alice would pay 0.01 EUR',
      '0.01',
    ],
    [
      'charge_without_transfer',
      `delete from transfer where reference = 'aa-1'`,
      'transfer charge:aa-1:1:acme/alice:1 is missing',
      '0.01',
    ],
    [
      'transfer_without_charge',
      `update transfer set id = 'charge:zz:1:acme/alice:1', reference = 'zz' where reference = 'aa-1';
       update charge set price = 0, per_minute = 0 where leg_uuid = 'aa-1'`,
      'charge:zz:1:acme/alice:1 took 0.01 EUR',
      '-0.01',
    ],
  ])('finds %s, and ends with 1', async (kind, sql, words, amount) => {
    const { run, ask, meddle } = await createBooks();
    meddle(sql);
    const report = (await ask('reconcile', ...SINCE)) as {
      readonly found: Readonly<Record<string, number>>;
      readonly differences: readonly {
        readonly kind: string;
        readonly words: string;
        readonly amount?: object;
      }[];
    };
    expect(report.found).toMatchObject({ [kind]: 1 });
    const difference = report.differences.find((each) => each.kind === kind);
    expect(difference?.words).toContain(words);
    expect(difference?.amount).toEqual(amount === undefined ? undefined : { amount, currency: 'EUR' });
    expect((await run('reconcile', ...SINCE)).code).toBe(1);
    // The same as a file, which nobody's number can make work something out.
    const csv = await run('reconcile', ...SINCE, '--csv');
    expect(csv.code).toBe(1);
    expect(csv.out.split('\n')[0]).toBe('kind,leg,account,at,amount,currency,words');
    expect(csv.out).toContain(`\n${kind},`);
  });

  it('puts charges right with --fix, by a run that can be taken back', async () => {
    const { run, ask, write, meddle } = await createBooks();
    const dearer = write('../dearer.csv', 'prefix,rate,minimum,increment\n49,0.12,1,1\n');
    await run('tariff', 'import', 'standard', dearer, '--starts', '2026-07-01');
    meddle(`delete from transfer where reference = 'aa-3'; delete from charge where leg_uuid = 'aa-3'`);
    const before = await ask('reconcile', ...SINCE);
    expect(before).toMatchObject({ found: { charge_differs: 2, charge_missing: 1 } });
    const fixed = await run('reconcile', ...SINCE, '--fix');
    expect(fixed).toMatchObject({ code: 0 });
    expect(fixed.out).toMatch(
      /put right: 3 charges changed by run reconcile-20260801-\S+; 0 left for a person/,
    );
    expect(await run('reconcile', ...SINCE)).toMatchObject({ code: 0, out: 'nothing is off in 3 legs\n' });
    expect(await ask('account', 'show', 'acme/alice')).toMatchObject({ balance: { amount: '-0.06' } });
    expect((await run('verify', '--record-only')).out).toContain('all adds up');
    const id = /rerate revert (\S+) takes/.exec(fixed.out)?.[1] ?? '';
    expect((await run('rerate', 'revert', id)).code).toBe(0);
    expect(await ask('account', 'show', 'acme/alice')).toMatchObject({ balance: { amount: '-0.02' } });
    expect((await run('verify', '--record-only')).out).toContain('all adds up');
  });

  it('charges with --fix what only FreeSWITCH knows, writes what never moved, and leaves the rest', async () => {
    const { run, ask, meddle } = await createBooks();
    meddle(`delete from transfer where reference = 'aa-1'; delete from charge where leg_uuid = 'aa-1';
            delete from decision where leg_uuid = 'aa-1'; delete from cdr where leg_uuid = 'aa-1';
            delete from transfer where reference = 'aa-2';
            update switch_cdr set bill_microseconds = 11000000, billsec = 11 where leg_uuid = 'aa-3'`);
    const fixed = await run('reconcile', ...SINCE, '--fix');
    expect(fixed.code).toBe(1);
    expect(fixed.out).toContain('put right: 1 legs charged, 1 transfers written; 1 left for a person');
    expect(await ask('reconcile', ...SINCE)).toMatchObject({
      found: { freeswitch_only: 0, charge_without_transfer: 0, duration_differs: 1 },
    });
    expect((await run('verify', '--record-only')).out).toContain(
      'all adds up: 3 transfers, 3 charges, 3 calls',
    );
  });

  it('takes billsec that is off by one for what it is', async () => {
    const { run, meddle } = await createBooks();
    meddle(`update switch_cdr set bill_microseconds = null, billsec = 11 where leg_uuid = 'aa-1';
            update cdr set bill_microseconds = 10500000 where leg_uuid = 'aa-1';
            update switch_cdr set billsec = 10, bill_microseconds = 10500000 where leg_uuid = 'aa-2';
            update cdr set bill_microseconds = 10500000 where leg_uuid = 'aa-2'`);
    const { code, out } = await run('reconcile', ...SINCE);
    expect(code).toBe(0);
    expect(out).toContain(
      '1  legs whose billsec is off by one, which is two floored clocks and no difference',
    );
  });

  it('looks at one account, and at legs that lie over an end of the time', async () => {
    const { ask, meddle, run } = await createBooks();
    await run('account', 'set', 'other');
    meddle(`update charge set price = 1`);
    expect(await ask('reconcile', ...SINCE, '--account', 'acme')).toMatchObject({
      found: { charge_differs: 3 },
    });
    expect(await ask('reconcile', ...SINCE, '--account', 'other')).toMatchObject({
      legs: 0,
      found: { charge_differs: 0 },
    });
    // Admitted a moment before FreeSWITCH began it.
    meddle(`update charge set price = 10000; update cdr set admitted_at = admitted_at - 500`);
    const start = '2026-07-31T12:00:00Z';
    expect(await ask('reconcile', '--from', start)).toMatchObject({ found: { freeswitch_only: 0 } });
    expect(await ask('reconcile', '--from', '2026-07-01', '--to', start)).toMatchObject({
      legs: 3,
      found: { tollgate_only: 0 },
    });
  });

  it('reads files first where it is told to, and what is wrong with them is off as well', async () => {
    const { run, ask, write } = await createBooks();
    await run('account', 'set', 'other');
    const path = write('more/a.json', jsonLeg({ uuid: 'bb-1', microseconds: 1_000_000 }));
    expect(await ask('reconcile', ...SINCE, '--cdr', path)).toMatchObject({ found: { freeswitch_only: 1 } });
    const bad = await run('reconcile', ...SINCE, '--account', 'other', '--cdr', write('more/b.json', 'no'));
    expect(bad.code).toBe(1);
    expect(bad.out).toContain('b.json:1: file: "no": expected JSON as mod_json_cdr writes it');
  });

  it('refuses a time that is none', async () => {
    const { run } = createCli({});
    expect((await run('reconcile')).err).toContain('--from: nothing: expected a day or a moment');
    const swapped = await run('reconcile', '--from', '2026-08-01', '--to', '2026-07-01');
    expect(swapped).toMatchObject({ code: 2 });
    expect(swapped.err).toContain('--to: 2026-07-01: expected a moment after --from');
  });
});
