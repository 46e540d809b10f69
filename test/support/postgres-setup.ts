import { once } from 'node:events';
import { createServer } from 'node:http';
import { Client } from 'pg';
import type { TestProject } from 'vitest/node';
import { openDatabase } from '../../src/database/database.ts';
import { startPostgres, type StartedPostgres } from '../../src/servers/postgres-server.ts';

declare module 'vitest' {
  interface ProvidedContext {
    postgresDesk: string;
  }
}

/** What the desk answers. `base`: the address of a database, but for its name. */
export type PostgresAnswer =
  | { readonly kind: 'server'; readonly base: string }
  | { readonly kind: 'none'; readonly why: string };

/** An empty record, from which those of the tests are copied. */
export const TEMPLATE = 'template_record';

/** A desk where test files ask for the one PostgreSQL of the run: it is started for the first that asks. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  let started: StartedPostgres | undefined;
  let answer: Promise<PostgresAnswer> | undefined;
  const start = async (): Promise<PostgresAnswer> => {
    const postgres = await startPostgres();
    if (postgres.kind === 'none') {
      process.stderr.write(`NO POSTGRESQL: ${postgres.why}; its tests are skipped\n`);
      return postgres;
    }
    started = postgres;
    await makeTemplate(postgres);
    process.stderr.write(`PostgreSQL ${postgres.version} at ${postgres.url('postgres')}\n`);
    return { kind: 'server', base: postgres.url('') };
  };
  const desk = createServer((_, response) => {
    answer ??= start();
    answer.then(
      (given) => response.end(JSON.stringify(given)),
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  });
  desk.listen(0, '127.0.0.1');
  await once(desk, 'listening');
  const address = desk.address();
  if (address === null || typeof address === 'string') throw new Error('a desk has a port');
  project.provide('postgresDesk', `http://127.0.0.1:${address.port}`);
  return async () => {
    desk.close();
    desk.closeAllConnections();
    await answer?.catch(() => undefined);
    await started?.stop();
  };
}

/** In English, where a server can: there names are not sorted byte by byte, unless a column says so. */
async function makeTemplate(postgres: StartedPostgres): Promise<void> {
  const client = new Client({ connectionString: postgres.url('postgres') });
  await client.connect();
  try {
    const made = `create database ${TEMPLATE} template template0 encoding 'UTF8' locale 'C'`;
    await client.query(`${made} locale_provider icu icu_locale 'en-US'`).catch(() => client.query(made));
  } finally {
    await client.end();
  }
  const record = await openDatabase({ url: postgres.url(TEMPLATE) });
  await record.close();
}
