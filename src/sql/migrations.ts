import { randomUUID } from 'node:crypto';
import { sql, type CreateTableBuilder, type Kysely, type RawBuilder } from 'kysely';
import { DEFAULT_MIGRATION_TABLE, Migrator, type Migration } from 'kysely/migration';
import { DatabaseSchemaError, isDatabaseError } from './database-error.ts';
import type { Schema } from './schema.ts';
import { makeSwitchTables } from './switch-schema.ts';

/** What a dialect calls the few things that tables are made of. */
export type DialectTypes = {
  readonly integer: 'integer' | 'bigint';
  readonly text: 'text';
  /** Names and ids: compared byte by byte, because a subtree is a range of paths. */
  readonly key: 'text' | RawBuilder<string>;
  /** SQLite refuses a value of the wrong type, a float among money, only in a strict table. */
  readonly tableEnd: 'strict' | undefined;
};

export const SQLITE_TYPES: DialectTypes = {
  integer: 'integer',
  text: 'text',
  key: 'text',
  tableEnd: 'strict',
};

export const POSTGRES_TYPES: DialectTypes = {
  integer: 'bigint',
  text: 'text',
  key: sql`text collate "C"`,
  tableEnd: undefined,
};

export type Columns = {
  readonly keys?: readonly string[];
  readonly texts?: readonly string[];
  readonly integers?: readonly string[];
  readonly optionalKeys?: readonly string[];
  readonly optionalTexts?: readonly string[];
  readonly optionalIntegers?: readonly string[];
};

/** The migrations in their order. One that was released is never edited: a change is a further one. */
const MIGRATIONS = { '0001-record': makeRecord } satisfies Record<
  string,
  (database: Kysely<unknown>, types: DialectTypes) => Promise<void>
>;

/** Most starts find the tables as they should be, and then need not wait for whoever writes. */
export async function isUpToDate(database: Kysely<Schema>): Promise<boolean> {
  try {
    const made = await sql<{ readonly name: string }>`
      select name from ${sql.table(DEFAULT_MIGRATION_TABLE)} order by name`.execute(database);
    return made.rows.map(({ name }) => name).join() === Object.keys(MIGRATIONS).join();
  } catch (error) {
    // Anything else is that there is no such table yet, or a reason that the migration will meet again.
    if (isDatabaseError(error)) throw error;
    return false;
  }
}

/** All in one transaction: two processes at once do it one after the other, and one that fails leaves nothing. */
export async function bringUpToDate(
  database: Kysely<Schema>,
  types: DialectTypes,
  name: string,
): Promise<void> {
  const migrations = Object.entries(MIGRATIONS).map(([key, up]): readonly [string, Migration] => [
    key,
    { up: (trx) => up(trx, types) },
  ]);
  const provider = { getMigrations: async () => Object.fromEntries(migrations) };
  await database.transaction().execute(async (trx) => {
    const { error } = await new Migrator({ db: trx, provider }).migrateToLatest();
    if (error === undefined) return;
    throw isDatabaseError(error) ? error : new DatabaseSchemaError(name, error);
  });
}

