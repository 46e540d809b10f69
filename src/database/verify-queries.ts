import { sql, type Kysely } from 'kysely';
import type {
  CdrEvidence,
  ChargeEvidence,
  Evidence,
  TransferEvidence,
  WalletRecord,
} from '../records/evidence.ts';
import { walletLedger, type Transfer } from '../records/records.ts';
import { reversalIdPrefix, reversedTransferId } from '../records/reversal.ts';
import type { LegUuid } from '../units/ids.ts';
import { numberOf } from '../sql/cell.ts';
import { toCharge } from '../sql-records/charge-rows.ts';
import { walkWallets } from '../sql-records/ledger-queries.ts';
import { walkPages } from '../sql/paging.ts';
import { createRateReader } from '../sql-books/rate-reader.ts';
import { toCdr, toTransfer } from '../sql-records/record-rows.ts';
import type { ChargeRow, Schema, TransferRow } from '../sql/schema.ts';

/**
 * Walks by key, a page at a time. Within a page what belongs to a row is read after the row: a settlement is written
 * in one transaction, so whatever belongs to a row that is seen is there to be seen as well.
 */
export function createEvidence(database: Kysely<Schema>): Evidence {
  return {
    transfers: () => walkTransfers(database),
    charges: () => walkCharges(database),
    cdrs: () => walkCdrs(database),
    wallets: () => walkWalletRecords(database),
  };
}

async function* walkTransfers(database: Kysely<Schema>): AsyncGenerator<TransferEvidence> {
  const pages = walkPages(
    (after: string | undefined, limit) =>
      database
        .selectFrom('transfer')
        .selectAll()
        .where('id', '>', after ?? '')
        .orderBy('id')
        .limit(limit)
        .execute(),
    (row) => row.id,
  );
  for await (const rows of pages) {
    const ids = rows.map(chargeIdOf);
    const charges = await database.selectFrom('charge').selectAll().where('transfer_id', 'in', ids).execute();
    const byTransfer = new Map(charges.map((row) => [row.transfer_id, row]));
    for (const row of rows) {
      yield { transfer: toTransfer(row), charge: mapped(byTransfer.get(chargeIdOf(row)), toCharge) };
    }
  }
}

/** The transfer that has the id of its charge: itself, or what it takes back. */
function chargeIdOf({ id, kind }: TransferRow): string {
  return (kind === 'reversal' ? reversedTransferId(id) : undefined) ?? id;
}

async function* walkCharges(database: Kysely<Schema>): AsyncGenerator<ChargeEvidence> {
  const pages = walkPages(
    (after: string | undefined, limit) =>
      database
        .selectFrom('charge')
        .selectAll()
        .where('transfer_id', '>', after ?? '')
        .orderBy('transfer_id')
        .limit(limit)
        .execute(),
    (row) => row.transfer_id,
  );
  const rates = createRateReader(database);
  for await (const rows of pages) {
    const ids = rows.map((row) => row.transfer_id);
    const transfers = await database.selectFrom('transfer').selectAll().where('id', 'in', ids).execute();
    const legs = [...new Set(rows.map((row) => row.leg_uuid))];
    const cdrs = await database.selectFrom('cdr').selectAll().where('leg_uuid', 'in', legs).execute();
    const inForce = await readVersionsInForce(database, legs);
    const reversals = await readReversals(database, ids);
    const rateOf = await rates.ratesOf(rows);
    const transferById = new Map(transfers.map((row) => [row.id, row]));
    const cdrByLeg = new Map(cdrs.map((row) => [row.leg_uuid, row]));
    for (const row of rows) {
      yield {
        charge: toCharge(row),
        transfer: mapped(transferById.get(row.transfer_id), toTransfer),
        cdr: mapped(cdrByLeg.get(row.leg_uuid), toCdr),
        versionInForce: inForce.get(`${row.leg_uuid} ${row.payer}`) ?? numberOf(row.version),
        reversals: reversals.get(row.transfer_id) ?? [],
        rate: rateOf(row),
      };
    }
  }
}

async function readVersionsInForce(
  database: Kysely<Schema>,
  legs: readonly LegUuid[],
): Promise<ReadonlyMap<string, number>> {
  const rows = await database
    .selectFrom('charge')
    .select(['leg_uuid', 'payer', ({ fn }) => fn.max('version').as('version')])
    .where('leg_uuid', 'in', legs)
    .groupBy(['leg_uuid', 'payer'])
    .execute();
  return new Map(rows.map((row) => [`${row.leg_uuid} ${row.payer}`, numberOf(row.version)]));
}

/**
 * Reversals of these charges, which stand in the order of their ids: so do the reversals, but for versions of more
 * than one digit. No reversal of one of them lies outside these bounds.
 */
async function readReversals(
  database: Kysely<Schema>,
  ids: readonly string[],
): Promise<ReadonlyMap<string, readonly Transfer[]>> {
  const wanted = new Set(ids);
  const found = new Map<string, Transfer[]>();
  const from = reversalIdPrefix(ids[0] ?? '').slice(0, -1);
  // Up to the payer of the last one, whatever the version: `;` is the character after `:`.
  const to = `${reversalIdPrefix(ids.at(-1) ?? '').replace(/:\d+:$/, '')};`;
  const pages = walkPages(
    (after: string | undefined, limit) =>
      database
        .selectFrom('transfer')
        .selectAll()
        .where('id', '>', after ?? from)
        .where('id', '<', to)
        .orderBy('id')
        .limit(limit)
        .execute(),
    (row) => row.id,
  );
  for await (const rows of pages) {
    for (const row of rows) {
      const id = chargeIdOf(row);
      if (wanted.has(id)) found.set(id, [...(found.get(id) ?? []), toTransfer(row)]);
    }
  }
  return found;
}

async function* walkCdrs(database: Kysely<Schema>): AsyncGenerator<CdrEvidence> {
  const pages = walkPages(
    (after: string | undefined, limit) =>
      database
        .selectFrom('cdr')
        .selectAll()
        .where(sql<boolean>`leg_uuid > ${after ?? ''}`)
        .orderBy('leg_uuid')
        .limit(limit)
        .execute(),
    (row) => row.leg_uuid,
  );
  for await (const rows of pages) {
    const legs = rows.map((row) => row.leg_uuid);
    const charges = await database.selectFrom('charge').selectAll().where('leg_uuid', 'in', legs).execute();
    const byLeg = Map.groupBy(charges, (row: ChargeRow) => row.leg_uuid);
    for (const row of rows) {
      yield { cdr: toCdr(row), charges: (byLeg.get(row.leg_uuid) ?? []).map(toCharge) };
    }
  }
}

async function* walkWalletRecords(database: Kysely<Schema>): AsyncGenerator<WalletRecord> {
  const accounts = await database
    .selectFrom('account')
    .select(['path', 'wallet_currency'])
    .where('wallet_currency', 'is not', null)
    .execute();
  const currencies = new Map<string, string>();
  for (const { path, wallet_currency: currency } of accounts) {
    if (currency !== null) currencies.set(walletLedger(path), currency);
  }
  for await (const { ledger, currency, balance } of walkWallets(database)) {
    yield { ledger, currency, balance, accountCurrency: currencies.get(ledger) };
  }
}

function mapped<Row, Record>(row: Row | undefined, map: (row: Row) => Record): Record | undefined {
  return row === undefined ? undefined : map(row);
}
