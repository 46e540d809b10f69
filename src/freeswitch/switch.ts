import type { EventStream, Switch, SwitchListener } from '../calls/switch.ts';
import type { NodeId } from '../units/ids.ts';
import type { Log } from '../units/log.ts';
import { createCallControl } from './call-control.ts';
import { command, type EslCommand } from './command.ts';
import type { CloseReason } from './close-reason.ts';
import { EslConnection, type EslEndpoint } from './connection.ts';
import { decodeEvent } from './decode-event.ts';
import { EventSession } from './event-session.ts';
import { DEFAULT_FRAME_LIMITS, type FrameLimits } from './framer.ts';
import { keepConnected, type Backoff, type KeptConnection } from './keep-connected.ts';
import type { Timing } from './timing.ts';
import { toToken } from './tokens.ts';
import type { WireEvent } from './wire-event.ts';

/** No command connection to this FreeSWITCH is up. Nothing was sent. */
export class SwitchUnavailableError extends Error {
  override readonly name = 'SwitchUnavailableError';
  readonly node: NodeId;

  constructor(node: NodeId) {
    super(`no command connection to ${node}`);
    this.node = node;
  }
}

export type SwitchOptions = {
  readonly node: NodeId;
  readonly endpoint: EslEndpoint;
  readonly accountFallbacks: readonly string[];
  readonly timing: Timing;
  readonly log: Log;
} & Partial<SwitchTuning>;

/** What has a default. */
export type SwitchTuning = {
  readonly commandConnections: number;
  readonly events: readonly string[];
  readonly connectTimeoutMs: number;
  readonly replyTimeoutMs: number;
  /** FreeSWITCH's own `event-heartbeat-interval`. */
  readonly heartbeatIntervalMs: number;
  readonly lagAlarmMs: number;
  /** Events this late are given up for a resync. */
  readonly lagCloseMs: number;
  readonly backoff: Backoff;
  readonly limits: FrameLimits;
};

/** All that is read: an event that is not received costs nothing, on either side. */
export const SUBSCRIBED_EVENTS: readonly string[] = [
  'CHANNEL_CREATE',
  'CHANNEL_ANSWER',
  'CHANNEL_BRIDGE',
  'CHANNEL_UNBRIDGE',
  'CHANNEL_HANGUP',
  'CHANNEL_HANGUP_COMPLETE',
  'CHANNEL_PARK',
  'CHANNEL_UUID',
  'HEARTBEAT',
  'SHUTDOWN',
];

export const DEFAULT_SWITCH_TUNING: SwitchTuning = {
  commandConnections: 2,
  events: SUBSCRIBED_EVENTS,
  connectTimeoutMs: 5_000,
  replyTimeoutMs: 5_000,
  heartbeatIntervalMs: 20_000,
  lagAlarmMs: 3_000,
  lagCloseMs: 15_000,
  backoff: { firstMs: 100, maxMs: 5_000 },
  limits: DEFAULT_FRAME_LIMITS,
};

/** Commands waiting on one connection; beyond it FreeSWITCH is stuck and more would only hide that. */
const PENDING_MAX = 10_000;
const CORE_UUID = /^[A-Za-z0-9-]{1,64}$/;

/** One FreeSWITCH: command connections from `start` to `stop`, and an event connection while it is wanted. */
export type ConnectedSwitch = Switch & EventStream & { start(): void; stop(): Promise<void> };

