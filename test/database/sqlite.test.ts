import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openDatabase } from '../../src/database/database.ts';
import { openSqlite } from '../../src/sql/sqlite-dialect.ts';
import { settlementOf, topupOf } from '../records/samples.ts';
import { openRaw, SQLITE, temporaryFile, temporaryFolder } from './databases.ts';

const { openRecord } = SQLITE;

describe('the record in a file of SQLite', () => {
  it('makes the tables in an empty file, once, and finds what was written after opening again', async () => {
    const path = temporaryFile();
    const first = await openRecord(`sqlite://${path}`);
    await first.records.writeBatch({ settlements: [settlementOf({ leg: 'l1' })], decisions: [] });
    await first.close();
    const tables = schemaOf(path);

    const second = await openRecord(path);
    expect(await second.records.counts()).toEqual({ cdrs: 1, charges: 1, transfers: 1, decisions: 0 });
    await second.close();
    expect(schemaOf(path)).toEqual(tables);
    for (const table of ['account', 'route', 'tariff', 'rate', 'cdr', 'charge', 'transfer', 'decision']) {
      expect(tables.find(({ name }) => name === table)?.sql).toContain('strict');
    }
  });

  it('keeps a record in memory only when asked', async () => {
    const database = await openRecord('sqlite::memory:');
    expect(await database.records.insertTransfer(topupOf({}))).toBe('inserted');
    expect((await database.records.counts()).transfers).toBe(1);
  });

  it('refuses a database it does not know, naming it without its password', async () => {
    await expect(openDatabase({ url: 'mysql://tollgate:s3cret@db/tollgate' })).rejects.toMatchObject({
      name: 'UnsupportedDatabaseUrlError',
      url: 'mysql://tollgate:***@db/tollgate',
      message: expect.not.stringContaining('s3cret'),
    });
    await expect(openDatabase({ url: 'sqlite://host/path' })).rejects.toMatchObject({
      name: 'UnsupportedDatabaseUrlError',
    });
    await expect(openDatabase({ url: '' })).rejects.toMatchObject({ name: 'UnsupportedDatabaseUrlError' });
  });

  it('names the file it cannot write', async () => {
    const folder = temporaryFolder();
    const missing = join(folder, 'nowhere', 'record.db');
    await expect(openDatabase({ url: missing })).rejects.toMatchObject({
      name: 'DatabaseUnwritableError',
      database: missing,
    });
    mkdirSync(join(folder, 'a-folder'));
    await expect(openDatabase({ url: join(folder, 'a-folder') })).rejects.toMatchObject({
      name: 'DatabaseUnwritableError',
      database: join(folder, 'a-folder'),
    });
    writeFileSync(join(folder, 'a-file'), '');
    await expect(openDatabase({ url: join(folder, 'a-file', 'record.db') })).rejects.toMatchObject({
      name: 'DatabaseUnwritableError',
    });
  });

  it('names the file that is no database, and leaves it as it was', async () => {
    const path = temporaryFile();
    const letter = 'this is a letter, not a database\n'.repeat(100);
    writeFileSync(path, letter);
    await expect(openDatabase({ url: path })).rejects.toMatchObject({
      name: 'DatabaseCorruptError',
      database: path,
    });
    expect(readFileSync(path, 'utf8')).toBe(letter);
  });

  it('names a damaged file', async () => {
    const path = temporaryFile();
    await (await openRecord(path)).close();
    const bytes = readFileSync(path);
    writeFileSync(path, bytes.fill(0x55, 100, bytes.length));
    await expect(openDatabase({ url: path })).rejects.toMatchObject({
      name: 'DatabaseCorruptError',
      database: path,
    });
  });

  it('loses nothing to a power failure once a write has resolved', async () => {
    const path = temporaryFile();
    const database = await openRecord(path);
    await database.records.insertTransfer(topupOf({}));
    const raw = openRaw(path);
    expect(raw.prepare('pragma journal_mode').get()).toEqual({ journal_mode: 'wal' });
    const connection = await openSqlite({ path, lockWaitMs: 0 });
    expect(connection.prepare('pragma synchronous').get()).toEqual({ synchronous: 2n });
    connection.close();
  });
});

function schemaOf(path: string): readonly { readonly name: string; readonly sql: string }[] {
  const raw = openRaw(path);
  const rows = raw.prepare(`select name, sql from sqlite_schema where sql is not null order by name`).all();
  raw.close();
  return rows.map((row) => ({ name: String(row['name']), sql: String(row['sql']) }));
}
