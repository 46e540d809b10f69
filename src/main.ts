import { serviceDefaultsOf } from './accounts/effective-limits.ts';
import type { CallControl } from './calls/switch.ts';
import { createController, type Controller } from './controller/controller.ts';
import { continuationAt } from './cutting/going-on.ts';
import { openBackgroundWriter } from './database/background-writer.ts';
import { openDatabase } from './database/database.ts';
import { LEAVE_TO_DIALPLAN } from './freeswitch/gate-failure.ts';
import { createOutboundServer } from './freeswitch/outbound-server.ts';
import { createParkGate } from './freeswitch/park-gate.ts';
import { systemTiming, type Timing } from './freeswitch/timing.ts';
import { startHealthServer } from './ops/health.ts';
import { createCutoffQueue } from './queue/cutoff-queue.ts';
import { createChangeFeed } from './redis/change-feed.ts';
import { bucketKey, QUEUE_PREFIX } from './redis/keys.ts';
import { createLeases } from './redis/leases.ts';
import { createLiveStore } from './live-store/live-store.ts';
import { createRecordClaim } from './redis/record-claim.ts';
import { createRedisClock } from './redis/redis-clock.ts';
import { createSettlementFeed } from './redis/settlement-feed.ts';
import { createShadowStore } from './live-store/shadow-store.ts';
import { formatSettlement } from './redis/settlement-text.ts';
import type { LiveStoreOptions } from './live-store/store-context.ts';
import type { ControllerContext } from './state/context.ts';
import { openDirectory, type ServedDirectory } from './state/directory.ts';
import { createWalletSettings } from './state/wallet-settings.ts';
import { ADHOC_ROOT, type AccountPath, type NodeId } from './units/ids.ts';
import type { Log } from './units/log.ts';
import { createChangeFollower } from './upkeep/change-follower.ts';
import { createDecisionKeeper } from './upkeep/decision-keeper.ts';
import { holdNodes } from './upkeep/node-leases.ts';
import { createRecordDrain } from './upkeep/record-drain.ts';
import { shareRecord } from './upkeep/shared-record.ts';
import { createLostPools } from './wiring/lost-pools.ts';
import {
  connected,
  openRedis,
  openSwitches,
  policyOf,
  systemTimers,
  type ServiceConfig,
} from './wiring/parts.ts';
import { createPools } from './wiring/pools.ts';
import { recordPlaceOf } from './wiring/record-place.ts';

export type Service = {
  readonly controller: Controller;
  readonly socketPort: number | undefined;
  readonly healthPort: number | undefined;
  /** How far it has read the record of accounts and tariffs. */
  readonly revisions: ServedDirectory['revisions'];
  /** Finishes what it began, within the configured limit. Calls go on, metered by the next start. */
  stop(): Promise<void>;
};

export type ServiceOptions = { readonly config: ServiceConfig; readonly log: Log };

/** Builds everything in order; `stop` takes it down in the reverse order. */
export async function startService({ config, log }: ServiceOptions): Promise<Service> {
  const stops: (() => Promise<void> | void)[] = [];
  const onStop = (stop: () => Promise<void> | void): void => void stops.push(stop);
  const stopAll = async (): Promise<void> => {
    for (const stop of stops.splice(0).toReversed()) {
      await Promise.resolve()
        .then(stop)
        .catch((err: unknown) => log.error({ err }, 'a part did not stop cleanly'));
    }
  };
  try {
    return await build({ config, log }, onStop, stopAll);
  } catch (error) {
    await stopAll();
    throw error;
  }
}

