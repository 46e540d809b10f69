import type { LostPool } from '../admission/live-store.ts';
import { netOf } from '../records/proof.ts';
import type { RecordReader } from '../records/record-store.ts';
import { walletLedger, type LedgerName, type Transfer } from '../records/records.ts';
import type { SettlementFeed } from '../records/settlement-feed.ts';
import { customerOf, parseAccountPath, rootOf, type AccountPath } from '../units/ids.ts';
import { addMicros, toMicros, ZERO_MICROS, type Micros } from '../units/money.ts';
import type { Log } from '../units/log.ts';
import { toEpochMs, type Clock } from '../units/time.ts';

const PAGE = 1_000;
const FEED_READ_MAX = 10_000;
/** What is on its way into SQL arrives between two readings; it does not go on arriving for one customer. */
const READINGS_MAX = 20;

type Books = {
  readonly records: Pick<RecordReader, 'walletBalances' | 'balance' | 'transfersOf' | 'knownTransferIds'>;
  readonly feed: Pick<SettlementFeed, 'read'>;
  readonly currency: string;
  readonly clock: Clock;
  readonly log: Log;
};

/**
 * Customers' pools below a root that the books have opened and not closed. Those that Redis does not have it has lost: a
 * pool that is closed has its closing on the way to the books at the same instant.
 */
export function createLostPools(books: Books): (root: AccountPath) => Promise<readonly LostPool[]> {
  const { records, currency, clock, log } = books;
  return async (root) => {
    const lost: LostPool[] = [];
    for await (const wallet of records.walletBalances(root)) {
      const account = parseAccountPath(wallet.ledger.replace(/^wallet:/, ''));
      if (account === undefined || customerOf(account) === undefined) continue;
      if (wallet.currency !== currency || wallet.balance <= 0n) continue;
      const balance = await leftIn(books, account);
      if (balance <= 0n) continue;
      const cameIn = await cameInto(records, wallet.ledger, currency);
      const amount = cameIn < balance ? balance : cameIn;
      lost.push({ account, balance, opened: { amount, serial: `lost@${clock()}` } });
      log.warn({ accountId: account, balanceMicros: balance }, 'pool of a customer is open in the books');
    }
    return lost;
  };
}

/** On record, and on its way there. */
async function leftIn({ records, feed, currency }: Books, account: AccountPath): Promise<Micros> {
  const ledger = walletLedger(account);
  for (let reading = 0; reading < READINGS_MAX; reading += 1) {
    const { settlements, transfers } = await feed.read([rootOf(account)], FEED_READ_MAX);
    const waiting = [
      ...settlements.flatMap(({ settlement }) => settlement.transfers),
      ...transfers.map(({ transfer }) => transfer),
    ].filter(({ debit, credit }) => debit === ledger || credit === ledger);
    const ids = waiting.map(({ id }) => id);
    const before = await records.knownTransferIds(ids);
    const recorded = await records.balance(ledger, currency);
    const after = await records.knownTransferIds(ids);
    // One that arrived in between may be in the sum or not.
    if (before.size !== after.size) continue;
    const pending = netOf(
      waiting.filter(({ id }) => !after.has(id)),
      ledger,
      currency,
    );
    return toMicros(recorded + pending);
  }
  throw new Error(`what is left of the pool of ${account} changed too often to be read`);
}

/** All that came into the pool since one of this name was closed. */
async function cameInto(records: Books['records'], ledger: LedgerName, currency: string): Promise<Micros> {
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
