import { Client, Pool, types, type CustomTypesConfig, type PoolClient, type QueryResult } from 'pg';
import {
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult as KyselyResult,
  type TransactionSettings,
} from 'kysely';
import { DatabaseUnavailableError, messageOf, UnsupportedDatabaseUrlError } from './database-error.ts';
import { namePostgresError } from './postgres-error.ts';
import { toQueryParameters } from './query-parameter.ts';

export type PostgresPlace = {
  readonly url: string;
  /** What errors call it: without password and options. */
  readonly name: string;
  readonly connectionsMax: number;
  /** How long to wait for a connection: for a free one of the pool, or for the server to accept a new one. */
  readonly connectTimeoutMs: number;
  /** How long the server may work at one statement; undefined: as long as it takes. */
  readonly statementTimeoutMs: number | undefined;
  /** How long a writing transaction waits for those before it. */
  readonly lockWaitMs: number;
};

/** By then the server has said that it gave up: one that is still silent is no longer there. */
const ANSWER_SLACK_MS = 2_000;
/** A process that stands still in the middle of a transaction holds up all writers: the server ends it. */
const IDLE_IN_TRANSACTION_MS = 30_000;
const KEEP_ALIVE_AFTER_MS = 10_000;
const CLOSE_IDLE_AFTER_MS = 30_000;
/** What runs at the end may finish within this time; then its connection is cut. */
const CLOSE_WAIT_MS = 5_000;

/** `tollgate` in ASCII. Such locks belong to one database of a server: two records do not meet. */
export const WRITE_LOCK = 0x746f_6c6c_6761_7465n;

/** What a person may be shown of a database's address. Throws an UnsupportedDatabaseUrlError if it is none. */
export function postgresName(url: string): string {
  try {
    // Never connected: it only reads the URL, and from the environment (PGHOST, …) what the URL leaves out.
    const { user = '', host, port, database = '' } = new Client({ connectionString: url });
    return `postgres://${user}@${host.includes(':') ? `[${host}]` : host}:${port}/${database}`;
  } catch (error) {
    throw new UnsupportedDatabaseUrlError(url, `cannot be read (${messageOf(error)})`);
  }
}

/** Kysely's PostgreSQL dialect over `pg`, with what SQLite gives by itself: integers as bigints, one writer at a time. */
export function createPostgresDialect(place: PostgresPlace): Dialect {
  return {
    createDriver: () => new OneWriterDriver(place),
    createAdapter: () => new UnlockedAdapter(),
    createQueryCompiler: () => new PostgresQueryCompiler(),
    createIntrospector: (kysely) => new PostgresIntrospector(kysely),
  };
}

/** A migration runs in a transaction, which has the lock of all writers already. */
class UnlockedAdapter extends PostgresAdapter {
  override async acquireMigrationLock(): Promise<void> {}
  override async releaseMigrationLock(): Promise<void> {}
}

/**
 * Writing transactions come one after the other, as SQLite has them: each takes the same lock before it reads
 * anything. What a writer has read still holds when it writes, an id that it did not find is nobody else's, and
 * nothing has to be tried again. A reading transaction sees one moment and waits for nobody.
 */
class OneWriterDriver implements Driver {
  readonly #place: PostgresPlace;
  readonly #pool: Pool;
  readonly #clients = new Set<PoolClient>();
  /** Connections that somebody has or waits for. */
  #inUse = 0;
  #whenUnused: (() => void) | undefined;
  readonly #begin: string;

  constructor(place: PostgresPlace) {
    this.#place = place;
    this.#pool = openPool(place);
    // A connection that ends while nobody asks anything: whoever asks next hears of it, or gets another one.
    const unasked = (): void => {};
    this.#pool.on('error', unasked);
    this.#pool.on('connect', (client) => this.#clients.add(client.on('error', unasked)));
    this.#pool.on('remove', (client) => this.#clients.delete(client));
    // Said in full, whatever the server's defaults are: a snapshot from before the lock would not have what the
    // writer before us wrote, and a commit that is told of must be on disk. One text is one way there and back.
    this.#begin = [
      'begin isolation level read committed read write',
      `select set_config('synchronous_commit', 'on', true)
        where current_setting('synchronous_commit') <> 'remote_apply'`,
      // 0 would be for ever.
      `set local lock_timeout = ${Math.max(1, place.lockWaitMs)}`,
      `select pg_advisory_xact_lock(${WRITE_LOCK})`,
    ].join('; ');
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    const { name } = this.#place;
    this.#inUse += 1;
    try {
      return new PostgresConnection(await this.#pool.connect(), name);
    } catch (error) {
      this.#leave();
      throw namePostgresError(name, error);
    }
  }

