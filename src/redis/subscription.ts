import type { Redis } from 'ioredis';
import type { Log } from '../units/log.ts';

export type Subscription = {
  /** Resolves once messages are heard for the first time. */
  readonly ready: Promise<void>;
  close(): void;
};

/**
 * Listens to one channel on a connection of its own, since a subscribed connection can do nothing else. Messages
 * published while it was down are lost: `onListening` is called after every (re)connection, to catch up.
 */
export function subscribe(
  redis: Redis,
  options: {
    readonly channel: string;
    readonly onMessage: (message: string) => void;
    readonly onListening: () => void;
    readonly log: Log;
  },
): Subscription {
  const { channel, onMessage, onListening, log } = options;
  // It subscribes by itself whenever it is ready, so that a subscription that got no answer is tried again.
  const subscriber = redis.duplicate({ autoResubscribe: false, enableOfflineQueue: false });
  const { promise: ready, resolve: heard } = Promise.withResolvers<void>();
  let closed = false;
  let down = false;

  const lost = (error: unknown): void => {
    if (down || closed) return;
    down = true;
    log.warn({ err: error, channel }, 'subscription lost');
  };
  const listen = async (): Promise<void> => {
    try {
      await subscriber.subscribe(channel);
    } catch (error) {
      lost(error);
      if (!closed) subscriber.disconnect(true);
      return;
    }
    if (down) log.info({ channel }, 'subscription restored');
    down = false;
    heard();
    onListening();
  };
  subscriber.on('error', lost);
  subscriber.on('message', (_, message: string) => onMessage(message));
  subscriber.on('ready', () => void listen());
  return {
    ready,
    close: () => {
      closed = true;
      subscriber.disconnect();
    },
  };
}
