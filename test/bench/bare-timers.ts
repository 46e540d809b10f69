import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';

/** As long as a hang-up command. */
const LINE = `api uuid_kill 2f1c8f0e-0000-4000-8000-000000000000 ALLOTTED_TIMEOUT\n\n`;

/**
 * How late timers are on this machine by themselves: one for each of these delays, each of which writes a line to a
 * socket when it fires, and nothing else. In ms.
 */
export async function bareTimers(delaysMs: readonly number[]): Promise<readonly number[]> {
  const server = createServer((peer) => peer.resume()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  await once(socket, 'connect');
  const startedAt = performance.now();
  const late = await Promise.all(
    delaysMs.map(
      (delayMs) =>
        new Promise<number>((resolve) => {
          setTimeout(() => {
            const lateMs = performance.now() - startedAt - delayMs;
            socket.write(LINE);
            resolve(lateMs);
          }, delayMs);
        }),
    ),
  );
  socket.destroy();
  server.close();
  return late;
}
