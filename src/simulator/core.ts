import type { Socket } from 'node:net';
import type { EventBus } from './event-bus.ts';
import type { Faults } from './faults.ts';
import type { FarEnd } from './far-end.ts';
import type { Action, Leg } from './leg.ts';
import type { Ledger } from './ledger.ts';
import type { Scheduler } from './scheduler.ts';
import type { Kernel, Script } from './thread.ts';

/** What a dialplan may look at: the leg as it stands when it enters (again, after every transfer). */
export type DialplanView = {
  readonly uuid: string;
  readonly direction: 'inbound' | 'outbound';
  readonly from: string;
  readonly destination: string;
  readonly context: string;
  variable(name: string): string | undefined;
};

/** The actions for a call; undefined or none is NO_ROUTE_DESTINATION. */
export type Dialplan = (call: DialplanView) => readonly Action[] | undefined;

/** One running FreeSWITCH, from its start to its end. A restart makes a new one. */
export type Core = {
  readonly coreUuid: string;
  readonly hostname: string;
  readonly switchname: string;
  readonly startedMicros: number;
  readonly kernel: Kernel;
  readonly bus: EventBus;
  readonly faults: Faults;
  readonly scheduler: Scheduler;
  readonly ledger: Ledger;
  /** Every leg up to its DESTROY. */
  readonly legs: Map<string, Leg>;
  /** What `hash insert` keeps. */
  readonly hash: Map<string, string>;
  readonly counts: { sessions: number; peak: number };
  /** How long a thread takes to notice what another one did. */
  readonly pickupMs: number;
  readonly originateTimeoutMs: number;
  /** FreeSWITCH's clock: true time, moved and made coarse as configured. */
  nowMicros(): number;
  /** True time, for deadlines: these do not move with the clock. */
  nowTrueMs(): number;
  newUuid(): string;
  dialplanFor(view: DialplanView): readonly Action[];
  farEndFor(address: string): FarEnd | undefined;
  /** On whose behalf an api command runs. */
  actor: 'api' | 'scheduler';
  /** Outbound sockets, to be destroyed with the process. */
  readonly sockets: Set<Socket>;
  /** Bound after the fact, because applications start sessions and sessions run applications. */
  startSession(leg: Leg): void;
  runApplication(leg: Leg, action: Action): Script;
  runApi(text: string): Script<string>;
  requestShutdown(): void;
  /** A leg that exists nowhere, for events out of the blue. */
  orphan(): Leg;
};

export function nextSessionId(core: Core): number {
  core.counts.sessions += 1;
  core.counts.peak = Math.max(core.counts.peak, core.legs.size + 1);
  return core.counts.sessions;
}

/** A leg that commands can still find: one on its way down is not (hence `-ERR No such channel!`). */
export function locate(core: Core, uuid: string | undefined): Leg | undefined {
  const leg = uuid === undefined ? undefined : core.legs.get(uuid);
  return leg?.isUp === true ? leg : undefined;
}
