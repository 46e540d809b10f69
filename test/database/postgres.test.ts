import { once } from 'node:events';
import { createServer } from 'node:net';
import { types } from 'pg';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openDatabase, type Database, type DatabaseOptions } from '../../src/database/database.ts';
import { freePort } from '../../src/servers/free-port.ts';
import { until } from '../feed/until.ts';
import type { RouteName } from '../../src/units/ids.ts';
import { account, NOON, settlementOf, topupOf } from '../records/samples.ts';
import { askPostgres, emptyPostgres, ownPostgres } from '../support/postgres.ts';
import { POSTGRES } from './databases.ts';
import { openSilenceableProxy } from './silenceable-proxy.ts';

const { freshUrl, openRecord } = POSTGRES;
const NOTHING = { cdrs: 0, charges: 0, transfers: 0, decisions: 0 };

async function opened(options: DatabaseOptions): Promise<Database> {
  const database = await openDatabase(options);
  onTestFinished(() => database.close());
  return database;
}

const batchOf = (leg: string) => ({ settlements: [settlementOf({ leg })], decisions: [] });

describe('a PostgreSQL that cannot be used', () => {
  it('because nobody listens there is named, without its password', async () => {
    const url = `postgres://tollgate:s3cret@127.0.0.1:${await freePort()}/record?sslmode=disable`;
    const name = url.replace(':s3cret', '').replace('?sslmode=disable', '');
    await expect(openDatabase({ url })).rejects.toMatchObject({
      name: 'DatabaseUnavailableError',
      database: name,
      message: expect.stringMatching(new RegExp(`^${name} cannot be reached: .*ECONNREFUSED`)),
    });
  });

  it('because what listens there never answers is given up in time', async () => {
    const mute = createServer().listen(0, '127.0.0.1');
    onTestFinished(() => void mute.close());
    await once(mute, 'listening');
    const { port } = mute.address() as { readonly port: number };
    const url = `postgres://tollgate@127.0.0.1:${port}/record`;
    await expect(openDatabase({ url, connectTimeoutMs: 100 })).rejects.toMatchObject({
      name: 'DatabaseUnavailableError',
      message: expect.stringContaining('timeout'),
    });
  });

  it('because the password is wrong, or missing, is told apart from one that is down', async () => {
    const url = await freshUrl();
    await askPostgres(
      url,
      `do $$ begin create role guarded login password 'right'; exception when duplicate_object then end $$`,
    );
    for (const user of ['guarded:s3cret', 'guarded', 'nobody:s3cret']) {
      const refused: unknown = await openDatabase({ url: url.replace('tollgate', user) }).catch(
        (error: unknown) => error,
      );
      expect(refused).toMatchObject({ name: 'DatabaseAccessError' });
      expect(JSON.stringify([refused, String(refused)])).not.toContain('s3cret');
    }
  });

  it('because the database does not exist is named', async () => {
    const url = (await freshUrl()).replace(/[^/]+$/, 'nowhere');
    await expect(openDatabase({ url })).rejects.toMatchObject({
      name: 'DatabaseAccessError',
      message: expect.stringContaining('database "nowhere" does not exist'),
    });
  });

  it('because a name from abroad could not be written into it is refused', async () => {
    const url = await emptyPostgres(`encoding 'SQL_ASCII' locale 'C'`);
    await expect(openDatabase({ url })).rejects.toMatchObject({
      name: 'DatabaseSchemaError',
      message: expect.stringContaining('UTF8'),
    });
  });

  it('because we may not write is told as that', async () => {
    const url = await emptyPostgres();
    const database = await openRecord(url);
    await askPostgres(url, `alter database ${url.slice(url.lastIndexOf('/') + 1)} set role pg_monitor`);
    const stranger = await openRecord(url).catch((error: unknown) => error);
    expect(stranger).toMatchObject({ name: 'DatabaseAccessError' });
    expect(await database.records.insertTransfer(topupOf({}))).toBe('inserted');
  });
});

