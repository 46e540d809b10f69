import { once } from 'node:events';
import { createServer } from 'node:net';
import { assert } from '../units/assert.ts';

/** A port of the loopback address that nobody listens on, for a server that is started at once. */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert(address !== null && typeof address === 'object', 'a listening TCP server has an address');
  server.close();
  await once(server, 'close');
  return address.port;
}
