/** Runs what concerns one key in order, and different keys side by side. An error ends its own task only. */
export type Sequencer<Key> = {
  run(key: Key, task: () => Promise<void>): void;
  /** Resolves when what was begun for that key until now is done. */
  soFar(key: Key): Promise<void>;
  idle(): Promise<void>;
};

export function createSequencer<Key>(onError: (error: unknown, key: Key) => void): Sequencer<Key> {
  const tails = new Map<Key, Promise<void>>();
  return {
    run(key, task) {
      const tail = (tails.get(key) ?? Promise.resolve()).then(async () => {
        try {
          await task();
        } catch (error) {
          onError(error, key);
        }
      });
      tails.set(key, tail);
      // The last one out turns off the light, or the map would grow with every call.
      void tail.then(() => {
        if (tails.get(key) === tail) tails.delete(key);
      });
    },
    soFar: (key) => tails.get(key) ?? Promise.resolve(),
    async idle() {
      while (tails.size > 0) await Promise.all(tails.values());
    },
  };
}
