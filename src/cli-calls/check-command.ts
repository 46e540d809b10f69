import { createAccountLookup, payersAt, type AccountLookup } from '../accounts/account-tree.ts';
import { serviceDefaultsOf } from '../accounts/effective-limits.ts';
import { CUSTOMER_VARIABLES, type CustomerVariables } from '../calls/switch-event.ts';
import type {
  Command,
  CommandContext,
  CommandLine,
  Flag,
  Result,
  ServiceConfig,
  Stores,
} from '../command-line/command.ts';
import { accountOperand, readFlags, splitNames, type FlagReader } from '../command-line/flag-values.ts';
import { readCustomerClaim } from '../gate/customer-claims.ts';
import type { Claims } from '../gate/parties.ts';
import type { TariffVersion } from '../rating/rate.ts';
import { EMPTY_TARIFF_BOOK, withTariffVersions } from '../rating/tariff-book.ts';
import { createLiveStore } from '../live-store/live-store.ts';
import { createRedisClock } from '../redis/redis-clock.ts';
import { createSettlementFeed } from '../redis/settlement-feed.ts';
import {
  rehearse,
  type Rehearsal,
  type RehearsalFigures,
  type RehearsedCall,
  type RehearsedQuestion,
} from '../rehearsal/rehearsal.ts';
import { judgeCall, judgesFor } from '../rehearsal/what-if-judges.ts';
import type { ControllerContext } from '../state/context.ts';
import type { Directory } from '../state/directory.ts';
import { parseAccountPath, type TariffName } from '../units/ids.ts';
import type { EpochMs } from '../units/time.ts';
import { createLostPools } from '../wiring/lost-pools.ts';
import { createLog, openRedis, policyOf } from '../wiring/parts.ts';
import { createPools } from '../wiring/pools.ts';
import { checkJson, checkLines } from './check-view.ts';
import { whatIfJson, whatIfLines, type WhatIfVerdict } from './what-if-view.ts';

type CustomerVariable = (typeof CUSTOMER_VARIABLES)[number];

/** As the channel variables are called, without what all of their names begin with. */
const CUSTOMER_FLAG_NAMES: Readonly<Record<CustomerVariable, string>> = {
  customer: 'customer',
  maxCredit: 'max-credit',
  connect: 'connect',
  cps: 'cps',
  ipulse: 'ipulse',
  fpulse: 'fpulse',
  maxTime: 'max-time',
  maxChannels: 'max-channels',
};

const CUSTOMER_FLAGS: Readonly<Record<string, Flag>> = {
  customer: { value: 'NAME', doc: 'a customer that is not stored, as channel variables name him' },
  'max-credit': { value: 'AMOUNT', doc: "the customer's money for all of his calls" },
  connect: { value: 'AMOUNT', doc: 'with --max-credit: what the answer costs' },
  cps: { value: 'AMOUNT', doc: 'with --max-credit: the price of a second' },
  ipulse: { value: 'N', doc: 'with --max-credit: seconds of the first pulse' },
  fpulse: { value: 'N', doc: 'with --max-credit: seconds of each further pulse' },
  'max-time': { value: 'N', doc: "seconds of talk for all of the customer's calls" },
  'max-channels': { value: 'N', doc: 'how many calls the customer may have at once' },
};

export const CHECK_COMMAND: Command = {
  name: 'check',
  summary: 'what would happen to a call now, step by step; takes nothing; exit code 1 if refused',
  operands: ['ACCOUNT'],
  optionalOperands: 1,
  flags: {
    to: { value: 'NUMBER', doc: 'the number, as it is dialled' },
    direction: { value: 'D', doc: 'outbound (default): ACCOUNT calls; inbound: ACCOUNT is called' },
    route: { value: 'ROUTE', doc: 'the trunk or routing rule; several separated by commas' },
    options: { value: 'OPTION,…', doc: 'what the call asks of its rate' },
    callee: { value: 'ACCOUNT', doc: 'the account that is called, where it is one of ours' },
    forwarder: { value: 'ACCOUNT', doc: 'the account that forwards the call' },
    from: { value: 'NUMBER', doc: "the caller's number" },
    ...CUSTOMER_FLAGS,
  },
  notes: [
    'tollgate check acme/retail --to 4930123456 --route carrier',
    'tollgate check acme/retail/1001 --to 1001 --direction inbound --route trunk',
    'tollgate check --to 4930123456 --customer john --max-credit 10.00 --cps 0.01',
  ],
  run: check,
};

