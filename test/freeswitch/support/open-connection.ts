import type { Socket } from 'node:net';
import {
  EslConnection,
  type EslConnectionOptions,
  type EslEndpoint,
} from '../../../src/freeswitch/connection.ts';
import { DEFAULT_FRAME_LIMITS } from '../../../src/freeswitch/framer.ts';
import { systemTiming } from '../../../src/freeswitch/timing.ts';
import { headerOf, type WireEvent } from '../../../src/freeswitch/wire-event.ts';
import { createMemoryLog } from './memory-log.ts';

export type OpenedConnection = {
  readonly connection: EslConnection;
  readonly events: WireEvent[];
  readonly log: ReturnType<typeof createMemoryLog>;
};

export function openConnection(
  peer: EslEndpoint | Socket,
  options: Partial<EslConnectionOptions> = {},
): OpenedConnection {
  const events: WireEvent[] = [];
  const log = createMemoryLog();
  const connection = new EslConnection(peer, {
    limits: DEFAULT_FRAME_LIMITS,
    connectTimeoutMs: 20_000,
    replyTimeoutMs: 20_000,
    pendingMax: 10_000,
    timing: systemTiming,
    log,
    onEvent: (event) => void events.push(event),
    ...options,
  });
  return { connection, events, log };
}

export function endpointAt(port: number, password = 'ClueCon'): EslEndpoint {
  return { host: '127.0.0.1', port, password };
}

export function eventNames(events: readonly WireEvent[]): readonly (string | undefined)[] {
  return events.map((event) => headerOf(event, 'Event-Name'));
}
