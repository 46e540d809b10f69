import { sql, type Kysely } from 'kysely';
import type {
  CdrEvidence,
  ChargeEvidence,
  Evidence,
  TransferEvidence,
  WalletRecord,
} from '../records/evidence.ts';
import { walletLedger } from '../records/records.ts';
import { walkWallets } from './ledger-queries.ts';
import { toCharge } from './charge-rows.ts';
import { walkPages } from './paging.ts';
import { toCdr, toTransfer } from './record-rows.ts';
import type { ChargeRow, Schema } from './schema.ts';

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
    const ids = rows.map((row) => row.id);
    const charges = await database.selectFrom('charge').selectAll().where('transfer_id', 'in', ids).execute();
    const byTransfer = new Map(charges.map((row) => [row.transfer_id, row]));
    for (const row of rows) {
      yield { transfer: toTransfer(row), charge: mapped(byTransfer.get(row.id), toCharge) };
    }
  }
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
  for await (const rows of pages) {
    const ids = rows.map((row) => row.transfer_id);
    const transfers = await database.selectFrom('transfer').selectAll().where('id', 'in', ids).execute();
    const legs = rows.map((row) => row.leg_uuid);
    const cdrs = await database.selectFrom('cdr').selectAll().where('leg_uuid', 'in', legs).execute();
    const transferById = new Map(transfers.map((row) => [row.id, row]));
    const cdrByLeg = new Map(cdrs.map((row) => [row.leg_uuid, row]));
    for (const row of rows) {
      yield {
        charge: toCharge(row),
        transfer: mapped(transferById.get(row.transfer_id), toTransfer),
        cdr: mapped(cdrByLeg.get(row.leg_uuid), toCdr),
      };
    }
  }
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