async function check(line: CommandLine, context: CommandContext): Promise<Result> {
  const call = readCall(line);
  const config = context.config();
  const { rehearsal, verdicts } = await rehearseNow(config, await context.stores(), call);
  const { causes } = policyOf(config);
  return {
    done: rehearsal.answer.kind !== 'refused',
    asked: true,
    json: { ...checkJson(call.claims, rehearsal, causes), whatIf: verdicts.map(whatIfJson) },
    lines: [...checkLines(call.claims, rehearsal, causes), ...whatIfLines(verdicts)],
  };
}

/** The same words as the dialplan's variables say. */
function readCall(line: CommandLine): RehearsedCall {
  const flags = readFlags(line);
  const customer = customerOf(flags);
  // A customer stands for himself where no account is named.
  const isAlone = customer !== undefined && line.operands.length === 0;
  const account = isAlone ? undefined : accountOperand(line);
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
  if (direction === 'inbound' && account === undefined) {
    const expected = 'outbound where no ACCOUNT is named: a customer is one who calls';
    flags.complain({ field: '--direction', value: direction, expected });
  }
  flags.check();
  const claims: Claims = {
    ...(customer && { customer }),
    account: direction === 'outbound' ? account : undefined,
    callee: direction === 'inbound' ? account : callee,
    forwarder,
    routes: splitNames(flags.text('route')),
    options: splitNames(flags.text('options')),
    dialled,
  };
  return { claims, callerNumber: flags.text('from') ?? '' };
}

/** The customer's own variables, by flags of their names; undefined where none is given. */
function customerOf(flags: FlagReader): CustomerVariables | undefined {
  const given = CUSTOMER_VARIABLES.flatMap((name) => {
    const value = flags.text(CUSTOMER_FLAG_NAMES[name]);
    return value === undefined ? [] : [[name, value] as const];
  });
  if (given.length === 0) return undefined;
  const variables: CustomerVariables = Object.fromEntries(given);
  const claim = readCustomerClaim(variables);
  if (claim.kind === 'bad') {
    const { name, value = 'nothing', expected } = claim;
    flags.complain({ field: `--${CUSTOMER_FLAG_NAMES[name]}`, value, expected });
  }
  return variables;
}

async function rehearseNow(
  config: ServiceConfig,
  stores: Stores,
  call: RehearsedCall,
): Promise<{ readonly rehearsal: Rehearsal; readonly verdicts: readonly WhatIfVerdict[] }> {
  // What goes wrong is told by the command itself.
  const log = createLog('silent');
  const redis = await openRedis(config, log);
  const clock = createRedisClock(redis);
  const feed = createSettlementFeed(redis, { log });
  try {
    await clock.ready();
    const now = clock.now();
    const directory = await loadDirectory(config, stores, call.claims, now);
    const pools = createPools(stores.records, () => directory.accounts(), clock.now);
    const { records } = stores;
    const { currency } = config.customers;
    const lostPools = createLostPools({ records, feed, currency, clock: clock.now, log });
    const store = createLiveStore(redis, { clock: clock.now, onDue: () => undefined, lostPools, ...pools });
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
    const rehearsal = await rehearse(context, pools, call);
    return { rehearsal, verdicts: await whatIfOf(context, pools, rehearsal.asked) };
  } finally {
    feed.close();
    clock.stop();
    redis.disconnect();
  }
}

/** What limits would say that refuse nobody: shadow limits, and those in a dry run. */
async function whatIfOf(
  context: ControllerContext,
  figures: RehearsalFigures,
  asked: RehearsedQuestion['asked'],
): Promise<readonly WhatIfVerdict[]> {
  const verdicts: WhatIfVerdict[] = [];
  if (asked === undefined) return verdicts;
  for (const judging of judgesFor(asked.question)) {
    const { kind, path } = judging;
    const said = await judgeCall(context, figures, judging, asked);
    verdicts.push({ kind, path, answer: said.answer });
  }
  return verdicts;
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
