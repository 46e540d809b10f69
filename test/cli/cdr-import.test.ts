import { appendFileSync, mkdirSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openDatabase } from '../../src/database/database.ts';
import { toPriceTerms } from '../../src/rating/price.ts';
import { formatTerms } from '../../src/rating/terms-text.ts';
import { admissionDecisionId, type Cdr, type Decision, type Settlement } from '../../src/records/records.ts';
import type { AccountPath, LegKey, LegUuid } from '../../src/units/ids.ts';
import { toEpochMs } from '../../src/units/time.ts';
import { EXACT_TEMPLATE } from '../cdrfiles/samples.ts';
import { cdrOf, money } from '../records/samples.ts';
import { createAliceBooks } from './alice-books.ts';
import { csvLeg, jsonLeg } from './cdr-files.ts';

const NOW_SECONDS = Date.UTC(2026, 7, 1) / 1000;

const exact = ['--template', EXACT_TEMPLATE];

describe('cdr import', () => {
  it('lists what is unknown, charges it with --apply, and only once', async () => {
    const { run, ask, folder, write } = await createAliceBooks({});
    write('a.cdr.json', jsonLeg({ uuid: 'aa-1', microseconds: 10_500_000 }));
    write('b.cdr.json', jsonLeg({ uuid: 'aa-2' }));
    const listed = await run('cdr', 'import', folder);
    expect(listed).toMatchObject({ code: 0, err: '' });
    expect(listed.out).toContain('2 new, 0 read before');
    expect(listed.out).toContain('1 unknown to Tollgate and to be charged: 0.011 EUR');
    expect(listed.out).toMatch(
      /aa-1 +2026-07-31 12:00:00 UTC +1001 → 4930123 +10\.500 s +acme\/alice 0\.011 EUR/,
    );
    expect(listed.out).toContain('nothing is charged yet: repeat it with --apply');
    expect(await ask('account', 'show', 'acme/alice')).toMatchObject({ balance: { amount: '0.00' } });
    expect(await ask('cdr', 'import', folder, '--apply')).toMatchObject({ settled: 1, notMetered: 0 });
    expect(await ask('cdr', 'import', folder, '--apply')).toMatchObject({ settled: 0, confirmed: 0 });
    expect(await ask('account', 'show', 'acme/alice')).toMatchObject({ balance: { amount: '-0.011' } });
    expect((await run('verify', '--record-only')).out).toContain('all adds up: 1 transfer, 1 charge, 1 call');
    expect((await run('explain', 'aa-1')).out).toContain('charged from');
  });

  it('shows a talk as exactly as it is billed', async () => {
    const { run, folder, write } = await createAliceBooks({});
    write('a.cdr.json', jsonLeg({ uuid: 'aa-1', microseconds: 3_000_001 }));
    expect((await run('cdr', 'import', folder, '--apply')).out).toContain('1 charged now: 0.004 EUR');
    expect((await run('explain', 'aa-1')).out).toContain('4 s of 3.000001 s;');
  });

  it('says which calls it took for funded by trunks and allotments, and what looks at them again', async () => {
    const { ask, run, folder, write } = await createAliceBooks({ tell: () => Promise.resolve('moved') });
    const limits = `
accounts:
  - account: acme/alice
    wallet: EUR
    tariff: standard
    operator:
      allotments: { international: { seconds: 15, cycle: daily, minimum: 1, increment: 1 } }
      trunks: { outbound: 1 }
      flatRate: { whitelist: ['^\\+44'] }
`;
    expect(await run('account', 'apply', write('../tree.yaml', limits), '--yes')).toMatchObject({ code: 0 });
    for (const uuid of ['aa-1', 'aa-2', 'aa-3']) {
      write(`${uuid}.json`, jsonLeg({ uuid, microseconds: 10_000_000 }));
    }
    write('bb-1.json', jsonLeg({ uuid: 'bb-1', microseconds: 10_000_000, to: '44123' }));
    expect(await ask('cdr', 'import', folder)).toMatchObject({ assumedFunding: { calls: 0 } });
    const { out } = await run('cdr', 'import', folder, '--apply');
    expect(out).toContain('on trunks or allotments, taken as free and as lasting: 4 of those charged');
    const command =
      'rerate plan --replay-funding --from 2026-07-31T12:00:00.000Z --to 2026-08-01T00:00:00.000Z';
    expect(out).toContain(`\n  tollgate ${command}\n`);
    expect(await ask('account', 'show', 'acme/alice')).toMatchObject({ balance: { amount: '0.00' } });

    // Of thirty seconds to Germany there were fifteen in advance.
    expect(await ask(...command.split(' '), '--id', 'late')).toMatchObject({ state: 'planned', calls: 4 });
    expect((await run('rerate', 'apply', 'late')).code).toBe(0);
    expect(await ask('account', 'show', 'acme/alice')).toMatchObject({ balance: { amount: '-0.015' } });
    expect((await run('verify', '--record-only')).code).toBe(0);
    const again = await ask('cdr', 'import', folder, '--apply');
    expect(again).toMatchObject({ settled: 0, assumedFunding: { calls: 0 } });
  });

  it('confirms what Tollgate has, a billsec off by one explained and nothing charged twice', async () => {
    const { ask, folder, write } = await createAliceBooks({});
    write('a.json', jsonLeg({ uuid: 'aa-1', microseconds: 840_000, changes: { billsec: '1' } }));
    expect(await ask('cdr', 'import', folder, '--apply')).toMatchObject({ settled: 1 });
    // The same leg from another module, and with another rounding of its seconds.
    write('Master.csv', csvLeg({ uuid: 'aa-1', microseconds: 840_000 }));
    expect(await ask('cdr', 'import', folder, ...exact)).toMatchObject({ legs: { again: 1 }, faults: [] });
    const again = await ask(
      'cdr',
      'import',
      write('b.json', jsonLeg({ uuid: 'aa-1', microseconds: 840_000 })),
      '--apply',
    );
    expect(again).toMatchObject({ settled: 0, faults: [] });
    expect(await ask('account', 'show', 'acme/alice')).toMatchObject({ balance: { amount: '-0.001' } });
    const reconciled = await ask('reconcile', '--from', '2026-07-01');
    expect(reconciled).toMatchObject({ remarks: { billsec_off: 1 }, found: { duration_differs: 0 } });
  });

  it('goes on where it was left, in files that grow and in folders that fill', async () => {
    const { ask, folder, write } = await createAliceBooks({});
    const master = write('Master.csv', csvLeg({ uuid: 'aa-1', microseconds: 1_000_000 }));
    expect(await ask('cdr', 'import', folder, ...exact)).toMatchObject({
      files: { read: 1 },
      legs: { new: 1 },
    });
    expect(await ask('cdr', 'import', folder, ...exact)).toMatchObject({ files: { read: 0, unchanged: 1 } });
    appendFileSync(master, csvLeg({ uuid: 'aa-2', microseconds: 1_000_000 }).slice(0, 50));
    utimesSync(master, NOW_SECONDS, NOW_SECONDS);
    write('new/a.json', jsonLeg({ uuid: 'aa-3', microseconds: 1_000_000 }).slice(0, 50), NOW_SECONDS);
    expect(await ask('cdr', 'import', folder, ...exact)).toMatchObject({
      files: { read: 2, later: 1, faulty: 0 },
      legs: { new: 0, again: 0 },
      faults: [],
    });
    appendFileSync(master, csvLeg({ uuid: 'aa-2', microseconds: 1_000_000 }).slice(50));
    write('new/a.json', jsonLeg({ uuid: 'aa-3', microseconds: 1_000_000 }));
    expect(await ask('cdr', 'import', folder, ...exact, '--apply')).toMatchObject({
      files: { read: 2, later: 0, unchanged: 0 },
      legs: { new: 2, again: 0 },
      settled: 3,
    });
  });

  it('reads files again where they are to be read in another way', async () => {
    const { ask, run, write } = await createAliceBooks({});
    const file = write('Master.csv', csvLeg({ uuid: 'aa-1', microseconds: 1_000_000 }));
    const wrong = await run('cdr', 'import', file);
    expect(wrong.code).toBe(1);
    expect(wrong.out).toContain(`${file}:1: line: "`);
    expect(wrong.out).toContain('expected a line as the template writes it');
    expect(await ask('cdr', 'import', file, ...exact)).toMatchObject({ legs: { new: 1 }, faults: [] });
  });

  it('charges nothing that it cannot charge for certain, and says why', async () => {
    const { ask, folder, write } = await createAliceBooks({});
    write('nobody.json', jsonLeg({ uuid: 'aa-1', microseconds: 1e6, account: 'evil' }));
    write('unnamed.json', jsonLeg({ uuid: 'aa-2', microseconds: 1e6, account: '' }));
    write('unrated.json', jsonLeg({ uuid: 'aa-3', microseconds: 1e6, to: '33123' }));
    write('unpaid.json', jsonLeg({ uuid: 'aa-4', microseconds: 1e6, account: 'acme' }));
    write('ad-hoc.json', jsonLeg({ uuid: 'aa-9', microseconds: 1e6, changes: { tollgate_customer: 'kim' } }));
    const last = {
      start_uepoch: '1785542399000000',
      answer_uepoch: '1785542399000000',
      end_uepoch: '1785542400000000',
    };
    write('recent.json', jsonLeg({ uuid: 'aa-5', microseconds: 1e6, changes: last }));
    write(
      'Master.csv',
      '"A","1001","4930123","x","2026-07-31 12:00:00","2026-07-31 12:00:00","2026-07-31 12:00:09","9","9","NORMAL_CLEARING","aa-6","aa-7","acme/alice","",""\n' +
        '"A","1001","4930123","x","2026-07-31 12:00:00","2026-07-31 12:00:00","2026-07-31 12:00:09","9","9","NORMAL_CLEARING","aa-7","","acme/alice","",""\n' +
        '"A","1001","4930123","x","2026-07-31 12:00:00","2026-07-31 12:00:00","2026-07-31 12:00:09","9","9","NORMAL_CLEARING","aa-8","","acme/alice","",""\n',
    );
    const report = await ask('cdr', 'import', folder, '--apply');
    expect(report).toMatchObject({
      settled: 0,
      notMetered: 1,
      remaining: { account_unknown: 3, unpayable: 2, recent: 1, inexact: 1, undetermined: 1 },
    });
    const { open } = report as { readonly open: readonly { readonly leg: string; readonly why: string }[] };
    const why = Object.fromEntries(open.map((each) => [each.leg, each.why]));
    expect(why).toMatchObject({
      'aa-1': 'there is no account "evil"',
      'aa-2': 'it names no account',
      'aa-3': 'the tariff of acme/alice has no outbound rate for 33123',
      'aa-4': 'nobody in the chain of acme has a wallet or a tariff',
      'aa-5': 'ended a moment ago',
      'aa-7': 'no exact duration',
      'aa-9': expect.stringContaining('tollgate_max_credit is not set: expected an amount'),
      'aa-8': 'charged or not, it cannot be told',
    });
    const told = await ask(
      'cdr',
      'import',
      folder,
      join(folder, 'nobody.json'),
      '--account',
      'acme/alice',
      '--apply',
    );
    expect(told).toMatchObject({ settled: 1, remaining: { account_unknown: 2 } });
  });

  it('charges a customer that nobody stored by the price that came with his call, and squares his wallet', async () => {
    const { run, ask, folder, write } = await createAliceBooks({});
    const pools = {
      tollgate_customer: 'Kim',
      tollgate_max_credit: '5.00',
      tollgate_connect: '0.05',
      tollgate_cps: '0.01',
      tollgate_ipulse: '6',
      tollgate_fpulse: '6',
    };
    const leg = { microseconds: 7_200_000, changes: pools };
    write('alone.json', jsonLeg({ ...leg, uuid: 'aa-1' }));
    const below = { ...pools, tollgate_account: 'acme/alice' };
    write('below.json', jsonLeg({ ...leg, uuid: 'aa-2', changes: below }));
    const inside = { ...pools, tollgate_callee: 'acme' };
    write('inside.json', jsonLeg({ ...leg, uuid: 'aa-3', changes: inside }));
    const columns = Object.keys(pools).map((name) => `,"\${${name}}"`);
    const line = `${csvLeg({ ...leg, uuid: 'aa-4' }).trimEnd()}${Object.values(pools)
      .map((value) => `,"${value}"`)
      .join('')}\n`;
    write('Master.csv', line);
    const template = ['--template', `${EXACT_TEMPLATE}${columns.join('')}`];
    // 0.05 for the answer, and two pulses of 0.06; of alice's own besides, a cent a second in eight seconds.
    expect(await ask('cdr', 'import', folder, ...template, '--apply')).toMatchObject({
      settled: 4,
      amounts: [{ amount: '0.688', currency: 'EUR' }],
      remaining: { account_unknown: 0, unpayable: 0 },
    });
    for (const [uuid, payer] of [
      ['aa-1', 'adhoc/kim'],
      ['aa-2', 'acme/alice/adhoc.kim'],
      ['aa-3', 'adhoc/kim'],
      ['aa-4', 'adhoc/kim'],
    ] as const) {
      expect((await run('explain', uuid)).out).toContain(`  ${payer}`);
      expect((await run('explain', uuid)).out).toContain('0.17 EUR');
    }
    for (const wallet of ['adhoc/kim', 'acme/alice/adhoc.kim']) {
      const statement = await ask('statement', wallet, '--from', '2026-01-01', '--to', '2026-09-01');
      expect(JSON.stringify(statement)).toContain('opening');
    }
    expect((await run('verify', '--record-only')).out).toContain(
      'all adds up: 9 transfers, 5 charges, 4 calls',
    );
    expect(await ask('account', 'show', 'acme/alice')).toMatchObject({ balance: { amount: '-0.008' } });
    expect(await ask('cdr', 'import', folder, ...template, '--apply')).toMatchObject({ settled: 0 });
  });

  describe('of a customer that nobody stored, whose file does not have what his call brought', () => {
    const KIM = 'adhoc/kim' as AccountPath;
    const legKey = 'aa-1.0:ungated' as LegKey;
    const terms = toPriceTerms({
      surcharge: money('0.05'),
      perMinute: money('0.60'),
      minimumSeconds: 6,
      incrementSeconds: 6,
    });
    const payer = { account: KIM, tariff: 'adhoc', tariffVersion: 0, terms: formatTerms(terms) };
    const inputs = {
      direction: 'outbound',
      dialled: '4930123',
      destination: '4930123',
      routes: [],
      options: [],
      payers: [payer],
    };
    const admission: Decision = {
      id: admissionDecisionId(legKey),
      at: toEpochMs(Date.UTC(2026, 6, 31, 12)),
      kind: 'admission',
      verdict: 'admitted',
      aLeg: 'aa-1' as LegUuid,
      legUuid: 'aa-1' as LegUuid,
      account: KIM,
      reason: 'per_minute',
      inputs,
    };

    /** With what was decided, and what else of it is on record. */
    const admitted = async (...settlements: readonly Settlement[]) => {
      const cli = await createAliceBooks({});
      const database = await openDatabase({ url: join(cli.folder, '..', 'record.sqlite') });
      await database.records.writeBatch({ settlements, decisions: [admission] });
      await database.close();
      cli.write('a.json', jsonLeg({ uuid: 'aa-1', microseconds: 7_200_000, account: '' }));
      return cli;
    };
    const isCharged = async ({ run, ask }: Awaited<ReturnType<typeof admitted>>): Promise<void> => {
      // 0.05 for the answer, and two pulses of 0.06.
      expect((await run('explain', 'aa-1')).out).toContain('0.17 EUR');
      const statement = await ask('statement', KIM, '--from', '2026-01-01', '--to', '2026-09-01');
      expect(statement).toMatchObject({
        statements: [{ movements: [{ kind: 'opening' }, { kind: 'charge' }] }],
      });
      expect((await run('verify', '--record-only')).out).toContain('2 transfers, 1 charge, 1 call');
    };

    it('charges what nobody heard of by the decision that admitted it', async () => {
      const cli = await admitted();
      expect(await cli.ask('cdr', 'import', cli.folder, '--apply')).toMatchObject({ settled: 1 });
      await isCharged(cli);
      expect(await cli.ask('cdr', 'import', cli.folder, '--apply')).toMatchObject({ settled: 0 });
      await isCharged(cli);
    });

    it.each([
      ['cdr import', (folder: string) => ['cdr', 'import', folder, '--apply']],
      ['reconcile', (folder: string) => ['reconcile', '--from', '2026-07-01', '--cdr', folder, '--fix']],
    ] as const)('charges by it what was settled for no second and for nothing, by %s', async (_, command) => {
      const at = toEpochMs(Date.UTC(2026, 6, 31, 12));
      const cdr: Cdr = {
        ...cdrOf('aa-1'),
        legKey,
        account: KIM,
        direction: 'outbound',
        dialled: '4930123',
        destination: '4930123',
        routes: [],
        admittedAt: at,
        answeredAt: undefined,
        endedAt: at,
        billMicroseconds: 0,
        billsec: 0,
        billedSeconds: 0,
        decision: 'admitted',
        funding: 'per_minute',
        estimated: true,
      };
      const cli = await admitted({ cdr, charges: [], transfers: [] });
      for (let time = 0; time < 2; time += 1) {
        expect((await cli.run(...command(cli.folder))).code).toBe(0);
        await isCharged(cli);
      }
    });
  });

  it('tells of every bad file with its line, takes the rest, and ends with 1', async () => {
    const { run, folder, write } = await createAliceBooks({});
    const good = csvLeg({ uuid: 'bb-1', microseconds: 1e6 });
    const future = { start_uepoch: '1895331507643034', answer_uepoch: '0', end_uepoch: '1895331507643034' };
    const shifted = csvLeg({ uuid: 'bb-2', microseconds: 1e6, to: '49","30' });
    const paths = {
      truncated: write('truncated.json', jsonLeg({ uuid: 'aa-1' }).slice(0, 99)),
      latin: write('utf16.json', Buffer.from(jsonLeg({ uuid: 'aa-2' }), 'utf16le')),
      future: write('future.json', jsonLeg({ uuid: 'aa-3', changes: future })),
      one: write('twice-a.json', jsonLeg({ uuid: 'aa-4', microseconds: 1e6 })),
      xml: write('bomb.xml', '<!DOCTYPE cdr [<!ENTITY a "b">]><cdr>&a;</cdr>'),
      csv: write('Master.csv', `${good}${shifted}${'x'.repeat(70_000)}\n${csvLeg({ uuid: 'bb-3' })}`),
    };
    await run('cdr', 'import', paths.one);
    const two = write('twice-b.json', jsonLeg({ uuid: 'aa-4', microseconds: 2e6 }));
    const { code, out } = await run('cdr', 'import', folder, ...exact);
    expect(code).toBe(1);
    const faults = out.split('\n').filter((line) => line.includes(': expected '));
    const expected = [
      `${paths.truncated}:1: file: … expected JSON as mod_json_cdr writes it, to its end`,
      `${paths.latin}:1: file: … expected text in UTF-8`,
      `${paths.future}:1: end_uepoch: … expected a moment that has passed`,
      `${two}:1: uuid: … expected the figures of ${paths.one}:1, which stand`,
      `${paths.xml}:1: file: … expected no document type`,
      `${paths.csv}:2: line: … expected columns that can be told apart: a value holds the text that separates them`,
      `${paths.csv}:3: line: … expected at most 65536 bytes`,
    ];
    const told = faults.map((line) => line.replace(/: ".*": expected/, ': … expected'));
    expect(told.toSorted()).toEqual(expected.toSorted());
    expect(out).toContain('bb-1');
  });

  it('goes on behind a folder that cannot be read, and tells of it', async () => {
    const { run, folder, write } = await createAliceBooks({});
    // No name in UTF-8: the system's own name for it cannot be said again.
    mkdirSync(Buffer.from(`${folder}/b\xfcro`, 'latin1'));
    write('a.json', jsonLeg({ uuid: 'aa-1', microseconds: 1e6 }));
    write('z/z.json', jsonLeg({ uuid: 'aa-2', microseconds: 1e6 }));
    const { code, out } = await run('cdr', 'import', folder);
    expect(code).toBe(1);
    expect(out).toContain('2 read, 0 unchanged, 0 left for later, 1 with faults');
    expect(out).toContain(`${folder}/b\u{FFFD}ro: folder: "ENOENT": expected a folder that can be read`);
    expect((await run('cdr', 'import', join(folder, 'z'))).code).toBe(0);
  });

  it('refuses flags and paths that are wrong, each by its name', async () => {
    const { run, folder } = await createAliceBooks({});
    const none = join(folder, 'none');
    const wrong = ['--format', 'yaml', '--zone', 'Mars/Base', '--template', '${uuid}', '--account', 'a b'];
    const bad = await run('cdr', 'import', none, ...wrong);
    expect(bad.code).toBe(2);
    expect(bad.err).toContain('--format: yaml: expected json or csv or xml');
    expect(bad.err).toContain('--zone: Mars/Base: expected a time zone such as Europe/Berlin');
    expect(bad.err).toContain('--template: ${uuid}: expected ${start_uepoch}, or in seconds or as a stamp');
    expect(bad.err).toContain('--account: a b: expected a path');
    expect(bad.err).toContain(`PATH: ${join(folder, 'none')}: expected a file or a folder that can be read`);
    expect((await run('cdr', 'import')).code).toBe(2);
  });

  it('puts what it charges on record where Redis is away, and says what is left to do', async () => {
    const { run, folder, write } = await createAliceBooks();
    write('a.json', jsonLeg({ uuid: 'aa-1', microseconds: 1e6 }));
    const applied = await run('cdr', 'import', folder, '--apply');
    expect(applied.code).toBe(1);
    expect(applied.err).toContain('running calls do not know of it: no Redis here');
    expect(applied.out).toContain(
      '1 transfers are on record and not in Redis: the same command brings them there, or tollgate verify --fix',
    );
    expect((await run('verify', '--record-only')).code).toBe(0);
  });

  it('leaves to the service what the service is about to record', async () => {
    const { ask, folder, write } = await createAliceBooks({
      unrecordedLegs: () => Promise.resolve(new Set(['aa-1' as never])),
    });
    write('a.json', jsonLeg({ uuid: 'aa-1', microseconds: 1e6 }));
    expect(await ask('cdr', 'import', folder, '--apply')).toMatchObject({
      settled: 0,
      remaining: { recent: 1 },
    });
  });

  it('draws how far it has come on a terminal', async () => {
    const { draw, run, folder, write } = await createAliceBooks({});
    for (let leg = 0; leg < 3; leg += 1) write(`${leg}.json`, jsonLeg({ uuid: `aa-${leg}` }));
    await run('cdr', 'import', folder);
    expect(draw.at(0)).toMatch(/^\r.*\[ *#* *\] \d+ %  \d+ files, 0 legs, \d+ files a second/);
    expect(draw.at(-1)).toBe('\r\u{1B}[K');
  });
});
