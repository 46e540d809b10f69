import type { Redis } from 'ioredis';
import pino from 'pino';
import type { OperatorLimits } from '../accounts/limits.ts';
import { StoreUnavailableError } from '../admission/live-store.ts';
import type { Config } from '../config/config.ts';
import { createSwitch, type ConnectedSwitch } from '../freeswitch/switch.ts';
import type { Timing } from '../freeswitch/timing.ts';
import { connectRedis } from '../redis/connection.ts';
import { claimLayout } from '../redis/layout.ts';
import { checkRedis } from '../redis/redis-check.ts';
import type { ControllerPolicy } from '../state/policy.ts';
import type { Timers } from '../state/timers.ts';
import { assert } from '../units/assert.ts';
import { parseNodeId } from '../units/ids.ts';
import type { Log } from '../units/log.ts';

/** Parts that the service and the command line build alike. */
export type ServiceConfig = Config<OperatorLimits>;

/** Waits for the first connection, since nothing can be decided without; warns of settings that would hurt. */
export async function openRedis(config: ServiceConfig, log: Log): Promise<Redis> {
  const redis = connectRedis(config.redis.url, config.redis);
  try {
    await new Promise<void>((resolve, reject) => {
      redis.once('ready', resolve);
      redis.on('error', (err) => reject(notReached(config.redis.url, err)));
    });
    redis.removeAllListeners('error').on('error', (err) => log.warn({ err }, 'redis connection'));
    await claimLayout(redis);
    for (const { kind, message } of await checkRedis(redis)) log.warn({ kind }, message);
  } catch (error) {
    redis.disconnect();
    throw error;
  }
  return redis;
}

/** In one line, and without the password that the address may hold. */
function notReached(url: string, cause: Error): StoreUnavailableError {
  return new StoreUnavailableError(`Redis at ${new URL(url).host} cannot be used: ${cause.message}`, {
    cause,
  });
}

export function openSwitches(
  config: ServiceConfig,
  { timing, log }: { readonly timing: Timing; readonly log: Log },
): readonly ConnectedSwitch[] {
  const { nodes, accountVariables, replyTimeoutMs, commandConnections } = config.freeswitch;
  return nodes.map(({ id, host, port, password }) => {
    const node = parseNodeId(id);
    assert(node !== undefined, `the configuration lets no node be called "${id}"`);
    const endpoint = { host, port, password };
    return createSwitch({
      node,
      endpoint,
      accountFallbacks: accountVariables,
      replyTimeoutMs,
      commandConnections,
      timing,
      log,
    });
  });
}

/** A FreeSWITCH that cannot be reached delays the start by so much and no more. */
const CONNECT_WAIT_MS = 2_000;
const CONNECT_POLL_MS = 10;

/** Waits until every node is connected: a gate must know whose call it decides, and hear of the parked ones. */
export async function connected(switches: readonly ConnectedSwitch[]): Promise<void> {
  const until = performance.now() + CONNECT_WAIT_MS;
  while (!switches.every((node) => node.health().up) && performance.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, CONNECT_POLL_MS));
  }
}

export function policyOf(config: ServiceConfig): ControllerPolicy {
  const { gates, rating, admission, customers, store, cutoff, deadman } = config;
  return {
    unrated: rating.unrated,
    unratedInbound: rating.unratedInbound,
    periods: rating.periods,
    unfunded: admission.unfunded,
    customerCurrency: customers.currency,
    emergencyNumbers: admission.emergencyNumbers,
    refusal: gates.refusal,
    causes: gates.causes,
    ungated: gates.ungated,
    onStoreDown: store.onDown,
    seconds: rating.seconds,
    warningSeconds: cutoff.warningSeconds,
    warningSound: cutoff.warningSound,
    deadmanSlackSeconds: deadman.slackSeconds,
    deadmanSecondsMax: deadman.secondsMax,
  };
}

export function systemTimers(): Timers {
  return {
    after: (delayMs, callback) => {
      const timer = setTimeout(callback, delayMs);
      return () => clearTimeout(timer);
    },
    every: (intervalMs, callback) => {
      const timer = setInterval(callback, intervalMs);
      return () => clearInterval(timer);
    },
  };
}

export function createLog(level: string): Log {
  return pino({ level, redact: ['password', '*.password'] }, pino.destination({ dest: 2, sync: false }));
}