async function makeRecord(database: Kysely<unknown>, types: DialectTypes): Promise<void> {
  const table = (name: string, columns: Columns): CreateTableBuilder<string, string> =>
    addColumns(database.schema.createTable(name), columns, types);
  const index = (name: string, columns: readonly string[]): Promise<void> =>
    database.schema
      .createIndex(`${name}_${columns.join('_')}`)
      .on(name)
      .columns([...columns])
      .execute();

  await table('identity', { keys: ['id'] })
    .addPrimaryKeyConstraint('identity_pk', ['id'])
    .execute();
  await sql`insert into identity (id) values (${randomUUID()})`.execute(database);

  await table('revision', { keys: ['name'], integers: ['value'] })
    .addPrimaryKeyConstraint('revision_pk', ['name'])
    .execute();

  await table('account', {
    keys: ['path'],
    optionalKeys: ['parent'],
    texts: ['operator_limits', 'customer_limits', 'tariffs'],
    optionalTexts: ['wallet_currency', 'tree_defaults', 'numbering', 'shadow_limits'],
    integers: ['removed'],
  })
    .addPrimaryKeyConstraint('account_pk', ['path'])
    .addForeignKeyConstraint('account_parent', ['parent'], 'account', ['path'])
    .execute();
  await index('account', ['parent']);

  await table('route', { keys: ['name'], texts: ['limits'] })
    .addPrimaryKeyConstraint('route_pk', ['name'])
    .execute();

  await table('tariff', {
    keys: ['tariff'],
    integers: ['version', 'starts_at', 'rounding_decimals', 'rate_count'],
    texts: ['currency', 'rounding_mode', 'zone', 'digest'],
  })
    .addPrimaryKeyConstraint('tariff_pk', ['tariff', 'version'])
    .execute();

  await table('rate', {
    keys: ['tariff', 'prefix'],
    integers: ['version', 'id', 'per_minute'],
    texts: ['description', 'routes', 'options'],
    optionalIntegers: [
      'surcharge',
      'minimum_seconds',
      'increment_seconds',
      'grace_seconds',
      'weight',
      'period_days',
      'period_from',
      'period_until',
    ],
    optionalTexts: ['direction'],
  })
    .addPrimaryKeyConstraint('rate_pk', ['tariff', 'version', 'id'])
    .addForeignKeyConstraint('rate_tariff', ['tariff', 'version'], 'tariff', ['tariff', 'version'])
    .execute();

  await table('cdr', {
    keys: ['leg_uuid', 'leg_key', 'a_leg', 'account'],
    texts: [
      'node',
      'core_uuid',
      'direction',
      'caller_number',
      'dialled',
      'destination',
      'routes',
      'options',
      'cause',
      'decision',
      'funding',
    ],
    integers: [
      'admitted_at',
      'ended_at',
      'bill_microseconds',
      'billsec',
      'billed_seconds',
      'estimated',
      'forwarded',
    ],
    optionalKeys: ['callee'],
    optionalIntegers: ['answered_at'],
    optionalTexts: ['cut', 'soft'],
  })
    .addPrimaryKeyConstraint('cdr_pk', ['leg_uuid'])
    .execute();
  await index('cdr', ['account', 'admitted_at', 'leg_uuid']);
  await index('cdr', ['admitted_at', 'leg_uuid']);
  await index('cdr', ['a_leg']);

  await table('charge', {
    keys: ['leg_uuid', 'payer', 'transfer_id', 'way'],
    optionalKeys: ['tariff', 'prefix', 'allotment'],
    integers: ['admitted_at', 'segment', 'version', 'billed_seconds', 'charged_seconds', 'price'],
    optionalIntegers: [
      'tariff_version',
      'rate_id',
      'surcharge',
      'per_minute',
      'minimum_seconds',
      'increment_seconds',
      'grace_seconds',
      'discount_ppm',
      'rounding_decimals',
    ],
    optionalTexts: ['rounding_mode', 'currency'],
  })
    .addPrimaryKeyConstraint('charge_pk', ['leg_uuid', 'segment', 'payer', 'version'])
    .addUniqueConstraint('charge_transfer', ['transfer_id'])
    .addForeignKeyConstraint('charge_cdr', ['leg_uuid'], 'cdr', ['leg_uuid'])
    .execute();
  await index('charge', ['payer', 'admitted_at']);
  await index('charge', ['admitted_at', 'leg_uuid']);

  await table('transfer', {
    keys: ['id', 'debit', 'credit'],
    integers: ['amount', 'at'],
    texts: ['kind', 'currency', 'reference'],
  })
    .addPrimaryKeyConstraint('transfer_pk', ['id'])
    .addCheckConstraint('transfer_amount', sql`amount > 0`)
    .addCheckConstraint('transfer_sides', sql`debit <> credit`)
    .execute();
  // With what a balance is summed of, so that a sum reads no rows beside its index.
  await index('transfer', ['debit', 'at', 'id', 'currency', 'amount']);
  await index('transfer', ['credit', 'at', 'id', 'currency', 'amount']);

  await table('decision', {
    keys: ['id', 'a_leg'],
    optionalKeys: ['leg_uuid', 'account'],
    integers: ['at'],
    texts: ['kind', 'verdict', 'reason', 'inputs'],
  })
    .addPrimaryKeyConstraint('decision_pk', ['id'])
    .execute();
  await index('decision', ['a_leg', 'at']);
  await index('decision', ['leg_uuid']);
  await index('decision', ['account', 'at']);
  await index('decision', ['kind', 'at', 'id']);

  await makeSwitchTables(table, index);

  await table('outbox', { keys: ['id', 'account'], texts: ['currency'], integers: ['amount'] })
    .addPrimaryKeyConstraint('outbox_pk', ['id', 'account'])
    .execute();
  await index('outbox', ['account']);

  await table('rerate_run', {
    keys: ['id'],
    texts: ['state', 'funding', 'filter'],
    integers: ['created_at', 'calls', 'unrated', 'refused', 'cut'],
    optionalIntegers: ['applied_at', 'reverted_at', 'held_until'],
    optionalTexts: ['holder'],
  })
    .addPrimaryKeyConstraint('rerate_run_pk', ['id'])
    .execute();

  await table('rerate_item', {
    keys: ['run', 'payer', 'leg_uuid'],
    texts: ['state', 'destination', 'currency', 'charges'],
    integers: ['admitted_at', 'version_before', 'price_before', 'price_after'],
    optionalKeys: ['tariff', 'prefix'],
    optionalIntegers: ['applied_at', 'reverted_at'],
  })
    .addPrimaryKeyConstraint('rerate_item_pk', ['run', 'payer', 'leg_uuid'])
    .addForeignKeyConstraint('rerate_item_run', ['run'], 'rerate_run', ['id'])
    .execute();
  await index('rerate_item', ['leg_uuid']);
}

function addColumns(
  start: CreateTableBuilder<string>,
  columns: Columns,
  types: DialectTypes,
): CreateTableBuilder<string, string> {
  let table: CreateTableBuilder<string, string> = start;
  if (types.tableEnd === 'strict') table = table.modifyEnd(sql`strict`);
  for (const name of columns.keys ?? [])
    table = table.addColumn(name, types.key, (column) => column.notNull());
  for (const name of columns.texts ?? []) {
    table = table.addColumn(name, types.text, (column) => column.notNull());
  }
  for (const name of columns.integers ?? []) {
    table = table.addColumn(name, types.integer, (column) => column.notNull());
  }
  for (const name of columns.optionalKeys ?? []) table = table.addColumn(name, types.key);
  for (const name of columns.optionalTexts ?? []) table = table.addColumn(name, types.text);
  for (const name of columns.optionalIntegers ?? []) table = table.addColumn(name, types.integer);
  return table;
}
