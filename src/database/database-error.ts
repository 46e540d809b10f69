/** The file is not a database, or a damaged one. Nothing here repairs it: a copy is to be put in its place. */
export class DatabaseCorruptError extends Error {
  override readonly name = 'DatabaseCorruptError';
  readonly path: string;
  constructor(path: string, cause: unknown) {
    super(`${path} is not a usable SQLite database: it is damaged or something else`, { cause });
    this.path = path;
  }
}

/** Another process held the file for longer than the wait allowed. Trying again later may succeed. */
export class DatabaseLockedError extends Error {
  override readonly name = 'DatabaseLockedError';
  readonly path: string;
  constructor(path: string, cause: unknown) {
    super(`${path} is locked by another process`, { cause });
    this.path = path;
  }
}

/** The file cannot be created or written: permissions, a missing folder, a full or failing disk. */
export class DatabaseUnwritableError extends Error {
  override readonly name = 'DatabaseUnwritableError';
  readonly path: string;
  constructor(path: string, why: string, cause?: unknown) {
    super(`${path} cannot be written: ${why}`, { cause });
    this.path = path;
  }
}

/** The tables are not those this program can read, because a newer release made them or a migration failed. */
export class DatabaseSchemaError extends Error {
  override readonly name = 'DatabaseSchemaError';
  readonly path: string;
  constructor(path: string, cause: unknown) {
    super(`the tables of ${path} could not be brought to this release: ${messageOf(cause)}`, { cause });
    this.path = path;
  }
}

export class UnsupportedDatabaseUrlError extends Error {
  override readonly name = 'UnsupportedDatabaseUrlError';
  readonly url: string;
  constructor(url: string) {
    const shown = withoutPassword(url);
    super(`database url "${shown}" is not supported: use sqlite:///path/to/file, sqlite::memory: or a path`);
    this.url = shown;
  }
}

// Result codes of SQLite; the low byte of an extended code is its primary one.
const SQLITE_BUSY = 5;
const SQLITE_LOCKED = 6;
const SQLITE_READONLY = 8;
const SQLITE_IOERR = 10;
const SQLITE_CORRUPT = 11;
const SQLITE_FULL = 13;
const SQLITE_CANTOPEN = 14;
const SQLITE_NOTADB = 26;

/** What SQLite said, as one of the errors above; anything else (a constraint, a bug in a query) as it is. */
export function toDatabaseError(path: string, error: unknown): unknown {
  switch (sqliteCode(error)) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return new DatabaseLockedError(path, error);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return new DatabaseCorruptError(path, error);
    case SQLITE_READONLY:
    case SQLITE_IOERR:
    case SQLITE_FULL:
    case SQLITE_CANTOPEN:
      return new DatabaseUnwritableError(path, messageOf(error), error);
    case undefined:
    default:
      return error;
  }
}

function sqliteCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error)) return undefined;
  return typeof error.errcode === 'number' ? error.errcode & 0xff : undefined;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Errors are logged and shown; a password in a URL is not for either. */
function withoutPassword(url: string): string {
  return url.replace(/^([a-z]+:\/\/[^:@/]*):.*@/i, '$1:***@');
}
