import { COUNTERS, type Counter } from '../../src/admission/plan.ts';
import type { Service } from '../../src/main.ts';
import { systemLedger, walletLedger } from '../../src/records/records.ts';
import { slotKeys, useKey } from '../../src/redis/keys.ts';
import type { SimulatedCall } from '../../src/simulator/inbound-call.ts';
import { rootOf, type AccountPath, type RouteName } from '../../src/units/ids.ts';
import { parseMicros, toMicros, type Micros } from '../../src/units/money.ts';
import { toEpochMs } from '../../src/units/time.ts';
import { useGates } from '../service/acts.ts';
import { createStage, eventually, type Stage } from '../service/stage.ts';
import { connectTestRedis, freshRedis, redisUrl } from '../support/redis.ts';
import type { AccountSpec, Call, Case, Limits } from './cases.ts';
import { onward, variablesOf } from './dialling.ts';

/** A telephone exchange for the tables of this folder: a real service on the wire, whose phones ring until hung up. */
export type Exchange = {
  /** Lets the calls that follow ask at this gate, with the tenants that it has to itself. */
  useGate(gate: Gate): void;
  /** A tenant's world of one case, at the gate in use. */
  enter(index: number): World;
  /** What `tollgate verify` finds wrong, once it finds nothing: what has just ended is still being written. */
  findings(): Promise<readonly string[]>;
  close(): Promise<void>;
};

export type Gate = 'socket' | 'park';
export const GATES: readonly Gate[] = ['socket', 'park'];

/** The names of a case as it writes them; behind them each case has accounts and routes of its own. */
export type World = {
  /** Places a call and says what became of it: `rings`, `rings 002 011`, or `503 calls of acme`. */
  dial(call: Call): Promise<string>;
  /** All at once. */
  dialTogether(calls: readonly Call[]): Promise<readonly string[]>;
  /** The call that was placed as the n-th, from 1. */
  hangUp(n: number): Promise<void>;
  set(account: string, spec: AccountSpec): Promise<void>;
  setRoute(route: string, limits: Limits): Promise<void>;
  /** Moves money into a wallet, or out of it where it is negative. */
  pay(account: string, amount: string): Promise<void>;
  /** How often an account or a route is counted, zeros left out. */
  use(holder: string): Promise<Readonly<Partial<Record<Counter, number>>>>;
  decision(n: number): string | undefined;
  /** Ends what is up and waits until nobody is counted any more. */
  leave(): Promise<void>;
};

const TARIFF = [
  'prefix,rate,surcharge,minimum,increment',
  '49,1.00,,60,60',
  '4930,0.30,,60,60',
  '4950,0.50,,60,60',
  '800,0,,60,60',
  '',
].join('\n');

/** A busy machine may take its time over thirty calls at once: what is asked here is what is decided, not how soon. */
const PATIENT = { TOLLGATE_GATES_DECISION_TIMEOUT_MS: '30000' };

export async function openExchange(
  cases: readonly Pick<Case, 'accounts' | 'routes'>[],
  settings: Readonly<Record<string, string>> = {},
  url = redisUrl(),
): Promise<Exchange> {
  if (url === redisUrl()) await freshRedis();
  const stage = await createStage(url);
  const redis = connectTestRedis();
  await stage.tariff('standard', TARIFF);
  await stage.tariff(
    'american',
    'prefix,rate,minimum,increment,direction\n1,0.30,60,60,outbound\n1,0.30,60,60,inbound\n',
  );
  await stage.tariff('tollfree', 'prefix,rate,direction\n1,0.10,inbound\n');
  for (const gate of GATES) {
    for (const [index, { accounts, routes = {} }] of cases.entries()) {
      const suffix = suffixOf(index, gate);
      for (const [path, spec] of Object.entries(accounts))
        await saveAccount(stage, renamed(path, suffix), spec);
      for (const [name, limits] of Object.entries(routes))
        await stage.route({ route: renamed(name, suffix), ...limits });
    }
  }
  for (const gate of GATES) {
    for (const [index, { accounts }] of cases.entries()) {
      for (const [path, { balance }] of Object.entries(accounts))
        if (balance !== undefined) await moveMoney(stage, renamed(path, suffixOf(index, gate)), balance);
    }
  }
  const service = await stage.startController({
    ...PATIENT,
    TOLLGATE_ADMISSION_UNFUNDED: 'allow',
    ...settings,
  });
  stage.sim.endpoint(/./, { kind: 'rings' });
  stage.sim.endpoint(/answers/, { kind: 'answers', afterMs: 5 });
  const probes = createProbes(stage);
  let current: Gate = 'socket';
  return {
    useGate(gate) {
      current = gate;
      useGates(stage.sim, gate, [service satisfies Service], onward);
    },
    enter(index) {
      const { accounts, routes = {} } = cases[index] ?? { accounts: {} };
      const holders = [...Object.keys(accounts), ...Object.keys(routes)];
      return createWorld({ stage, redis, probes, suffix: suffixOf(index, current), accounts, holders });
    },
    findings: () =>
      eventually(
        () => stage.findings(),
        (found) => found.length === 0,
      ),
    close: () => stage.close(),
  };
}

