import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createCli } from './cli-run.ts';

const TREE = `
accounts:
  - account: acme
    wallet: EUR
    operator: { calls: 5, maxPostpay: "10.00" }
    accounts:
      - account: retail
        accounts:
          - { account: alice, customer: { calls: 1 } }
routes:
  - { route: trunk-1, calls: 30 }
`;

function createApply(tree = TREE) {
  const told: (readonly string[])[] = [];
  const cli = createCli({
    announceAccounts: async (paths) => {
      told.push(paths);
    },
  });
  const file = join(cli.folder, 'tree.yaml');
  const write = (text: string) => writeFileSync(file, text);
  write(tree);
  return { ...cli, file, write, told };
}

describe('account apply', () => {
  it('shows the difference and changes nothing, then saves it, then has nothing to do', async () => {
    const { run, ask, file, write, told } = createApply();
    const first = await run('account', 'apply', file);
    expect(first).toMatchObject({ code: 0, err: '' });
    expect(first.out.split('\n')).toEqual([
      '+ acme (new)',
      '   wallet               EUR',
      '   operator.calls       5',
      '   operator.maxPostpay  10.00',
      '+ acme/retail (new)',
      '+ acme/retail/alice (new)',
      '   customer.calls  1',
      '+ route trunk-1 (new)',
      '   calls  30',
      '4 to create, 0 to change, 0 as described already',
      'nothing is changed yet: repeat it with --yes',
      '',
    ]);
    expect(await ask('account', 'list')).toEqual([]);

    expect(await ask('account', 'apply', file, '--yes')).toMatchObject({
      applied: true,
      changes: [{ account: 'acme', change: 'create' }, {}, {}, { route: 'trunk-1' }],
    });
    expect(told).toEqual([['acme', 'acme/retail', 'acme/retail/alice']]);
    expect(await ask('account', 'show', 'acme/retail/alice')).toMatchObject({ effective: { calls: 1 } });
    expect(await ask('route', 'list')).toMatchObject([{ route: 'trunk-1', calls: 30 }]);

    for (const flags of [[], ['--yes']]) {
      expect(await run('account', 'apply', file, ...flags)).toMatchObject({
        code: 0,
        out: '0 to create, 0 to change, 4 as described already\n',
      });
    }
    expect(told).toHaveLength(1);

    write(TREE.replace('calls: 5, maxPostpay', 'maxPostpay').replace('calls: 30', 'calls: 31'));
    expect((await run('account', 'apply', file)).out).toContain(
      '~ acme\n   operator.calls  5 → unset\n~ route trunk-1\n   calls  30 → 31\n',
    );
  });

  it('says which limits bound nothing because the account has no money of its own', async () => {
    const { run, file, write } = createApply();
    write(`accounts:
  - { account: acme, wallet: EUR, operator: { maxCallCost: "1.00" } }
  - { account: acme/kid, operator: { maxCallCost: "0.10" }, customer: { maxSpend: { day: "2.00" } } }
`);
    const words = 'acme/kid: maxCallCost, maxSpend: only for money of its own, and it has no wallet\n';
    expect(await run('account', 'apply', file)).toMatchObject({ code: 0, err: words });
    expect(await run('account', 'apply', file, '--yes')).toMatchObject({ code: 0, err: words });
    const shown = await run('account', 'show', 'acme/kid');
    expect(shown.out).toMatch(
      /maxCallCost +0\.10 {2}\(set by operator; only for money of its own, and it has no wallet\)\n/,
    );
    expect(await run('account', 'set', 'acme/kid', '--max-call-cost', '0.20')).toMatchObject({
      out: 'acme/kid: saved\n',
      err: words,
    });
    expect(await run('account', 'set', 'acme/kid', '--wallet', 'EUR')).toMatchObject({ err: '' });
  });

  it('leaves alone what the file does not name', async () => {
    const { run, ask, file, write } = createApply();
    await run('account', 'apply', file, '--yes');
    write('accounts: [{ account: acme/wholesale }]');
    expect((await run('account', 'apply', file, '--yes')).code).toBe(0);
    expect(await ask('account', 'list')).toHaveLength(4);
    expect(await ask('account', 'show', 'acme')).toMatchObject({ operator: { calls: 5 } });
  });

  it('refuses a file with anything wrong in it, all of it at once, and saves none of it', async () => {
    const { run, ask, file } = createApply(
      TREE.replace('wallet:', 'walet:').replace('calls: 1 ', 'calls: -1 '),
    );
    const bad = await run('account', 'apply', file, '--yes');
    expect(bad).toMatchObject({ code: 2, out: '' });
    expect(bad.err).toContain(
      `${file}: accounts[0].walet: "EUR": expected no such field; did you mean "wallet"?`,
    );
    expect(bad.err).toContain(`${file}: accounts[0].accounts[0].accounts[0].customer.calls: -1: expected`);
    expect(await ask('account', 'list')).toEqual([]);
  });

  it('describes the numbers of a tree, and keeps the classifiers that its discounts are for', async () => {
    const tree = `
accounts:
  - account: acme
    numbering:
      country: '49'
      internationalPrefix: '00'
      trunkPrefix: '0'
      classifiers:
        - { name: police, pattern: '^110$', emergency: true }
        - { name: mobile, pattern: '^\\+491[567]' }
        - { name: freecall, pattern: '^\\+49800', tollFree: true }
    accounts:
      - { account: retail, wallet: EUR, operator: { discounts: { mobile: 10 } } }
`;
    const { run, ask, file, write } = createApply(tree);
    const applied = await run('account', 'apply', file, '--yes');
    expect(applied).toMatchObject({ code: 0, err: '' });
    expect((await run('account', 'apply', file)).out).toBe(
      '0 to create, 0 to change, 2 as described already\n',
    );
    expect(await ask('account', 'show', 'acme/retail')).toMatchObject({
      operator: { discounts: { mobile: '10' } },
      classifications: [
        { name: 'police', treatment: 'emergency' },
        { name: 'mobile' },
        { name: 'freecall', treatment: 'toll_free' },
      ],
    });
    expect((await run('account', 'show', 'acme/retail')).out).toContain(
      'of country 49: police (emergency), mobile, freecall (toll-free)\n',
    );

    const calls = await run('account', 'set', 'acme/retail', '--calls', '3');
    expect(calls).toMatchObject({ code: 0 });
    const root = tree.slice(0, tree.indexOf('    accounts:'));
    write(root.replace('name: mobile', 'name: cellular'));
    for (const command of [
      ['account', 'apply', file, '--yes'],
      ['account', 'set', '--file', file],
    ]) {
      const refused = await run(...command);
      expect(refused).toMatchObject({ code: 2, out: '' });
      expect(refused.err).toContain('one that discounts of acme/retail can be for: "mobile"');
    }
    write(root.replace("'^\\+491[567]'", () => "'^(a|aa)*$'"));
    const slow = await run('account', 'apply', file, '--yes');
    expect(slow).toMatchObject({ code: 2, out: '' });
    expect(slow.err).toContain('numbering.classifiers[1].pattern: "^(a|aa)*$": expected');
    expect(await ask('account', 'show', 'acme/retail')).toMatchObject({
      classifications: [{}, { name: 'mobile' }, {}],
    });
  });

  it('foresees what the record would refuse, and saves none of it', async () => {
    const { run, ask, file, write } = createApply(
      'accounts: [{ account: a }, { account: b/c }, { account: a/d, tariff: none }]',
    );
    for (const flags of [[], ['--yes']]) {
      const refused = await run('account', 'apply', file, ...flags);
      expect(refused).toMatchObject({ code: 1, out: '' });
      expect(refused.err).toBe(
        'a/d: there is no tariff none\nb/c: its parent b does not exist\nnothing is changed\n',
      );
    }
    expect(await ask('account', 'list')).toEqual([]);

    await run('account', 'set', 'a', '--wallet', 'EUR');
    await run('account', 'topup', 'a', '--amount', '1.00', '--id', 'i-1');
    write('accounts: [{ account: a, wallet: USD }, { account: b }]');
    expect((await run('account', 'apply', file, '--yes')).err).toContain(
      'a: its wallet has held EUR and stays in it',
    );
    expect(await ask('account', 'list')).toHaveLength(1);
  });
});
