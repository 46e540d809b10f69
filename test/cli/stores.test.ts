import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { toEpochMs } from '../../src/units/time.ts';
import { createCli } from './cli-run.ts';

const RATES = 'prefix,description,rate,minimum,increment\n49,Germany,0.06,60,60\n4930,Berlin,0.03,1,1\n';

describe('account commands', () => {
  it('create, change by flags, show and remove an account', async () => {
    const { run, ask } = createCli();
    expect(
      await run('account', 'set', 'Acme', '--wallet', 'EUR', '--calls', '5', '--max-postpay', '10'),
    ).toMatchObject({
      code: 0,
      out: 'acme: saved\n',
    });
    await run('account', 'set', 'acme', '--customer-calls', '2', '--allow-postpay', 'true');
    expect(await ask('account', 'show', 'acme')).toMatchObject({
      account: 'acme',
      wallet: 'EUR',
      operator: { calls: 5, maxPostpay: '10.00', allowPostpay: true },
      customer: { calls: 2 },
      effective: { calls: 2, maxPostpay: '10.00', callsPerSecond: 'unlimited' },
      payers: [{ account: 'acme', wallet: 'EUR' }],
      balance: { amount: '0.00', currency: 'EUR' },
    });
    await run('account', 'set', 'acme', '--calls', 'unset', '--customer-calls', 'unset');
    expect(await ask('account', 'show', 'acme')).toMatchObject({ effective: { calls: 'unlimited' } });
    expect(await ask('account', 'set', 'acme')).toMatchObject({ result: 'unchanged' });
    expect((await run('account', 'show', 'acme')).out).toMatch(/maxPostpay +10\.00 {2}\(set by operator\)/);
    expect(await run('account', 'remove', 'acme')).toMatchObject({ code: 0, out: 'acme: removed\n' });
    expect(await run('account', 'remove', 'acme')).toMatchObject({ code: 1, out: '' });
  });

  it('refuse what cannot be, saying what and why', async () => {
    const { run } = createCli();
    const bad = await run(
      'account',
      'set',
      'a',
      '--calls',
      'two',
      '--max-postpay',
      '-1',
      '--customer-allow-prepay',
      'true',
    );
    expect(bad.code).toBe(2);
    expect(bad.err).toContain('--calls: two: expected a whole number');
    expect(bad.err).toContain('--max-postpay: -1: expected a decimal string');
    expect(bad.err).toContain('--customer-allow-prepay: true: expected false or nothing');
    expect(await run('account', 'set', 'a/b')).toMatchObject({
      code: 1,
      err: 'a/b: its parent a does not exist\n',
    });
    expect((await run('account', 'set', 'a', '--tariff', 'none')).err).toBe('a: there is no tariff none\n');
    await run('account', 'set', 'a');
    await run('account', 'set', 'a/b');
    expect((await run('account', 'remove', 'a')).err).toBe('a has 1 accounts below it, a/b for one\n');
  });

  it('take many accounts from a file, children before parents or not', async () => {
    const { run, ask, folder } = createCli();
    const file = join(folder, 'accounts.yaml');
    writeFileSync(
      file,
      'accounts:\n  - {account: a/b, wallet: EUR}\n  - {account: a, operator: {calls: 3}}\n',
    );
    expect(await ask('account', 'set', '--file', file)).toEqual([
      { account: 'a', result: 'saved' },
      { account: 'a/b', result: 'saved' },
    ]);
    expect(await ask('account', 'list', '--under', 'a/b')).toMatchObject([{ account: 'a/b' }]);
    expect((await run('account', 'list')).out).toMatch(/a +- +- +calls 3\n +a\/b +0\.00 EUR/);
    expect((await run('account', 'set', 'a', '--file', file)).code).toBe(2);
    expect((await run('account', 'set', '--file', '/nowhere.yaml')).err).toContain(
      '--file: /nowhere.yaml: expected',
    );
  });

  it('say so when controllers could not be told, for the record stands', async () => {
    const run = await createCli().run('account', 'set', 'a');
    expect(run.code).toBe(0);
    expect(run.err).toContain('saved, but running controllers could not be told: no Redis here');
    const told: string[] = [];
    const cli = createCli({
      announceAccounts: async (paths) => {
        told.push(...paths);
      },
    });
    await cli.run('account', 'set', 'a');
    await cli.run('account', 'set', 'a');
    expect(told).toEqual(['a']);
  });
});

