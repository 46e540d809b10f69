import type { Kysely, Transaction } from 'kysely';
import type { Charge, Settlement, Transfer } from '../records/records.ts';
import {
  UnwritableRecordError,
  type BatchOutcome,
  type RecordBatch,
  type RecordConflict,
  type RecordWriter,
} from '../records/record-store.ts';
import type { LegUuid } from '../units/ids.ts';
import { sameRow } from './cell.ts';
import { toCharge, toChargeRow } from './charge-rows.ts';
import { slicesOf } from './paging.ts';
import { toCdr, toCdrRow, toDecisionRow, toTransfer, toTransferRow } from './record-rows.ts';
import type { CdrRow, ChargeRow, DecisionRow, Schema, TransferRow } from './schema.ts';

export function createRecordWriter(database: Kysely<Schema>): RecordWriter {
  return {
    writeBatch: (batch) =>
      database.transaction().execute(async (trx) => {
        const standing = await readStanding(trx, batch);
        const plan = planBatch(batch, standing);
        await insertAll(trx, plan);
        return plan.outcome;
      }),
    insertTransfer: (transfer) =>
      database.transaction().execute(async (trx) => {
        const row = toTransferRow(transfer);
        const standing = await trx
          .selectFrom('transfer')
          .selectAll()
          .where('id', '=', row.id)
          .executeTakeFirst();
        if (standing !== undefined) return sameRow(row, standing) ? 'already' : 'conflict';
        await trx.insertInto('transfer').values(row).execute();
        return 'inserted';
      }),
  };
}

/** What SQL holds of the batch's legs, transfers and decisions; grows as the batch is planned. */
type Standing = {
  readonly cdrs: Map<string, CdrRow>;
  /** By leg, payer and version: a payer's part of a leg is settled once, in all its segments together. */
  readonly charges: Map<string, ChargeRow[]>;
  readonly transfers: Map<string, TransferRow>;
  readonly decisionIds: Set<string>;
};

type BatchPlan = {
  readonly cdrs: CdrRow[];
  readonly charges: ChargeRow[];
  readonly transfers: TransferRow[];
  readonly decisions: DecisionRow[];
  readonly outcome: BatchOutcome;
};

async function readStanding(trx: Transaction<Schema>, batch: RecordBatch): Promise<Standing> {
  const standing: Standing = {
    cdrs: new Map(),
    charges: new Map(),
    transfers: new Map(),
    decisionIds: new Set(),
  };
  const legs = batch.settlements.flatMap(({ cdr, charges }) => [
    cdr.legUuid,
    ...charges.map((c) => c.legUuid),
  ]);
  for (const slice of slicesOf(legs)) {
    const cdrs = trx.selectFrom('cdr').selectAll().where('leg_uuid', 'in', slice);
    for (const row of await cdrs.execute()) standing.cdrs.set(row.leg_uuid, row);
    const charges = trx.selectFrom('charge').selectAll().where('leg_uuid', 'in', slice);
    for (const row of await charges.execute()) addCharge(standing, row);
  }
  const transferIds = batch.settlements.flatMap(({ transfers }) => transfers.map(({ id }) => id));
  for (const slice of slicesOf(transferIds)) {
    const transfers = trx.selectFrom('transfer').selectAll().where('id', 'in', slice);
    for (const row of await transfers.execute()) standing.transfers.set(row.id, row);
  }
  for (const slice of slicesOf(batch.decisions.map(({ id }) => id))) {
    const decisions = trx.selectFrom('decision').select('id').where('id', 'in', slice);
    for (const row of await decisions.execute()) standing.decisionIds.add(row.id);
  }
  return standing;
}

