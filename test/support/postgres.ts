import { Client } from 'pg';
import { afterAll, inject, onTestFinished, TestRunner } from 'vitest';
import { startPostgres, type StartedPostgres } from '../../src/servers/postgres-server.ts';
import { TEMPLATE, type PostgresAnswer } from './postgres-setup.ts';

let answer: Promise<PostgresAnswer> | undefined;
let administrator: Promise<Client> | undefined;
let databases = 0;
/** Emptied, for the next test of this file. */
const free: string[] = [];

// Registered when a test file imports this. The server itself ends with the run.
afterAll(async () => {
  await (await administrator)?.end();
});

/** The addresses of the run's PostgreSQL; where there can be none the test is skipped, with the reason. */
async function postgresBase(): Promise<string> {
  answer ??= fetch(inject('postgresDesk')).then(async (response) => {
    if (!response.ok) throw new Error(await response.text());
    return (await response.json()) as PostgresAnswer;
  });
  const given = await answer;
  return given.kind === 'server' ? given.base : skipTest(given.why);
}

/** A server for one test, which may end it. */
export async function ownPostgres(): Promise<StartedPostgres> {
  // Whether there can be one at all is known of the run's.
  await postgresBase();
  const started = await startPostgres();
  if (started.kind === 'none') return skipTest(started.why);
  onTestFinished(() => started.stop());
  return started;
}

function skipTest(why: string): never {
  const test = TestRunner.getCurrentTest();
  if (test === undefined) throw new Error(`no PostgreSQL: ${why}`);
  return test.context.skip(`needs PostgreSQL: ${why}`);
}

/** A database that holds an empty record. Give it back when nobody is connected to it any more. */
export async function takePostgresRecord(): Promise<string> {
  const base = await postgresBase();
  return free.pop() ?? `${base}${await createDatabase(TEMPLATE)}`;
}

/** For the next test, which finds it empty. One that was left otherwise than empty tables is not given back. */
export async function returnPostgresRecord(url: string): Promise<void> {
  await askPostgres(
    url,
    `do $$ declare names text; begin
       select string_agg(quote_ident(tablename), ', ') into names from pg_tables
         where schemaname = 'public' and tablename not like 'kysely%' and tablename <> 'identity';
       execute 'truncate ' || names;
     end $$`,
  );
  free.push(url);
}

/** A database with nothing in it. `options` as `create database` has them. */
export async function emptyPostgres(options = ''): Promise<string> {
  return `${await postgresBase()}${await createDatabase('template0', options)}`;
}

/** Its rows; values as the driver gives them by itself. */
export async function askPostgres(
  url: string,
  sql: string,
): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const client = new Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

async function createDatabase(template: string, options = ''): Promise<string> {
  const base = await postgresBase();
  administrator ??= new Client({ connectionString: `${base}postgres` }).connect();
  databases += 1;
  const name = `test_${process.pid}_${databases}`;
  await (await administrator).query(`create database ${name} template ${template} ${options}`);
  return name;
}
