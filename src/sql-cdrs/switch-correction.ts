import type { Kysely } from 'kysely';
import type { Correction } from '../reconcile/correction.ts';
import { sameRow } from '../sql/cell.ts';
import { toChargeRow } from '../sql-records/charge-rows.ts';
import { insertMovements } from '../sql-records/outbox.ts';
import { toCdrRow, toDecisionRow, toTransferRow } from '../sql-records/record-rows.ts';
import type { Schema } from '../sql/schema.ts';

/**
 * The one change that a CDR may see: the figures of one that was estimated. What it said before stands in the
 * decision, and the charges that it had stay, as earlier versions.
 */
export function correctLeg(database: Kysely<Schema>, correction: Correction): Promise<'corrected' | 'stale'> {
  const { before, after, charges, transfers, movements, decision } = correction;
  return database.transaction().execute(async (trx) => {
    const standing = await trx
      .selectFrom('cdr')
      .selectAll()
      .where('leg_uuid', '=', before.legUuid)
      .executeTakeFirst();
    if (standing === undefined || !sameRow(toCdrRow(before), standing)) return 'stale';
    const { leg_uuid: leg, ...figures } = toCdrRow(after);
    await trx.updateTable('cdr').set(figures).where('leg_uuid', '=', leg).execute();
    const chargeRows = charges.map((charge) => toChargeRow(charge, after.admittedAt));
    if (chargeRows.length > 0) await trx.insertInto('charge').values(chargeRows).execute();
    if (transfers.length > 0) {
      await trx.insertInto('transfer').values(transfers.map(toTransferRow)).execute();
    }
    await insertMovements(trx, movements);
    await trx
      .insertInto('decision')
      .values(toDecisionRow(decision))
      .onConflict((conflict) => conflict.column('id').doNothing())
      .execute();
    return 'corrected';
  });
}
