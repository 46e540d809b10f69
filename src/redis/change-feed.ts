import type { Redis } from 'ioredis';
import { parseAccountPath, parseTariffName, type AccountPath, type TariffName } from '../units/ids.ts';
import type { Log } from '../units/log.ts';
import { guardStore } from './connection.ts';
import { CHANGED_CHANNEL } from './keys.ts';
import { subscribe, type Subscription } from './subscription.ts';

/** What somebody changed in SQL that running controllers keep in memory. */
export type Change =
  | { readonly kind: 'account'; readonly account: AccountPath }
  | { readonly kind: 'tariff'; readonly tariff: TariffName }
  /** Much, or it is not known what: read all of it again. */
  | { readonly kind: 'everything' };

export type ChangeFeed = {
  /** After the change is in SQL. Gives how many controllers heard it; rejects when Redis is down. */
  announce(change: Change): Promise<number>;
  /**
   * Calls back with every change, and with `everything` after each (re)connection, because what was announced
   * meanwhile was not heard. Returns the way to stop.
   */
  onChange(listener: (change: Change) => void): () => void;
  /** Resolves once changes are heard. */
  ready(): Promise<void>;
  close(): void;
};

export function createChangeFeed(redis: Redis, options: { readonly log: Log }): ChangeFeed {
  const listeners = new Set<(change: Change) => void>();
  let subscription: Subscription | undefined;
  const tell = (change: Change): void => {
    for (const listener of listeners) listener(change);
  };
  return {
    announce: (change) => guardStore(() => redis.publish(CHANGED_CHANNEL, formatChange(change))),
    onChange(listener) {
      listeners.add(listener);
      subscription ??= subscribe(redis, {
        channel: CHANGED_CHANNEL,
        onMessage: (message) => tell(parseChange(message)),
        onListening: () => tell({ kind: 'everything' }),
        log: options.log,
      });
      return () => void listeners.delete(listener);
    },
    ready: () => subscription?.ready ?? Promise.resolve(),
    close() {
      listeners.clear();
      subscription?.close();
    },
  };
}

/** "account acme/alice", "tariff retail", "everything": readable to whoever listens with redis-cli. */
function formatChange(change: Change): string {
  switch (change.kind) {
    case 'account':
      return `account ${change.account}`;
    case 'tariff':
      return `tariff ${change.tariff}`;
    case 'everything':
      return 'everything';
  }
}

/** What another release says and this one does not know is a change all the same. */
function parseChange(message: string): Change {
  const [kind, name = ''] = message.split(' ');
  const account = kind === 'account' ? parseAccountPath(name) : undefined;
  if (account !== undefined) return { kind: 'account', account };
  const tariff = kind === 'tariff' ? parseTariffName(name) : undefined;
  return tariff === undefined ? { kind: 'everything' } : { kind: 'tariff', tariff };
}
