import type { Kysely, Transaction } from 'kysely';
import { addedTo } from '../reconcile/match.ts';
import type { Added, SwitchCdrBatch, SwitchCdrStore } from '../reconcile/switch-cdr-store.ts';
import type { PlacedCdr } from '../reconcile/switch-cdr.ts';
import { slicesOf } from '../sql/paging.ts';
import type { Schema } from '../sql/schema.ts';
import { correctLeg } from './switch-correction.ts';
import { toFileRead, toFileRow, toPlacedCdr, toSwitchCdrRow } from './switch-rows.ts';
import type { SwitchCdrRow } from '../sql/switch-schema.ts';
import { createSwitchWalks } from './switch-walks.ts';

export function createSwitchCdrStore(database: Kysely<Schema>): SwitchCdrStore {
  return {
    async filesRead(paths) {
      const found = new Map<string, ReturnType<typeof toFileRead>>();
      for (const slice of slicesOf(paths)) {
        const rows = await database
          .selectFrom('switch_file')
          .selectAll()
          .where('path', 'in', slice)
          .execute();
        for (const row of rows) found.set(row.path, toFileRead(row));
      }
      return found;
    },
    add: (batch) => database.transaction().execute((trx) => addBatch(trx, batch)),
    async close(legs) {
      for (const slice of slicesOf(legs)) {
        await database.updateTable('switch_cdr').set({ closed: 1n }).where('leg_uuid', 'in', slice).execute();
      }
    },
    correct: (correction) => correctLeg(database, correction),
    ...createSwitchWalks(database),
  };
}

async function addBatch(
  trx: Transaction<Schema>,
  { legs, files }: SwitchCdrBatch,
): Promise<readonly Added[]> {
  const known = await readKnown(trx, legs);
  const added: Added[] = [];
  const rows = new Map<string, SwitchCdrRow>();
  for (const offered of legs) {
    const { uuid } = offered.leg;
    const standing = known.get(uuid);
    const outcome: Added = standing === undefined ? { kind: 'new' } : addedTo(standing, offered);
    added.push(outcome);
    if (outcome.kind !== 'new' && outcome.kind !== 'completed') continue;
    known.set(uuid, offered);
    rows.set(uuid, toSwitchCdrRow(offered));
  }
  for (const slice of slicesOf([...rows.values()])) {
    await trx
      .insertInto('switch_cdr')
      .values(slice)
      // Also where another import has added it a moment ago.
      .onConflict((conflict) =>
        conflict.column('leg_uuid').doUpdateSet((row) => ({
          file: row.ref('excluded.file'),
          line: row.ref('excluded.line'),
          core_uuid: row.ref('excluded.core_uuid'),
          switch_name: row.ref('excluded.switch_name'),
          direction: row.ref('excluded.direction'),
          caller_number: row.ref('excluded.caller_number'),
          destination: row.ref('excluded.destination'),
          started_at: row.ref('excluded.started_at'),
          answered_at: row.ref('excluded.answered_at'),
          ended_at: row.ref('excluded.ended_at'),
          bill_microseconds: row.ref('excluded.bill_microseconds'),
          billsec: row.ref('excluded.billsec'),
          cause: row.ref('excluded.cause'),
          originator: row.ref('excluded.originator'),
          b_leg: row.ref('excluded.b_leg'),
          placed_legs: row.ref('excluded.placed_legs'),
          loopback: row.ref('excluded.loopback'),
          variables: row.ref('excluded.variables'),
          closed: row.ref('excluded.closed'),
        })),
      )
      .execute();
  }
  const byPath = new Map(files.map((file) => [file.path, toFileRow(file)]));
  for (const slice of slicesOf([...byPath.values()])) {
    await trx
      .insertInto('switch_file')
      .values(slice)
      .onConflict((conflict) =>
        conflict.column('path').doUpdateSet((row) => ({
          way: row.ref('excluded.way'),
          size: row.ref('excluded.size'),
          modified_at: row.ref('excluded.modified_at'),
          bytes: row.ref('excluded.bytes'),
          lines: row.ref('excluded.lines'),
          fingerprint: row.ref('excluded.fingerprint'),
          legs: row.ref('excluded.legs'),
          faults: row.ref('excluded.faults'),
        })),
      )
      .execute();
  }
  return added;
}

async function readKnown(
  trx: Transaction<Schema>,
  legs: readonly PlacedCdr[],
): Promise<Map<string, PlacedCdr>> {
  const known = new Map<string, PlacedCdr>();
  for (const slice of slicesOf(legs.map(({ leg }) => leg.uuid))) {
    const rows = await trx.selectFrom('switch_cdr').selectAll().where('leg_uuid', 'in', slice).execute();
    for (const row of rows) known.set(row.leg_uuid, toPlacedCdr(row));
  }
  return known;
}
