import { timePool } from '../credit/pools.ts';
import type { Directory } from '../state/directory.ts';
import type { Timers } from '../state/timers.ts';
import { customerOf, type AccountPath, type PoolId } from '../units/ids.ts';
import type { Log } from '../units/log.ts';

export type ChangeFollower = {
  /** Something has changed in SQL: this account, or what is not known. */
  follow(account: AccountPath | undefined): void;
  stop(): void;
};

const RETRY_MS = 2_000;

/**
 * Brings what was changed in SQL to running calls, one reading after the other. Nobody announces a change twice:
 * one that cannot be read now is read when SQL is back, and until then the old accounts and tariffs stand.
 */
export function createChangeFollower(parts: {
  readonly directory: Pick<Directory, 'refresh'>;
  readonly settings: { apply(): Promise<readonly PoolId[]> };
  readonly walletChanged: (wallet: PoolId) => Promise<unknown>;
  readonly limitsChanged: () => Promise<unknown>;
  readonly timers: Timers;
  readonly log: Log;
}): ChangeFollower {
  const { directory, settings, walletChanged, limitsChanged, timers, log } = parts;
  const touched = new Set<PoolId>();
  let asked = false;
  let reading = false;
  let failing = false;
  let cancelRetry: (() => void) | undefined;

  let stopped = false;

  const read = async (): Promise<void> => {
    await directory.refresh();
    for (const wallet of await settings.apply()) touched.add(wallet);
    for (const wallet of touched) {
      await walletChanged(wallet);
      touched.delete(wallet);
    }
    await limitsChanged();
  };
  const readAll = async (): Promise<void> => {
    reading = true;
    try {
      while (asked) {
        asked = false;
        await read();
        if (failing) log.info({}, 'changes of accounts and tariffs are read again');
        failing = false;
      }
    } catch (err) {
      if (!failing) log.error({ err }, 'a change of accounts or tariffs cannot be read: the old ones stand');
      failing = true;
      if (!stopped) cancelRetry ??= timers.after(RETRY_MS, retry);
    } finally {
      reading = false;
    }
  };
  const begin = (): void => {
    if (stopped) return;
    asked = true;
    if (!reading) void readAll();
  };
  const retry = (): void => {
    cancelRetry = undefined;
    begin();
  };
  return {
    follow(account) {
      for (const pool of account === undefined ? [] : poolsTouched(account)) touched.add(pool);
      begin();
    },
    stop() {
      stopped = true;
      asked = false;
      cancelRetry?.();
    },
  };
}

/** A customer's seconds change with his money: no limits on record say what he has. */
function poolsTouched(account: AccountPath): readonly PoolId[] {
  return customerOf(account) === undefined ? [account] : [account, timePool(account)];
}
