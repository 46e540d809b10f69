import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import type { Redis } from 'ioredis';
import { afterAll, describe, expect, it } from 'vitest';
import { planKept } from '../../src/charging/plan-rerate.ts';
import type { RerateClaim } from '../../src/charging/rerate-store.ts';
import type { RerateFunding } from '../../src/charging/rerate-run.ts';
import { openDatabase } from '../../src/database/database.ts';
import { withTariffVersions } from '../../src/rating/tariff-book.ts';
import { planReplayed } from '../../src/replay/plan-replayed.ts';
import { proveRecord } from '../../src/records/proof.ts';
import { walletKey } from '../../src/redis/keys.ts';
import type { RerateRunId } from '../../src/units/ids.ts';
import { toEpochMs } from '../../src/units/time.ts';
import {
  balancesOf,
  BOOKS,
  DOUBLED,
  EVERYTHING,
  fillRecord,
  importVersions,
  liveCalls,
} from '../charging/charged-record.ts';
import { ACCOUNTS } from '../charging/live-calls.ts';
import { freshRedis, redisUrl } from '../support/redis.ts';
import { live, START_MS } from './mortal-rerate.ts';

const RUN = 'run-1' as RerateRunId;
const CALLS = 40;
const RUNS = 200;
/** The steps are the same, and only what they change is other. */
const RUNS_REPLAYED = 30;