async function build(
  { config, log }: ServiceOptions,
  onStop: (stop: () => Promise<void> | void) => void,
  stopAll: () => Promise<void>,
): Promise<Service> {
  const database = await openDatabase(config.database);
  onStop(() => database.close());
  const writer = await openBackgroundWriter(config.database);
  onStop(() => writer.close());
  const redis = await openRedis(config, log);
  onStop(() => redis.disconnect());
  const timers = systemTimers();
  const { leaseMs } = config.controller;
  const claim = createRecordClaim(redis, { leaseMs });
  const shared = await shareRecord({ claim, place: recordPlaceOf(database), timers, leaseMs, log });
  onStop(() => shared.stop());
  const clock = createRedisClock(redis);
  onStop(() => clock.stop());
  await clock.ready();
  const timing: Timing = { ...systemTiming, now: clock.now };

  const directory = await openDirectory({
    accountStore: database.accounts,
    tariffStore: database.tariffs,
    serviceDefaults: serviceDefaultsOf({
      defaults: config.accounts.defaults,
      onStoreDown: config.store.onDown,
    }),
  });
  const roots = (): readonly AccountPath[] => directory.accounts().roots;

  const queue = createCutoffQueue({
    url: config.redis.url,
    prefix: QUEUE_PREFIX,
    controllerId: config.controller.id,
    bucketKey,
    earlyMs: config.cutoff.earlyMs,
    clock: clock.now,
    dueWithin: async (until) => {
      const wallets = await Promise.all(roots().map((root) => store.dueWallets(root, until)));
      return [...wallets.flat(), ...(await controller.cutoffs.deadlinesWithin(until))];
    },
    log,
  });
  const policy = policyOf(config);
  const pools = createPools(database.records, () => directory.accounts(), clock.now);
  const feed = createSettlementFeed(redis, { log });
  onStop(() => feed.close());
  const { currency } = config.customers;
  const kept: Omit<LiveStoreOptions, 'onDue' | 'lostPools'> = {
    clock: clock.now,
    goingOn: (record, goesOn, from) => continuationAt({ policy, directory }, record, goesOn, from),
    ...pools,
  };
  const store = createLiveStore(redis, {
    ...kept,
    lostPools: createLostPools({ records: database.records, feed, currency, clock: clock.now, log }),
    onDue: (account, dueAt) => controller.cutoffs.onDue(account, dueAt),
    onDeadline: (root, deadline) => controller.cutoffs.onDeadline(root, deadline),
  });
  const decisions = createDecisionKeeper({ decide: (decision) => feed.decide(decision), timers, log });
  onStop(() => decisions.stop());
  const leases = createLeases(redis, { owner: config.controller.id, leaseMs: config.controller.leaseMs });

  const switches = openSwitches(config, { timing, log });
  const controls = new Map<NodeId, CallControl>(switches.map(({ node, control }) => [node, control]));
  const context: ControllerContext = {
    store,
    directory,
    policy,
    controlOf: (node) => controls.get(node),
    record: (decision) => decisions.keep(decision),
    announce: (root) => feed.announce(root),
    formatSettlement,
    log,
  };
  const controller = createController(context, {
    schedule: queue,
    timers,
    figures: pools,
    shadows: createShadowStore(redis, kept),
    resyncMs: config.controller.resyncMs,
    onParked: (event) => void parkGate.onEvent(event),
  });
  const gate = {
    keeper: controller.gatekeeper,
    decisionTimeoutMs: config.gates.decisionTimeoutMs,
    onFailure: LEAVE_TO_DIALPLAN,
    timing,
    log,
  };
  const parkGate = createParkGate({ ...gate, controlOf: context.controlOf });

  // Asked while SQL is there: later a new customer's call needs no word of it.
  void store.lostPool(ADHOC_ROOT).catch((err: unknown) => log.warn({ err }, 'the books were not asked'));
  const settings = createWalletSettings(context);
  await settings.apply();
  const drain = createRecordDrain({
    feed,
    records: writer,
    leases,
    roots,
    clock: clock.now,
    timers,
    log,
  });
  drain.start();
  onStop(() => drain.stop(config.shutdown.graceMs));
  await queue.start(controller.cutoffs);
  onStop(() => queue.stop(config.shutdown.graceMs));
  onStop(() => controller.stop());

  for (const node of switches) node.start();
  onStop(async () => {
    await Promise.all(switches.map((node) => node.stop()));
  });
  const nodes = holdNodes({
    nodes: new Map(switches.map((node) => [node.node, node])),
    leases,
    listener: controller.listener,
    timers,
    leaseMs: config.controller.leaseMs,
    log,
  });
  onStop(() => nodes.stop());
  await nodes.asked();
  await connected(switches);

  const changes = createChangeFeed(redis, { log });
  onStop(() => changes.close());
  const follower = createChangeFollower({
    directory,
    settings,
    walletChanged: (wallet) => controller.walletChanged(wallet),
    limitsChanged: () => controller.limitsChanged(),
    timers,
    log,
  });
  onStop(() => follower.stop());
  changes.onChange((change) => follower.follow(change.kind === 'account' ? change.account : undefined));

  const socketPort = await openSocketGate();
  const healthPort = await openHealth();
  log.info({ socketPort, healthPort, nodes: switches.map(({ node }) => node) }, 'tollgate is up');
  return { controller, socketPort, healthPort, revisions: () => directory.revisions(), stop: stopAll };

  async function openSocketGate(): Promise<number | undefined> {
    const { enabled, host, port, maxOpen } = config.gates.socket;
    if (!enabled) return undefined;
    const server = createOutboundServer({
      ...gate,
      host,
      port,
      accountFallbacks: config.freeswitch.accountVariables,
      nodeOf: (coreUuid) => switches.find((node) => node.health().coreUuid === coreUuid)?.node,
      handshakeTimeoutMs: config.gates.decisionTimeoutMs,
      socketsMax: maxOpen,
    });
    const listening = await server.listen();
    onStop(() => server.close(config.shutdown.graceMs));
    return listening.port;
  }

  async function openHealth(): Promise<number | undefined> {
    if (config.http.port === 0) return undefined;
    const server = await startHealthServer(config.http, async () => {
      const nodeHealth = Object.fromEntries(switches.map((node) => [node.node, node.health()]));
      const records = await drain.status();
      const ok = redis.status === 'ready' && switches.every((node) => node.health().up);
      return {
        ok,
        parts: {
          redis: redis.status,
          nodes: nodeHealth,
          owned: nodes.owned(),
          records,
          revisions: directory.revisions(),
        },
      };
    });
    onStop(() => server.close());
    return server.port;
  }
}
