import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openDatabase } from '../../src/database/database.ts';
import { fillRecord, importVersions, DOUBLED, liveCalls } from '../charging/charged-record.ts';
import { createCli } from './cli-run.ts';

const SPAN = ['--from', '1970-01-01', '--to', '1970-01-10'] as const;
const MARCH = { from: '1970-01-01T00:00:00.000Z', to: '1970-01-10T00:00:00.000Z' };

/** A command line whose record holds calls that were charged live, and a Redis that hears of everything. */
async function createCharged(calls = 60) {
  const told: { readonly account: string; readonly amount: bigint }[] = [];
  const cli = createCli({
    tell: async (movement) => {
      told.push(movement);
      return 'moved';
    },
  });
  const database = await openDatabase({ url: join(cli.folder, 'record.sqlite') });
  const settlements = liveCalls(calls, 3);
  await fillRecord(database, settlements);
  return {
    ...cli,
    told,
    settlements,
    double: async () => {
      await importVersions(database.tariffs, DOUBLED);
      await database.close();
    },
    close: () => database.close(),
  };
}

describe('rerate', () => {
  it('plans, shows, applies and reverts a run', async () => {
    const { run, ask, told, double } = await createCharged();
    await double();
    const plan = (await ask('rerate', 'plan', ...SPAN, '--id', 'august')) as Report;
    expect(plan).toMatchObject({ run: 'august', state: 'planned', funding: 'kept', ...MARCH, calls: 60 });
    expect(plan.totals).toHaveLength(1);
    expect(plan.accounts.length).toBeGreaterThan(1);
    expect(plan.rates.length).toBeGreaterThan(1);
    expect(plan.biggest).toHaveLength(10);
    expect(await ask('rerate', 'show', 'august')).toEqual(plan);
    const { out: csv } = await run('rerate', 'show', 'august', '--csv');
    const { charges = 0 } = plan.totals[0] ?? {};
    expect(csv.trimEnd().split('\n')).toHaveLength(charges + 1);
    expect(csv).toMatch(
      /^leg,payer,state,admitted_at,destination,tariff,prefix,currency,before,after,difference\n/,
    );

    expect(await run('rerate', 'apply', 'august')).toMatchObject({
      code: 0,
      out: `august: ${charges} charges applied\n`,
    });
    expect(told.length).toBeGreaterThan(0);
    expect((await run('rerate', 'apply', 'august')).out).toBe('august: applied before, nothing changed\n');
    expect(await run('verify', '--record-only')).toMatchObject({ code: 0 });
    expect(await ask('rerate', 'revert', 'august')).toEqual({
      run: 'august',
      result: 'reverted',
      changed: charges,
      passed: 0,
    });
    const sums = new Map<string, bigint>();
    for (const { account, amount } of told) sums.set(account, (sums.get(account) ?? 0n) + amount);
    expect([...sums.values()].filter((sum) => sum !== 0n)).toEqual([]);
    expect((await run('rerate', 'list')).out).toMatch(/^ {2}august {2}reverted /);
    expect((await run('rerate', 'show', 'august')).out).toContain(`${charges} reverted`);
  });

  it('finds nothing where nothing differs', async () => {
    const { run, close } = await createCharged();
    await close();
    const { out, code } = await run('rerate', 'plan', ...SPAN);
    expect(code).toBe(0);
    expect(out).toContain('nothing differs');
    expect((await run('rerate', 'list')).out).toContain('planned');
  });

  it('replays the funding where that is asked for, and tells what would have been refused', async () => {
    const righted: string[][] = [];
    const { run, ask, close, folder } = await createCharged();
    await close();
    const plan = await ask('rerate', 'plan', ...SPAN, '--replay-funding', '--id', 'again');
    expect(plan).toMatchObject({ funding: 'replayed', state: 'planned', calls: 60 });
    const { refused, cut } = plan as { readonly refused: number; readonly cut: number };
    expect(Number.isInteger(refused) && Number.isInteger(cut)).toBe(true);
    const { out } = await run('rerate', 'show', 'again');
    expect(out).toContain('funding replayed');
    expect(out).toContain(`${refused} would have been refused, ${cut} cut`);
    expect((await run('rerate', 'list')).out).toContain('funding replayed');
    // A cycle that runs has left what the charges in force leave of it.
    const connected = createCli(
      {
        tell: () => Promise.resolve('moved'),
        rightPools: (accounts) => {
          righted.push([...accounts]);
          return Promise.resolve(['the allotment international of acme/minutes: set right']);
        },
      },
      folder,
    );
    const applied = await connected.run('rerate', 'apply', 'again');
    expect(applied).toMatchObject({
      code: 0,
      err: expect.stringContaining('the allotment international of acme/minutes: set right'),
    });
    const { accounts } = plan as Report;
    expect(righted).toEqual([accounts.map((each) => (each as { readonly account: string }).account)]);
    expect(await connected.run('verify', '--record-only')).toMatchObject({ code: 0 });
  });

  it('draws how far it is', async () => {
    const { run, close, draw } = await createCharged();
    await close();
    await run('rerate', 'plan', ...SPAN);
    expect(draw.join('')).toContain('60 calls');
  });

  it('refuses what cannot be, naming what is wrong', async () => {
    const { run, close } = await createCharged(1);
    await close();
    const bad = await run('rerate', 'plan', '--from', 'yesterday', '--prefix', '+49', '--id', 'Ä');
    expect(bad.code).toBe(2);
    expect(bad.err).toContain('--from: yesterday: expected a day or a moment');
    expect(bad.err).toContain('--to: nothing: expected a day or a moment');
    expect(bad.err).toContain('--prefix: +49: expected digits');
    const taken = await run('rerate', 'plan', ...SPAN, '--id', 'cdr-correction');
    expect(taken).toMatchObject({
      code: 2,
      err: expect.stringContaining('and not cdr-correction') as string,
    });
    expect((await run('rerate', 'plan', '--from', '2026-02-01', '--to', '2026-01-01')).err).toContain(
      '--to: 2026-01-01: expected a moment after --from',
    );
    expect(await run('rerate', 'apply', 'none')).toMatchObject({ code: 1, err: 'there is no run none\n' });
    expect(await run('rerate', 'show', 'none')).toMatchObject({ code: 1, err: 'there is no run none\n' });
    expect(await run('rerate', 'show', 'A B')).toMatchObject({ code: 2 });
    const both = await run(
      'rerate',
      'plan',
      ...SPAN,
      '--replay-funding',
      '--keep-funding',
      '--tariff',
      'retail',
    );
    expect(both.code).toBe(2);
    expect(both.err).toContain('--keep-funding: given: expected not with --replay-funding');
    expect(both.err).toContain('--tariff: retail: expected not with --replay-funding');
    await run('rerate', 'plan', ...SPAN, '--id', 'one');
    expect(await run('rerate', 'plan', ...SPAN, '--id', 'one')).toMatchObject({
      code: 1,
      err: 'there is a run one already\n',
    });
    expect((await run('rerate', 'revert', 'one')).err).toBe(
      'one is planned, and what is planned cannot be reverted\n',
    );
  });

  it('changes nothing while Redis cannot be told', async () => {
    const { folder, close } = await createCharged();
    await close();
    const { run } = createCli(undefined, folder);
    await run('rerate', 'plan', ...SPAN, '--id', 'one');
    expect(await run('rerate', 'apply', 'one')).toMatchObject({ code: 1, err: 'no Redis here\n' });
    expect((await run('rerate', 'list')).out).toContain('planned');
  });
});