describe('a PostgreSQL as its operator has set it', () => {
  it('sorts keys byte by byte, in whatever way it sorts other names', async (context) => {
    const url = await freshUrl();
    const { records } = await openRecord(url);
    const [row] = await askPostgres(url, `select 'B' < 'a' as bytewise`);
    if (row?.['bytewise'] === true)
      context.skip('needs a PostgreSQL that can sort as people do: 15, with ICU');
    const names = ['Z', 'a', 'é', 'B', '-', '/', '0'];
    for (const name of names) {
      await records.insertTransfer(topupOf({ id: name, credit: `wallet:${name}` }));
    }
    const wallets = await Array.fromAsync(records.walletBalances());
    expect(wallets.map(({ ledger }) => ledger)).toEqual(
      ['-', '/', '0', 'B', 'Z', 'a', 'é'].map((name) => `wallet:${name}`),
    );
  });

  it('gives integers as bigints to us, and to others as they had them', async () => {
    const { records } = await openRecord();
    await records.writeBatch(batchOf('l1'));
    const cdr = await records.cdr(settlementOf({ leg: 'l1' }).cdr.legUuid);
    expect(cdr).toEqual(settlementOf({ leg: 'l1' }).cdr);
    expect(types.getTypeParser(types.builtins.INT8)('1')).toBe('1');
  });

  it('writes no record twice and no revision either, whatever a transaction is by default', async () => {
    const url = await emptyPostgres();
    const name = url.slice(url.lastIndexOf('/') + 1);
    await askPostgres(
      url,
      `alter database ${name} set default_transaction_isolation = 'repeatable read';
       alter database ${name} set default_transaction_read_only = on;
       alter database ${name} set synchronous_commit = off`,
    );
    const databases = [await openRecord(url), await openRecord(url), await openRecord(url)];
    const outcomes = await Promise.all(
      databases.flatMap(({ records }) => Array.from({ length: 5 }, () => records.writeBatch(batchOf('l1')))),
    );
    expect(outcomes.filter(({ inserted }) => inserted.cdrs === 1)).toHaveLength(1);
    expect(outcomes.filter(({ already }) => already.cdrs === 1)).toHaveLength(14);
    expect(outcomes.flatMap(({ conflicts }) => conflicts)).toEqual([]);
  });

  it('has on its disk what it says is written', async () => {
    const url = await emptyPostgres();
    const name = url.slice(url.lastIndexOf('/') + 1);
    await askPostgres(url, `alter database ${name} set synchronous_commit = off`);
    const { records } = await openRecord(url);
    await POSTGRES.trip(url, 'transfer', `current_setting('synchronous_commit') <> 'on'`);
    expect(await records.insertTransfer(topupOf({}))).toBe('inserted');
  });

  it('gives up a statement that takes too long, and answers the next', async () => {
    const url = await freshUrl();
    const { records } = await opened({ url, statementTimeoutMs: 100 });
    const other = await POSTGRES.beginToWrite(url, 'lock table cdr in access exclusive mode');
    await expect(records.counts()).rejects.toMatchObject({
      name: 'DatabaseUnavailableError',
      message: expect.stringContaining('statement timeout'),
    });
    await other.commit();
    expect(await records.counts()).toEqual(NOTHING);
  });

  it('has no more connections of ours than we said', async () => {
    const url = await freshUrl();
    const { records } = await opened({ url, connectionsMax: 2 });
    await Promise.all(Array.from({ length: 20 }, () => records.counts()));
    const [row] = await askPostgres(
      url,
      `select count(*) as ours from pg_stat_activity
         where datname = current_database() and application_name = 'tollgate'`,
    );
    expect(row).toEqual({ ours: '2' });
  });
});

