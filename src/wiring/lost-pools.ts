import type { LostPool } from '../controller/ungated.ts';
import type { RecordReader } from '../records/record-store.ts';
import { walletLedger, type LedgerName, type Transfer } from '../records/records.ts';
import type { SettlementFeed } from '../records/settlement-feed.ts';
import { rootOf } from '../units/ids.ts';
import { addMicros, ZERO_MICROS, type Micros } from '../units/money.ts';
import { toEpochMs, type Clock } from '../units/time.ts';

const PAGE = 1_000;
const FEED_READ_MAX = 10_000;

/**
 * What the books say of a customer's pool that Redis does not have, while a call of his is up that was admitted before:
 * Redis has lost it. Undefined: they know of nothing that is left in it, or what closed it is on its way to them.
 */
export function createLostPools(parts: {
  readonly records: Pick<RecordReader, 'balance' | 'transfersOf'>;
  readonly feed: Pick<SettlementFeed, 'read'>;
  readonly currency: string;
  readonly clock: Clock;
}): LostPool {
  const { records, feed, currency, clock } = parts;
  return async (account) => {
    const ledger = walletLedger(account);
    const { settlements, transfers } = await feed.read([rootOf(account)], FEED_READ_MAX);
    const waiting = [
      ...settlements.flatMap(({ settlement }) => settlement.transfers),
      ...transfers.map(({ transfer }) => transfer),
    ];
    if (waiting.some(({ debit, credit }) => debit === ledger || credit === ledger)) return undefined;
    const balance = await records.balance(ledger, currency);
    if (balance <= 0n) return undefined;
    const amount = await cameIn(records, ledger, currency);
    const opened = { amount: amount < balance ? balance : amount, serial: `lost@${clock()}` };
    return { balance, credit: ZERO_MICROS, policy: 'all', opened };
  };
}

/** All that came into the pool since one of this name was closed. */
async function cameIn(
  records: Pick<RecordReader, 'transfersOf'>,
  ledger: LedgerName,
  currency: string,
): Promise<Micros> {
  let amount = ZERO_MICROS;
  let after;
  for (;;) {
    const page = await records.transfersOf({
      ledger,
      from: toEpochMs(0),
      to: toEpochMs(Number.MAX_SAFE_INTEGER),
      order: 'newest_first',
      limit: PAGE,
      after,
    });
    for (const transfer of page.rows) {
      if (!isOfPool(transfer) || transfer.currency !== currency) continue;
      if (transfer.kind === 'closing') return amount;
      amount = addMicros(amount, transfer.amount);
    }
    after = page.next;
    if (after === undefined) return amount;
  }
}

/** Opened, raised, extended or closed; what came in and went for one leg that was charged outside of it is not of it. */
function isOfPool({ kind, id }: Transfer): boolean {
  return kind === 'topup' || ((kind === 'opening' || kind === 'closing') && id.includes('@'));
}
