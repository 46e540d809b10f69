import type { Kysely, Transaction } from 'kysely';
import type { Cdr, Charge, Settlement, Transfer } from '../records/records.ts';
import {
  UnwritableRecordError,
  type BatchOutcome,
  type Movement,
  type RecordBatch,
  type RecordConflict,
  type RecordWriter,
} from '../records/record-store.ts';
import { sameRow } from '../sql/cell.ts';
import { toCharge, toChargeRow } from './charge-rows.ts';
import { deleteMovements, insertMovements } from './outbox.ts';
import { slicesOf } from '../sql/paging.ts';
import { toCdr, toCdrRow, toDecisionRow, toTransfer, toTransferRow } from './record-rows.ts';
import type { CdrRow, ChargeRow, DecisionRow, Schema, TransferRow } from '../sql/schema.ts';

export function createRecordWriter(database: Kysely<Schema>): RecordWriter {
  return {
    writeBatch: async (batch) => {
      const rows = toRows(batch);
      return await database.transaction().execute(async (trx) => {
        const standing = await readStanding(trx, rows);
        const plan = planBatch(rows, standing);
        await insertAll(trx, plan);
        return plan.outcome;
      });
    },
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
    forgetTold: (movements) => database.transaction().execute((trx) => deleteMovements(trx, movements)),
  };
}

/** A batch with the row of each of its records. */
type BatchRows = {
  readonly settlements: readonly SettlementRows[];
  readonly transfers: SettlementRows['transfers'];
  readonly movements: readonly Movement[];
  readonly decisions: readonly DecisionRow[];
};

type SettlementRows = {
  readonly cdr: Paired<Cdr, CdrRow>;
  readonly charges: readonly Paired<Charge, ChargeRow>[];
  readonly transfers: readonly Paired<Transfer, TransferRow>[];
};

type Paired<Record, Row> = { readonly record: Record; readonly row: Row };

