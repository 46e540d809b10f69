import type { Kysely } from 'kysely';
import type { RecordReader } from '../records/record-store.ts';
import { walletLedger } from '../records/records.ts';
import type { LegUuid } from '../units/ids.ts';
import { subtractMicros } from '../units/money.ts';
import { readCdrs } from './cdr-pages.ts';
import { numberOf } from '../sql/cell.ts';
import { readCustomerTotals } from './customer-queries.ts';
import { walkDecisions } from './decision-queries.ts';
import {
  readBalance,
  readBalancesBefore,
  readLegTransfers,
  readTransfers,
  walkWallets,
} from './ledger-queries.ts';
import { sumUntold, walkUntold } from './outbox.ts';
import { slicesOf } from '../sql/paging.ts';
import { toCharge } from './charge-rows.ts';
import { readPaidSince } from './paid-queries.ts';
import { toCdr, toDecision, toTransfer } from './record-rows.ts';
import type { Schema } from '../sql/schema.ts';

export function createRecordReader(database: Kysely<Schema>): RecordReader {
  return {
    cdr: async (leg) => {
      const row = await database.selectFrom('cdr').selectAll().where('leg_uuid', '=', leg).executeTakeFirst();
      return row === undefined ? undefined : toCdr(row);
    },

    cdrs: (query) => readCdrs(database, query),

    cdrsOfCall: async (leg) => {
      const aLegs = await aLegsOf(database, leg);
      const rows = await database
        .selectFrom('cdr')
        .selectAll()
        .where('a_leg', 'in', aLegs)
        .orderBy('admitted_at')
        .orderBy('leg_uuid')
        .execute();
      return rows.map(toCdr);
    },

    chargesOf: async (leg) => {
      const rows = await database
        .selectFrom('charge')
        .selectAll()
        .where('leg_uuid', '=', leg)
        .orderBy('payer')
        .orderBy('version')
        .orderBy('segment')
        .execute();
      return rows.map(toCharge);
    },

    paidSince: (payer, from) => readPaidSince(database, payer, from),

    decisionsOf: async (leg) => {
      const aLegs = await aLegsOf(database, leg);
      const rows = await database
        .selectFrom('decision')
        .selectAll()
        .where('a_leg', 'in', aLegs)
        .orderBy('at')
        .orderBy('id')
        .execute();
      return rows.map(toDecision);
    },

    decisionsOfKind: (query) => walkDecisions(database, query),

    transfer: async (id) => {
      const row = await database.selectFrom('transfer').selectAll().where('id', '=', id).executeTakeFirst();
      return row === undefined ? undefined : toTransfer(row);
    },

    transfersOf: (query) => readTransfers(database, query),

    transfersOfLeg: (leg) => readLegTransfers(database, leg),

    knownTransferIds: async (ids) => {
      const known = new Set<string>();
      for (const slice of slicesOf(ids)) {
        const rows = await database.selectFrom('transfer').select('id').where('id', 'in', slice).execute();
        for (const row of rows) known.add(row.id);
      }
      return known;
    },

    untold: (account) => walkUntold(database, account),

    toldBalance: (account, currency) =>
      database
        .transaction()
        .setAccessMode('read only')
        .execute(async (trx) => {
          const balance = await readBalance(trx, walletLedger(account), currency);
          return subtractMicros(balance, await sumUntold(trx, account, currency));
        }),

    balance: (ledger, currency) => readBalance(database, ledger, currency),

    balancesBefore: (ledger, before) => readBalancesBefore(database, ledger, before),

    walletBalances: (below) => walkWallets(database, below),

    customerTotals: () => readCustomerTotals(database),

    counts: () =>
      database
        .transaction()
        .setAccessMode('read only')
        .execute(async (trx) => {
          const count = async (table: 'cdr' | 'charge' | 'transfer' | 'decision'): Promise<number> => {
            const row = await trx
              .selectFrom(table)
              .select(({ fn }) => fn.countAll<bigint>().as('rows'))
              .executeTakeFirstOrThrow();
            return numberOf(row.rows);
          };
          return {
            cdrs: await count('cdr'),
            charges: await count('charge'),
            transfers: await count('transfer'),
            decisions: await count('decision'),
          };
        }),
  };
}

/** The A-legs of the calls a leg belongs to: itself, what its CDR's leg key names, what decisions say of it. */
async function aLegsOf(database: Kysely<Schema>, leg: LegUuid): Promise<readonly LegUuid[]> {
  const fromCdr = await database.selectFrom('cdr').select('a_leg').where('leg_uuid', '=', leg).execute();
  const fromDecisions = await database
    .selectFrom('decision')
    .select('a_leg')
    .distinct()
    .where('leg_uuid', '=', leg)
    .execute();
  return [...new Set([leg, ...fromCdr.map((row) => row.a_leg), ...fromDecisions.map((row) => row.a_leg)])];
}
