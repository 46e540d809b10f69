import type { Redis } from 'ioredis';
import { Kysely, type KyselyPlugin, type RootOperationNode } from 'kysely';
import { carryOut, type CarriedOut } from '../../src/charging/carry-out.ts';
import type { RerateClaim } from '../../src/charging/rerate-store.ts';
import { tellLive } from '../../src/cli/live-wallets.ts';
import { createTeller } from '../../src/command-line/teller.ts';
import { createAccountStore } from '../../src/sql-books/account-tables.ts';
import { createRecordReader } from '../../src/sql-records/record-reader.ts';
import { createRecordWriter } from '../../src/sql-records/record-writer.ts';
import { createRerateWriter } from '../../src/sql-rerate/rerate-writer.ts';
import type { Schema } from '../../src/sql/schema.ts';
import { createSqliteDialect, openSqlite } from '../../src/sql/sqlite-dialect.ts';
import { createTariffStore } from '../../src/sql-books/tariff-tables.ts';
import { createChangeFeed } from '../../src/redis/change-feed.ts';
import { createLiveStore } from '../../src/live-store/live-store.ts';
import { openDirectory } from '../../src/state/directory.ts';
import type { RerateRunId } from '../../src/units/ids.ts';
import { toEpochMs } from '../../src/units/time.ts';
import { createLog } from '../../src/wiring/parts.ts';
import { createPools } from '../../src/wiring/pools.ts';

/** One process that carries out a run, and may die before any statement of it and around any word to Redis. */

export const START_MS = Date.UTC(2026, 7, 1);
/** By then a dead process has lost its lease. */
const LIFE_MS = 60_000;

export class Death extends Error {}

export type Life = {
  readonly path: string;
  readonly redis: Redis;
  readonly run: RerateRunId;
  readonly wanted: RerateClaim['wanted'];
  /** The how manieth process it is. */
  readonly number: number;
  /** It dies at this of its moments; a life that has fewer ends well. */
  readonly diesAt: number;
};

/** What the process came to say, or undefined: it died. Its open transaction is lost with it. */
export async function live(life: Life): Promise<CarriedOut | undefined> {
  const { path, redis, run, wanted, number, diesAt } = life;
  let moments = 0;
  const mayDie = (): void => {
    moments += 1;
    if (moments === diesAt) throw new Death();
  };
  const file = { path, lockWaitMs: 1_000 };
  const sqlite = await openSqlite(file);
  sqlite.exec('pragma synchronous = off');
  const kysely = new Kysely<Schema>({
    dialect: createSqliteDialect(sqlite, file),
    plugins: [beforeEachStatement(mayDie)],
  });
  const now = toEpochMs(START_MS + number * LIFE_MS);
  const log = createLog('silent');
  const changes = createChangeFeed(redis, { log });
  try {
    const records = { ...createRecordReader(kysely), ...createRecordWriter(kysely) };
    const directory = await openDirectory({
      accountStore: createAccountStore(kysely),
      tariffStore: { ...createTariffStore(kysely), listTariffs: async () => [] },
      serviceDefaults: {},
    });
    const store = createLiveStore(redis, {
      clock: () => now,
      lostPools: async () => [],
      onDue: () => undefined,
      ...createPools(
        records,
        () => directory.accounts(),
        () => now,
      ),
    });
    const teller = createTeller(
      {
        tell: async (movement) => {
          mayDie();
          const reached = await tellLive({ store, directory, records, changes }, movement);
          mayDie();
          return reached;
        },
      },
      records,
    );
    return await carryOut(
      { run, wanted, holder: `life-${number}` },
      { store: createRerateWriter(kysely), ...teller, clock: () => now, onChanged: mayDie },
    );
  } catch (error) {
    if (!(error instanceof Death)) throw error;
    return undefined;
  } finally {
    changes.close();
    await kysely.destroy();
  }
}

function beforeEachStatement(mayDie: () => void): KyselyPlugin {
  return {
    transformQuery({ node }): RootOperationNode {
      mayDie();
      return node;
    },
    transformResult: async ({ result }) => result,
  };
}
