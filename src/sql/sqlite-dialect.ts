import { setTimeout as delay } from 'node:timers/promises';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import {
  SqliteAdapter,
  SqliteDriver,
  SqliteIntrospector,
  SqliteQueryCompiler,
  type DatabaseConnection,
  type Dialect,
  type SqliteDatabase,
  type SqliteStatement,
  type TransactionSettings,
} from 'kysely';
import { DatabaseLockedError } from './database-error.ts';
import { toQueryParameters } from './query-parameter.ts';
import { nameSqliteError } from './sqlite-error.ts';

/**
 * How long one statement may wait inside SQLite for another process. The wait blocks this whole process, cutoffs
 * included, so it is short; longer waits are `whileLocked`'s, between statements, where nothing is blocked.
 */
const STATEMENT_WAIT_MS = 50;
const LOCK_RETRY_MS = 20;
/** A month of calls is read with all their charges: with SQLite's own 2 MB nearly each of them would be read anew. */
const CACHE_KIB = 32_768;
/** Enough for every statement of the program; lists of varying length push the oldest out. */
const STATEMENTS_CACHED_MAX = 200;

export type SqliteFile = {
  /** What errors call it. */
  readonly path: string;
  /** How long to wait for another process before rejecting with DatabaseLockedError. */
  readonly lockWaitMs: number;
};

/** Does it again until the file is free or the wait is over. Meanwhile the process goes on with its other work. */
export async function whileLocked<Result>(
  file: SqliteFile,
  work: () => Result | Promise<Result>,
): Promise<Result> {
  const deadlineMs = performance.now() + file.lockWaitMs;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      const named = nameSqliteError(file.path, error);
      if (!(named instanceof DatabaseLockedError) || performance.now() >= deadlineMs) throw named;
    }
    await delay(LOCK_RETRY_MS);
  }
}

/** Opens the file and sets what holds for the whole connection. */
export function openSqlite(file: SqliteFile): Promise<DatabaseSync> {
  return whileLocked(file, () => {
    const database = new DatabaseSync(file.path, {
      timeout: STATEMENT_WAIT_MS,
      enableForeignKeyConstraints: true,
      readBigInts: true,
    });
    try {
      // FULL, because a settlement leaves the Redis stream once it is committed here: with NORMAL a power failure
      // takes back every commit since the last checkpoint. It costs one fsync a batch.
      database.exec('pragma journal_mode = wal; pragma synchronous = full; pragma trusted_schema = off');
      database.exec(`pragma cache_size = -${CACHE_KIB}`);
    } catch (error) {
      database.close();
      throw error;
    }
    return database;
  });
}

/** Kysely's SQLite dialect over `node:sqlite`. */
export function createSqliteDialect(database: DatabaseSync, file: SqliteFile): Dialect {
  return {
    createDriver: () => new NodeSqliteDriver(database, file),
    createAdapter: () => new TransactionalSqliteAdapter(),
    createQueryCompiler: () => new SqliteQueryCompiler(),
    createIntrospector: (kysely) => new SqliteIntrospector(kysely),
  };
}

/** SQLite's DDL is transactional, so a migration that fails, or two processes at once, leave nothing half made. */
class TransactionalSqliteAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}

class NodeSqliteDriver extends SqliteDriver {
  readonly #database: DatabaseSync;
  readonly #file: SqliteFile;

  constructor(database: DatabaseSync, file: SqliteFile) {
    super({ database: adaptDatabase(database, file) });
    this.#database = database;
    this.#file = file;
  }

  /**
   * Takes the write lock at the start: a transaction that reads first and then finds another writer ahead of it
   * could only fail.
   */
  override beginTransaction(_connection: DatabaseConnection, settings?: TransactionSettings): Promise<void> {
    const statement = settings?.accessMode === 'read only' ? 'begin' : 'begin immediate';
    return whileLocked(this.#file, () => this.#database.exec(statement));
  }

  /** A full disk makes SQLite roll back by itself; a second rollback would hide the reason behind its own error. */
  override async rollbackTransaction(): Promise<void> {
    if (this.#database.isTransaction) this.#database.exec('rollback');
  }
}

type Row = Readonly<Record<string, unknown>>;
type Prepared = {
  readonly statement: StatementSync;
  readonly columns: readonly string[];
  /** A row of nothing. */
  readonly blank: Row;
};

/** Rows come as lists of values: the driver's own objects take twice as long to make, and longer to read. */
function prepare(database: DatabaseSync, sql: string): Prepared {
  const statement = database.prepare(sql);
  statement.setReturnArrays(true);
  const columns = statement.columns().map(({ name }) => name);
  return { statement, columns, blank: Object.fromEntries(columns.map((column) => [column, null])) };
}

/** Each begins as a copy of a blank one: so all have one shape from the start, which is what makes them cheap. */
function rowsOf(lists: readonly unknown[], { columns, blank }: Prepared): Row[] {
  return lists.map((list) => {
    const values = list as readonly unknown[];
    const row: Record<string, unknown> = { ...blank };
    for (let index = 0; index < columns.length; index += 1) row[columns[index] ?? ''] = values[index];
    return row;
  });
}

function adaptDatabase(database: DatabaseSync, file: SqliteFile): SqliteDatabase {
  const cache = new Map<string, Prepared>();
  const named = <Result>(work: () => Result): Result => {
    try {
      return work();
    } catch (error) {
      throw nameSqliteError(file.path, error);
    }
  };
  const prepareOnce = (sql: string): Prepared => {
    const prepared = cache.get(sql) ?? prepare(database, sql);
    // Deleting and setting again keeps the map in order of use.
    cache.delete(sql);
    cache.set(sql, prepared);
    if (cache.size > STATEMENTS_CACHED_MAX) {
      for (const oldest of cache.keys()) {
        cache.delete(oldest);
        break;
      }
    }
    return prepared;
  };
  return {
    prepare: (sql): SqliteStatement => {
      const prepared = named(() => prepareOnce(sql));
      const { statement, columns } = prepared;
      return {
        reader: columns.length > 0,
        all: (parameters) => named(() => rowsOf(statement.all(...toQueryParameters(parameters)), prepared)),
        run: (parameters) => named(() => statement.run(...toQueryParameters(parameters))),
        // A statement of its own: running a cached one again would end an iteration half way.
        iterate: (parameters) => named(() => database.prepare(sql).iterate(...toQueryParameters(parameters))),
      };
    },
    close: () => {
      cache.clear();
      if (database.isOpen) database.close();
    },
  };
}
