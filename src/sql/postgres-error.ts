import { DatabaseError } from 'pg';
import {
  DatabaseAccessError,
  DatabaseCorruptError,
  DatabaseLockedError,
  DatabaseUnavailableError,
  DatabaseUnwritableError,
  isDatabaseError,
  messageOf,
} from './database-error.ts';

// Codes of PostgreSQL: the first two characters are their class.
const CONNECTION = '08';
const LOGIN = '28';
const RESOURCES = '53';
const INTERVENTION = '57';
const SYSTEM = '58';
const DAMAGE = 'XX';
const DISK_FULL = '53100';
const READ_ONLY = '25006';
const IDLE_IN_TRANSACTION = '25P03';
const NO_SUCH_DATABASE = '3D000';
const NO_RIGHT = '42501';
const SERIALIZATION = '40001';
const DEADLOCK = '40P01';
const LOCK_NOT_AVAILABLE = '55P03';
const DAMAGED = new Set(['XX001', 'XX002']);

/**
 * What PostgreSQL or the way to it said, as an operating error of the database. What is about the content of a
 * query (a constraint, a value, a bug) stays as it is.
 */
export function namePostgresError(database: string, error: unknown): unknown {
  if (error instanceof DatabaseError) return nameServerError(database, error);
  // Of a parameter that cannot be sent, or ours already.
  if (error instanceof TypeError || error instanceof RangeError || isDatabaseError(error)) return error;
  // What `pg` says where the server asks for a password and there is none, or proves to be another server.
  if (error instanceof Error && error.message.startsWith('SASL')) {
    return new DatabaseAccessError(database, error.message, error);
  }
  return new DatabaseUnavailableError(database, reasonOf(error), error);
}

function nameServerError(database: string, error: DatabaseError): Error {
  const { code = '', message } = error;
  switch (code) {
    case LOCK_NOT_AVAILABLE:
    case DEADLOCK:
    case SERIALIZATION:
      return new DatabaseLockedError(database, error);
    case DISK_FULL:
    case READ_ONLY:
      return new DatabaseUnwritableError(database, message, error);
    case NO_SUCH_DATABASE:
    case NO_RIGHT:
      return new DatabaseAccessError(database, message, error);
    case IDLE_IN_TRANSACTION:
      return new DatabaseUnavailableError(database, message, error);
    default:
      return nameByClass(database, error);
  }
}

function nameByClass(database: string, error: DatabaseError): Error {
  const { code = '', message } = error;
  switch (code.slice(0, 2)) {
    case LOGIN:
      return new DatabaseAccessError(database, message, error);
    case CONNECTION:
    case RESOURCES:
    case INTERVENTION:
      return new DatabaseUnavailableError(database, message, error);
    case SYSTEM:
      return new DatabaseUnwritableError(database, message, error);
    case DAMAGE:
      return DAMAGED.has(code) ? new DatabaseCorruptError(database, message, error) : error;
    default:
      return error;
  }
}

/** A host with several addresses fails with one error for each of them, and no message of its own. */
function reasonOf(error: unknown): string {
  if (!(error instanceof AggregateError)) return messageOf(error);
  return error.errors.map(messageOf).join('; ');
}
