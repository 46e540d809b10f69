import type { Leases } from '../calls/lease.ts';
import type { EventStream, SwitchListener } from '../calls/switch.ts';
import type { Timers } from '../state/timers.ts';
import type { NodeId } from '../units/ids.ts';
import type { Log } from '../units/log.ts';

export type NodeLeases = {
  owned(): readonly NodeId[];
  /** Resolves when every lease has been asked for once. */
  asked(): Promise<void>;
  stop(): Promise<void>;
};

/** How many times a lease is renewed before it would end. */
const RENEWALS_PER_LEASE = 4;

/**
 * One controller takes a node's events at a time; another takes over when its lease ends (DESIGN 9). While Redis
 * cannot be asked nobody can take a node from us, so its events are kept.
 */
export function holdNodes(parts: {
  readonly nodes: ReadonlyMap<NodeId, EventStream>;
  readonly leases: Leases;
  readonly listener: SwitchListener;
  readonly timers: Timers;
  readonly leaseMs: number;
  readonly log: Log;
}): NodeLeases {
  const { nodes, leases, listener, timers, leaseMs, log } = parts;
  const owned = new Set<NodeId>();
  let round: Promise<void> = Promise.resolve();
  let stopped = false;

  const renew = async (node: NodeId, stream: EventStream): Promise<void> => {
    try {
      const ours = await leases.hold(`node:${node}`);
      if (stopped) return;
      if (ours && !owned.has(node)) {
        owned.add(node);
        log.info({ node }, 'taking the events of a node');
        stream.startEvents(listener);
      } else if (!ours && owned.delete(node)) {
        log.warn({ node }, 'another controller has taken the events of a node');
        stream.stopEvents();
      }
    } catch (err) {
      log.warn({ err, node }, 'lease not renewed');
    }
  };

  const renewAll = (): void => {
    round = round.then(async () => {
      await Promise.all([...nodes].map(([node, stream]) => renew(node, stream)));
    });
  };
  renewAll();
  const first = round;
  const stopTimer = timers.every(leaseMs / RENEWALS_PER_LEASE, renewAll);

  return {
    owned: () => [...owned],
    asked: () => first,
    async stop() {
      stopped = true;
      stopTimer();
      await round;
      for (const node of owned) {
        nodes.get(node)?.stopEvents();
        try {
          await leases.giveUp(`node:${node}`);
        } catch (err) {
          log.debug({ err, node }, 'lease left to end by itself');
        }
      }
      owned.clear();
    },
  };
}
