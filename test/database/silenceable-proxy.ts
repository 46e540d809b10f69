import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** A way to a PostgreSQL on which words can get lost: what was connected then stays so and hears nothing more. */
export async function openSilenceableProxy(url: string): Promise<{
  readonly url: string;
  silence(): void;
  /** For those who connect from now on. */
  speak(): void;
}> {
  const target = new URL(url);
  const sockets = new Set<Socket>();
  let silent = false;
  const server = createServer((near) => {
    const far = connect({ host: target.hostname, port: Number(target.port) });
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      let lost = silent;
      from.on('data', (bytes) => {
        lost ||= silent;
        if (!lost) to.write(bytes);
      });
      from.on('close', () => to.destroy());
      from.on('error', () => to.destroy());
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const proxied = new URL(url);
  proxied.port = String((server.address() as { readonly port: number }).port);
  return { url: proxied.href, silence: () => (silent = true), speak: () => (silent = false) };
}
