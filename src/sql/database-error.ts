/** The file is not a database, or a damaged one; or PostgreSQL found damage. Nothing here repairs it. */
export class DatabaseCorruptError extends Error {
  override readonly name = 'DatabaseCorruptError';
  readonly database: string;
  constructor(database: string, what: string, cause: unknown) {
    super(`${database} is not a usable database: ${what}`, { cause });
    this.database = database;
  }
}

/** Another writer held the record for longer than the wait allowed. Trying again later may succeed. */
export class DatabaseLockedError extends Error {
  override readonly name = 'DatabaseLockedError';
  readonly database: string;
  constructor(database: string, cause: unknown) {
    super(`${database} is locked by another process`, { cause });
    this.database = database;
  }
}

/** It cannot be created or written: permissions, a missing folder, a full or failing disk, a standby server. */
export class DatabaseUnwritableError extends Error {
  override readonly name = 'DatabaseUnwritableError';
  readonly database: string;
  constructor(database: string, why: string, cause?: unknown) {
    super(`${database} cannot be written: ${why}`, { cause });
    this.database = database;
  }
}

/** The server does not answer, has ended the connection, or took too long. Trying again later may succeed. */
export class DatabaseUnavailableError extends Error {
  override readonly name = 'DatabaseUnavailableError';
  readonly database: string;
  constructor(database: string, why: string, cause?: unknown) {
    super(`${database} cannot be reached: ${why}`, { cause });
    this.database = database;
  }
}

/** The server answers and does not let us in: password, user, a database that does not exist, missing rights. */
export class DatabaseAccessError extends Error {
  override readonly name = 'DatabaseAccessError';
  readonly database: string;
  constructor(database: string, why: string, cause?: unknown) {
    super(`${database} does not let us in: ${why}`, { cause });
    this.database = database;
  }
}

/** The tables are not those this program can read, because a newer release made them or a migration failed. */
export class DatabaseSchemaError extends Error {
  override readonly name = 'DatabaseSchemaError';
  readonly database: string;
  constructor(database: string, cause: unknown) {
    super(`the tables of ${database} could not be brought to this release: ${messageOf(cause)}`, { cause });
    this.database = database;
  }
}

export class UnsupportedDatabaseUrlError extends Error {
  override readonly name = 'UnsupportedDatabaseUrlError';
  readonly url: string;
  constructor(url: string, why = 'is not supported') {
    const shown = withoutPassword(url);
    super(`database url "${shown}" ${why}: use a path, sqlite:///path/to/file or ${POSTGRES_EXAMPLE}`);
    this.url = shown;
  }
}

const POSTGRES_EXAMPLE = 'postgres://user:password@host:5432/database';

/** The operating errors of a database go by their names, in other threads too. */
export function isDatabaseError(error: unknown): error is Error {
  return error instanceof Error && error.name.startsWith('Database');
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Errors are logged and shown; a password in a URL is not for either. */
function withoutPassword(url: string): string {
  return url
    .replace(/^([a-z]+:\/\/[^:@/?]*):.*@/i, '$1:***@')
    .replaceAll(/([?&][^=&]*password=)[^&]*/gi, '$1***');
}
