import { createAccountLookup, payersAt, type AccountLookup } from '../accounts/account-tree.ts';
import { serviceDefaultsOf } from '../accounts/effective-limits.ts';
import type { ControllerContext } from '../controller/context.ts';
import type { Directory } from '../controller/directory.ts';
import type { Claims } from '../controller/parties.ts';
import {
  rehearse,
  type RehearsalFigures,
  type RehearsedCall,
  type Rehearsal,
} from '../controller/rehearsal.ts';
import type { TariffVersion } from '../rating/rate.ts';
import { EMPTY_TARIFF_BOOK, withTariffVersions } from '../rating/tariff-book.ts';
import { createLiveStore } from '../redis/live-store.ts';
import { createRedisClock } from '../redis/redis-clock.ts';
import { parseAccountPath, type TariffName } from '../units/ids.ts';
import type { EpochMs } from '../units/time.ts';
import { createLog, openRedis, policyOf } from '../wiring/parts.ts';
import { createPools } from '../wiring/pools.ts';
import { checkJson, checkLines } from './check-view.ts';
import type { Command, CommandContext, CommandLine, Result, ServiceConfig, Stores } from './command.ts';
import { accountOperand, readFlags, splitNames } from './flag-values.ts';

export const CHECK_COMMAND: Command = {
  name: 'check',
  summary: 'what would happen to a call now, step by step; takes nothing; exit code 1 if refused',
  operands: ['ACCOUNT'],
  flags: {
    to: { value: 'NUMBER', doc: 'the number, as it is dialled' },
    direction: { value: 'D', doc: 'outbound (default): ACCOUNT calls; inbound: ACCOUNT is called' },
    route: { value: 'ROUTE', doc: 'the trunk or routing rule; several separated by commas' },
    options: { value: 'OPTION,…', doc: 'what the call asks of its rate' },
    callee: { value: 'ACCOUNT', doc: 'the account that is called, where it is one of ours' },
    forwarder: { value: 'ACCOUNT', doc: 'the account that forwards the call' },
    from: { value: 'NUMBER', doc: "the caller's number" },
  },
  notes: [
    'tollgate check acme/retail --to 4930123456 --route carrier',
    'tollgate check acme/retail/1001 --to 1001 --direction inbound --route trunk',
  ],
  run: check,
};

async function check(line: CommandLine, context: CommandContext): Promise<Result> {
  const call = readCall(line);
  const config = context.config();
  const rehearsal = await rehearseNow(config, await context.stores(), call);
  const { causes } = policyOf(config);
  return {
    done: rehearsal.answer.kind !== 'refused',
    json: checkJson(call.claims, rehearsal, causes),
    lines: checkLines(call.claims, rehearsal, causes),
  };
}

/** The same words as the dialplan's variables say. */
function readCall(line: CommandLine): RehearsedCall {
  const account = accountOperand(line);
  const flags = readFlags(line);
  const path = 'a path such as acme/retail/alice';
  const direction = flags.choice('direction', ['outbound', 'inbound']) ?? 'outbound';
  const callee = flags.parsed('callee', parseAccountPath, path);
  const forwarder = flags.parsed('forwarder', parseAccountPath, path);
  const dialled = flags.text('to') ?? '';
  if (dialled === '') flags.complain({ field: '--to', value: 'nothing', expected: 'the number called' });
  if (direction === 'inbound' && callee !== undefined) {
    const expected = 'to be left out of an inbound call: ACCOUNT is called';
    flags.complain({ field: '--callee', value: callee, expected });
  }
  flags.check();
  const claims: Claims = {
    account: direction === 'outbound' ? account : undefined,
    callee: direction === 'inbound' ? account : callee,
    forwarder,
    routes: splitNames(flags.text('route')),
    options: splitNames(flags.text('options')),
    dialled,
  };
  return { claims, callerNumber: flags.text('from') ?? '' };
}

async function rehearseNow(config: ServiceConfig, stores: Stores, call: RehearsedCall): Promise<Rehearsal> {
  // What goes wrong is told by the command itself.
  const log = createLog('silent');
  const redis = await openRedis(config, log);
  const clock = createRedisClock(redis);
  try {
    await clock.ready();
    const now = clock.now();
    const directory = await loadDirectory(config, stores, call.claims, now);
    const pools = createPools(stores.records, () => directory.accounts(), clock.now);
    const store = createLiveStore(redis, { clock: clock.now, onDue: () => undefined, ...pools });
    const context: ControllerContext = {
      store,
      directory,
      policy: policyOf(config),
      controlOf: () => undefined,
      record: () => undefined,
      announce: () => undefined,
      formatSettlement: () => '',
      log,
    };
    const figures: RehearsalFigures = {
      ...pools,
    };
    return await rehearse(context, figures, call);
  } finally {
    clock.stop();
    redis.disconnect();
  }
}

/** The accounts as they are on record, and of the tariffs those that price this call: another would only take time. */
async function loadDirectory(
  config: ServiceConfig,
  stores: Stores,
  claims: Claims,
  now: EpochMs,
): Promise<Directory> {
  const defaults = { defaults: config.accounts.defaults, onStoreDown: config.store.onDown };
  const accounts = createAccountLookup(await stores.accounts.loadAll(), serviceDefaultsOf(defaults));
  const versions: TariffVersion[] = [];
  for (const tariff of tariffsOf(claims, accounts, now)) {
    const version = await stores.tariffs.loadInForce(tariff, now);
    if (version !== undefined) versions.push(version);
  }
  const tariffs = withTariffVersions(EMPTY_TARIFF_BOOK, versions);
  return { accounts: () => accounts, tariffs: () => tariffs, refresh: () => Promise.resolve(false) };
}

function tariffsOf(claims: Claims, accounts: AccountLookup, now: EpochMs): ReadonlySet<TariffName> {
  const tariffs = new Set<TariffName>();
  for (const name of [claims.account, claims.callee, claims.forwarder]) {
    const path = name === undefined ? undefined : parseAccountPath(name);
    const node = path === undefined ? undefined : accounts.node(path);
    for (const { tariff } of node === undefined ? [] : payersAt(node, now)) {
      if (tariff !== undefined) tariffs.add(tariff);
    }
  }
  return tariffs;
}
