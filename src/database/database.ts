import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { Kysely, sql } from 'kysely';
import type { AccountStore } from '../accounts/account-store.ts';
import type { TariffStore } from '../rating/tariff-store.ts';
import type { RerateStore } from '../charging/rerate-store.ts';
import type { Evidence } from '../records/evidence.ts';
import type { SwitchCdrStore } from '../reconcile/switch-cdr-store.ts';
import type { RecordStore } from '../records/record-store.ts';
import { createAccountStore } from '../sql-books/account-tables.ts';
import { DatabaseSchemaError, DatabaseUnwritableError } from '../sql/database-error.ts';
import { MEMORY, parseDatabaseUrl, type DatabasePlace } from '../sql/database-url.ts';
import { bringUpToDate, isUpToDate, POSTGRES_TYPES, SQLITE_TYPES } from '../sql/migrations.ts';
import { createPostgresDialect, postgresName, type PostgresPlace } from '../sql/postgres-dialect.ts';
import { createRecordReader } from '../sql-records/record-reader.ts';
import { createRecordWriter } from '../sql-records/record-writer.ts';
import { createRerateReader } from '../sql-rerate/rerate-reader.ts';
import { createRerateWriter } from '../sql-rerate/rerate-writer.ts';
import type { Schema } from '../sql/schema.ts';
import { createSqliteDialect, openSqlite, whileLocked } from '../sql/sqlite-dialect.ts';
import { createSwitchCdrStore } from '../sql-cdrs/switch-cdr-tables.ts';
import { createTariffStore } from '../sql-books/tariff-tables.ts';
import { createEvidence } from './verify-queries.ts';

/** The record: a file or a database of a server, its tables made and at this release's version. */
export type Database = {
  readonly kind: DatabasePlace['kind'];
  /** What errors call it: the path of a file, or an address without its password. */
  readonly name: string;
  /** The same for everybody who has this record open, and another for every other record. */
  readonly id: string;
  readonly accounts: AccountStore;
  readonly tariffs: TariffStore;
  readonly records: RecordStore;
  /** The rows that `verify` holds against one another. */
  readonly evidence: Evidence;
  /** FreeSWITCH's own CDRs, as far as their files were read. */
  readonly switchCdrs: SwitchCdrStore;
  readonly rerates: RerateStore;
  /** Lets what runs finish, then closes it. A second call waits for the first. */
  readonly close: () => Promise<void>;
};

export type DatabaseOptions = {
  readonly url: string;
  /** How long a write waits for another's. */
  readonly lockWaitMs?: number | undefined;
  /** Of PostgreSQL: at once, and beside the one of the writer. */
  readonly connectionsMax?: number | undefined;
  readonly connectTimeoutMs?: number | undefined;
  readonly statementTimeoutMs?: number | undefined;
};

/** Longer than the longest transaction of another process, the import of a large tariff. */
const LOCK_WAIT_MS = 10_000;
const CONNECTIONS_MAX = 5;
const CONNECT_TIMEOUT_MS = 5_000;
const STATEMENT_TIMEOUT_MS = 60_000;

/**
 * Opens or creates the record: `sqlite:///absolute/path`, `sqlite:relative/path`, `sqlite::memory:` or a plain
 * path; or `postgres://user:password@host:5432/database`, which must exist. Brings its tables up to date first; two
 * processes may do so at once. Rejects with one of the errors of `database-error.ts`, each naming the database.
 */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const place = parseDatabaseUrl(options.url);
  const name = place.kind === 'sqlite' ? place.path : postgresName(place.url);
  const kysely = await openTables(place, name, options);
  const id = await readIdentity(kysely);
  let closing: Promise<void> | undefined;
  return {
    kind: place.kind,
    name,
    id,
    accounts: createAccountStore(kysely),
    tariffs: createTariffStore(kysely),
    records: { ...createRecordWriter(kysely), ...createRecordReader(kysely) },
    evidence: createEvidence(kysely),
    switchCdrs: createSwitchCdrStore(kysely),
    rerates: { ...createRerateReader(kysely), ...createRerateWriter(kysely) },
    close: () => (closing ??= kysely.destroy()),
  };
}

function openTables(place: DatabasePlace, name: string, options: DatabaseOptions): Promise<Kysely<Schema>> {
  const lockWaitMs = options.lockWaitMs ?? LOCK_WAIT_MS;
  if (place.kind === 'sqlite') return openSqliteTables(place.path, lockWaitMs);
  return openPostgresTables({
    url: place.url,
    name,
    connectionsMax: options.connectionsMax ?? CONNECTIONS_MAX,
    connectTimeoutMs: options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
    statementTimeoutMs: options.statementTimeoutMs ?? STATEMENT_TIMEOUT_MS,
    lockWaitMs,
  });
}

async function readIdentity(kysely: Kysely<Schema>): Promise<string> {
  try {
    return (await kysely.selectFrom('identity').select('id').executeTakeFirstOrThrow()).id;
  } catch (error) {
    await kysely.destroy();
    throw error;
  }
}

async function openSqliteTables(path: string, lockWaitMs: number): Promise<Kysely<Schema>> {
  refuseMissingFolder(path);
  const file = { path, lockWaitMs };
  const sqlite = await openSqlite(file);
  const kysely = new Kysely<Schema>({ dialect: createSqliteDialect(sqlite, file) });
  try {
    await whileLocked(file, async () => {
      if (!(await isUpToDate(kysely))) await bringUpToDate(kysely, SQLITE_TYPES, path);
    });
    return kysely;
  } catch (error) {
    if (sqlite.isOpen) sqlite.close();
    throw error;
  }
}

/** A folder is not made here: a mistyped path must not begin a second, empty record. */
function refuseMissingFolder(path: string): void {
  if (path === MEMORY) return;
  const folder = dirname(path);
  const found = statSync(folder, { throwIfNoEntry: false });
  if (found === undefined) throw new DatabaseUnwritableError(path, `the folder ${folder} does not exist`);
  if (!found.isDirectory()) throw new DatabaseUnwritableError(path, `${folder} is not a folder`);
}

async function openPostgresTables(place: PostgresPlace): Promise<Kysely<Schema>> {
  const kysely = new Kysely<Schema>({ dialect: createPostgresDialect(place) });
  try {
    await requireUnicode(kysely, place.name);
    if (!(await isUpToDate(kysely))) await migratePostgres(place);
    return kysely;
  } catch (error) {
    await kysely.destroy();
    throw error;
  }
}

/** On a connection of its own without a limit of time: an index on a large table takes as long as it takes. */
async function migratePostgres(place: PostgresPlace): Promise<void> {
  const patient = { ...place, connectionsMax: 1, statementTimeoutMs: undefined };
  const kysely = new Kysely<Schema>({ dialect: createPostgresDialect(patient) });
  try {
    await bringUpToDate(kysely, POSTGRES_TYPES, place.name);
  } finally {
    await kysely.destroy();
  }
}

/** Names and numbers come from strangers: in any other encoding some of them could not be written. */
async function requireUnicode(kysely: Kysely<Schema>, name: string): Promise<void> {
  const { rows } = await sql<{ encoding: string }>`
    select current_setting('server_encoding') as encoding`.execute(kysely);
  const encoding = rows[0]?.encoding;
  if (encoding === 'UTF8') return;
  throw new DatabaseSchemaError(name, new Error(`its encoding is ${encoding}, and must be UTF8`));
}
