export type ChunkReader = {
  take(chunk: Buffer): void;
  /** Reads at once what has not been read yet: what came before the end counts. */
  finish(): void;
};

export function readAtOnce(read: (chunk: Buffer) => void): ChunkReader {
  return { take: read, finish: () => undefined };
}

/** One chunk each turn of the event loop: timers and other sockets must not wait for a burst of events. */
export function readInTurns(read: (chunk: Buffer) => void): ChunkReader {
  const unread: Buffer[] = [];
  const readOne = (): void => {
    const chunk = unread.shift();
    if (chunk === undefined) return;
    if (unread.length > 0) setImmediate(readOne);
    read(chunk);
  };
  return {
    take(chunk) {
      unread.push(chunk);
      if (unread.length === 1) setImmediate(readOne);
    },
    finish() {
      for (const chunk of unread.splice(0)) read(chunk);
    },
  };
}
