import type { Kysely, Transaction } from 'kysely';
import { numberOf } from './cell.ts';
import type { RevisionRow, Schema } from './schema.ts';

/** How often this part of the record has changed since it was made. */
export async function readRevision(database: Kysely<Schema>, name: RevisionRow['name']): Promise<number> {
  const row = await database
    .selectFrom('revision')
    .select('value')
    .where('name', '=', name)
    .executeTakeFirst();
  return row === undefined ? 0 : numberOf(row.value);
}

/** In the transaction of the change itself, so that a number seen always has its change behind it. */
export async function bumpRevision(trx: Transaction<Schema>, name: RevisionRow['name']): Promise<number> {
  const row = await trx
    .insertInto('revision')
    .values({ name, value: 1n })
    .onConflict((conflict) =>
      conflict.column('name').doUpdateSet((standing) => ({ value: standing('revision.value', '+', 1n) })),
    )
    .returning('value')
    .executeTakeFirstOrThrow();
  return numberOf(row.value);
}
