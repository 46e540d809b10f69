import { describe, expect, it } from 'vitest';
import type { Charge, Settlement } from '../../src/records/records.ts';
import type { AccountPath, LegUuid } from '../../src/units/ids.ts';
import { toEpochMs } from '../../src/units/time.ts';
import { DOUBLED, fillRecord, importVersions, liveCalls } from '../charging/charged-record.ts';
import { accountsOf } from '../controller/world.ts';
import { DATABASES, type TestedDatabase } from '../database/databases.ts';
import { createCli } from './cli-run.ts';

const APPLIED = '2026-08-01T00:00:00.000Z';
const REVERTED = '2026-08-02T00:00:00.000Z';
const SPAN = ['--from', '1970-01-01', '--to', '1970-02-01'] as const;

/** Who had minutes pays for each, who paid for each rents trunks, and who rented trunks has none any more. */
const CHANGED = accountsOf(
  [
    { account: 'acme', wallet: 'EUR', tariff: 'wholesale' },
    { account: 'acme/minutes', wallet: 'EUR', tariff: 'retail' },
    { account: 'acme/shop', wallet: 'EUR', operator: { trunks: { outbound: 500 } } },
    { account: 'acme/rents', wallet: 'EUR' },
  ],
  [],
);

/** A record of calls that were charged live, whose accounts pay otherwise since. */
async function createChanged({ freshUrl, openRecord }: TestedDatabase) {
  const url = await freshUrl();
  const database = await openRecord(url);
  const settlements = liveCalls(300, 3);
  await fillRecord(database, settlements);
  for (const { account } of CHANGED.nodes) {
    const saved = await database.accounts.saveAccount(account);
    if (saved.kind === 'refused') throw new Error(JSON.stringify(saved));
  }
  const cli = createCli({ tell: async () => 'moved' }, undefined, url);
  const charges = async (legUuid: LegUuid): Promise<readonly Shown[]> =>
    ((await cli.ask('explain', legUuid)) as Explained).legs.flatMap((each) => each.charges);
  return { ...cli, database, settlements, charges };
}

/** The first call to these digits that this payer paid for in this way alone. */
function paidBy(settlements: readonly Settlement[], payer: string, to: string, way: Charge['way']): LegUuid {
  const found = settlements.find(({ cdr, charges }) => {
    const own = charges.filter((charge) => charge.payer === payer);
    return cdr.destination.startsWith(to) && own.length === 1 && own[0]?.way === way;
  });
  if (found === undefined) throw new Error(`${payer} paid for no call to ${to} in this way: ${way}`);
  return found.cdr.legUuid;
}

describe.each(DATABASES)('a call that was rated again on $name', (tested) => {
  it('names the run of each version and its time, whether money moved or not', async () => {
    const { run, ask, setNow, settlements, charges } = await createChanged(tested);
    await run('rerate', 'plan', ...SPAN, '--replay-funding', '--id', 'november');
    expect((await run('rerate', 'apply', 'november')).code).toBe(0);
    const applied = { run: 'november', change: 'applied', at: APPLIED };
    const cases = [
      { payer: 'acme/minutes', to: '44', before: 'allotment', after: 'per_minute' },
      { payer: 'acme/shop', to: '1212', before: 'per_minute', after: 'flat_rate' },
      { payer: 'acme/rents', to: '1', before: 'flat_rate', after: 'free' },
    ] as const;
    const changed = cases.map((each) => ({
      ...each,
      legUuid: paidBy(settlements, each.payer, each.to, each.before),
    }));
    for (const { payer, before, after, legUuid } of changed) {
      const [first, second] = (await charges(legUuid)).filter((charge) => charge.payer === payer);
      expect(first).toMatchObject({ version: 1, way: before, inForce: false });
      expect(first).not.toHaveProperty('rerate');
      expect(second).toMatchObject({ version: 2, way: after, inForce: true, rerate: applied });
      expect(second?.rerate).not.toHaveProperty('revertedAt');
      const words = (await run('explain', legUuid)).out;
      expect(words).toContain('  put in force 2026-08-01 00:00:00 UTC by run november\n');
      expect(words).not.toContain('reverted');
    }
    // Nothing was taken back of what had cost nothing: only the record of the run can tell.
    const [first] = changed;
    const legUuid = first?.legUuid ?? '';
    const asked = ['statement', 'acme/minutes', '--from', '2026-07-31', '--to', '2026-08-02'];
    const { statements } = (await ask(...asked)) as Stated;
    const movements = statements.flatMap((each) => each.movements);
    expect(movements.filter(({ reference }) => reference === legUuid)).toMatchObject([
      { kind: 'charge', run: 'november' },
    ]);
    expect((await run(...asked)).out).toMatch(new RegExp(` ${legUuid} .* by run november\n`));
    expect((await run(...asked, '--csv')).out).toMatch(new RegExp(`,${legUuid},.*,EUR,november\n`));

    setNow(toEpochMs(Date.parse(REVERTED)));
    expect((await run('rerate', 'revert', 'november')).code).toBe(0);
    for (const { payer, before, legUuid } of changed) {
      const [first, second, third] = (await charges(legUuid)).filter((charge) => charge.payer === payer);
      expect(first).not.toHaveProperty('rerate');
      expect(second).toMatchObject({ version: 2, rerate: { ...applied, revertedAt: REVERTED } });
      expect(third).toMatchObject({
        version: 3,
        way: before,
        rerate: { run: 'november', change: 'reverted', at: REVERTED },
      });
      const words = (await run('explain', legUuid)).out;
      expect(words).toContain(
        '  put in force 2026-08-01 00:00:00 UTC by run november, reverted 2026-08-02 00:00:00 UTC\n',
      );
      expect(words).toContain('  put back 2026-08-02 00:00:00 UTC by the revert of run november\n');
    }
  });

  it('names each of several runs, and none that came too late', async () => {
    const { run, database, settlements, charges } = await createChanged(tested);
    await importVersions(database.tariffs, DOUBLED);
    for (const id of ['first', 'late']) await run('rerate', 'plan', ...SPAN, '--id', id);
    for (const id of ['first', 'late', 'first']) await run('rerate', 'apply', id);
    await run('rerate', 'revert', 'first');
    await run('rerate', 'plan', ...SPAN, '--id', 'second');
    await run('rerate', 'apply', 'second');
    // It is no longer in force, so that it stays as it is.
    await run('rerate', 'revert', 'first');
    const shown = (await charges(paidBy(settlements, 'acme/cheap', '44', 'per_minute'))).filter(
      ({ payer }) => payer === 'acme/cheap',
    );
    expect(shown.map(({ version, rerate }) => [version, rerate?.run, rerate?.change])).toEqual([
      [1, undefined, undefined],
      [2, 'first', 'applied'],
      [3, 'first', 'reverted'],
      [4, 'second', 'applied'],
    ]);
  });
});

type Shown = {
  readonly payer: AccountPath;
  readonly version: number;
  readonly way: string;
  readonly inForce: boolean;
  readonly rerate?: { readonly run: string; readonly change: string; readonly at: string };
};

type Stated = {
  readonly statements: readonly {
    readonly movements: readonly {
      readonly kind: string;
      readonly reference: string;
      readonly run?: string;
    }[];
  }[];
};

type Explained = { readonly legs: readonly { readonly charges: readonly Shown[] }[] };