  async beginTransaction(connection: PostgresConnection, settings: TransactionSettings): Promise<void> {
    if (settings.accessMode === 'read only') {
      await connection.say('begin isolation level repeatable read read only');
      return;
    }
    try {
      await connection.say(this.#begin);
    } catch (error) {
      await this.rollbackTransaction(connection);
      throw error;
    }
  }

  async commitTransaction(connection: PostgresConnection): Promise<void> {
    const { command } = await connection.say('commit');
    // What it says instead of COMMIT where a statement before had failed.
    if (command === 'ROLLBACK')
      throw new Error('a transaction went on after one of its statements had failed');
  }

  /** Why it is rolled back is what its caller has to hear, not that this was no longer possible. */
  async rollbackTransaction(connection: PostgresConnection): Promise<void> {
    await connection.say('rollback').catch(() => connection.discard());
  }

  async releaseConnection(connection: PostgresConnection): Promise<void> {
    connection.release();
    this.#leave();
  }

  async destroy(): Promise<void> {
    const impatience = setTimeout(() => this.#clients.forEach((client) => void client.end()), CLOSE_WAIT_MS);
    // A pool that is told to end forgets those who still wait for a connection.
    if (this.#inUse > 0) await new Promise<void>((resolve) => (this.#whenUnused = resolve));
    await this.#pool.end();
    clearTimeout(impatience);
  }

  #leave(): void {
    this.#inUse -= 1;
    if (this.#inUse === 0) this.#whenUnused?.();
  }
}

class PostgresConnection implements DatabaseConnection {
  readonly #client: PoolClient;
  readonly #name: string;
  #unusable: Error | undefined;

  constructor(client: PoolClient, name: string) {
    this.#client = client;
    this.#name = name;
  }

  async executeQuery<Row>({ sql, parameters }: CompiledQuery): Promise<KyselyResult<Row>> {
    // Kysely asks what tables there are with flags among its parameters; no table of ours has any.
    const unflagged = parameters.map((value) => (typeof value === 'boolean' ? `${value}` : value));
    const { rows, command, rowCount } = await this.say(sql, toQueryParameters(unflagged));
    const changes = command === 'INSERT' || command === 'UPDATE' || command === 'DELETE';
    return changes && rowCount !== null ? { rows, numAffectedRows: BigInt(rowCount) } : { rows };
  }

  // oxlint-disable-next-line require-yield -- long tables are walked by their keys, in pages
  async *streamQuery<Row>(): AsyncIterableIterator<KyselyResult<Row>> {
    throw new Error('rows are not streamed: walk them in pages');
  }

  async say(sql: string, parameters: unknown[] = []): Promise<QueryResult> {
    if (this.#unusable !== undefined) throw this.#unusable;
    try {
      return await this.#client.query(sql, parameters);
    } catch (error) {
      const named = namePostgresError(this.#name, error);
      // It may still answer the last question, when the next one has been asked.
      if (named instanceof DatabaseUnavailableError) this.#unusable = named;
      throw named;
    }
  }

  discard(): void {
    this.#unusable ??= new DatabaseUnavailableError(this.#name, 'the connection is given up');
  }

  release(): void {
    this.#client.release(this.#unusable !== undefined);
  }
}

function openPool(place: PostgresPlace): Pool {
  const { url, connectionsMax, connectTimeoutMs, statementTimeoutMs } = place;
  return new Pool({
    connectionString: url,
    application_name: 'tollgate',
    max: connectionsMax,
    connectionTimeoutMillis: connectTimeoutMs,
    idleTimeoutMillis: CLOSE_IDLE_AFTER_MS,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_AFTER_MS,
    types: INTEGERS_AS_BIGINTS,
    ...(statementTimeoutMs === undefined
      ? {}
      : { statement_timeout: statementTimeoutMs, query_timeout: statementTimeoutMs + ANSWER_SLACK_MS }),
  });
}

const INTEGERS = new Set<number>([types.builtins.INT2, types.builtins.INT4, types.builtins.INT8]);

/** Of these connections only: the table of parsers that `pg` has is one for the whole process. */
const INTEGERS_AS_BIGINTS: CustomTypesConfig = {
  getTypeParser: (type, format) =>
    INTEGERS.has(type) && format !== 'binary' ? BigInt : types.getTypeParser(type, format),
};
