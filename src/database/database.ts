import { statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Kysely } from 'kysely';
import { Migrator } from 'kysely/migration';
import type { AccountStore } from '../accounts/account-store.ts';
import type { TariffStore } from '../rating/tariff-store.ts';
import type { Evidence } from '../records/evidence.ts';
import type { RecordStore } from '../records/record-store.ts';
import { createAccountStore } from './account-tables.ts';
import {
  DatabaseSchemaError,
  DatabaseUnwritableError,
  UnsupportedDatabaseUrlError,
} from './database-error.ts';
import { createMigrations, SQLITE_TYPES } from './migrations.ts';
import { createRecordReader } from './record-reader.ts';
import { createRecordWriter } from './record-writer.ts';
import type { Schema } from './schema.ts';
import { createSqliteDialect, openSqlite, whileLocked } from './sqlite-dialect.ts';
import { createTariffStore } from './tariff-tables.ts';
import { createEvidence } from './verify-queries.ts';

/** The record: one file, its tables made and at this release's version. */
export type Database = {
  readonly accounts: AccountStore;
  readonly tariffs: TariffStore;
  readonly records: RecordStore;
  /** The rows that `verify` holds against one another. */
  readonly evidence: Evidence;
  /** Lets what runs finish, then closes the file. A second call waits for the first. */
  readonly close: () => Promise<void>;
};

const MEMORY = ':memory:';
/** Longer than the longest transaction of another process, the import of a large tariff. */
const LOCK_WAIT_MS = 10_000;

/**
 * Opens or creates the record: `sqlite:///absolute/path`, `sqlite:relative/path`, `sqlite::memory:` or a plain
 * path. Brings its tables up to date first; two processes may do so at once. Rejects with one of the errors of
 * `database-error.ts`, each naming the file.
 */
export async function openDatabase(options: {
  readonly url: string;
  /** How long a write waits for another process's. */
  readonly lockWaitMs?: number | undefined;
}): Promise<Database> {
  const path = pathOfUrl(options.url);
  refuseMissingFolder(path);
  const file = { path, lockWaitMs: options.lockWaitMs ?? LOCK_WAIT_MS };
  const sqlite = await openSqlite(file);
  const kysely = new Kysely<Schema>({ dialect: createSqliteDialect(sqlite, file) });
  try {
    await whileLocked(file, () => migrate(kysely, path));
  } catch (error) {
    if (sqlite.isOpen) sqlite.close();
    throw error;
  }
  let closing: Promise<void> | undefined;
  return {
    accounts: createAccountStore(kysely),
    tariffs: createTariffStore(kysely),
    records: { ...createRecordWriter(kysely), ...createRecordReader(kysely) },
    evidence: createEvidence(kysely),
    close: () => (closing ??= kysely.destroy()),
  };
}

function pathOfUrl(url: string): string {
  if (url === `sqlite:${MEMORY}` || url === MEMORY) return MEMORY;
  if (url.startsWith('sqlite:///')) return fileURLToPath(url.replace(/^sqlite:/, 'file:'));
  const path = url.startsWith('sqlite:') ? url.slice('sqlite:'.length) : url;
  // Two slashes would name a host, and any other scheme another database.
  if (path === '' || path.startsWith('//') || /^[a-z][a-z0-9+.-]*:/i.test(path)) {
    throw new UnsupportedDatabaseUrlError(url);
  }
  return resolve(path);
}

/** A folder is not made here: a mistyped path must not begin a second, empty record. */
function refuseMissingFolder(path: string): void {
  if (path === MEMORY) return;
  const folder = dirname(path);
  const found = statSync(folder, { throwIfNoEntry: false });
  if (found === undefined) throw new DatabaseUnwritableError(path, `the folder ${folder} does not exist`);
  if (!found.isDirectory()) throw new DatabaseUnwritableError(path, `${folder} is not a folder`);
}

async function migrate(kysely: Kysely<Schema>, path: string): Promise<void> {
  const migrator = new Migrator({ db: kysely, provider: createMigrations(SQLITE_TYPES) });
  const { error } = await migrator.migrateToLatest();
  if (error === undefined) return;
  const named = error instanceof Error && error.name.startsWith('Database');
  throw named ? error : new DatabaseSchemaError(path, error);
}
