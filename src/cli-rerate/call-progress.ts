import type { RerateFilter } from '../charging/rerate-run.ts';
import type { CommandContext } from '../command-line/command.ts';
import { createProgress } from '../command-line/progress.ts';

/** How far a walk over the calls on record has come. */
export type CallProgress = { add(calls: number): void; end(): void };

/** They are counted beforehand only where somebody looks. */
export async function createCallProgress(
  context: CommandContext,
  filter: RerateFilter,
): Promise<CallProgress> {
  const { rerates } = await context.stores();
  const progress = createProgress({
    draw: context.drawProgress,
    whole: context.drawProgress === undefined ? 0 : await rerates.countCalls(filter),
    unit: 'calls',
    now: context.now,
  });
  let done = 0;
  return {
    add(calls) {
      done += calls;
      progress.at(done, `${done} calls`);
    },
    end: () => progress.end(),
  };
}
