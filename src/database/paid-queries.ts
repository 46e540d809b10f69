import type { Kysely } from 'kysely';
import type { PaidPart } from '../records/record-store.ts';
import type { AccountPath } from '../units/ids.ts';
import { addMs, type EpochMs } from '../units/time.ts';
import { integerCell, momentOf, numberOf } from './cell.ts';
import { toCharge } from './charge-rows.ts';
import type { Schema } from './schema.ts';

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
    .select(['cdr.answered_at as answered_at', 'cdr.billed_seconds as leg_seconds'])
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
    .execute();
  return rows.map(({ answered_at: answeredAt, leg_seconds: legSeconds, ...row }) => {
    const charge = toCharge(row);
    const before = charge.segment > 1 ? numberOf(legSeconds) - charge.billedSeconds : 0;
    return { charge, talkedFrom: addMs(momentOf(answeredAt ?? 0n), before * 1000) };
  });
}
