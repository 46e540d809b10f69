import { Redis } from 'ioredis';

const RECONNECT_MS_MAX = 2_000;
const COMMAND_MS_MAX = 2_000;

/** For adding jobs: fails fast, because the caller has a call to serve and the sweep stands behind it. */
export function connectProducer(url: string): Redis {
  return new Redis(url, {
    retryStrategy,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 1,
    commandTimeout: COMMAND_MS_MAX,
  });
}

/** For the worker: waits for as long as Redis is away, as BullMQ demands, which makes its blocking one from it. */
export function connectWorker(url: string): Redis {
  return new Redis(url, { retryStrategy, maxRetriesPerRequest: null });
}

function retryStrategy(attempt: number): number {
  return Math.min(RECONNECT_MS_MAX, 50 * 2 ** Math.min(attempt, 6));
}
