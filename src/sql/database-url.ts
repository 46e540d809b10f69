import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UnsupportedDatabaseUrlError } from './database-error.ts';

/** Where the record is: a file of SQLite, or a database of a PostgreSQL server. */
export type DatabasePlace =
  | { readonly kind: 'sqlite'; readonly path: string }
  | { readonly kind: 'postgres'; readonly url: string };

export const MEMORY = ':memory:';

/**
 * `sqlite:///absolute/path`, `sqlite:relative/path`, `sqlite::memory:` or a plain path; `postgres://` or
 * `postgresql://`. Throws an UnsupportedDatabaseUrlError for anything else.
 */
export function parseDatabaseUrl(url: string): DatabasePlace {
  if (/^postgres(?:ql)?:\/\//i.test(url)) return { kind: 'postgres', url };
  return { kind: 'sqlite', path: pathOfUrl(url) };
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
