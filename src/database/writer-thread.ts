import { parentPort, workerData } from 'node:worker_threads';
import { assert } from '../units/assert.ts';
import { openDatabase } from './database.ts';
import type { ThreadReply, ThreadRequest } from './threaded-writer.ts';

// The body of the writing thread: one request after the other, each answered once.
assert(parentPort !== null, 'this file is the start of a worker thread');
const port = parentPort;
const { url } = workerData as { readonly url: string };
const database = await openDatabase({ url });

port.on('message', (request: ThreadRequest) => {
  if (request.kind === 'close') {
    void database.close().then(() => port.close());
    return;
  }
  database.records.writeBatch(request.batch).then(
    (outcome) => answer({ id: request.id, outcome }),
    (error: unknown) => answer({ id: request.id, error: toPlain(error) }),
  );
});
answer({ id: 0, outcome: undefined });

function answer(reply: ThreadReply): void {
  port.postMessage(reply);
}

/** An error loses its class between threads: what its readers go by is its name, and which record it is about. */
function toPlain(error: unknown): Extract<ThreadReply, { readonly error: object }>['error'] {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  const record = error instanceof Error && 'record' in error ? String(error.record) : undefined;
  return { name, message, record };
}
