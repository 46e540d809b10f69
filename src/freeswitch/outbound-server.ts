import { createServer, type Server, type Socket } from 'node:net';
import type { GateAnswer } from '../calls/gate.ts';
import type { LegFacts } from '../calls/switch-event.ts';
import type { NodeId } from '../units/ids.ts';
import { command } from './command.ts';
import { EslConnection } from './connection.ts';
import { decodeLeg } from './decode-event.ts';
import type { FrameLimits } from './framer.ts';
import { askKeeper, type GateOptions } from './gate-failure.ts';
import {
  EXIT_PLAN,
  planOutboundAnswer,
  readOutboundMode,
  type OutboundMode,
  type OutboundPlan,
} from './outbound-answer.ts';
import { headerOf, type WireEvent } from './wire-event.ts';

export type OutboundServerOptions = GateOptions & {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly accountFallbacks: readonly string[];
  /** Which of ours a FreeSWITCH is, by its core uuid; a call from a stranger is not decided. */
  nodeOf(coreUuid: string): NodeId | undefined;
  readonly handshakeTimeoutMs: number;
  /** Open gates, bridging ones included; the next is turned away, and its dialplan goes on undecided. */
  readonly socketsMax: number;
};

export type OutboundServer = {
  listen(): Promise<{ readonly port: number }>;
  /** Takes no more calls, lets those at the gate pass within the time, then closes. */
  close(graceMs: number): Promise<void>;
  openSockets(): number;
};

/** Anybody may connect here, and a channel's data is some tens of kilobytes. */
const LIMITS: FrameLimits = { headerBytesMax: 256 * 1024, bodyBytesMax: 1024 * 1024 };
const PENDING_MAX = 16;
/** FreeSWITCH takes a queued message within 20 ms; an application that says nothing has been waited for enough. */
const MULTISET_WAIT_MS = 500;
/** From the answer until FreeSWITCH closes; a call that is bridged has as long as it lasts. */
const FAREWELL_MS = 10_000;

/** The other end of the dialplan's `socket` application: one connection a call, and one decision. */
export function createOutboundServer(options: OutboundServerOptions): OutboundServer {
  const { timing, log } = options;
  const open = new Set<EslConnection>();
  const passing = new Set<Promise<void>>();
  const server = createServer({ noDelay: true, keepAlive: true }, (socket) => {
    const served = serve(socket)
      .catch((err: unknown) => log.error({ err }, 'gate socket failed'))
      .finally(() => passing.delete(served));
    passing.add(served);
  });
  server.maxConnections = options.socketsMax;
  server.on('drop', () => log.error({ socketsMax: options.socketsMax }, 'too many gate sockets'));

  async function serve(socket: Socket): Promise<void> {
    let onEvent: ((event: WireEvent) => void) | undefined;
    const connection = new EslConnection(socket, {
      limits: LIMITS,
      connectTimeoutMs: options.handshakeTimeoutMs,
      replyTimeoutMs: undefined,
      pendingMax: PENDING_MAX,
      timing,
      log,
      onEvent: (event) => onEvent?.(event),
    });
    open.add(connection);
    void connection.closed.then(() => open.delete(connection));
    const channel = await handshake(connection);
    if (channel === undefined) return;
    const leg = readLeg(channel);
    if (leg === undefined) {
      sendExit(connection);
      return farewell(connection);
    }
    const answer = await askKeeper({ via: 'socket', leg }, options);
    if (connection.state !== 'ready') {
      log.info({ callUuid: leg.uuid }, 'caller left while the gate decided');
      return;
    }
    const plan = planSafely(answer, readOutboundMode(channel), leg);
    onEvent = (event) => {
      if (plan.exitAfter !== undefined && isEndOf(plan.exitAfter, event)) sendExit(connection);
    };
    carryOut(connection, plan, leg);
    if (!plan.staysOpen) await farewell(connection);
  }

  async function handshake(connection: EslConnection): Promise<WireEvent | undefined> {
    try {
      return await connection.ready;
    } catch (err) {
      log.info({ err }, 'gate socket closed before its call was known');
      return undefined;
    }
  }

  function readLeg(channel: WireEvent): LegFacts | undefined {
    const coreUuid = headerOf(channel, 'Core-UUID') ?? '';
    const node = options.nodeOf(coreUuid);
    const { accountFallbacks } = options;
    const leg =
      node === undefined
        ? undefined
        : decodeLeg(channel, { node, receivedAt: timing.now(), accountFallbacks });
    if (leg === undefined)
      log.error({ known: node !== undefined }, 'gate socket of an unknown FreeSWITCH or leg');
    return leg;
  }

  /** An answer that cannot be said safely is none. */
  function planSafely(answer: GateAnswer, mode: OutboundMode, leg: LegFacts): OutboundPlan {
    for (const tried of [answer, options.onFailure]) {
      try {
        return planOutboundAnswer(tried, mode, leg);
      } catch (err) {
        log.error({ err, callUuid: leg.uuid }, 'gate answer cannot be sent');
      }
    }
    return EXIT_PLAN;
  }

  function carryOut(connection: EslConnection, plan: OutboundPlan, leg: LegFacts): void {
    const replies = connection.sendAll(plan.commands);
    void Promise.allSettled(replies).then((settled) => {
      const refused = settled.filter(
        (reply) => reply.status === 'fulfilled' && !reply.value.startsWith('+OK'),
      );
      if (refused.length > 0)
        log.warn({ callUuid: leg.uuid, refused }, 'FreeSWITCH refused a part of the answer');
    });
    if (plan.exitAfter === 'multiset') {
      const cancel = timing.after(MULTISET_WAIT_MS, () => sendExit(connection));
      void connection.closed.then(cancel);
    }
  }

  /** FreeSWITCH closes; closing first could reset the connection under commands it has not read. */
  async function farewell(connection: EslConnection): Promise<void> {
    const cancel = timing.after(FAREWELL_MS, () => connection.close());
    await connection.closed;
    cancel();
  }

  return {
    listen: () => listen(server, options, (err) => log.error({ err }, 'gate server failed')),
    openSockets: () => open.size,
    close: async (graceMs) => {
      const closed = new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
      let cancel: (() => void) | undefined;
      const grace = new Promise<void>((resolve) => {
        cancel = timing.after(graceMs, resolve);
      });
      await Promise.race([Promise.all(passing), grace]);
      cancel?.();
      for (const connection of open) connection.close();
      await closed;
    },
  };
}

function sendExit(connection: EslConnection): void {
  // FreeSWITCH may close before it answers.
  connection.send(command('exit')).catch(() => undefined);
}

function listen(
  server: Server,
  at: { readonly host: string; readonly port: number },
  onError: (error: Error) => void,
): Promise<{ readonly port: number }> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(at.port, at.host, () => {
      server.off('error', reject);
      server.on('error', onError);
      const address = server.address();
      resolve({ port: typeof address === 'object' && address !== null ? address.port : at.port });
    });
  });
}

function isEndOf(application: string, event: WireEvent): boolean {
  return (
    headerOf(event, 'Event-Name') === 'CHANNEL_EXECUTE_COMPLETE' &&
    headerOf(event, 'Application') === application
  );
}
