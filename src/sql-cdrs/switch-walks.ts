import { sql, type Kysely, type SelectQueryBuilder } from 'kysely';
import type { OpenLeg, OurLeg, SwitchCdrStore, Window } from '../reconcile/switch-cdr-store.ts';
import { admissionDecisionId, systemLedger, type Decision, type Transfer } from '../records/records.ts';
import { meteredKeyOf } from '../reconcile/metering.ts';
import type { SwitchCdr } from '../reconcile/switch-cdr.ts';
import type { LegUuid } from '../units/ids.ts';
import { integerCell, numberOf } from '../sql/cell.ts';
import { toCharge } from '../sql-records/charge-rows.ts';
import { slicesOf, subtreeRange, walkPages, rangeAfter } from '../sql/paging.ts';
import { toCdr, toDecision, toTransfer } from '../sql-records/record-rows.ts';
import type { CdrRow, Schema, TransferRow } from '../sql/schema.ts';
import { readAround } from './switch-relatives.ts';
import { toPlacedCdr } from './switch-rows.ts';
import type { SwitchCdrRow } from '../sql/switch-schema.ts';

type Walks = Pick<SwitchCdrStore, 'open' | 'ours' | 'theirs' | 'strayTransfers' | 'countOf'>;

/** Walks by key, a page at a time; what belongs to the rows of a page is read after them. */
export function createSwitchWalks(database: Kysely<Schema>): Walks {
  return {
    open: (paths) => walkOpen(database, paths),
    ours: (window) => walkOurs(database, window),
    theirs: (window) => walkTheirs(database, window),
    strayTransfers: (window) => walkStrays(database, window),
    async countOf({ from, to }) {
      const row = await database
        .selectFrom('switch_cdr')
        .select(({ fn }) => fn.countAll<bigint>().as('rows'))
        .where('started_at', '>=', integerCell(from))
        .where('started_at', '<', integerCell(to))
        .executeTakeFirstOrThrow();
      return numberOf(row.rows);
    },
  };
}

async function* walkOpen(
  database: Kysely<Schema>,
  paths: readonly string[],
): AsyncGenerator<readonly OpenLeg[]> {
  for (const path of paths) {
    const pages = walkPages(
      (after: { readonly file: string; readonly leg: LegUuid } | undefined, limit) => {
        let select = database
          .selectFrom('switch_cdr')
          .selectAll()
          .where('closed', '=', 0n)
          .where((where) =>
            where.or([
              where('file', '=', path),
              where.and([where('file', '>=', `${path}/`), where('file', '<', `${path}0`)]),
            ]),
          );
        if (after !== undefined) {
          select = select.where(sql<boolean>`(file, leg_uuid) > (${after.file}, ${after.leg})`);
        }
        return select.orderBy('file').orderBy('leg_uuid').limit(limit).execute();
      },
      (row) => ({ file: row.file, leg: row.leg_uuid }),
    );
    for await (const rows of pages) yield await withAround(database, rows);
  }
}

async function* walkTheirs(
  database: Kysely<Schema>,
  { from, to }: Window,
): AsyncGenerator<readonly OpenLeg[]> {
  const pages = walkPages(
    (after: { readonly at: bigint; readonly id: LegUuid } | undefined, limit) =>
      database
        .selectFrom('switch_cdr')
        .selectAll()
        .where(rangeAfter(['started_at', 'leg_uuid'], { from, to, after }))
        .where(sql<boolean>`not exists (select 1 from cdr where cdr.leg_uuid = switch_cdr.leg_uuid)`)
        .orderBy('started_at')
        .orderBy('leg_uuid')
        .limit(limit)
        .execute(),
    (row) => ({ at: row.started_at, id: row.leg_uuid }),
  );
  for await (const rows of pages) yield await withAround(database, rows);
}

async function withAround(
  database: Kysely<Schema>,
  rows: readonly SwitchCdrRow[],
): Promise<readonly OpenLeg[]> {
  const legs = rows.map(toPlacedCdr);
  const around = await readAround(
    database,
    legs.map(({ leg }) => leg),
  );
  const cdrs = await readCdrs(
    database,
    rows.map((row) => row.leg_uuid),
  );
  const decisions = await readDecisions(
    database,
    legs.map(({ leg }) => admissionIdOf(leg)),
  );
  return legs.map((placed) => ({
    ...placed,
    cdr: cdrs.get(placed.leg.uuid),
    around: around(placed.leg),
    admission: decisions.get(admissionIdOf(placed.leg)),
  }));
}

