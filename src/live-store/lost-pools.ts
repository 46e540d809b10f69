import { StoreUnavailableError, type LiveStore, type LostPool } from '../admission/live-store.ts';
import { assert } from '../units/assert.ts';
import { rootOf, type AccountPath } from '../units/ids.ts';
import { toMicros } from '../units/money.ts';
import { guardStore } from '../redis/connection.ts';
import { lostClosedKey, rootSlot, slotKeys, walletKey } from '../redis/keys.ts';
import { lostClosingEntry } from './opened-pool.ts';
import type { StoreContext } from './store-context.ts';
import type { AskBooks } from './take-leg.ts';

/** A call waits no longer for the books: a third of what its gate waits for the decision. */
const BOOKS_WAIT_MS = 1_000;
const LOST = /^(\d+) (\d+) (\S+)$/;

export type LostPools = Pick<LiveStore, 'lostPool' | 'closeLost'> & { readonly askBooks: AskBooks };

/**
 * Customers' pools that Redis has lost. The books are asked once in the life of a Redis and root, when a customer's money
 * is not there for the first time; what they know stands beside the live state then, and the scripts read it there.
 * Where they do not answer in time, it is as if Redis did not: nobody knows what the customer has left.
 */
export function createLostPools(context: StoreContext): LostPools {
  const { redis, run, options } = context;
  const asking = new Map<AccountPath, Promise<void>>();

  const ask = async (root: AccountPath): Promise<void> => {
    const pools = await options.lostPools(root);
    const keys = [slotKeys(rootSlot(root)).lost, ...pools.map(({ account }) => walletKey(account))];
    const said = pools.flatMap(({ account, balance, opened }) => [
      account,
      `${balance} ${opened.amount} ${opened.serial}`,
    ]);
    await run('lost', keys, [context.clockArgument(), pools.length, ...said]);
  };
  const askBooks: AskBooks = async (root) => {
    let asked = asking.get(root);
    if (asked === undefined) {
      asked = ask(root).finally(() => asking.delete(root));
      // It goes on when those that wait for it have given up: the next call finds what it brought.
      asked.catch(() => undefined);
      asking.set(root, asked);
    }
    await withinWait(asked, root);
  };

  return {
    askBooks,
    async lostPool(account) {
      const { lost } = slotKeys(rootSlot(rootOf(account)));
      if ((await guardStore(() => redis.exists(lost))) === 0) await askBooks(rootOf(account));
      const text = await guardStore(() => redis.hget(lost, account));
      return text === null ? undefined : parseLost(account, text);
    },
    async closeLost(account, { amount, currency }) {
      const { lost, settlements } = slotKeys(rootSlot(rootOf(account)));
      const entry = lostClosingEntry(account, currency);
      const args = [context.clockArgument(), account, entry, `${amount}`, `lost@${options.clock()}`];
      const keys = [walletKey(account), lost, settlements, lostClosedKey(account)];
      return (await run('forget', keys, args)) === 1;
    },
  };
}

async function withinWait(asked: Promise<void>, root: AccountPath): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer in ${BOOKS_WAIT_MS} ms`)), BOOKS_WAIT_MS);
  });
  try {
    await Promise.race([asked, late]);
  } catch (cause) {
    if (cause instanceof StoreUnavailableError) throw cause;
    const words = `no pool in Redis, and SQL cannot be asked which of ${root} were lost`;
    throw new StoreUnavailableError(words, { cause });
  } finally {
    clearTimeout(timer);
  }
}

function parseLost(account: AccountPath, text: string): LostPool {
  const [, balance = '', amount = '', serial = ''] = LOST.exec(text) ?? [];
  assert(serial !== '', `a lost pool reads "${text}"`);
  const opened = { amount: toMicros(BigInt(amount)), serial };
  return { account, balance: toMicros(BigInt(balance)), opened };
}
