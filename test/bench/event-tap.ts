import { connect } from 'node:net';
import { DEFAULT_FRAME_LIMITS, Framer } from '../../src/freeswitch/framer.ts';
import { SUBSCRIBED_EVENTS } from '../../src/freeswitch/switch.ts';
import { pause } from './load.ts';

/** What a controller would receive: the bodies of all events the service subscribes to, while `during` runs. */
export async function tapEvents(
  { port, password }: { readonly port: number; readonly password: string },
  during: () => Promise<unknown>,
): Promise<readonly Buffer[]> {
  const bodies: Buffer[] = [];
  const framer = new Framer(DEFAULT_FRAME_LIMITS);
  const socket = connect(port, '127.0.0.1');
  socket.on('data', (chunk: Buffer) => {
    framer.push(chunk, ({ contentType, body }) => {
      if (contentType === 'text/event-json' && body !== undefined) bodies.push(Buffer.from(body));
    });
  });
  socket.write(`auth ${password}\n\nevent json ${SUBSCRIBED_EVENTS.join(' ')}\n\n`);
  await pause(200);
  await during();
  await pause(200);
  socket.destroy();
  return bodies;
}
