import { setImmediate as otherWork } from 'node:timers/promises';
import type { Kysely } from 'kysely';
import type { ChargedCall, CallSpan } from '../charging/rerate-store.ts';
import { toCdr } from '../sql-records/record-rows.ts';
import { matching, readChargesInForce } from './rerate-calls.ts';
import type { CdrRow, Schema } from '../sql/schema.ts';

/** Whole calls, with whole charges: a few MB at once. */
const CALLS_PER_PAGE = 1_000;

/** See `RerateReader.chargedCalls`. */
export async function* walkChargedCalls(
  database: Kysely<Schema>,
  span: CallSpan,
): AsyncGenerator<readonly ChargedCall[]> {
  let after: CdrRow | undefined;
  for (;;) {
    const rows = await readRows(database, span, after);
    const charges = await readChargesInForce(
      database,
      rows.map((row) => row.leg_uuid),
    );
    if (rows.length > 0) {
      yield rows.map((row) => ({ call: toCdr(row), charges: charges.get(row.leg_uuid) ?? [] }));
    }
    after = rows.at(-1);
    if (rows.length < CALLS_PER_PAGE) return;
    await otherWork();
  }
}

function readRows(
  database: Kysely<Schema>,
  span: CallSpan,
  after: CdrRow | undefined,
): Promise<readonly CdrRow[]> {
  const select = database.selectFrom('cdr').selectAll().where(matching(span, after));
  return select.orderBy('admitted_at').orderBy('leg_uuid').limit(CALLS_PER_PAGE).execute();
}
