import { describe, expect, it } from 'vitest';
import { COMMANDS } from '../../src/cli/commands.ts';
import { CLI, createCli, runProgram } from './cli-run.ts';

const PRICE = [
  ['--rate', '0.10'],
  ['--minimum', '30'],
  ['--increment', '6'],
  ['--surcharge', '0.05'],
  ['--grace', '0'],
  ['--discount', '10'],
  ['--seconds', '45'],
].flat();

describe('the program', () => {
  it('prints its result to standard output and nothing else', async () => {
    const run = await runProgram([process.execPath, CLI, 'price', ...PRICE, '--json']);
    expect(run).toMatchObject({ code: 0, err: '' });
    expect(JSON.parse(run.out)).toMatchObject({ price: '0.117', chargedSeconds: 48, pulses: 4 });
  });

  it('runs by its own name where the only Node on the path is too old to read it', async () => {
    const run = await runProgram([CLI, 'price', '--rate', '1', '--seconds', '61'], {
      environment: { PATH: '/usr/bin:/bin' },
    });
    expect(run).toMatchObject({ code: 0, err: '' });
    expect(run.out).toContain('120 s for 61 s: 2 pulses (60 s + 1 × 60 s)');
  });

  it('exits 2 for bad input and 1 for what cannot be done, and says why on standard error', async () => {
    const bad = await runProgram([process.execPath, CLI, 'price', '--rate', 'ten']);
    expect(bad).toMatchObject({ code: 2, out: '' });
    expect(bad.err).toContain('--rate: ten: expected a decimal such as 0.10');
    expect(bad.err).toContain('--seconds: nothing: expected billed seconds');
    const failed = await runProgram([process.execPath, CLI, 'account', 'show', 'nobody']);
    expect(failed).toMatchObject({ code: 1, out: '', err: 'no account nobody\n' });
  });

  it('makes its default folder, but no folder that somebody typed', async () => {
    const run = await runProgram([process.execPath, CLI, 'account', 'list'], {
      environment: { TOLLGATE_DATABASE_URL: 'nowhere/x.sqlite' },
    });
    expect(run.code).toBe(1);
    expect(run.err).toContain('does not exist');
    expect((await runProgram([process.execPath, CLI, 'account', 'list'])).code).toBe(0);
  });

  it('names the database server that it cannot reach, in one line and without the password', async () => {
    const run = await runProgram([process.execPath, CLI, 'account', 'list'], {
      environment: { TOLLGATE_DATABASE_URL: 'postgres://tollgate:s3cret@127.0.0.1:1/record' },
    });
    expect(run).toMatchObject({
      code: 1,
      out: '',
      err: 'postgres://tollgate@127.0.0.1:1/record cannot be reached: connect ECONNREFUSED 127.0.0.1:1\n',
    });
  });

  it('reads an account from standard input', async () => {
    const run = await runProgram([process.execPath, CLI, 'account', 'set', '--file', '-', '--json'], {
      input: 'account: acme\noperator: {calls: -1, maxPostpay: 5}\n',
    });
    expect(run.code).toBe(2);
    expect(JSON.parse(run.out)).toMatchObject({
      problems: [{ field: '-: operator.calls' }, { field: '-: operator.maxPostpay' }],
    });
  });
});

describe('the command line', () => {
  it.each([
    [['pirce'], 'command: pirce: expected a command; did you mean "price"?'],
    [['acount', 'set', 'x'], 'did you mean "account set"?'],
    [['account'], 'expected one of: account set, account apply'],
    [['account', 'shwo', 'x'], 'did you mean "account show"?'],
    [
      ['price', '--secnods', '5'],
      '--secnods: given: expected a flag of this command; did you mean --seconds?',
    ],
    [['price', '--seconds'], '--seconds: nothing: expected a value: --seconds N'],
    [['price', '--json=yes'], '--json: yes: expected no value'],
    [['price', '--seconds', '1', '--seconds', '2', '--rate', '1'], '--seconds: given twice'],
    [['price', '--seconds', '1.5', '--rate', '1'], '--seconds: 1.5: expected a whole number'],
    [['price', '--rate', '1', '--seconds', '1', 'x'], 'argument: x: expected nothing more'],
    [['account', 'show'], 'ACCOUNT: nothing: expected tollgate account show ACCOUNT'],
    [['account', 'show', 'a b'], 'ACCOUNT: a b: expected a path'],
    [['kill'], 'expected either a uuid or --account ACCOUNT'],
    [['help', 'me'], 'me'],
  ])('refuses %j with the nearest right name, exit code 2', async (args, said) => {
    const run = await createCli().run(...args);
    expect(run).toMatchObject({ code: 2, out: '' });
    expect(run.err).toContain(said);
  });

  it('has help for itself and for every command', async () => {
    const { run } = createCli();
    for (const args of [[], ['--help'], ['-h'], ['help']]) {
      expect(await run(...args)).toMatchObject({
        code: 0,
        out: expect.stringContaining('usage: tollgate COMMAND'),
      });
    }
    for (const { name, summary } of COMMANDS) {
      const help = await run(...name.split(' '), '--help');
      expect(help.code).toBe(0);
      expect(help.out).toContain(`tollgate ${name}: ${summary}`);
      expect(help.out).toContain('--json');
    }
  });

  it('reports a wrong configuration as bad input, all of it at once', async () => {
    const { run, folder } = createCli();
    const { writeFileSync } = await import('node:fs');
    writeFileSync(`${folder}/bad.yaml`, 'redis: {url: x}\nlog: {level: loud}\n');
    const check = await run('config', 'check', '--config', `${folder}/bad.yaml`, '--json');
    expect(check.code).toBe(2);
    expect(JSON.parse(check.out)).toMatchObject({ problems: [{}, {}] });
    expect(await run('account', 'list', '--config', `${folder}/bad.yaml`)).toMatchObject({ code: 2 });
    expect(await run('config', 'check')).toMatchObject({ code: 0, out: 'the configuration is right\n' });
    expect((await run('config', 'show')).out).toMatch(/freeswitch\.password +"\*\*\*"/);
  });

  it('tells a fault of its own from an error of the world', async () => {
    const { run } = createCli({ calls: () => Promise.reject(new TypeError('x is undefined')) });
    expect((await run('calls')).err).toMatch(/TypeError: x is undefined\n +at /);
    expect(await createCli().run('calls')).toMatchObject({ code: 1, err: 'no Redis here\n' });
  });
});