const suffixOf = (index: number, gate: Gate): string => `-${gate === 'socket' ? 's' : 'p'}${index}`;

/** `acme/alice` of case 3 is `acme-s3/alice`. */
function renamed(name: string, suffix: string): string {
  const [root = '', ...rest] = name.split('/');
  return [`${root}${suffix}`, ...rest].join('/');
}

async function saveAccount(stage: Stage, account: string, spec: AccountSpec): Promise<void> {
  const { wallet, tariff, customer = {}, balance: _, numbering, ...operator } = spec;
  await stage.account({
    account,
    ...(wallet === undefined ? {} : { wallet }),
    ...(tariff === undefined ? {} : { tariff }),
    ...(numbering === undefined ? {} : { numbering }),
    operator,
    customer,
  });
}

let transfers = 0;

/** A balance below zero is what postpaid calls left behind. */
async function moveMoney(stage: Stage, name: string, text: string): Promise<void> {
  const account = name as AccountPath;
  const amount = parseMicros(text);
  if (amount === undefined) throw new Error(`${text} is no amount`);
  const [cash, wallet] = [systemLedger('cash', rootOf(account)), walletLedger(account)];
  const transfer = {
    id: `topup:conformance-${(transfers += 1)}`,
    kind: 'topup',
    ...(amount < 0n ? { debit: wallet, credit: cash } : { debit: cash, credit: wallet }),
    amount: toMicros(amount < 0n ? 0n - amount : amount),
    currency: 'EUR',
    at: toEpochMs(Date.now()),
    reference: '',
  } as const;
  await stage.database.records.insertTransfer(transfer);
  await (await stage.live()).fund({ account, transferId: transfer.id, amount: amount satisfies Micros });
}

/**
 * Accounts that exist only to be asked for: once the service knows the latest of them, it knows every change that
 * was announced before it, for it reads all accounts at once.
 */
function createProbes(stage: Stage): () => Promise<void> {
  let probes = 0;
  return async () => {
    const account = `probe-${(probes += 1)}`;
    await stage.account({ account, operator: { calls: 0 } });
    await eventually(
      async () => {
        const call = stage.sim.placeCall({ from: '1', to: '2', variables: { tollgate_account: account } });
        const truth = await eventually(
          () => call.truth,
          (leg) => leg?.endedMicros !== undefined,
        );
        return truth?.variable('tollgate_reason');
      },
      (reason) => reason === 'limit_reached',
    );
  };
}

type WorldParts = {
  readonly stage: Stage;
  readonly redis: ReturnType<typeof connectTestRedis>;
  readonly probes: () => Promise<void>;
  readonly suffix: string;
  readonly accounts: Case['accounts'];
  readonly holders: readonly string[];
};