function planBatch(batch: RecordBatch, standing: Standing): BatchPlan {
  const inserted = { cdrs: 0, charges: 0, transfers: 0, decisions: 0 };
  const already = { cdrs: 0, charges: 0, transfers: 0, decisions: 0 };
  const conflicts: RecordConflict[] = [];
  const plan: BatchPlan = {
    cdrs: [],
    charges: [],
    transfers: [],
    decisions: [],
    outcome: { inserted, already, conflicts },
  };

  const planCdr = ({ cdr }: Settlement): void => {
    const row = toCdrRow(cdr);
    const kept = standing.cdrs.get(row.leg_uuid);
    if (kept === undefined) {
      standing.cdrs.set(row.leg_uuid, row);
      plan.cdrs.push(row);
      inserted.cdrs += 1;
    } else if (sameRow(row, kept)) already.cdrs += 1;
    else conflicts.push({ kind: 'cdr', offered: cdr, kept: toCdr(kept) });
  };

  /** Returns the transfer ids of charges that were not accepted: their money must not move either. */
  const planCharges = (charges: readonly Charge[]): ReadonlySet<string> => {
    const settledBefore = new Set(charges.map(chargeGroup).filter((group) => standing.charges.has(group)));
    const barred = new Set<string>();
    for (const charge of charges) {
      const row = toChargeRow(charge);
      const group = standing.charges.get(chargeGroup(charge)) ?? [];
      const kept = group.find(({ segment }) => segment === row.segment);
      if (kept === undefined && !settledBefore.has(chargeGroup(charge))) {
        addCharge(standing, row);
        plan.charges.push(row);
        inserted.charges += 1;
      } else if (kept !== undefined && sameRow(row, kept)) already.charges += 1;
      else {
        barred.add(row.transfer_id);
        conflicts.push({
          kind: 'charge',
          offered: charge,
          kept: kept === undefined ? undefined : toCharge(kept),
        });
      }
    }
    return barred;
  };

  const planTransfer = (transfer: Transfer, barred: ReadonlySet<string>): void => {
    const row = toTransferRow(transfer);
    const kept = standing.transfers.get(row.id);
    if (kept === undefined && !barred.has(row.id)) {
      standing.transfers.set(row.id, row);
      plan.transfers.push(row);
      inserted.transfers += 1;
    } else if (kept !== undefined && sameRow(row, kept)) already.transfers += 1;
    else {
      conflicts.push({
        kind: 'transfer',
        offered: transfer,
        kept: kept === undefined ? undefined : toTransfer(kept),
      });
    }
  };

  for (const settlement of batch.settlements) {
    refuseStrangers(settlement);
    planCdr(settlement);
    const barred = planCharges(settlement.charges);
    for (const transfer of settlement.transfers) planTransfer(transfer, barred);
  }
  for (const decision of batch.decisions) {
    const row = toDecisionRow(decision);
    if (standing.decisionIds.has(row.id)) already.decisions += 1;
    else {
      standing.decisionIds.add(row.id);
      plan.decisions.push(row);
      inserted.decisions += 1;
    }
  }
  return plan;
}

/** Parents before children: a charge names its CDR. */
async function insertAll(trx: Transaction<Schema>, plan: BatchPlan): Promise<void> {
  for (const rows of slicesOf(plan.cdrs)) await trx.insertInto('cdr').values(rows).execute();
  for (const rows of slicesOf(plan.charges)) await trx.insertInto('charge').values(rows).execute();
  for (const rows of slicesOf(plan.transfers)) await trx.insertInto('transfer').values(rows).execute();
  for (const rows of slicesOf(plan.decisions)) await trx.insertInto('decision').values(rows).execute();
}

function refuseStrangers({ cdr, charges }: Settlement): void {
  const stranger = charges.find((charge) => charge.legUuid !== cdr.legUuid);
  if (stranger === undefined) return;
  throw new UnwritableRecordError(`cdr ${cdr.legUuid}`, `it comes with a charge of leg ${stranger.legUuid}`);
}

function addCharge(standing: Standing, row: ChargeRow): void {
  const key = groupKey(row.leg_uuid, row.payer, Number(row.version));
  const group = standing.charges.get(key);
  if (group === undefined) standing.charges.set(key, [row]);
  else group.push(row);
}

function chargeGroup(charge: Charge): string {
  return groupKey(charge.legUuid, charge.payer, charge.version);
}

function groupKey(leg: LegUuid, payer: string, version: number): string {
  return `${leg} ${payer} ${version}`;
}