const folder = mkdtempSync(join(tmpdir(), 'tollgate-deaths-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A record with a plan, as every process finds it at first. */
async function planned(calls: number, funding: RerateFunding = 'kept'): Promise<string> {
  const path = join(folder, `planned-${calls}-${funding}.sqlite`);
  const database = await openDatabase({ url: path });
  await fillRecord(database, liveCalls(calls, 7));
  await importVersions(database.tariffs, DOUBLED);
  const run = { id: RUN, funding, filter: EVERYTHING, createdAt: toEpochMs(START_MS) } as const;
  await database.rerates.begin(run);
  const books = { ...BOOKS, accounts: ACCOUNTS, tariffs: withTariffVersions(BOOKS.tariffs, DOUBLED) };
  const plan = funding === 'replayed' ? planReplayed : planKept;
  await database.rerates.finishPlan(RUN, await plan(run, books, database.rerates, () => undefined));
  await database.close();
  return path;
}

describe('a run of re-rating whose processes die', () => {
  it.each([
    ['kept', RUNS],
    ['replayed', RUNS_REPLAYED],
  ] as const)(
    'ends as if none had, wherever they die, applied and reverted: funding %s',
    async (funding, runs) => {
      const template = await planned(CALLS, funding);
      const redis = await freshRedis();
      const random = seededRandom(20_261_122);
      const start = await fresh(redis, template, 'start');
      const unharmed = await carriedOut(redis, start, forEver);
      expect(unharmed.deaths).toBe(0);
      expect(unharmed.findings).toEqual([]);
      let deaths = 0;
      for (let run = 0; run < runs; run += 1) {
        const path = await fresh(redis, template, 'harmed');
        // Short lives, so that a run is begun and resumed in all of its places.
        const harmed = await carriedOut(redis, path, () => 1 + Math.floor(random() * 60));
        deaths += harmed.deaths;
        expect(harmed, `seed of run ${run}`).toEqual({ ...unharmed, deaths: harmed.deaths });
      }
      expect(deaths).toBeGreaterThan(runs);
    },
    600_000,
  );

  it('ends as if none had, when the operating system kills them', async () => {
    const template = await planned(CALLS_OF_PROCESSES);
    const redis = await freshRedis();
    const unharmed = await carriedOut(redis, await fresh(redis, template, 'whole'), forEver);
    const path = await fresh(redis, template, 'killed');
    const random = seededRandom(7);
    let number = 0;
    const killed = async (wanted: RerateClaim['wanted']): Promise<void> => {
      for (let kill = 0; kill < KILLS; kill += 1) {
        await runAndKill([path, redisUrl(), RUN, wanted, `${number}`], random() * KILLED_AFTER_MS_MAX);
        number += 1;
      }
      await live({ path, redis, run: RUN, wanted, number, diesAt: forEver() });
      number += 1;
    };
    await killed('applying');
    expect(await stateOf(redis, path)).toEqual(unharmed.applied);
    await killed('reverting');
    expect(await stateOf(redis, path)).toEqual(unharmed.reverted);
  }, 600_000);
});

const CALLS_OF_PROCESSES = 3_000;
const KILLS = 4;
const KILLED_AFTER_MS_MAX = 400;
const forEver = (): number => Number.POSITIVE_INFINITY;

/** A process of its own, killed so long after it began to work, if it has not ended before. */
async function runAndKill(args: readonly string[], delayMs: number): Promise<void> {
  const script = fileURLToPath(new URL('rerate-process.ts', import.meta.url));
  const child = spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  await Promise.race([once(child.stdout, 'data'), ended]);
  const timer = setTimeout(() => child.kill('SIGKILL'), delayMs);
  await ended;
  clearTimeout(timer);
}

/** A copy of the record, and Redis as it is when its wallets are open. */
async function fresh(redis: Redis, template: string, name: string): Promise<string> {
  const path = join(folder, `${name}.sqlite`);
  for (const end of ['', '-wal', '-shm']) rmSync(`${path}${end}`, { force: true });
  copyFileSync(template, path);
  await redis.flushdb();
  return path;
}

/** Life after life until the work is done, in both directions, and what is then there. */
async function carriedOut(redis: Redis, path: string, lifeOf: () => number): Promise<Aftermath> {
  let deaths = 0;
  const until = async (wanted: RerateClaim['wanted']): Promise<void> => {
    for (;;) {
      const outcome = await live({ path, redis, run: RUN, wanted, number: deaths, diesAt: lifeOf() });
      if (outcome?.kind === 'done' || outcome?.kind === 'already') return;
      if (outcome !== undefined) throw new Error(`a run that can be carried out is ${outcome.kind}`);
      deaths += 1;
    }
  };
  await until('applying');
  const applied = await stateOf(redis, path);
  await until('reverting');
  const reverted = await stateOf(redis, path);
  const database = await openDatabase({ url: path });
  const findings = (await Array.fromAsync(proveRecord(database.evidence))).map(({ kind }) => kind);
  await database.close();
  return { deaths, applied, reverted, findings };
}

type Aftermath = {
  readonly deaths: number;
  readonly applied: unknown;
  readonly reverted: unknown;
  readonly findings: readonly string[];
};

/** Every row but its moment, and every wallet in both places. */
async function stateOf(redis: Redis, path: string): Promise<unknown> {
  const raw = new DatabaseSync(path, { readOnly: true, readBigInts: true });
  const rows = (sql: string): unknown =>
    raw
      .prepare(sql)
      .all()
      .map((row) => Object.values(row).join(' '));
  const tables = {
    charges: rows('select transfer_id, way, price, billed_seconds, rate_id from charge order by transfer_id'),
    transfers: rows('select id, kind, debit, credit, amount, reference from transfer order by id'),
    items: rows('select payer, leg_uuid, state from rerate_item order by payer, leg_uuid'),
    runs: rows('select id, state, holder from rerate_run'),
    untold: rows('select * from outbox'),
  };
  raw.close();
  const database = await openDatabase({ url: path });
  const recorded = await balancesOf(database.records);
  await database.close();
  const wallets: Record<string, readonly (string | undefined)[]> = {};
  for (const { path: account } of ACCOUNTS.nodes) {
    const text = await redis.get(walletKey(account));
    const balance = `${recorded.get(`wallet:${account}`) ?? 0n}`;
    // A wallet that no movement has reached is not open yet: it will open with what is on record.
    wallets[account] = [balance, text === null ? balance : text.split(' ')[0]];
    expect(wallets[account]?.[0]).toBe(wallets[account]?.[1]);
  }
  return { ...tables, wallets };
}

/** Mulberry32. */
function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