function createWorld({ stage, redis, probes, suffix, accounts, holders }: WorldParts): World {
  const calls: SimulatedCall[] = [];
  const named = (name: string): string => renamed(name, suffix);
  const isAccount = (name: string): boolean => Object.hasOwn(accounts, name);
  const roots = [...new Set(Object.keys(accounts).map((name) => rootOf(named(name) as AccountPath)))];

  const use: World['use'] = async (holder) => {
    const name = named(holder);
    const key = isAccount(holder)
      ? useKey(
          { kind: 'root', root: rootOf(name as AccountPath) },
          { kind: 'account', path: name as AccountPath },
        )
      : useKey({ kind: 'route', route: name as RouteName }, { kind: 'route', route: name as RouteName });
    const counts = ((await redis.get(key)) ?? '').split(' ').map(Number);
    const entries = COUNTERS.map((counter, index) => [counter, counts[index] ?? 0] as const);
    return Object.fromEntries(entries.filter(([, count]) => count > 0));
  };

  const place = (call: Call): SimulatedCall => {
    const { from, to, variables } = variablesOf(call, { named, isAccount });
    const placed = stage.sim.placeCall({ from, to, variables });
    calls.push(placed);
    return placed;
  };

  const verdict = async (call: SimulatedCall): Promise<string> => {
    const truth = await eventually(
      () => call.truth,
      (leg) => leg?.endedMicros !== undefined || (leg !== undefined && hasAllItsLegs(call)),
    );
    if (truth?.endedMicros !== undefined) return refusalOf(truth);
    const phones = legsOf(call).map((leg) => leg.name.split('/').at(-1) ?? '');
    return phones.length > 1 || call.truth?.variable('tollgate_bridge')?.startsWith('[') === true
      ? `rings ${phones.toSorted().join(' ')}`
      : 'rings';
  };

  const legsOf = (call: SimulatedCall) =>
    stage.sim
      .legs()
      .filter((leg) => leg.variable('originator') === call.uuid && leg.endedMicros === undefined);

  /** As many legs as its last pass was let through with. */
  const hasAllItsLegs = (call: SimulatedCall): boolean => {
    const placed = legsOf(call);
    const held = (call.truth?.variable('tollgate_branches') ?? '').split(',').filter((text) => text !== '');
    const lastPass = held.at(-1)?.split(':')[0];
    const wanted = held.filter((text) => text.split(':')[0] === lastPass).length;
    return placed.length > 0 && placed.length >= wanted;
  };

  const refusalOf = (leg: NonNullable<SimulatedCall['truth']>): string => {
    const [reason, limit, holder] = ['reason', 'limit', 'account_limited'].map(
      (name) => leg.variable(`tollgate_${name}`) ?? '',
    );
    const word = limit === '' || limit === 'credit' ? reason : limit;
    const who = (holder ?? '').replace(suffix, '');
    return [`${leg.sipStatus ?? leg.cause}`, word, ...(who === '' ? [] : ['of', who])].join(' ');
  };

  return {
    dial: (call) => verdict(place(call)),
    dialTogether: (all) => Promise.all(all.map(place).map(verdict)),
    async hangUp(n) {
      const call = calls[n - 1];
      call?.hangup();
      await eventually(
        () => [call?.truth, ...(call === undefined ? [] : legsOf(call))],
        (legs) => legs.every((leg) => leg?.endedMicros !== undefined),
      );
      // Its controller hears of it a moment later; the next call is to find the place free.
      await eventually(
        () => Promise.all(roots.map((root) => redis.hkeys(slotKeys({ kind: 'root', root }).slots))),
        (keys) => !keys.flat().some((key) => key.startsWith(`${call?.uuid}.`)),
      );
    },
    async set(account, spec) {
      await saveAccount(stage, named(account), spec);
      await probes();
    },
    async setRoute(route, limits) {
      await stage.route({ route: named(route), ...limits });
      await probes();
    },
    pay: (account, amount) => moveMoney(stage, named(account), amount),
    use,
    decision: (n) => calls[n - 1]?.truth?.variable('tollgate_decision'),
    async leave() {
      for (const call of calls) if (call.truth?.endedMicros === undefined) call.hangup();
      await eventually(
        () => Promise.all(holders.map(use)),
        (uses) => uses.every((counts) => Object.keys(counts).length === 0),
      );
    },
  };
}
