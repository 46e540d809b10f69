import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { inspect } from 'node:util';
import { Client } from 'pg';
import { afterEach } from 'vitest';
import { openDatabase, type Database } from '../../src/database/database.ts';
import { WRITE_LOCK } from '../../src/sql/postgres-dialect.ts';
import { askPostgres, emptyPostgres, returnPostgresRecord, takePostgresRecord } from '../support/postgres.ts';

/** One of the databases that the record is kept in: what holds for one holds for the other. */
export type TestedDatabase = {
  readonly name: 'SQLite' | 'PostgreSQL';
  /** The address of a record of the test's own, gone after it. */
  readonly freshUrl: () => Promise<string>;
  /** The address of a place where no record was made yet. */
  readonly emptyUrl: () => Promise<string>;
  /** Opens a record that is closed after the test; a fresh one where no address is given. */
  readonly openRecord: (url?: string, lockWaitMs?: number) => Promise<Database>;
  /** An empty record that is gone when it is closed: for a test that needs many. */
  readonly openScratch: () => Promise<Database>;
  /** Another program's hands on it, bound by none of our rules. */
  readonly meddle: (url: string, sql: string) => Promise<void>;
  /** How many rows a table has. */
  readonly rowsOf: (url: string, table: string) => Promise<number>;
  /** Another process in the middle of a transaction: of writing a route called `half`, unless it says otherwise. */
  readonly beginToWrite: (url: string, sql?: string) => Promise<{ commit(): Promise<void> }>;
  /** Lets no row into this table until it is called off; the writer's error says `tripped`. */
  readonly trip: (url: string, table: string, when?: string) => Promise<() => Promise<void>>;
};

const HALF = `insert into route (name, limits) values ('half', '{}')`;

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

/** Another program's connection to the file. */
export function openRaw(path: string): DatabaseSync {
  const raw = new DatabaseSync(path, { enableForeignKeyConstraints: false, readBigInts: true });
  undo.push(() => {
    if (raw.isOpen) raw.close();
  });
  return raw;
}

async function open(url: string, lockWaitMs?: number): Promise<Database> {
  const database = await openDatabase({ url, lockWaitMs });
  undo.push(() => database.close());
  return database;
}

export const SQLITE: TestedDatabase = {
  name: 'SQLite',
  freshUrl: async () => temporaryFile(),
  emptyUrl: async () => temporaryFile(),
  openRecord: async (url = temporaryFile(), lockWaitMs?: number) => open(url, lockWaitMs),
  openScratch: () => open('sqlite::memory:'),
  async meddle(url, sql) {
    const raw = openRaw(url);
    raw.exec(`pragma ignore_check_constraints = on; ${sql}`);
    raw.close();
  },
  rowsOf: async (url, table) => {
    const raw = openRaw(url);
    const row = raw.prepare(`select count(*) as rows from ${table}`).get();
    raw.close();
    return Number(row?.['rows']);
  },
  async beginToWrite(url, sql = HALF) {
    const raw = openRaw(url);
    raw.exec(`begin immediate; ${sql}`);
    return { commit: async () => raw.exec('commit') };
  },
  async trip(url, table, when = '') {
    const condition = when === '' ? '' : `when ${when}`;
    const raw = openRaw(url);
    raw.exec(
      `create trigger trip before insert on ${table} ${condition} begin select raise(abort, 'tripped'); end`,
    );
    return async () => raw.exec('drop trigger trip');
  },
};

/** Which of a test's own have been meddled with: they are no longer what the next test may find. */
const spoilt = new Set<string>();

async function takeRecord(): Promise<string> {
  const url = await takePostgresRecord();
  undo.push(async () => {
    if (!spoilt.delete(url)) await returnPostgresRecord(url);
  });
  return url;
}

export const POSTGRES: TestedDatabase = {
  name: 'PostgreSQL',
  freshUrl: takeRecord,
  emptyUrl: () => emptyPostgres(),
  openRecord: async (url?: string, lockWaitMs?: number) => open(url ?? (await takeRecord()), lockWaitMs),
  async openScratch() {
    const url = await takePostgresRecord();
    const database = await openDatabase({ url });
    let closed: Promise<void> | undefined;
    const close = (): Promise<void> => (closed ??= database.close().then(() => returnPostgresRecord(url)));
    undo.push(close);
    return { ...database, close };
  },
  async meddle(url, sql) {
    spoilt.add(url);
    await askPostgres(
      url,
      `set session_replication_role = replica;
       alter table transfer drop constraint transfer_amount, drop constraint transfer_sides;
       ${sql}`,
    );
  },
  rowsOf: async (url, table) => {
    const [row] = await askPostgres(url, `select count(*) as rows from ${table}`);
    return Number(row?.['rows']);
  },
  async beginToWrite(url, sql = HALF) {
    const client = new Client({ connectionString: url });
    await client.connect();
    undo.push(() => client.end());
    await client.query(`begin; select pg_advisory_xact_lock(${WRITE_LOCK}); ${sql}`);
    return { commit: async () => void (await client.query('commit')) };
  },
  async trip(url, table, when = 'true') {
    spoilt.add(url);
    await askPostgres(
      url,
      `create function trip() returns trigger language plpgsql as
         $$ begin raise exception 'tripped'; end $$;
       create trigger trip before insert on ${table} for each row when (${when}) execute function trip()`,
    );
    return async () => void (await askPostgres(url, `drop trigger trip on ${table}`));
  },
};

/** Every row of every table, as text: what changes nothing leaves it as it was. */
export async function dumpOf(url: string): Promise<Readonly<Record<string, readonly string[]>>> {
  const [names, rowsIn] = url.startsWith('postgres')
    ? dumpers(
        (sql) => askPostgres(url, sql),
        "select tablename as name from pg_tables where schemaname = 'public'",
      )
    : dumpers(
        async (sql) => openRaw(url).prepare(sql).all(),
        "select name from sqlite_master where type = 'table'",
      );
  const tables: Record<string, readonly string[]> = {};
  for (const name of await names()) tables[name] = await rowsIn(name);
  return tables;
}

function dumpers(
  ask: (sql: string) => Promise<readonly Readonly<Record<string, unknown>>[]>,
  tables: string,
): readonly [() => Promise<readonly string[]>, (table: string) => Promise<readonly string[]>] {
  return [
    async () => (await ask(tables)).map(({ name }) => String(name)).toSorted(),
    async (table) => (await ask(`select * from "${table}"`)).map((row) => inspect(row)).toSorted(),
  ];
}

export const DATABASES = [SQLITE, POSTGRES] as const;
