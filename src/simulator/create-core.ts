import { randomInt } from 'node:crypto';
import { runApi, heartbeatHeaders } from './api.ts';
import { runApplication } from './applications.ts';
import type { Core } from './core.ts';
import { EventBus } from './event-bus.ts';
import type { Faults } from './faults.ts';
import { newInboundLeg } from './inbound-call.ts';
import type { Ledger } from './ledger.ts';
import { Scheduler } from './scheduler.ts';
import { runSession } from './session.ts';
import { Kernel } from './thread.ts';
import type { TimeSource } from './time-source.ts';

export type CoreSettings = {
  readonly hostname?: string;
  readonly switchname?: string;
  readonly heartbeatMs?: number;
  /** FreeSWITCH's clock moves in such steps (some 20 ms on a real one). */
  readonly clockStepMs?: number;
  /** After how long one thread notices what another did. */
  readonly pickupMs?: number;
  readonly originateTimeoutMs?: number;
  /** Makes ids and the scheduler's phase repeatable. Two simulators of one test need two seeds. */
  readonly seed?: number;
  /** Where in its half second the scheduler wakes, 0 to 499; drawn from the seed when absent. */
  readonly schedulerPhaseMs?: number;
};

type Surroundings = Pick<Core, 'dialplanFor' | 'farEndFor' | 'requestShutdown'> & {
  readonly time: TimeSource;
  readonly faults: Faults;
  readonly ledger: Ledger;
};

/** A restarted FreeSWITCH must not give out the ids of the one before it. */
let coresStarted = 0;

/** One FreeSWITCH process, from start to stop. */
export function createCore(settings: CoreSettings, around: Surroundings): Core {
  const { time, faults, ledger } = around;
  coresStarted += 1;
  const random = createRandom(
    settings.seed === undefined ? randomInt(2 ** 31) : settings.seed + coresStarted * 7919,
  );
  const newUuid = (): string => uuidFrom(random);
  const kernel = new Kernel(time);
  const stepMicros = Math.max(1, Math.round((settings.clockStepMs ?? 0) * 1000));
  const nowMicros = (): number => {
    const micros = time.nowMicros() + Math.round(faults.clockOffsetMs * 1000);
    return micros - (micros % stepMicros);
  };
  const source = {
    coreUuid: newUuid(),
    hostname: settings.hostname ?? 'simulator',
    switchname: settings.switchname ?? settings.hostname ?? 'simulator',
    nowMicros,
  };
  const bus = new EventBus(source, kernel, faults);
  const phaseMs = settings.schedulerPhaseMs ?? Math.floor(random() * 500);
  const core: Core = {
    ...source,
    startedMicros: time.nowMicros(),
    kernel,
    bus,
    faults,
    ledger,
    scheduler: new Scheduler({ kernel, bus, faults, nowMicros, phaseMs }),
    legs: new Map(),
    actor: 'api',
    sockets: new Set(),
    hash: new Map(),
    counts: { sessions: 0, peak: 0 },
    pickupMs: settings.pickupMs ?? 20,
    originateTimeoutMs: settings.originateTimeoutMs ?? 60_000,
    nowTrueMs: () => time.nowMicros() / 1000,
    newUuid,
    dialplanFor: around.dialplanFor,
    farEndFor: around.farEndFor,
    requestShutdown: around.requestShutdown,
    startSession: (leg) => void leg.watchers.add(kernel.spawn(runSession(core, leg))),
    runApplication: (leg, action) => runApplication(core, leg, action),
    runApi: (text) => runApi(core, text),
    orphan: () => newInboundLeg(core, { from: '100', to: '00000' }),
  };
  beat(core, settings.heartbeatMs ?? 20_000);
  return core;
}

function beat(core: Core, everyMs: number): void {
  core.kernel.after(everyMs, () => {
    if (core.faults.hasHeartbeat) core.bus.fire('HEARTBEAT', () => heartbeatHeaders(core));
    beat(core, everyMs);
  });
}

/** Mulberry32: small, good enough for ids, the same everywhere. */
function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function uuidFrom(random: () => number): string {
  const hex = Array.from({ length: 4 }, () =>
    Math.floor(random() * 2 ** 32)
      .toString(16)
      .padStart(8, '0'),
  ).join('');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20)}`;
}
