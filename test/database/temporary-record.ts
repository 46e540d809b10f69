import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach } from 'vitest';
import { openDatabase, type Database } from '../../src/database/database.ts';

const undo: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const step of undo.splice(0).toReversed()) await step();
});

/** A folder of its own for each test, removed after it. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tollgate-record-'));
  undo.push(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export function temporaryFile(): string {
  return join(temporaryFolder(), 'record.db');
}

/** Opens a record that is closed after the test. */
export async function openRecord(url = temporaryFile(), lockWaitMs?: number): Promise<Database> {
  const database = await openDatabase({ url, lockWaitMs });
  undo.push(() => database.close());
  return database;
}

/** Another program's hands on the file, bound by none of our rules. */
export function openRaw(path: string): DatabaseSync {
  const raw = new DatabaseSync(path, { enableForeignKeyConstraints: false, readBigInts: true });
  undo.push(() => {
    if (raw.isOpen) raw.close();
  });
  return raw;
}
