import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

export type CuttingProxy = {
  readonly url: string;
  /** The next reply of Redis is lost with its connection: what was asked has happened, and nobody was told. */
  cutNextReply(): void;
  readonly cuts: () => number;
  close(): Promise<void>;
};

/** Stands between a client and Redis, to lose a connection at the worst moment. */
export async function startCuttingProxy(redisUrl: string): Promise<CuttingProxy> {
  const target = new URL(redisUrl);
  const open = new Set<Socket>();
  let cutting = false;
  let cuts = 0;
  const server = createServer((client) => {
    const redis = connect(Number(target.port), target.hostname);
    for (const socket of [client, redis]) {
      open.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => {
        open.delete(socket);
        client.destroy();
        redis.destroy();
      });
    }
    client.on('data', (chunk) => redis.write(chunk));
    redis.on('data', (chunk) => {
      if (!cutting) return void client.write(chunk);
      cutting = false;
      cuts += 1;
      client.destroy();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
  return {
    url: `redis://127.0.0.1:${address.port}${target.pathname}`,
    cutNextReply: () => {
      cutting = true;
    },
    cuts: () => cuts,
    close: async () => {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