describe('explain', () => {
  it('shows the arithmetic of every version, what it moved, and what took it back', async () => {
    const { run, ask, settlements, double } = await createCharged();
    await double();
    await run('rerate', 'plan', ...SPAN, '--id', 'august');
    await run('rerate', 'apply', 'august');
    const priced = settlements.find(({ charges }) => charges.some(({ price }) => price > 0n));
    const leg = priced?.cdr.legUuid ?? '';
    const payer = priced?.charges.find(({ price }) => price > 0n)?.payer ?? '';
    const { out } = await run('explain', leg);
    expect(out).toContain('version 2');
    expect(out).toContain('before: ');
    expect(out).toMatch(/(?:retail|wholesale) version 2, rate \d for \d+/);
    expect(out).toMatch(
      /\(0\.\d+ \+ 0\.\d+ × \d+ \/ 60\).* = \d+\.\d+, rounded (?:up|half_up) to \d decimals/,
    );
    expect(out).toContain(`moved 2026-08-01 00:00:00 UTC: charge:${leg}:1:${payer}:2`);
    expect(out).toContain(`by run august: reversal:${leg}:1:${payer}:1:august`);
    const { legs } = (await ask('explain', leg)) as {
      readonly legs: readonly { readonly charges: unknown }[];
    };
    expect(legs[0]?.charges).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          payer,
          version: 1,
          inForce: false,
          reversal: expect.objectContaining({ run: 'august' }),
        }),
        expect.objectContaining({ payer, version: 2, inForce: true, transfer: expect.anything() }),
      ]),
    );
  });
});

