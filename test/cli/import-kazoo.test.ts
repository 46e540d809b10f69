import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createCli } from './cli-run.ts';

function createImport(document: string) {
  const cli = createCli({});
  const file = join(cli.folder, 'limits.json');
  writeFileSync(file, document);
  return { ...cli, file };
}

describe('account import-kazoo', () => {
  it('shows what it would take over and what not, and with --yes takes it over', async () => {
    const { run, ask, file } = createImport(
      '{"pvt_type": "limits", "pvt_calls": 10, "calls": 4, "pvt_allow_postpay": true, "pvt_max_postpay_amount": 20.0, "pvt_reserve_amount": 5000}',
    );
    await run('account', 'set', 'acme', '--wallet', 'EUR', '--public-calls', '3');
    const shown = await run('account', 'import-kazoo', 'acme', file);
    expect(shown).toMatchObject({ code: 0, err: '' });
    expect(shown.out).toContain('  pvt_reserve_amount: what a call holds here is its own surcharge');
    expect(shown.out).toContain(
      '  pvt_max_postpay_amount: dollars in Kazoo, taken over as EUR without converting',
    );
    expect(shown.out).toContain('  numbers: calls to toll-free numbers are free');
    expect(shown.out).toMatch(/operator\.calls +unset → 10\n/);
    expect(shown.out).toContain('nothing is changed yet');
    expect(await ask('account', 'show', 'acme')).toMatchObject({ effective: { calls: 'unlimited' } });

    const saved = await ask('account', 'import-kazoo', 'acme', file, '--yes');
    expect(saved).toMatchObject({ applied: true, notes: [{}, {}, {}].map(() => expect.any(String)) });
    expect(await ask('account', 'show', 'acme')).toMatchObject({
      operator: { calls: 10, publicCalls: 3, allowPostpay: true, maxPostpay: '20.00' },
      customer: { calls: 4 },
      effective: { calls: 4 },
    });
    expect((await run('account', 'import-kazoo', 'acme', file, '--yes')).out).toContain(
      '0 to create, 0 to change',
    );
  });

  it('refuses a bare integer of money until told what it means, and a parent that is not there', async () => {
    const { run, file, folder } = createImport('{"pvt_max_postpay_amount": 100}');
    const bad = await run('account', 'import-kazoo', 'acme', file);
    expect(bad).toMatchObject({ code: 2, out: '' });
    expect(bad.err).toContain(
      `${file}: pvt_max_postpay_amount: 100: expected --money units or --money dollars`,
    );
    expect((await run('account', 'import-kazoo', 'acme', file, '--money', 'cents')).err).toContain(
      'units or dollars',
    );
    expect((await run('account', 'import-kazoo', 'acme', file, '--money', 'units')).out).toMatch(
      /maxPostpay +0\.01/,
    );
    expect((await run('account', 'import-kazoo', 'a/b', file, '--money', 'units', '--yes')).code).toBe(1);
    expect((await run('account', 'import-kazoo', 'acme', join(folder, 'none.json'))).code).toBe(2);
  });
});
