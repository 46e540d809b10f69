import type { Kysely } from 'kysely';
import type { DecisionQuery, PageCursor } from '../records/record-store.ts';
import type { Decision } from '../records/records.ts';
import { momentOf } from '../sql/cell.ts';
import { rangeAfter, subtreeRange, walkPages } from '../sql/paging.ts';
import { toDecision } from './record-rows.ts';
import type { Schema } from '../sql/schema.ts';

/** See `RecordReader.decisionsOfKind`. */
export async function* walkDecisions(
  database: Kysely<Schema>,
  query: DecisionQuery,
): AsyncGenerator<Decision> {
  const { kind, account } = query;
  const pages = walkPages(
    (after: PageCursor | undefined, limit) => {
      let select = database
        .selectFrom('decision')
        .selectAll()
        .where('kind', '=', kind)
        .where(rangeAfter(['at', 'id'], { ...query, after }));
      if (account !== undefined) {
        const below = subtreeRange(account);
        select = select.where((where) =>
          where.or([
            where('account', '=', account),
            where.and([where('account', '>=', below.from), where('account', '<', below.to)]),
          ]),
        );
      }
      return select.orderBy('at').orderBy('id').limit(limit).execute();
    },
    ({ at, id }) => ({ at: momentOf(at), id }),
  );
  for await (const rows of pages) yield* rows.map(toDecision);
}