describe('account topup', () => {
  it('moves money once for each id, on record and then in the live state', async () => {
    const funded: string[] = [];
    const cli = createCli({
      fund: async ({ transferId }) => {
        funded.push(transferId);
        return funded.length === 1 ? 'moved' : 'already';
      },
    });
    await cli.run('account', 'set', 'acme', '--wallet', 'EUR');
    const topUp = ['account', 'topup', 'acme', '--amount', '10.00', '--id', 'INVOICE-1'];
    expect(await cli.ask(...topUp)).toMatchObject({
      result: 'moved',
      live: 'moved',
      balance: { amount: '10.00', currency: 'EUR' },
    });
    cli.setNow(toEpochMs(Date.UTC(2026, 7, 2)));
    expect(await cli.ask(...topUp)).toMatchObject({
      result: 'already',
      live: 'already',
      balance: { amount: '10.00' },
    });
    expect(funded).toEqual(['topup:INVOICE-1', 'topup:INVOICE-1']);
    const other = await cli.run('account', 'topup', 'acme', '--amount', '9.00', '--id', 'INVOICE-1');
    expect(other).toMatchObject({ code: 1, out: '' });
    expect(other.err).toContain('has been used before: it moved 10.00 EUR from cash:acme to wallet:acme');
  });

  it('stays on record and fails loudly where the live state cannot be reached', async () => {
    const { run, ask } = createCli();
    await run('account', 'set', 'acme', '--wallet', 'EUR');
    const topUp = await run('account', 'topup', 'acme', '--amount', '1', '--id', 'x');
    expect(topUp.code).toBe(1);
    expect(topUp.err).toContain('the money is on record, but running calls do not know of it: no Redis here');
    expect(await ask('account', 'show', 'acme')).toMatchObject({ balance: { amount: '1.00' } });
  });

  it('refuses bad amounts and ids, and accounts without a wallet', async () => {
    const { run } = createCli();
    await run('account', 'set', 'acme');
    const bad = await run('account', 'topup', 'acme', '--amount', '0.0000001', '--id', 'a b');
    expect(bad.code).toBe(2);
    expect(bad.err.split('\n').filter((line) => line.startsWith('--'))).toHaveLength(2);
    expect((await run('account', 'topup', 'acme', '--amount', '0', '--id', 'x')).code).toBe(2);
    expect((await run('account', 'topup', 'acme', '--amount', '1', '--id', 'x')).err).toBe(
      'acme has no wallet\n',
    );
    expect((await run('account', 'topup', 'nobody', '--amount', '1', '--id', 'x')).err).toBe(
      'no account nobody\n',
    );
  });
});

describe('account adjust', () => {
  it('moves money either way, once for each id, and the statement says why', async () => {
    const moved: bigint[] = [];
    const { run, ask } = createCli({
      fund: ({ amount }) => {
        moved.push(amount);
        return Promise.resolve('moved');
      },
    });
    await run('account', 'set', 'acme', '--wallet', 'EUR');
    const adjust = (amount: string, id: string, reference = 'booked twice') =>
      ['account', 'adjust', 'acme', '--amount', amount, '--id', id, '--reference', reference] as const;
    expect(await ask(...adjust('-2.50', 'T1'))).toMatchObject({
      result: 'moved',
      amount: { amount: '-2.50', currency: 'EUR' },
      balance: { amount: '-2.50', currency: 'EUR' },
    });
    expect(await ask(...adjust('-2.50', 'T1'))).toMatchObject({ result: 'already' });
    expect(await ask(...adjust('4.00', 'T2', 'goodwill'))).toMatchObject({ balance: { amount: '1.50' } });
    expect(moved).toEqual([-2_500_000n, -2_500_000n, 4_000_000n]);
    expect((await run(...adjust('2.50', 'T1'))).err).toBe(
      'the id T1 has been used before: it moved 2.50 EUR from wallet:acme to adjust:acme\n',
    );
    const { out } = await run('statement', 'acme', '--from', '2026-01-01', '--to', '2027-01-01');
    expect(out).toMatch(/adjustment\s+booked twice\s+-2\.50\s+-2\.50/);
    expect(out).toMatch(/2 × adjustment\s+\+1\.50 EUR/);
    expect((await run('verify', '--record-only')).code).toBe(0);
  });

  it('refuses nothing, no reason, and what is no amount', async () => {
    const { run } = createCli();
    await run('account', 'set', 'acme', '--wallet', 'EUR');
    const bad = await run('account', 'adjust', 'acme', '--amount', '0', '--id', 'T1');
    expect(bad).toMatchObject({ code: 2, out: '' });
    expect(bad.err).toContain('--amount: 0: expected a decimal such as 0.10 or -0.10, not zero');
    expect(bad.err).toContain('--reference: nothing: expected a value');
    expect((await run('account', 'adjust', 'acme', '--amount', '-1e3', '--id', 'T1')).code).toBe(2);
  });
});

describe('route commands', () => {
  it('set, list and remove a route', async () => {
    const { run, ask } = createCli();
    expect(await ask('route', 'set', 'Trunk-1', '--calls', '30', '--calls-per-second', '5')).toEqual([
      { route: 'trunk-1', result: 'saved' },
    ]);
    await run('route', 'set', 'trunk-1', '--calls', 'unset');
    expect(await ask('route', 'list')).toEqual([{ route: 'trunk-1', callsPerSecond: 5 }]);
    expect((await run('route', 'set', 'trunk-1', '--calls', 'x')).err).toContain(
      '--calls: "x": expected a whole number',
    );
    expect((await run('route', 'remove', 'trunk-1')).code).toBe(0);
    expect((await run('route', 'remove', 'trunk-1')).err).toBe('no route trunk-1\n');
  });
});

