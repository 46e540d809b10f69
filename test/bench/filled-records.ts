import { Kysely, sql } from 'kysely';
import { openDatabase } from '../../src/database/database.ts';
import { createPostgresDialect, postgresName } from '../../src/sql/postgres-dialect.ts';
import type { Schema } from '../../src/sql/schema.ts';
import { createSqliteDialect, openSqlite } from '../../src/sql/sqlite-dialect.ts';
import type { StartedPostgres } from '../../src/servers/postgres-server.ts';
import { fillLargeRecord, type LargeRecordOptions } from '../database/large-record.ts';

/** Large records for those figures that ask one. */

/** Makes the file. */
export async function fillSqlite(path: string, options: LargeRecordOptions): Promise<void> {
  await (await openDatabase({ url: path })).close();
  const file = { path, lockWaitMs: 1_000 };
  const sqlite = await openSqlite(file);
  // Only while it is made.
  sqlite.exec('pragma synchronous = off; pragma cache_size = -200000');
  const kysely = new Kysely<Schema>({ dialect: createSqliteDialect(sqlite, file) });
  await fillLargeRecord(kysely, options);
  await kysely.destroy();
}

/** Makes a database of that name, and gives its address. */
export async function fillPostgres(
  postgres: StartedPostgres,
  name: string,
  options: LargeRecordOptions,
): Promise<string> {
  const administrator = open(postgres.url('postgres'));
  await sql`create database ${sql.id(name)} template template0 encoding 'UTF8'`.execute(administrator);
  await administrator.destroy();
  const url = postgres.url(name);
  await (await openDatabase({ url })).close();
  const kysely = open(url);
  await fillLargeRecord(kysely, options);
  // As it does by itself, some time after a table has grown.
  await sql`vacuum analyze`.execute(kysely);
  await kysely.destroy();
  return url;
}

function open(url: string): Kysely<Schema> {
  const place = {
    connectionsMax: 1,
    connectTimeoutMs: 5_000,
    statementTimeoutMs: undefined,
    lockWaitMs: 1_000,
  };
  return new Kysely({ dialect: createPostgresDialect({ ...place, url, name: postgresName(url) }) });
}

export function nameOf(postgres: StartedPostgres): string {
  return `PostgreSQL ${postgres.version.split(' ')[0]}`;
}
