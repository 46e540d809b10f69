import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openDatabase } from '../../src/database/database.ts';
import { openSqlite } from '../../src/database/sqlite-dialect.ts';
import { NOON, settlementOf, topupOf } from '../records/samples.ts';
import { openRaw, openRecord, temporaryFile, temporaryFolder } from './temporary-record.ts';

describe('opening the record', () => {
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

  it('can be opened by two at once while the tables are made', async () => {
    const path = temporaryFile();
    const [one, other] = await Promise.all([openRecord(path), openRecord(path)]);
    await one.records.insertTransfer(topupOf({}));
    expect(await other.records.transfer('topup:1')).toEqual(topupOf({}));
  });

  it('keeps a record in memory only when asked', async () => {
    const database = await openRecord('sqlite::memory:');
    expect(await database.records.insertTransfer(topupOf({}))).toBe('inserted');
    expect((await database.records.counts()).transfers).toBe(1);
  });

  it('refuses a database it does not know, naming it without its password', async () => {
    await expect(openDatabase({ url: 'postgres://tollgate:s3cret@db/tollgate' })).rejects.toMatchObject({
      name: 'UnsupportedDatabaseUrlError',
      url: 'postgres://tollgate:***@db/tollgate',
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
      path: missing,
    });
    mkdirSync(join(folder, 'a-folder'));
    await expect(openDatabase({ url: join(folder, 'a-folder') })).rejects.toMatchObject({
      name: 'DatabaseUnwritableError',
      path: join(folder, 'a-folder'),
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
    await expect(openDatabase({ url: path })).rejects.toMatchObject({ name: 'DatabaseCorruptError', path });
    expect(readFileSync(path, 'utf8')).toBe(letter);
  });

  it('names a damaged file', async () => {
    const path = temporaryFile();
    await (await openRecord(path)).close();
    const bytes = readFileSync(path);
    writeFileSync(path, bytes.fill(0x55, 100, bytes.length));
    await expect(openDatabase({ url: path })).rejects.toMatchObject({ name: 'DatabaseCorruptError', path });
  });

  it('refuses tables that a later release made', async () => {
    const path = temporaryFile();
    await (await openRecord(path)).close();
    const raw = openRaw(path);
    raw.exec(`insert into kysely_migration (name, timestamp) values ('9999-later', '')`);
    raw.close();
    await expect(openDatabase({ url: path })).rejects.toMatchObject({ name: 'DatabaseSchemaError', path });
  });

  it('closes as often as it is asked to', async () => {
    const database = await openRecord();
    await Promise.all([database.close(), database.close()]);
    await expect(database.close()).resolves.toBeUndefined();
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

describe('two at one file', () => {
  it('waits for the other writer, and goes on with its own work meanwhile', async () => {
    const path = temporaryFile();
    const database = await openRecord(path);
    const other = openRaw(path);
    other.exec('begin immediate');
    let turns = 0;
    const turning = setInterval(() => (turns += 1), 10);
    const writing = database.records.insertTransfer(topupOf({ at: NOON }));
    setTimeout(() => other.exec('commit'), 300);
    expect(await writing).toBe('inserted');
    clearInterval(turning);
    expect(turns).toBeGreaterThan(2);
  });

  it('gives up after its wait, naming the file, and writes when asked again', async () => {
    const path = temporaryFile();
    const database = await openRecord(path, 200);
    const other = openRaw(path);
    other.exec('begin immediate');
    await expect(database.records.insertTransfer(topupOf({}))).rejects.toMatchObject({
      name: 'DatabaseLockedError',
      path,
    });
    other.exec('commit');
    expect(await database.records.insertTransfer(topupOf({}))).toBe('inserted');
  });

  it('reads while another writes, and sees only what is committed', async () => {
    const path = temporaryFile();
    const database = await openRecord(path);
    const other = openRaw(path);
    other.exec('begin immediate');
    other.exec(`insert into route (name, limits) values ('half', '{}')`);
    expect((await database.accounts.loadAll()).routes).toEqual([]);
    other.exec('commit');
    expect((await database.accounts.loadAll()).routes).toHaveLength(1);
  });
});

function schemaOf(path: string): readonly { readonly name: string; readonly sql: string }[] {
  const raw = openRaw(path);
  const rows = raw.prepare(`select name, sql from sqlite_schema where sql is not null order by name`).all();
  raw.close();
  return rows.map((row) => ({ name: String(row['name']), sql: String(row['sql']) }));
}
