import type { NodeId } from '../units/ids.ts';
import { toEpochMs, type EpochMs } from '../units/time.ts';

/** How long a sample of a node's offset counts: long enough to meet an unhindered event, short enough for drift. */
const WINDOW_MS = 60_000;

/** FreeSWITCH's clock → ours, per node: the least (received − fired) over a window (ruling 21). */
export type NodeClocks = {
  observe(node: NodeId, occurredAt: EpochMs, receivedAt: EpochMs): void;
  /** Never in the future of `now`: an answer cannot lie ahead of the event that told of it. */
  toOurs(node: NodeId, moment: EpochMs, now: EpochMs): EpochMs;
};

type Window = { current: number; previous: number; since: EpochMs };

export function createNodeClocks(): NodeClocks {
  const windows = new Map<NodeId, Window>();
  return {
    observe(node, occurredAt, receivedAt) {
      const offset = receivedAt - occurredAt;
      const window = windows.get(node);
      if (window === undefined) {
        windows.set(node, { current: offset, previous: offset, since: receivedAt });
      } else if (receivedAt - window.since > WINDOW_MS) {
        windows.set(node, { current: offset, previous: window.current, since: receivedAt });
      } else if (offset < window.current) {
        window.current = offset;
      }
    },
    toOurs(node, moment, now) {
      const window = windows.get(node);
      if (window === undefined) return moment < now ? moment : now;
      const ours = moment + Math.min(window.current, window.previous);
      return toEpochMs(Math.min(ours, now));
    },
  };
}
