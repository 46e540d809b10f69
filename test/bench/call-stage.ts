import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Redis } from 'ioredis';
import { openDatabase, type Database } from '../../src/database/database.ts';
import { readTariffCsv } from '../../src/imports/tariff-csv.ts';
import { DEFAULT_ROUNDING } from '../../src/rating/price.ts';
import { systemLedger, walletLedger } from '../../src/records/records.ts';
import { createSimulator, type Simulator } from '../../src/simulator/simulator.ts';
import type { TimeSource } from '../../src/simulator/time-source.ts';
import { rootOf, type AccountPath } from '../../src/units/ids.ts';
import { toEpochMs } from '../../src/units/time.ts';
import type { Bench } from './figure.ts';
import { pause } from './load.ts';
import { amount, TARIFF, toAccount } from './sample-legs.ts';
import { startServiceChild, type ServiceChild } from './service-child.ts';

/** The service in its own process, between a FreeSWITCH of ours in this one, the bench's Redis and an SQLite file. */
export type CallStage = {
  readonly sim: Simulator;
  readonly redis: Redis;
  service(): ServiceChild;
  start(): Promise<void>;
  account(document: Readonly<Record<string, unknown>>): Promise<void>;
  /** Money in SQL before the service starts: a wallet is opened with the sum of its transfers. */
  money(account: string, decimal: string): Promise<void>;
  settledCount(): number;
  /** Waits until so many calls are in SQL. */
  settled(count: number, withinMs: number): Promise<void>;
  close(): Promise<void>;
};

const TARIFF_CSV = 'prefix,rate,minimum,increment\n49,1.00,1,1\n';
const POLL_MS = 20;

export async function createCallStage(bench: Bench, time?: TimeSource): Promise<CallStage> {
  const folder = mkdtempSync(join(tmpdir(), 'tollgate-bench-'));
  const file = join(folder, 'record.sqlite');
  const database = await openDatabase({ url: file });
  const counting = new DatabaseSync(file, { readOnly: true });
  const count = counting.prepare('select count(*) as calls from cdr');
  const redis = new Redis(bench.redis.url);
  await redis.flushdb();
  const sim = await createSimulator(time === undefined ? {} : { time });
  await importTariff(database);
  let child: ServiceChild | undefined;

  const settledCount = (): number => Number(count.get()?.['calls'] ?? 0);
  return {
    sim,
    redis,
    service() {
      if (child === undefined) throw new Error('the service has not been started');
      return child;
    },
    async start() {
      const environment = {
        TOLLGATE_FREESWITCH_HOST: '127.0.0.1',
        TOLLGATE_FREESWITCH_PORT: `${sim.port}`,
        TOLLGATE_FREESWITCH_PASSWORD: sim.password,
        TOLLGATE_REDIS_URL: bench.redis.url,
        TOLLGATE_DATABASE_URL: file,
        TOLLGATE_GATES_SOCKET_PORT: '0',
        TOLLGATE_CONTROLLER_ID: 'bench',
      };
      child = await startServiceChild(environment, bench.profileFolder);
      // Its connections and its lease on the node's events.
      while (sim.connectionCount < 3) await pause(POLL_MS);
      await pause(500);
    },
    async account(document) {
      const { kind } = await database.accounts.saveAccount(toAccount(document));
      if (kind === 'refused') throw new Error(`refused: ${JSON.stringify(document)}`);
    },
    async money(account, decimal) {
      const path = account as AccountPath;
      await database.records.insertTransfer({
        id: `topup:${account}`,
        kind: 'topup',
        debit: systemLedger('cash', rootOf(path)),
        credit: walletLedger(path),
        amount: amount(decimal),
        currency: 'EUR',
        at: toEpochMs(Date.now()),
        reference: '',
      });
    },
    settledCount,
    async settled(wanted, withinMs) {
      const until = performance.now() + withinMs;
      while (settledCount() < wanted) {
        if (performance.now() > until) throw new Error(`${settledCount()} of ${wanted} calls are in SQL`);
        await pause(POLL_MS);
      }
    },
    async close() {
      await child?.stop();
      await sim.close();
      await redis.flushdb();
      redis.disconnect();
      counting.close();
      await database.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function importTariff(database: Database): Promise<void> {
  const read = await readTariffCsv({ file: 'standard.csv', bytes: [new TextEncoder().encode(TARIFF_CSV)] });
  if (read.kind === 'errors') throw new Error(JSON.stringify(read.errors));
  await database.tariffs.importVersion({
    tariff: TARIFF,
    currency: 'EUR',
    rounding: DEFAULT_ROUNDING,
    startsAt: toEpochMs(0),
    zone: 'UTC',
    rates: read.rates,
  });
}