describe('statement', () => {
  it('goes from the opening balance over every movement to the closing one', async () => {
    const { run, ask, close, settlements } = await createCharged();
    await close();
    const paid = settlements
      .flatMap(({ transfers }) => transfers)
      .filter(({ debit }) => debit === 'wallet:acme')
      .toSorted((a, b) => a.at - b.at);
    const until = new Date((paid.at(-1)?.at ?? 0) + 1).toISOString();
    const statement = (await ask(
      'statement',
      'acme',
      '--from',
      '1970-01-01T00:00:00.001Z',
      '--to',
      until,
    )) as Statements;
    const [only] = statement.statements;
    expect(statement.statements).toHaveLength(1);
    expect(only?.opening).toEqual({ amount: '1000.00', currency: 'EUR' });
    expect(only?.movements.map(({ id }) => id).toSorted()).toEqual(paid.map(({ id }) => id).toSorted());
    expect(only?.movements.at(-1)?.balance).toEqual(only?.closing);
    expect(only?.sums).toMatchObject({ charge: { count: paid.length } });
    const { out } = await run('statement', 'acme', '--from', '1970-01-01', '--to', until);
    expect(out).toContain('opening balance');
    expect(out).toContain(`${paid.length} × charge`);
    expect(out).toMatch(/1 × topup +\+1000\.00 EUR/);
    const csv = (await run('statement', 'acme', '--from', '1970-01-01', '--to', until, '--csv')).out;
    expect(csv.trimEnd().split('\n')).toHaveLength(paid.length + 2);
  });

  it('is of no movement where there was none, and refused for who has no wallet', async () => {
    const { run, close } = await createCharged(0);
    await close();
    expect((await run('statement', 'acme', '--from', '2026-01-01')).out).toContain('closing balance');
    expect(await run('statement', 'acme/shop/till', '--from', '2026-01-01')).toMatchObject({
      code: 1,
      err: 'acme/shop/till has no wallet\n',
    });
    expect(await run('statement', 'nobody', '--from', '2026-01-01')).toMatchObject({
      code: 1,
      err: 'no account nobody\n',
    });
    expect((await run('statement', 'acme')).err).toContain('--from: nothing: expected');
  });
});

type Report = {
  readonly totals: readonly { readonly charges: number }[];
  readonly accounts: readonly unknown[];
  readonly rates: readonly unknown[];
  readonly biggest: readonly unknown[];
};

type Statements = {
  readonly statements: readonly {
    readonly opening: unknown;
    readonly closing: unknown;
    readonly sums: unknown;
    readonly movements: readonly { readonly id: string; readonly balance: unknown }[];
  }[];
};
