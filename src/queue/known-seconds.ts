import type { AccountPath } from '../units/ids.ts';

/** Which roots are known to have something due in which second: saying it again must cost nothing. */
export type KnownSeconds = {
  /** What was new about it: the second itself, the root in it, or nothing. */
  learn(second: number, root: AccountPath): 'second' | 'root' | 'nothing';
  forget(second: number): void;
  forgetBefore(second: number): void;
  forgetAll(): void;
  /** Pairs of second and root held in memory. */
  size(): number;
};

export function createKnownSeconds(pairsMax: number): KnownSeconds {
  const seconds = new Map<number, Set<AccountPath>>();
  let pairs = 0;

  const forget = (second: number): void => {
    pairs -= seconds.get(second)?.size ?? 0;
    seconds.delete(second);
  };
  const forgetAll = (): void => {
    seconds.clear();
    pairs = 0;
  };
  return {
    learn(second, root) {
      // Forgetting costs a few commands said twice, memory without bound would cost the process.
      if (pairs >= pairsMax) forgetAll();
      const roots = seconds.get(second);
      if (roots === undefined) {
        seconds.set(second, new Set([root]));
        pairs += 1;
        return 'second';
      }
      if (roots.has(root)) return 'nothing';
      roots.add(root);
      pairs += 1;
      return 'root';
    },
    forget,
    forgetBefore(before) {
      for (const second of seconds.keys()) if (second < before) forget(second);
    },
    forgetAll,
    size: () => pairs,
  };
}
