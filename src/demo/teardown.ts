/** What has been started, and how each part of it is ended. */
export type Teardown = {
  add(end: () => Promise<void> | void): void;
  /** Ends everything, the latest first, once. What does not end cleanly is told and does not stop the rest. */
  end(say: (line: string) => void): Promise<void>;
};

export function createTeardown(): Teardown {
  const ends: (() => Promise<void> | void)[] = [];
  let ending: Promise<void> | undefined;

  const endAll = async (say: (line: string) => void): Promise<void> => {
    for (let end = ends.pop(); end !== undefined; end = ends.pop()) {
      try {
        await end();
      } catch (error) {
        say(`while ending: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  };
  return {
    add: (end) => void ends.push(end),
    end: (say) => (ending ??= endAll(say)),
  };
}
