import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
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
import { seededRandom } from '../support/seeded-random.ts';
import { live, START_MS } from './mortal-rerate.ts';
import type { RerateOrder } from './rerate-process.ts';

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
  await database.rerates.finishPlan(run, await plan(run, books, database.rerates, () => undefined));
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

  it('ends as if none had, wherever the operating system kills them', async () => {
    const template = await planned(CALLS_OF_PROCESSES);
    const redis = await freshRedis();
    const unharmed = await carriedOut(redis, await fresh(redis, template, 'whole'), forEver);
    const seed = randomInt(2 ** 31);
    const random = seededRandom(seed);
    const processes = createProcesses();
    /** From `begun` to the end, of the last one that was not killed before. */
    let wholeMs = WHOLE_MS;
    let killed = 0;
    try {
      for (let run = 0; run < RUNS / 2; run += 1) {
        const path = await fresh(redis, template, 'killed');
        for (const [place, wanted] of (['applying', 'reverting'] as const).entries()) {
          const order = { path, redisUrl: redisUrl(), run: RUN, wanted, number: 2 * place };
          const ended = await processes.runAndKill(order, random() * wholeMs);
          if (ended.wasKilled) killed += 1;
          else wholeMs = ended.lastedMs;
          await live({ ...order, redis, number: 2 * place + 1, diesAt: forEver() });
          const state = wanted === 'applying' ? unharmed.applied : unharmed.reverted;
          expect(await stateOf(redis, path), `run ${run} of seed ${seed}`).toEqual(state);
        }
      }
    } finally {
      processes.stop();
    }
    // A moment may come too late, when the machine has become faster.
    expect(killed).toBeGreaterThan(RUNS / 4);
  }, 600_000);
});

const CALLS_OF_PROCESSES = 400;
const WHOLE_MS = 500;
/** Being started while others work. */
const STARTED_AHEAD = 2;
const forEver = (): number => Number.POSITIVE_INFINITY;

type Ended = { readonly wasKilled: true } | { readonly wasKilled: false; readonly lastedMs: number };

type Processes = {
  /** In a process of its own, killed so long after it began to work, if it has not ended before. */
  runAndKill(order: RerateOrder, delayMs: number): Promise<Ended>;
  stop(): void;
};

function createProcesses(): Processes {
  const script = fileURLToPath(new URL('rerate-process.ts', import.meta.url));
  // Most of a short life is the reading of its program.
  const env = { ...process.env, NODE_COMPILE_CACHE: join(folder, 'compiled') };
  const start = () => spawn(process.execPath, [script], { env, stdio: ['pipe', 'pipe', 'inherit'] });
  const waiting = Array.from({ length: STARTED_AHEAD }, start);
  return {
    async runAndKill(order, delayMs) {
      waiting.push(start());
      const child = waiting.shift() ?? start();
      const ended = once(child, 'exit');
      child.stdin.write(`${JSON.stringify(order)}\n`);
      await Promise.race([once(child.stdout, 'data'), ended]);
      const begunAt = performance.now();
      const timer = setTimeout(() => child.kill('SIGKILL'), delayMs);
      const [code] = (await ended) as [number | null];
      clearTimeout(timer);
      return code === null
        ? { wasKilled: true }
        : { wasKilled: false, lastedMs: performance.now() - begunAt };
    },
    stop() {
      for (const child of waiting) child.kill('SIGKILL');
    },
  };
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
