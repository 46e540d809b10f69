import { sql, type Kysely } from 'kysely';
import type { Movement } from '../records/record-store.ts';
import type { AccountPath } from '../units/ids.ts';
import { toMicros, type Micros } from '../units/money.ts';
import { idCell, textCell } from '../sql/cell.ts';
import { slicesOf, walkPages } from '../sql/paging.ts';
import type { OutboxRow, Schema } from '../sql/schema.ts';

/** In the transaction of the transfers that it tells of: one cannot be without the other. */
export async function insertMovements(trx: Kysely<Schema>, movements: readonly Movement[]): Promise<void> {
  for (const slice of slicesOf(movements)) {
    const rows = slice.map(({ id, account, currency, amount }): OutboxRow => ({
      id: idCell(id),
      account: idCell(account),
      currency: textCell(currency),
      amount,
    }));
    await trx.insertInto('outbox').values(rows).execute();
  }
}

export async function* walkUntold(
  database: Kysely<Schema>,
  account: AccountPath | undefined,
): AsyncGenerator<Movement> {
  const pages = walkPages(
    (after: OutboxRow | undefined, limit) => {
      let select = database.selectFrom('outbox').selectAll();
      if (account !== undefined) select = select.where('account', '=', account);
      if (after !== undefined) {
        const { id, account: last } = after;
        select = select.where((where) =>
          where.or([where('id', '>', id), where.and([where('id', '=', id), where('account', '>', last)])]),
        );
      }
      return select.orderBy('id').orderBy('account').limit(limit).execute();
    },
    (row) => row,
  );
  for await (const rows of pages) {
    for (const { amount, ...row } of rows) yield { ...row, amount: toMicros(amount) };
  }
}

export async function sumUntold(
  database: Kysely<Schema>,
  account: AccountPath,
  currency: string,
): Promise<Micros> {
  const row = await database
    .selectFrom('outbox')
    .select(sql<bigint | null>`cast(sum(amount) as bigint)`.as('total'))
    .where('account', '=', account)
    .where('currency', '=', currency)
    .executeTakeFirstOrThrow();
  return toMicros(row.total ?? 0n);
}

export async function deleteMovements(
  database: Kysely<Schema>,
  movements: readonly Pick<Movement, 'id' | 'account'>[],
): Promise<void> {
  for (const { id, account } of movements) {
    await database.deleteFrom('outbox').where('id', '=', id).where('account', '=', account).execute();
  }
}
