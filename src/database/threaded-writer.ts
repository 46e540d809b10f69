import { Worker } from 'node:worker_threads';
import type { BatchOutcome, RecordBatch, RecordWriter } from '../records/record-store.ts';

export type ThreadRequest =
  | { readonly kind: 'write'; readonly id: number; readonly batch: RecordBatch }
  | { readonly kind: 'close' };

/** Id 0: the thread has opened the database. */
export type ThreadReply =
  | { readonly id: number; readonly outcome: BatchOutcome | undefined }
  | {
      readonly id: number;
      readonly error: {
        readonly name: string;
        readonly message: string;
        readonly record: string | undefined;
      };
    };

export type BatchWriter = Pick<RecordWriter, 'writeBatch'> & { close(): Promise<void> };

/** The thread is gone; what it had not confirmed is still in the stream. Its name counts as the database being down. */
export class DatabaseThreadError extends Error {
  override readonly name = 'DatabaseThreadError';
}

type Waiting = {
  readonly resolve: (outcome: BatchOutcome | undefined) => void;
  readonly reject: (error: Error) => void;
};

/**
 * Writes batches in a thread of its own: SQLite commits synchronously, and a disk that takes 200 ms for it would
 * hold up every cutoff due meanwhile. A thread that dies is started again by the next write.
 */
export async function openThreadedWriter(options: { readonly url: string }): Promise<BatchWriter> {
  let thread = await startThread(options.url);
  return {
    async writeBatch(batch) {
      if (thread.isGone()) thread = await startThread(options.url);
      const outcome = await thread.write(batch);
      if (outcome === undefined) throw new DatabaseThreadError('the writing thread answered something else');
      return outcome;
    },
    close: () => thread.close(),
  };
}

type Thread = {
  isGone(): boolean;
  write(batch: RecordBatch): Promise<BatchOutcome | undefined>;
  close(): Promise<void>;
};

async function startThread(url: string): Promise<Thread> {
  const worker = new Worker(new URL('./writer-thread.ts', import.meta.url), { workerData: { url } });
  const waiting = new Map<number, Waiting>();
  let lastId = 0;
  let gone = false;
  const ended = new Promise<void>((resolve) => {
    worker.once('exit', () => {
      end(new DatabaseThreadError('the writing thread has ended'));
      resolve();
    });
  });
  const end = (error: Error): void => {
    gone = true;
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  };
  // Whatever ends it, an open that failed included, is told to those who wait.
  worker.once('error', (error) => end(named(error instanceof Error ? error : new Error(String(error)))));
  worker.on('message', (reply: ThreadReply) => {
    const waiter = waiting.get(reply.id);
    waiting.delete(reply.id);
    if ('error' in reply) waiter?.reject(toError(reply.error));
    else waiter?.resolve(reply.outcome);
  });
  const expect = (id: number): Promise<BatchOutcome | undefined> =>
    new Promise((resolve, reject) => waiting.set(id, { resolve, reject }));
  const send = (request: ThreadRequest): void => worker.postMessage(request);

  await expect(0);
  return {
    isGone: () => gone,
    async write(batch) {
      lastId += 1;
      const outcome = expect(lastId);
      send({ kind: 'write', id: lastId, batch });
      return await outcome;
    },
    async close() {
      if (!gone) send({ kind: 'close' });
      await ended;
    },
  };
}

function toError({
  name,
  message,
  record,
}: Extract<ThreadReply, { readonly error: object }>['error']): Error {
  const error = new Error(message);
  error.name = name;
  return record === undefined ? error : Object.assign(error, { record });
}

/** An error that the thread died of may have any name; the drain is to take it for the database's. */
function named(error: Error): Error {
  return error.name.startsWith('Database') ? error : new DatabaseThreadError(error.message, { cause: error });
}
