import type { Log } from '../units/log.ts';

/** Says once that something fails, and once that it works again, however often either happens. */
export type OutageLog = {
  readonly failed: (error: unknown) => void;
  readonly worked: () => void;
  /** Nothing thrown in it may reach a call. False: it failed, and that is logged. */
  readonly attempt: (work: () => Promise<unknown>) => Promise<boolean>;
};

export function createOutageLog(log: Log, what: string): OutageLog {
  let failing = false;
  const failed = (error: unknown): void => {
    if (!failing) log.warn({ err: error, what }, 'the cutoff queue fails, sweeps stand in for it');
    failing = true;
  };
  const worked = (): void => {
    if (failing) log.info({ what }, 'the cutoff queue works again');
    failing = false;
  };
  return {
    failed,
    worked,
    async attempt(work) {
      try {
        await work();
        worked();
        return true;
      } catch (error) {
        failed(error);
        return false;
      }
    },
  };
}
