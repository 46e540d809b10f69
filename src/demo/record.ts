import type { Database } from '../database/database.ts';
import { systemLedger, walletLedger, type Cdr, type Charge, type Transfer } from '../records/records.ts';
import { rootOf, type AccountPath } from '../units/ids.ts';
import { addMicros, parseMicros, type Micros } from '../units/money.ts';
import { toEpochMs } from '../units/time.ts';
import { assert } from '../units/assert.ts';
import { CURRENCY } from './tenants.ts';
import { until } from './waiting.ts';

/** What SQL says, in the few questions the scenes ask of it. */

export type ChargedCall = { readonly cdr: Cdr; readonly charges: readonly Charge[] };

const EVER = { from: toEpochMs(0), to: toEpochMs(Number.MAX_SAFE_INTEGER) };
const ROWS_MAX = 1_000;

export function money(text: string): Micros {
  const amount = parseMicros(text);
  assert(amount !== undefined, `${text} is no amount`);
  return amount;
}

export async function callsOf({ records }: Database, account: string): Promise<readonly ChargedCall[]> {
  const { rows } = await records.cdrs({
    ...EVER,
    account: account as AccountPath,
    scope: 'subtree',
    order: 'oldest_first',
    limit: ROWS_MAX,
  });
  return Promise.all(rows.map(async (cdr) => ({ cdr, charges: await records.chargesOf(cdr.legUuid) })));
}

/** Calls are on record a moment after they end. */
export function recordedCalls(
  database: Database,
  account: string,
  count: number,
): Promise<readonly ChargedCall[]> {
  const read = (): Promise<readonly ChargedCall[]> => callsOf(database, account);
  return until(`${count} calls of ${account} on record`, read, (calls) => calls.length >= count);
}

export function chargedTo(account: string, calls: readonly ChargedCall[]): Micros {
  const prices = calls.flatMap(({ charges }) =>
    charges.filter(({ payer }) => payer === account).map(({ price }) => price),
  );
  return addMicros(...prices);
}

export function balanceOf({ records }: Database, account: string): Promise<Micros> {
  return records.balance(walletLedger(account as AccountPath), CURRENCY);
}

/** What a root's customers have paid for calls. */
export function revenueOf({ records }: Database, account: string): Promise<Micros> {
  return records.balance(systemLedger('revenue', rootOf(account as AccountPath)), CURRENCY);
}

export async function transfersOf({ records }: Database, account: string): Promise<readonly Transfer[]> {
  const ledger = walletLedger(account as AccountPath);
  const { rows } = await records.transfersOf({ ...EVER, ledger, order: 'oldest_first', limit: ROWS_MAX });
  return rows;
}
