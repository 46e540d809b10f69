import { describe, expect, it } from 'vitest';
import { openDatabase } from '../../src/database/database.ts';
import { NOON, topupOf } from '../records/samples.ts';
import { DATABASES } from './databases.ts';

describe.each(DATABASES)('the record on $name', ({ openRecord, freshUrl, emptyUrl, meddle }) => {
  it('can be opened by several at once while its tables are made', async () => {
    const url = await emptyUrl();
    const [one, other] = await Promise.all([openRecord(url), openRecord(url), openRecord(url)]);
    await one.records.insertTransfer(topupOf({}));
    expect(await other.records.transfer('topup:1')).toEqual(topupOf({}));
  });

  it('refuses tables that a later release made', async () => {
    const url = await freshUrl();
    await (await openRecord(url)).close();
    await meddle(url, `insert into kysely_migration (name, timestamp) values ('9999-later', '2030-01-01')`);
    await expect(openDatabase({ url })).rejects.toMatchObject({
      name: 'DatabaseSchemaError',
      message: expect.stringContaining('9999-later'),
      database: expect.stringContaining(url.slice(url.lastIndexOf('/'))),
    });
  });

  it('closes as often as it is asked to', async () => {
    const database = await openRecord();
    await Promise.all([database.close(), database.close()]);
    await expect(database.close()).resolves.toBeUndefined();
  });
});

describe.each(DATABASES)('two at one record on $name', ({ openRecord, freshUrl, beginToWrite }) => {
  it('wait for one another, and go on with their own work meanwhile', async () => {
    const url = await freshUrl();
    const database = await openRecord(url);
    const other = await beginToWrite(url);
    let turns = 0;
    const turning = setInterval(() => (turns += 1), 10);
    const writing = database.records.insertTransfer(topupOf({ at: NOON }));
    setTimeout(() => void other.commit(), 300);
    expect(await writing).toBe('inserted');
    clearInterval(turning);
    expect(turns).toBeGreaterThan(2);
  });

  it('give up after their wait, naming the record, and write when asked again', async () => {
    const url = await freshUrl();
    const database = await openRecord(url, 200);
    const other = await beginToWrite(url);
    await expect(database.records.insertTransfer(topupOf({}))).rejects.toMatchObject({
      name: 'DatabaseLockedError',
      database: url,
    });
    await other.commit();
    expect(await database.records.insertTransfer(topupOf({}))).toBe('inserted');
  });

  it('read and open it while another writes, and see only what is committed', async () => {
    const url = await freshUrl();
    await (await openRecord(url)).close();
    const other = await beginToWrite(url);
    const database = await openRecord(url, 0);
    expect((await database.accounts.loadAll()).routes).toEqual([]);
    await other.commit();
    expect((await database.accounts.loadAll()).routes).toHaveLength(1);
  });
});
