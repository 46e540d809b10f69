import { openDatabase, type DatabaseOptions } from './database.ts';
import { parseDatabaseUrl } from '../sql/database-url.ts';
import { openThreadedWriter, type BatchWriter } from './threaded-writer.ts';

/**
 * The writer of what the streams bring, which must hold up nothing else. SQLite commits synchronously, so its
 * writer has a thread of its own; PostgreSQL commits elsewhere, and needs a connection that no reader takes.
 */
export async function openBackgroundWriter(options: DatabaseOptions): Promise<BatchWriter> {
  if (parseDatabaseUrl(options.url).kind === 'sqlite') return await openThreadedWriter(options);
  const { records, close } = await openDatabase({ ...options, connectionsMax: 1 });
  return { writeBatch: (batch) => records.writeBatch(batch), close };
}
