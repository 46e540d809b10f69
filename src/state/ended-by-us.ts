import type { LegUuid } from '../units/ids.ts';
import type { EpochMs } from '../units/time.ts';

/** Long after the events of a node have gone to another controller, and its channels were looked at. */
const REMEMBER_MS = 600_000;

/**
 * Legs that this controller has told FreeSWITCH to end, and that were up then. Where nobody heard of their end, they
 * are known to have talked up to that moment.
 */
export type EndedByUs = {
  note(uuid: LegUuid, at: EpochMs): void;
  at(uuid: LegUuid): EpochMs | undefined;
  /** Drops what was long ago. */
  prune(now: EpochMs): void;
};

export function createEndedByUs(): EndedByUs {
  const moments = new Map<LegUuid, EpochMs>();
  return {
    note: (uuid, at) => void moments.set(uuid, at),
    at: (uuid) => moments.get(uuid),
    prune(now) {
      for (const [uuid, at] of moments) if (now - at > REMEMBER_MS) moments.delete(uuid);
    },
  };
}
