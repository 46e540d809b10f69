import { describe, expect, it } from 'vitest';
import { DOUBLED, fillRecord, importVersions, liveCalls } from '../charging/charged-record.ts';
import { DATABASES } from '../database/databases.ts';
import { createCli } from './cli-run.ts';

type Movement = {
  readonly kind: string;
  readonly reference: string;
  readonly id: string;
  readonly run?: string;
};
type Statement = { readonly statements: readonly { readonly movements: readonly Movement[] }[] };

/** More than are read at once. */
const MOVED_AT_ONCE_MIN = 1_100;

describe.each(DATABASES)('a statement on $name', ({ freshUrl, openRecord }) => {
  it('takes back what a call cost before it charges it anew, call by call', async () => {
    const url = await freshUrl();
    const database = await openRecord(url);
    await fillRecord(database, liveCalls(1_800, 3));
    await importVersions(database.tariffs, DOUBLED);
    const { ask, run } = createCli({ tell: async () => 'moved' }, undefined, url);
    await run('rerate', 'plan', '--from', '1970-01-01', '--to', '1970-02-01', '--id', 'august');
    expect((await run('rerate', 'apply', 'august')).code).toBe(0);

    // By the clock of the command all of it was moved in one moment.
    const asked = ['statement', 'acme', '--from', '2026-07-31', '--to', '2026-08-02'];
    const { statements } = (await ask(...asked)) as Statement;
    const movements = statements[0]?.movements ?? [];
    expect(movements.length).toBeGreaterThan(MOVED_AT_ONCE_MIN);
    const calls = Map.groupBy(movements, ({ reference }) => reference);
    // A call that changed hands is in one piece.
    const inOrder = [...calls.values()].flat();
    expect(movements).toEqual(inOrder);
    const kinds = new Set([...calls.values()].map((each) => each.map(({ kind }) => kind).join(' ')));
    for (const each of kinds) expect(each).toMatch(/^(?:reversal(?: |$))*(?:charge(?: |$))*$/);
    expect(kinds).toContain('reversal charge');

    expect(new Set(movements.map((movement) => movement.run))).toEqual(new Set(['august']));
    const lines = (await run(...asked)).out
      .split('\n')
      .filter((line) => / (?:charge|reversal) {2}/.test(line));
    expect(lines.filter((line) => !line.endsWith('  by run august'))).toEqual(
      lines.filter((line) => line.includes(' × ')),
    );

    const { out } = await run(...asked, '--csv');
    const ids = out
      .trimEnd()
      .split('\n')
      .slice(2)
      .map((line) => line.split(',')[2]);
    expect(ids).toEqual(movements.map(({ id }) => id));
  });

  it('shows what came in before what it paid for, and what went out after that', async () => {
    const url = await freshUrl();
    const { records } = await openRecord(url);
    const at = Date.UTC(2026, 6, 1);
    const sides = { debit: 'wallet:acme/alice', credit: 'cash:acme' };
    for (const kind of ['closing', 'charge', 'reversal', 'opening', 'topup'] as const) {
      const transfer = { ...sides, id: `${kind}:x`, kind, amount: 1n, currency: 'EUR', at, reference: 'x' };
      await records.insertTransfer(transfer as never);
    }
    const { ask } = createCli({}, undefined, url);
    const { statements } = (await ask('statement', 'acme/alice', '--from', '2026-07-01')) as Statement;
    const kinds = statements[0]?.movements.map(({ kind }) => kind);
    expect(kinds).toEqual(['opening', 'topup', 'reversal', 'charge', 'closing']);
  });
});
