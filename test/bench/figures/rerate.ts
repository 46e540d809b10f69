import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDatabase } from '../../../src/database/database.ts';
import { startPostgres } from '../../../src/servers/postgres-server.ts';
import { accountsOf } from '../../controller/world.ts';
import { largeAccounts, largeTariff, YEAR_FROM, YEAR_MS } from '../../database/large-record.ts';
import type { Bench, Figure } from '../figure.ts';
import { fillPostgres, fillSqlite, nameOf } from '../filled-records.ts';
import { measureProcess, type Measured } from '../measured-process.ts';
import { interleave } from '../rounds.ts';
import { atLeast, atMost, rowOf, type Row, type Target } from '../row.ts';

const CALLS = 1_000_000;
/** PostgreSQL makes its rows more slowly; what is shown does not depend on how many there are. */
const POSTGRES_SHARE = 5;
const PEOPLE = { people: 5, rareCalls: 100 } as const;
/** A month of a mid-sized carrier while the operator waits for it. */
const CALLS_A_SECOND_MIN = 100_000;
const MEGABYTES_MAX = 256;
const MEGABYTE = 1024 * 1024;
const COMMAND = new URL('../../../src/cli.ts', import.meta.url);
const WALK = new URL('../bare-walk.ts', import.meta.url);

export const rerate: Figure = {
  name: 'rerate',
  title: 'tollgate rerate plan: the whole command, in a process of its own, by its CPU time',
  needsRealRedis: false,
  async measure(bench) {
    const calls = bench.calls ?? CALLS;
    const folder = mkdtempSync(join(tmpdir(), 'tollgate-bench-'));
    try {
      const url = join(folder, 'tollgate.sqlite');
      await fillSqlite(url, { ...PEOPLE, calls });
      const targets = { perSecond: atLeast(CALLS_A_SECOND_MIN), memory: atMost(MEGABYTES_MAX) };
      const rows = [...(await measurePlans(bench, { name: 'SQLite', url, calls, ...targets }))];
      const postgres = await startPostgres({ say: bench.say });
      if (postgres.kind === 'none') {
        bench.say(`PostgreSQL left out: ${postgres.why}`);
        return rows;
      }
      try {
        const share = Math.ceil(calls / POSTGRES_SHARE);
        const place = await fillPostgres(postgres, 'large', { ...PEOPLE, calls: share });
        rows.push(...(await measurePlans(bench, { name: nameOf(postgres), url: place, calls: share })));
      } finally {
        await postgres.stop();
      }
      return rows;
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

type Place = {
  readonly name: string;
  readonly url: string;
  readonly calls: number;
  readonly perSecond?: Target;
  readonly memory?: Target;
};

async function measurePlans({ full, say }: Bench, place: Place): Promise<readonly Row[]> {
  const { name, url, calls } = place;
  await fillBooks(url, 1n);
  say(`${name}: ${calls.toLocaleString('en')} calls made`);
  let plans = 0;
  const planned = async (items: number): Promise<Measured> => {
    plans += 1;
    return await plan(url, `run-${plans}`, { calls, items });
  };
  const walked = (): Promise<Measured> => measureProcess(WALK, [url], {});
  const unchanged = await interleave(full ? 5 : 3, { plan: () => planned(0), walk: walked });
  await fillBooks(url, 2n);
  const doubled = await interleave(full ? 3 : 1, { plan: () => planned(calls), walk: walked });
  const rowsOf = (
    what: string,
    found: typeof unchanged,
    aims: Pick<Place, 'perSecond' | 'memory'>,
  ): readonly Row[] => [
    rowOf({
      what: `${name}, ${calls.toLocaleString('en')} calls, ${what}: calls a second of CPU`,
      unit: '/s',
      measured: found.plan.map(({ cpuSeconds }) => calls / cpuSeconds),
      baselineWhat: 'a bare walk over calls and charges',
      baseline: found.walk.map(({ cpuSeconds }) => calls / cpuSeconds),
      target: aims.perSecond,
    }),
    rowOf({
      what: '… by the clock',
      unit: '/s',
      measured: found.plan.map(({ seconds }) => calls / seconds),
      baselineWhat: 'a bare walk over calls and charges',
      baseline: found.walk.map(({ seconds }) => calls / seconds),
    }),
    rowOf({
      what: '… and memory at its most',
      unit: 'MB',
      measured: found.plan.map(({ rssBytesMax }) => rssBytesMax / MEGABYTE),
      baselineWhat: 'of the walk',
      baseline: found.walk.map(({ rssBytesMax }) => rssBytesMax / MEGABYTE),
      target: aims.memory,
    }),
  ];
  return [
    ...rowsOf('the tariff unchanged', unchanged, place),
    ...rowsOf('every price doubled', doubled, { ...(place.memory && { memory: place.memory }) }),
  ];
}

async function fillBooks(url: string, times: bigint): Promise<void> {
  const { accounts, tariffs, close } = await openDatabase({ url });
  await tariffs.importVersion(largeTariff(times));
  if (times === 1n) {
    for (const { account } of accountsOf(largeAccounts(PEOPLE)).nodes) await accounts.saveAccount(account);
  }
  await close();
}

type Report = { readonly calls: number; readonly charges: { readonly planned?: number } };

/** As an operator would ask for it. That it found what it should is part of the measurement. */
async function plan(
  url: string,
  run: string,
  expected: { readonly calls: number; readonly items: number },
): Promise<Measured> {
  const moment = (at: number): string => new Date(at).toISOString();
  const args = ['rerate', 'plan', '--from', moment(YEAR_FROM), '--to', moment(YEAR_FROM + YEAR_MS)];
  const measured = await measureProcess(COMMAND, [...args, '--id', run, '--json'], {
    TOLLGATE_DATABASE_URL: url,
  });
  const { calls, charges } = JSON.parse(measured.output) as Report;
  if (calls !== expected.calls || (charges.planned ?? 0) !== expected.items)
    throw new Error(`${run} is not what it should be: ${measured.output.slice(0, 500)}`);
  return measured;
}
