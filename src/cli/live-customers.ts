import type { LegRecord, PayerRecord } from '../admission/leg-record.ts';
import type { LiveStore, PoolExtension } from '../admission/live-store.ts';
import type { CustomerExtension, LiveCustomer } from '../command-line/live-state.ts';
import { microsToSeconds, secondsToMicros, timePool } from '../credit/pools.ts';
import { customerOf, type AccountPath, type PoolId } from '../units/ids.ts';
import { subtractMicros, type Micros } from '../units/money.ts';

type Store = Pick<LiveStore, 'readWallet' | 'extend'>;

/** Customers that are stored nowhere are known by their live calls alone. */
export async function liveCustomers(
  store: Store,
  legs: readonly LegRecord[],
): Promise<readonly LiveCustomer[]> {
  const byPath = Map.groupBy(legs, ({ account }) => account);
  const found: LiveCustomer[] = [];
  for (const [path, calls] of [...byPath].toSorted(([one], [other]) => (one < other ? -1 : 1))) {
    const customer = customerOf(path);
    if (customer === undefined) continue;
    const answered = calls.filter(({ answeredAt }) => answeredAt !== undefined).length;
    const credit = await creditOf(store, path, calls);
    const time = await timeOf(store, path);
    found.push({ path, customer, calls: calls.length, answered, credit, time });
  }
  return found;
}

/** Ruling 9 the other way round: only the live state knows whether there is a pool, and it tells the record. */
export async function extendCustomer(
  store: Store,
  legs: readonly LegRecord[],
  { path, id, by }: CustomerExtension,
): Promise<'moved' | 'already' | 'no_pool'> {
  const transferId = `extension:${path}:${id}`;
  const currency = payerOf(path, legs)?.currency;
  if (by.kind === 'credit' && currency === undefined) return 'no_pool';
  const [pool, extension]: readonly [PoolId, PoolExtension] =
    by.kind === 'credit'
      ? [path, { transferId, amount: by.amount, currency }]
      : [timePool(path), { transferId, amount: secondsToMicros(by.seconds), currency: undefined }];
  const { kind } = await store.extend(pool, extension);
  return kind === 'no-wallet' ? 'no_pool' : kind;
}

async function creditOf(
  store: Store,
  path: AccountPath,
  calls: readonly LegRecord[],
): Promise<LiveCustomer['credit']> {
  const currency = payerOf(path, calls)?.currency;
  const pool = currency === undefined ? undefined : await readPool(store, path);
  if (pool === undefined || currency === undefined) return undefined;
  return { currency, ...pool, spent: subtractMicros(pool.amount, pool.left) };
}

async function timeOf(store: Store, path: AccountPath): Promise<LiveCustomer['time']> {
  const pool = await readPool(store, timePool(path));
  if (pool === undefined) return undefined;
  const [seconds, leftSeconds] = [microsToSeconds(pool.amount), microsToSeconds(pool.left)];
  return { seconds, leftSeconds, usedSeconds: seconds - leftSeconds };
}

async function readPool(
  store: Store,
  pool: PoolId,
): Promise<{ readonly amount: Micros; readonly left: Micros } | undefined> {
  const view = await store.readWallet(pool);
  if (view?.opened === undefined) return undefined;
  return { amount: view.opened.amount, left: subtractMicros(view.balance, view.committed) };
}

function payerOf(path: AccountPath, legs: readonly LegRecord[]): PayerRecord | undefined {
  return legs.flatMap(({ payers }) => payers).find(({ account }) => account === path);
}
