import type { CarryOutParts } from '../charging/carry-out.ts';
import type { Movement, RecordStore } from '../records/record-store.ts';
import type { LiveState } from './live-state.ts';

/** Brings what is on record to the wallets that calls are admitted against, and forgets what has arrived (ruling 9). */
export function createTeller(
  live: Pick<LiveState, 'tell'>,
  records: Pick<RecordStore, 'untold' | 'forgetTold'>,
): Pick<CarryOutParts, 'tell' | 'untold'> {
  return {
    untold: () => records.untold(undefined),
    async tell(movements: readonly Movement[]) {
      for (const movement of movements) await live.tell(movement);
      if (movements.length > 0) await records.forgetTold(movements);
    },
  };
}