/** Before anything is asked: an id that no table can hold cannot even be looked for. */
function toRows({ settlements, transfers: moved = [], movements = [], decisions }: RecordBatch): BatchRows {
  return {
    settlements: settlements.map((settlement) => {
      refuseStrangers(settlement);
      const { cdr, charges, transfers } = settlement;
      return {
        cdr: { record: cdr, row: toCdrRow(cdr) },
        charges: charges.map((record) => ({ record, row: toChargeRow(record, cdr.admittedAt) })),
        transfers: transfers.map((record) => ({ record, row: toTransferRow(record) })),
      };
    }),
    transfers: moved.map((record) => ({ record, row: toTransferRow(record) })),
    movements,
    decisions: decisions.map(toDecisionRow),
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
  readonly movements: Movement[];
  readonly decisions: DecisionRow[];
  readonly outcome: BatchOutcome;
};

async function readStanding(trx: Transaction<Schema>, batch: BatchRows): Promise<Standing> {
  const standing: Standing = {
    cdrs: new Map(),
    charges: new Map(),
    transfers: new Map(),
    decisionIds: new Set(),
  };
  const legs = batch.settlements.map(({ cdr }) => cdr.row.leg_uuid);
  for (const slice of slicesOf(legs)) {
    const cdrs = trx.selectFrom('cdr').selectAll().where('leg_uuid', 'in', slice);
    for (const row of await cdrs.execute()) standing.cdrs.set(row.leg_uuid, row);
    const charges = trx.selectFrom('charge').selectAll().where('leg_uuid', 'in', slice);
    for (const row of await charges.execute()) addCharge(standing, row);
  }
  const moved = [...batch.settlements.flatMap(({ transfers }) => transfers), ...batch.transfers];
  for (const slice of slicesOf(moved.map(({ row }) => row.id))) {
    const transfers = trx.selectFrom('transfer').selectAll().where('id', 'in', slice);
    for (const row of await transfers.execute()) standing.transfers.set(row.id, row);
  }
  for (const slice of slicesOf(batch.decisions.map(({ id }) => id))) {
    const decisions = trx.selectFrom('decision').select('id').where('id', 'in', slice);
    for (const row of await decisions.execute()) standing.decisionIds.add(row.id);
  }
  return standing;
}

function planBatch(batch: BatchRows, standing: Standing): BatchPlan {
  const inserted = { cdrs: 0, charges: 0, transfers: 0, decisions: 0 };
  const already = { cdrs: 0, charges: 0, transfers: 0, decisions: 0 };
  const conflicts: RecordConflict[] = [];
  const plan: BatchPlan = {
    cdrs: [],
    charges: [],
    transfers: [],
    movements: [],
    decisions: [],
    outcome: { inserted, already, conflicts },
  };

  const planCdr = ({ record, row }: SettlementRows['cdr']): void => {
    const kept = standing.cdrs.get(row.leg_uuid);
    if (kept === undefined) {
      standing.cdrs.set(row.leg_uuid, row);
      plan.cdrs.push(row);
      inserted.cdrs += 1;
    } else if (sameRow(row, kept)) already.cdrs += 1;
    else conflicts.push({ kind: 'cdr', offered: record, kept: toCdr(kept) });
  };

  /** Returns the transfer ids of charges that were not accepted: their money must not move either. */
  const planCharges = (charges: SettlementRows['charges']): ReadonlySet<string> => {
    const settledBefore = new Set(
      charges.map(({ row }) => groupKey(row)).filter((group) => standing.charges.has(group)),
    );
    const barred = new Set<string>();
    for (const { record, row } of charges) {
      const group = standing.charges.get(groupKey(row)) ?? [];
      const kept = group.find(({ segment }) => segment === row.segment);
      if (kept === undefined && !settledBefore.has(groupKey(row))) {
        addCharge(standing, row);
        plan.charges.push(row);
        inserted.charges += 1;
      } else if (kept !== undefined && sameRow(row, kept)) already.charges += 1;
      else {
        barred.add(row.transfer_id);
        conflicts.push({
          kind: 'charge',
          offered: record,
          kept: kept === undefined ? undefined : toCharge(kept),
        });
      }
    }
    return barred;
  };

  const planTransfer = (
    { record, row }: SettlementRows['transfers'][number],
    barred: ReadonlySet<string>,
  ): void => {
    const kept = standing.transfers.get(row.id);
    if (kept === undefined && !barred.has(row.id)) {
      standing.transfers.set(row.id, row);
      plan.transfers.push(row);
      inserted.transfers += 1;
    } else if (kept !== undefined && sameRow(row, kept)) already.transfers += 1;
    else {
      conflicts.push({
        kind: 'transfer',
        offered: record,
        kept: kept === undefined ? undefined : toTransfer(kept),
      });
    }
  };

  for (const settlement of batch.settlements) {
    planCdr(settlement.cdr);
    const barred = planCharges(settlement.charges);
    // What came in for a customer's charge does not without it.
    const isForCharges = ({ record: { kind } }: SettlementRows['transfers'][number]): boolean =>
      barred.size > 0 && (kind === 'opening' || kind === 'closing');
    for (const transfer of settlement.transfers) {
      planTransfer(transfer, isForCharges(transfer) ? new Set([transfer.row.id]) : barred);
    }
  }
  for (const transfer of batch.transfers) planTransfer(transfer, new Set());
  for (const row of batch.decisions) {
    if (standing.decisionIds.has(row.id)) already.decisions += 1;
    else {
      standing.decisionIds.add(row.id);
      plan.decisions.push(row);
      inserted.decisions += 1;
    }
  }
  // Of a transfer that is on record already the live state has been told, or is about to be.
  const written = new Set(plan.transfers.map(({ id }) => id));
  plan.movements.push(...batch.movements.filter(({ id }) => written.has(id)));
  return plan;
}

/** Parents before children: a charge names its CDR. */
async function insertAll(trx: Transaction<Schema>, plan: BatchPlan): Promise<void> {
  for (const rows of slicesOf(plan.cdrs)) await trx.insertInto('cdr').values(rows).execute();
  for (const rows of slicesOf(plan.charges)) await trx.insertInto('charge').values(rows).execute();
  for (const rows of slicesOf(plan.transfers)) await trx.insertInto('transfer').values(rows).execute();
  await insertMovements(trx, plan.movements);
  for (const rows of slicesOf(plan.decisions)) await trx.insertInto('decision').values(rows).execute();
}

function refuseStrangers({ cdr, charges }: Settlement): void {
  const stranger = charges.find((charge) => charge.legUuid !== cdr.legUuid);
  if (stranger === undefined) return;
  throw new UnwritableRecordError(`cdr ${cdr.legUuid}`, `it comes with a charge of leg ${stranger.legUuid}`);
}

function addCharge(standing: Standing, row: ChargeRow): void {
  const key = groupKey(row);
  const group = standing.charges.get(key);
  if (group === undefined) standing.charges.set(key, [row]);
  else group.push(row);
}

function groupKey({ leg_uuid: leg, payer, version }: ChargeRow): string {
  return `${leg} ${payer} ${version}`;
}
