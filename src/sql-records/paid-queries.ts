import type { Kysely } from 'kysely';
import type { PaidPart } from '../records/record-store.ts';
import type { AccountPath } from '../units/ids.ts';
import { addMs, type EpochMs } from '../units/time.ts';
import { integerCell, momentOf, valueOfJson } from '../sql/cell.ts';
import { toCharge } from './charge-rows.ts';
import type { Schema } from '../sql/schema.ts';

/** A call that began before is over by then: what a payer was charged in other years need not be read. */
const LONGEST_CALL_MS = 31 * 86_400_000;

/** See `RecordReader.paidSince`. By the payer's charges, since a leg's CDR has its own account's name and not the payer's. */
export async function readPaidSince(
  database: Kysely<Schema>,
  payer: AccountPath,
  from: EpochMs,
): Promise<readonly PaidPart[]> {
  const rows = await database
    .selectFrom('charge')
    .innerJoin('cdr', 'cdr.leg_uuid', 'charge.leg_uuid')
    .selectAll('charge')
    .select(['cdr.answered_at as answered_at', 'cdr.soft as soft'])
    .where('charge.payer', '=', payer)
    .where('charge.admitted_at', '>=', integerCell(addMs(from, -LONGEST_CALL_MS)))
    .where('cdr.ended_at', '>=', integerCell(from))
    .where('cdr.answered_at', 'is not', null)
    .where((where) =>
      where.not(
        where.exists(
          where
            .selectFrom('charge as later')
            .select('later.version')
            .whereRef('later.leg_uuid', '=', 'charge.leg_uuid')
            .whereRef('later.payer', '=', 'charge.payer')
            .whereRef('later.version', '>', 'charge.version'),
        ),
      ),
    )
    .orderBy('charge.leg_uuid')
    .orderBy('charge.segment')
    .execute();
  const parts: PaidPart[] = [];
  let before = { leg: '', seconds: 0 };
  for (const { answered_at: answeredAt, soft, ...row } of rows) {
    const charge = toCharge(row);
    if (before.leg !== charge.legUuid) before = { leg: charge.legUuid, seconds: 0 };
    const talkedFrom = addMs(momentOf(answeredAt ?? 0n), before.seconds * 1000);
    before = { ...before, seconds: before.seconds + charge.billedSeconds };
    // What a soft limit let go on is charged when it ends, and draws on nothing but money.
    if (soft === null || !valueOfJson(soft).includes(payer)) parts.push({ charge, talkedFrom });
  }
  return parts;
}