export function createSwitch(options: SwitchOptions): ConnectedSwitch {
  const tuning: SwitchTuning = { ...DEFAULT_SWITCH_TUNING, ...options };
  const { node, timing } = options;
  const log = options.log.child({ node });
  // Said at the start and not at every attempt to connect.
  toToken('password', options.endpoint.password);
  const commandLinks: KeptConnection[] = [];
  let stream: { readonly link: KeptConnection; end(): void } | undefined;
  let session: EventSession | undefined;
  let coreUuid: string | undefined;
  let resyncedCoreUuid: string | undefined;
  let reconnects = 0;

  function keep(
    room: 'commands' | 'events',
    receive: (event: WireEvent) => void,
    setUp: (connection: EslConnection) => Promise<void>,
    onLost: (reason: CloseReason) => void,
  ): KeptConnection {
    const roomLog = log.child({ connection: room });
    const open = (): EslConnection =>
      new EslConnection(options.endpoint, {
        ...tuning,
        pendingMax: PENDING_MAX,
        timing,
        log: roomLog,
        inTurns: room === 'events',
        onEvent: receive,
      });
    return keepConnected({ backoff: tuning.backoff, timing, log: roomLog, open, setUp, onLost });
  }

  /** First of all: it tells a FreeSWITCH that was restarted from one that was out of reach. */
  async function readCoreUuid(connection: EslConnection): Promise<string> {
    const reply = await connection.send(command('api global_getvar core_uuid'));
    const read = reply.trim();
    if (!CORE_UUID.test(read)) throw new Error('FreeSWITCH does not tell its core uuid');
    coreUuid = read;
    return read;
  }

  function keepCommandLink(): KeptConnection {
    return keep(
      'commands',
      () => undefined,
      async (connection) => void (await readCoreUuid(connection)),
      () => (reconnects += 1),
    );
  }

  function onEvent(wire: WireEvent): void {
    const { accountFallbacks } = options;
    const event = decodeEvent(wire, { node, receivedAt: timing.now(), accountFallbacks });
    if (event !== undefined) session?.receive(event);
  }

  function keepEventLink(listener: SwitchListener): { readonly link: KeptConnection; end(): void } {
    let wanted = true;
    let announced = false;
    let resyncing = Promise.resolve();

    const setUp = async (connection: EslConnection): Promise<void> => {
      const core = await readCoreUuid(connection);
      if (!wanted) return;
      const current = new EventSession({
        ...tuning,
        timing,
        log,
        deliver: (event) => listener.onEvent(event),
        giveUp: (reason) => connection.close(reason),
      });
      session = current;
      const names = tuning.events.map((name) => toToken('event name', name));
      const reply = await connection.send(command('event json', ...names));
      if (!reply.startsWith('+OK')) throw new Error('FreeSWITCH refuses the subscription');
      // The resync of the connection before this one may still be under way.
      await resyncing;
      if (session !== current) return;
      const restarted = resyncedCoreUuid !== undefined && resyncedCoreUuid !== core;
      announced = true;
      log.info({ coreUuid: core, restarted }, 'event stream is up');
      const resynced = listener.onUp({ node, coreUuid: core, restarted });
      // A resync that failed has not dealt with a restart: the next one is told of it again.
      resyncing = resynced.then(
        () => void (resyncedCoreUuid = core),
        () => undefined,
      );
      await resynced;
      if (session === current) current.release();
    };

    const onLost = (reason: CloseReason): void => {
      reconnects += 1;
      session?.end();
      session = undefined;
      if (announced) listener.onDown({ node, reason });
      announced = false;
    };

    const end = (): void => {
      wanted = false;
      session?.end();
      session = undefined;
    };
    return { link: keep('events', onEvent, setUp, onLost), end };
  }

  async function stopStream(): Promise<void> {
    const stopping = stream;
    stream = undefined;
    stopping?.end();
    await stopping?.link.stop();
  }

  function send(commands: readonly EslCommand[]): Promise<readonly string[]> {
    const ready = commandLinks.map((link) => link.current()).filter((link) => link !== undefined);
    const leastLoaded = ready.toSorted((a, b) => a.pendingCount - b.pendingCount)[0];
    if (leastLoaded === undefined) return Promise.reject(new SwitchUnavailableError(node));
    return Promise.all(leastLoaded.sendAll(commands));
  }

  return {
    node,
    control: createCallControl({ node, accountFallbacks: options.accountFallbacks, timing, send }),
    health: () => ({
      up:
        commandLinks.some((link) => link.current() !== undefined) &&
        (stream === undefined || stream.link.current() !== undefined),
      coreUuid,
      lagMs: session?.lagMs ?? 0,
      reconnects,
    }),
    startEvents: (listener) => {
      void stopStream();
      stream = keepEventLink(listener);
    },
    stopEvents: () => void stopStream(),
    start: () => {
      while (commandLinks.length < tuning.commandConnections) commandLinks.push(keepCommandLink());
    },
    stop: async () => {
      await Promise.all([stopStream(), ...commandLinks.splice(0).map((link) => link.stop())]);
    },
  };
}
