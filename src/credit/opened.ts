import { assert } from '../units/assert.ts';
import type { PoolId } from '../units/ids.ts';
import { toMicros, ZERO_MICROS, type Micros } from '../units/money.ts';
import type { EpochMs } from '../units/time.ts';
import { operate } from './operations.ts';
import type { Wallet } from './wallet.ts';

/** A customer's pool before the first of his calls. */
export function emptyPool(account: PoolId, serial: string, at: EpochMs): Wallet {
  const opened = { amount: ZERO_MICROS, serial };
  return { account, at, balance: ZERO_MICROS, credit: ZERO_MICROS, policy: 'all', legs: [], opened };
}

/** With as much as a call wants to have come in at least. What wants less changes nothing (ruling 23). */
export function raisedTo(wallet: Wallet, most: Micros, at: EpochMs): Wallet {
  const before = wallet.opened?.amount;
  if (before === undefined || most <= before) return wallet;
  const amount = toMicros(most - before);
  const { credit, policy } = wallet;
  const raised = operate(wallet, { kind: 'fund', amount, credit, policy }, at);
  assert(raised.kind === 'done', 'money can always move');
  return raised.wallet;
}