describe('tariff commands', () => {
  it('import a file, once; then price by it', async () => {
    const { run, ask, folder, setNow } = createCli();
    const file = join(folder, 'rates.csv');
    writeFileSync(file, RATES);
    expect((await run('tariff', 'import', 'std', file)).err).toContain(
      '--currency: nothing: expected the currency',
    );
    expect(await ask('tariff', 'import', 'std', file, '--currency', 'EUR')).toMatchObject({
      result: 'imported',
      version: 1,
      rates: 2,
    });
    setNow(toEpochMs(Date.UTC(2026, 7, 2)));
    expect(await ask('tariff', 'import', 'std', file)).toMatchObject({ result: 'unchanged', version: 1 });
    expect(await ask('price', '--tariff', 'std', '--to', '+493012345', '--seconds', '7')).toMatchObject({
      price: '0.0035',
      currency: 'EUR',
      chargedSeconds: 7,
      tariffVersion: 1,
      rate: { prefix: '4930', description: 'Berlin' },
    });
    expect((await run('price', '--tariff', 'std', '--to', '493012345', '--seconds', '7')).out).toContain(
      '0.0035 EUR',
    );
    expect((await run('price', '--tariff', 'std', '--to', '1', '--seconds', '7')).err).toBe(
      'tariff std has no outbound rate for 1\n',
    );
    expect((await run('price', '--tariff', 'std', '--rate', '1', '--seconds', '7')).code).toBe(2);
    writeFileSync(file, RATES.replace('0.03', '0.04'));
    expect(await ask('tariff', 'import', 'std', file)).toMatchObject({ result: 'imported', version: 2 });
    expect(await ask('price', '--tariff', 'std', '--to', '493012345', '--seconds', '60')).toMatchObject({
      price: '0.04',
    });
    const before = ['price', '--tariff', 'std', '--to', '493012345', '--seconds', '60', '--at', '2026-08-01'];
    expect(await ask(...before)).toMatchObject({ price: '0.03' });
    expect(await ask('tariff', 'list')).toMatchObject([{ tariff: 'std', version: 2, rateCount: 2 }]);
    expect((await run('tariff', 'show', 'std')).out).toMatch(
      /version 1 .*always in force\n.*from 2026-08-02 00:00:00/,
    );
    const csv = (await run('tariff', 'show', 'std', '--csv', '--version', '1')).out;
    expect(csv.split('\n')).toContain('4930,Berlin,0.03,,1,1,,,,,,,,');
  });

  it('name the file, line and field of what is wrong, and import nothing', async () => {
    const { run, folder } = createCli();
    const file = join(folder, 'rates.csv');
    writeFileSync(file, `${RATES}49x,Oops,cheap,60,60\n`);
    const wrong = await run('tariff', 'import', 'std', file, '--currency', 'EUR');
    expect(wrong.code).toBe(2);
    expect(wrong.err).toContain(`${file}:4: prefix: "49x"`);
    expect(wrong.err).toContain(`${file}:4: rate: "cheap"`);
    expect((await run('tariff', 'show', 'std')).err).toBe('no tariff std\n');
    expect((await run('tariff', 'import', 'std', join(folder, 'none.csv'), '--currency', 'EUR')).code).toBe(
      2,
    );
  });
});

describe('commands about calls', () => {
  it('explain what is on record and verify that it adds up', async () => {
    const { run, ask } = createCli({});
    expect((await run('explain', 'no-such-call')).err).toContain('nothing on record of no-such-call');
    expect(await ask('verify')).toMatchObject({ ok: true, live: { walletsChecked: 0 } });
    expect((await run('verify', '--record-only')).out).toContain('all adds up: 0 transfers');
  });

  it('fail verify when the live state does not agree', async () => {
    const proof = {
      walletsChecked: 1,
      poolsChecked: 0,
      legsChecked: 0,
      findings: ['wallet:a differs.'],
      fixed: [],
    };
    const run = await createCli({ proveLive: () => Promise.resolve(proof) }).run('verify');
    expect(run).toMatchObject({ code: 1, out: '' });
    expect(run.err).toContain('wallet:a differs.');
  });

  it('kill one leg or all of an account', async () => {
    const { run, ask } = createCli({
      killLeg: (uuid) => Promise.resolve(uuid.startsWith('known') ? 'asked' : 'unknown'),
      killAccount: () => Promise.resolve(3),
    });
    expect(await ask('kill', 'known-1')).toEqual({ uuid: 'known-1', result: 'asked' });
    expect(await run('kill', 'other')).toMatchObject({ code: 1, err: 'no live call other\n' });
    expect((await run('kill', '--account', 'acme')).out).toBe('acme: 3 legs asked to end\n');
    expect((await run('kill', 'known-1', '--account', 'acme')).code).toBe(2);
  });

  it('list live calls', async () => {
    expect((await createCli({}).run('calls')).out).toBe('0 calls\n');
  });
});
