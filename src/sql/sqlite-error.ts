import {
  DatabaseCorruptError,
  DatabaseLockedError,
  DatabaseUnwritableError,
  messageOf,
} from './database-error.ts';

// Result codes of SQLite; the low byte of an extended code is its primary one.
const SQLITE_BUSY = 5;
const SQLITE_LOCKED = 6;
const SQLITE_READONLY = 8;
const SQLITE_IOERR = 10;
const SQLITE_CORRUPT = 11;
const SQLITE_FULL = 13;
const SQLITE_CANTOPEN = 14;
const SQLITE_NOTADB = 26;

/** What SQLite said, as an operating error of the file; anything else (a constraint, a bug in a query) as it is. */
export function nameSqliteError(path: string, error: unknown): unknown {
  switch (sqliteCode(error)) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return new DatabaseLockedError(path, error);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return new DatabaseCorruptError(path, 'it is damaged, or no SQLite file', error);
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
