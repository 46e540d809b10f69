import { serviceDefaultsOf } from '../accounts/effective-limits.ts';
import type { ServiceConfig } from '../command-line/command.ts';
import type { LiveState } from '../command-line/live-state.ts';
import { openDatabase } from '../database/database.ts';
import { systemTiming } from '../freeswitch/timing.ts';
import { startService } from '../main.ts';
import { createChangeFeed } from '../redis/change-feed.ts';
import { createLiveStore } from '../live-store/live-store.ts';
import { createRecordClaim } from '../redis/record-claim.ts';
import { createRedisClock } from '../redis/redis-clock.ts';
import { createSettlementFeed } from '../redis/settlement-feed.ts';
import { openDirectory } from '../state/directory.ts';
import { refuseForeignRecord } from '../upkeep/shared-record.ts';
import { createLog, openRedis, openSwitches } from '../wiring/parts.ts';
import { createLostPools } from '../wiring/lost-pools.ts';
import { createPools } from '../wiring/pools.ts';
import { recordPlaceOf } from '../wiring/record-place.ts';
import { createLiveState } from './live-store-state.ts';

/** A connected live state, and how to let go of it. */
export type ConnectedLiveState = { readonly live: LiveState; close(): Promise<void> };

/** Joins the command line to Redis and to the controllers that share it. */
export async function connectLiveState(config: ServiceConfig): Promise<ConnectedLiveState> {
  const opened: (() => Promise<unknown> | void)[] = [];
  const close = async (): Promise<void> => {
    for (const step of opened.splice(0).toReversed()) await step();
  };
  try {
    return { live: await joinLiveState(config, (step) => opened.push(step)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function joinLiveState(
  config: ServiceConfig,
  onClose: (step: () => Promise<unknown> | void) => void,
): Promise<LiveState> {
  // What goes wrong is told by the command itself.
  const log = createLog('silent');
  const database = await openDatabase(config.database);
  onClose(() => database.close());
  const redis = await openRedis(config, log);
  onClose(() => redis.disconnect());
  await refuseForeignRecord(createRecordClaim(redis, config.controller), recordPlaceOf(database));
  const clock = createRedisClock(redis);
  onClose(() => clock.stop());
  await clock.ready();
  const changes = createChangeFeed(redis, { log });
  onClose(() => changes.close());
  const feed = createSettlementFeed(redis, { log });
  onClose(() => feed.close());
  const directory = await openDirectory({
    accountStore: database.accounts,
    // Prices are the service's affair; a large tariff would only delay the command.
    tariffStore: { ...database.tariffs, listTariffs: async () => [] },
    serviceDefaults: serviceDefaultsOf({
      defaults: config.accounts.defaults,
      onStoreDown: config.store.onDown,
    }),
  });
  const { currency } = config.customers;
  const store = createLiveStore(redis, {
    clock: clock.now,
    lostPools: createLostPools({ records: database.records, feed, currency, clock: clock.now, log }),
    // The controllers hear of the change, and look at the wallet themselves.
    onDue: () => undefined,
    ...createPools(database.records, () => directory.accounts(), clock.now),
  });
  const switches = openSwitches(config, { timing: { ...systemTiming, now: clock.now }, log });
  onClose(() => Promise.all(switches.map((node) => node.stop())));
  return createLiveState({ store, directory, records: database.records, changes, feed, switches });
}

/** Runs the service until a signal stops it; the exit code. */
export async function serve(config: ServiceConfig): Promise<number> {
  const log = createLog(config.log.level);
  // Heard from the first moment: a stop that comes during the start waits for it, and is then as clean as any.
  const told = new Promise<NodeJS.Signals>((resolve) => {
    process.once('SIGTERM', resolve);
    process.once('SIGINT', resolve);
  });
  const service = await startService({ config, log });
  const signal = await told;
  log.info({ signal }, 'stopping: calls go on, and are metered again by the next start');
  await service.stop();
  log.info({}, 'stopped');
  return 0;
}