describe('a PostgreSQL that goes away', () => {
  it('in the middle of a transaction has kept nothing of it, and takes it when it is offered again', async () => {
    const url = await freshUrl();
    const { records } = await openRecord(url);
    const callOff = await POSTGRES.trip(url, 'transfer', 'pg_terminate_backend(pg_backend_pid())');
    await expect(records.writeBatch(batchOf('l1'))).rejects.toMatchObject({
      name: 'DatabaseUnavailableError',
      message: expect.stringContaining('terminating connection'),
    });
    await callOff();
    expect(await records.counts()).toEqual(NOTHING);
    expect((await records.writeBatch(batchOf('l1'))).inserted.cdrs).toBe(1);
  });

  it('between two questions is asked again on another connection', async () => {
    const url = await freshUrl();
    const { records } = await openRecord(url);
    await Promise.all([records.counts(), records.counts(), records.counts()]);
    await askPostgres(
      url,
      `select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and pid <> pg_backend_pid()`,
    );
    await until(async () => {
      try {
        await records.counts();
        return true;
      } catch (error) {
        if (error instanceof Error && error.name === 'DatabaseUnavailableError') return false;
        throw error;
      }
    }, 'a connection that lives');
    expect(await records.counts()).toEqual(NOTHING);
  });

  it('in mid-write by a crash has what it said it has, whole, and goes on when it is back', async () => {
    const postgres = await ownPostgres();
    const { records } = await opened({ url: postgres.url('postgres'), connectTimeoutMs: 2_000 });
    let acknowledged = 0;
    let failed = 0;
    const turn = { done: false };
    const writing = (async () => {
      for (let batch = 0; !turn.done; batch += 1) {
        const settlements = [0, 1, 2].map((number) => settlementOf({ leg: `l${batch}-${number}` }));
        await records.writeBatch({ settlements, decisions: [] }).then(
          () => (acknowledged += 1),
          (error: unknown) => {
            expect(error).toMatchObject({ name: expect.stringMatching(/^Database/) });
            failed += 1;
          },
        );
      }
    })();
    for (const end of ['crash', 'stop', 'crash']) {
      const before = acknowledged;
      await until(() => acknowledged > before + 10, 'batches before the end');
      if (end === 'crash') await postgres.crash();
      await postgres.restart();
    }
    const before = acknowledged;
    await until(() => acknowledged > before + 10, 'batches after it', 20_000);
    turn.done = true;
    await writing;
    const counts = await records.counts();
    expect(failed).toBeGreaterThan(0);
    expect(counts.cdrs).toBeGreaterThanOrEqual(acknowledged * 3);
    expect(counts.cdrs % 3).toBe(0);
    expect(counts).toEqual({ ...counts, charges: counts.cdrs, transfers: counts.cdrs });
  });

  it('without a word is given up in time, asked again on another way, and does not hold up the end', async () => {
    const url = await freshUrl();
    const proxy = await openSilenceableProxy(url);
    const database = await opened({ url: proxy.url, statementTimeoutMs: 100, connectTimeoutMs: 500 });
    const { records } = database;
    expect(await records.insertTransfer(topupOf({}))).toBe('inserted');
    proxy.silence();
    await expect(records.insertTransfer(topupOf({ id: 'topup:2' }))).rejects.toMatchObject({
      name: 'DatabaseUnavailableError',
    });
    proxy.speak();
    expect(await records.insertTransfer(topupOf({ id: 'topup:3' }))).toBe('inserted');
    proxy.silence();
    const unheard = records.balance('wallet:acme/alice', 'EUR').catch((error: unknown) => error);
    await database.close();
    expect(await unheard).toMatchObject({ name: 'DatabaseUnavailableError' });
  });
});

describe('many at one PostgreSQL', () => {
  it('count every change of the accounts once', async () => {
    const url = await freshUrl();
    const [one, other] = [await openRecord(url), await openRecord(url)];
    const unset = {
      operator: {},
      customer: {},
      tariffs: [],
      defaults: undefined,
      numbering: undefined,
      walletCurrency: undefined,
    };
    const verdicts = await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        (n % 2 === 0 ? one : other).accounts.saveAccount({ ...unset, path: account(`root${n}`) }),
      ),
    );
    const revisions = verdicts.map((verdict) => (verdict.kind === 'saved' ? verdict.revision : 0));
    expect(revisions.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, n) => n + 1));
  });

  it('read a tree of one moment, while it is changed', async () => {
    const url = await freshUrl();
    const [writer, reader] = [await openRecord(url), await openRecord(url)];
    const turn = { done: false };
    const writing = (async () => {
      for (let n = 1; n <= 40; n += 1) {
        await writer.records.insertTransfer(topupOf({ id: `t${n}`, at: NOON }));
        await writer.accounts.saveRoute({ name: `r${n}` as RouteName, limits: {} });
      }
      turn.done = true;
    })();
    while (!turn.done) {
      const { revision, routes } = await reader.accounts.loadAll();
      expect(routes).toHaveLength(revision);
    }
    await writing;
  });
});
