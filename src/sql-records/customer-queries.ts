import { sql, type Kysely, type RawBuilder } from 'kysely';
import type { CustomerTotals } from '../records/record-store.ts';
import type { Decision } from '../records/records.ts';
import { ADHOC_ROOT, customerOf } from '../units/ids.ts';
import { numberOf } from '../sql/cell.ts';
import { walkPages } from '../sql/paging.ts';
import { toDecision } from './record-rows.ts';
import type { Schema } from '../sql/schema.ts';

/** See `RecordReader.customerTotals`. */
export async function readCustomerTotals(database: Kysely<Schema>): Promise<CustomerTotals> {
  const rows = await database
    .selectFrom('cdr')
    .select((each) => [
      'account',
      'cut',
      each.fn.countAll<bigint>().as('calls'),
      each.fn.count<bigint>('answered_at').as('answered'),
    ])
    .where(isOfCustomer())
    .groupBy(['account', 'cut'])
    .execute();
  const customers = new Set<string>();
  const ended = { credit: 0, time: 0 };
  let calls = 0;
  let answered = 0;
  for (const row of rows) {
    if (customerOf(row.account) === undefined) continue;
    customers.add(row.account);
    calls += numberOf(row.calls);
    answered += numberOf(row.answered);
    if (row.cut === 'credit') ended.credit += numberOf(row.calls);
    if (row.cut === 'max_time') ended.time += numberOf(row.calls);
  }
  return { customers: customers.size, calls, answered, ended, refused: await readRefused(database) };
}

async function readRefused(database: Kysely<Schema>): Promise<CustomerTotals['refused']> {
  const refused = { credit: 0, time: 0, channels: 0, other: 0 };
  const pages = walkPages(
    (after: string | undefined, limit) =>
      database
        .selectFrom('decision')
        .selectAll()
        .where('kind', '=', 'refusal')
        .where(isOfCustomer())
        .where('id', '>', after ?? '')
        .orderBy('id')
        .limit(limit)
        .execute(),
    (row) => row.id,
  );
  for await (const rows of pages) {
    for (const row of rows) refused[kindOf(toDecision(row))] += 1;
  }
  return refused;
}

/** What of the customer's own was not enough; what an account above him refused is another reason. */
function kindOf({ account, reason, inputs }: Decision): keyof CustomerTotals['refused'] {
  if (inputs['holder'] !== account) return 'other';
  if (reason === 'no_credit') return 'credit';
  if (reason === 'no_time') return 'time';
  return inputs['limit'] === 'calls' ? 'channels' : 'other';
}

/** Those below the root of customers, and those below accounts. */
function isOfCustomer(): RawBuilder<boolean> {
  return sql<boolean>`(account like ${`${ADHOC_ROOT}/%`} or account like '%/adhoc.%')`;
}
