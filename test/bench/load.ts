/** An operation that can be repeated; the number is its turn. */
export type Operation = (turn: number) => Promise<unknown>;

/** Keeps so many under way for so long. Gives how many were done, and in how many seconds. */
export async function saturate(
  operation: Operation,
  { inFlight, forMs }: { readonly inFlight: number; readonly forMs: number },
): Promise<{ readonly operations: number; readonly seconds: number }> {
  const startedAt = performance.now();
  const until = startedAt + forMs;
  let begun = 0;
  const worker = async (): Promise<void> => {
    while (performance.now() < until) {
      begun += 1;
      await operation(begun - 1);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  return { operations: begun, seconds: (performance.now() - startedAt) / 1000 };
}

/** Does a given number, so many at once. Gives the seconds it took. */
export async function doAll(
  operation: Operation,
  { count, inFlight }: { readonly count: number; readonly inFlight: number },
): Promise<number> {
  const startedAt = performance.now();
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) {
      const turn = next;
      next += 1;
      await operation(turn);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  return (performance.now() - startedAt) / 1000;
}

/**
 * Issues operations at a steady rate whether or not the ones before are done. Gives each one's time from issue to
 * answer, in ms.
 */
export async function paced(
  operation: Operation,
  { perSecond, forMs }: { readonly perSecond: number; readonly forMs: number },
): Promise<readonly number[]> {
  const startedAt = performance.now();
  const count = Math.floor((perSecond * forMs) / 1000);
  const latencies: number[] = [];
  const pending: Promise<void>[] = [];
  const issue = async (turn: number): Promise<void> => {
    const issuedAt = performance.now();
    await operation(turn);
    latencies.push(performance.now() - issuedAt);
  };
  while (pending.length < count) {
    const due = Math.min(count, Math.floor(((performance.now() - startedAt) * perSecond) / 1000) + 1);
    while (pending.length < due) pending.push(issue(pending.length));
    await pause(1);
  }
  await Promise.all(pending);
  return latencies;
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