function admissionIdOf(leg: SwitchCdr): string {
  return admissionDecisionId(meteredKeyOf(leg));
}

async function readDecisions(
  database: Kysely<Schema>,
  ids: readonly string[],
): Promise<ReadonlyMap<string, Decision>> {
  const rows = await database.selectFrom('decision').selectAll().where('id', 'in', ids).execute();
  return new Map(rows.map((row) => [row.id, toDecision(row)]));
}

async function readCdrs(
  database: Kysely<Schema>,
  legs: readonly LegUuid[],
): Promise<ReadonlyMap<string, ReturnType<typeof toCdr>>> {
  const rows = await database.selectFrom('cdr').selectAll().where('leg_uuid', 'in', legs).execute();
  return new Map(rows.map((row) => [row.leg_uuid, toCdr(row)]));
}

async function* walkOurs(database: Kysely<Schema>, window: Window): AsyncGenerator<readonly OurLeg[]> {
  const pages = walkPages(
    (after: { readonly at: bigint; readonly id: LegUuid } | undefined, limit) =>
      cdrsWithin(database, { ...window, after })
        .orderBy('admitted_at')
        .orderBy('leg_uuid')
        .limit(limit)
        .execute(),
    (row) => ({ at: row.admitted_at, id: row.leg_uuid }),
  );
  for await (const rows of pages) yield await withTheirs(database, rows);
}

function cdrsWithin(
  database: Kysely<Schema>,
  {
    from,
    to,
    account,
    after,
  }: Window & { readonly after?: { readonly at: bigint; readonly id: LegUuid } | undefined },
): SelectQueryBuilder<Schema, 'cdr', CdrRow> {
  const select = database
    .selectFrom('cdr')
    .selectAll()
    .where(rangeAfter(['admitted_at', 'leg_uuid'], { from, to, after }));
  if (account === undefined) return select;
  const below = subtreeRange(account);
  return select.where((where) =>
    where.or([
      where('account', '=', account),
      where.and([where('account', '>=', below.from), where('account', '<', below.to)]),
    ]),
  );
}

async function withTheirs(database: Kysely<Schema>, rows: readonly CdrRow[]): Promise<readonly OurLeg[]> {
  const legs = rows.map((row) => row.leg_uuid);
  const charges = await database.selectFrom('charge').selectAll().where('leg_uuid', 'in', legs).execute();
  const theirs = await database.selectFrom('switch_cdr').selectAll().where('leg_uuid', 'in', legs).execute();
  const transfers = new Map<string, TransferRow>();
  for (const slice of slicesOf(charges.map((row) => row.transfer_id))) {
    const found = await database.selectFrom('transfer').selectAll().where('id', 'in', slice).execute();
    for (const row of found) transfers.set(row.id, row);
  }
  const chargesByLeg = Map.groupBy(charges, (row) => row.leg_uuid);
  const theirsByLeg = new Map(theirs.map((row) => [row.leg_uuid, toPlacedCdr(row)]));
  return rows.map((row) => {
    const own = chargesByLeg.get(row.leg_uuid) ?? [];
    return {
      cdr: toCdr(row),
      charges: own.map(toCharge),
      transfers: own.flatMap(({ transfer_id: id }) => {
        const transfer = transfers.get(id);
        return transfer === undefined ? [] : [toTransfer(transfer)];
      }),
      theirs: theirsByLeg.get(row.leg_uuid),
    };
  });
}

/** Every charge is paid into the revenue of its root: along the index of that ledger. */
async function* walkStrays(
  database: Kysely<Schema>,
  { from, to, account }: Window,
): AsyncGenerator<readonly Transfer[]> {
  const roots = await database.selectFrom('account').select('path').where('parent', 'is', null).execute();
  for (const { path: root } of roots) {
    if (account !== undefined && account !== root) continue;
    const pages = walkPages(
      (after: { readonly at: bigint; readonly id: string } | undefined, limit) =>
        database
          .selectFrom('transfer')
          .selectAll()
          .where('credit', '=', systemLedger('revenue', root))
          .where(rangeAfter(['at', 'id'], { from, to, after }))
          .where('kind', '=', 'charge')
          .where(sql<boolean>`not exists (select 1 from charge where charge.transfer_id = transfer.id)`)
          .orderBy('at')
          .orderBy('id')
          .limit(limit)
          .execute(),
      (row) => ({ at: row.at, id: row.id }),
    );
    for await (const rows of pages) yield rows.map(toTransfer);
  }
}
