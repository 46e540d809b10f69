import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { classificationsOn, parseAccount, parseRoute } from '../../src/accounts/account-document.ts';
import { parseOperatorLimits } from '../../src/accounts/limits-document.ts';
import { connectLiveState } from '../../src/cli/wiring.ts';
import type { LiveState } from '../../src/command-line/live-state.ts';
import { loadConfig } from '../../src/config/config.ts';
import { openDatabase, type Database } from '../../src/database/database.ts';
import { readTariffCsv } from '../../src/imports/tariff-csv.ts';
import { startService, type Service } from '../../src/main.ts';
import { DEFAULT_ROUNDING } from '../../src/rating/price.ts';
import { describeFinding } from '../../src/records/finding.ts';
import { proveRecord } from '../../src/records/proof.ts';
import { systemLedger, walletLedger, type Cdr } from '../../src/records/records.ts';
import { createSimulator, type Simulator } from '../../src/simulator/simulator.ts';
import { rootOf, type AccountPath, type TariffName } from '../../src/units/ids.ts';
import { parseMicros, type Micros } from '../../src/units/money.ts';
import { toEpochMs } from '../../src/units/time.ts';
import { createLog, type ServiceConfig } from '../../src/wiring/parts.ts';

/** A FreeSWITCH, a record and as many controllers as a test wants, on the real wire and the real Redis. */
export type Stage = {
  readonly sim: Simulator;
  /** It, and further ones where the test asked for them. */
  readonly sims: readonly Simulator[];
  readonly database: Database;
  readonly live: () => Promise<LiveState>;
  /** What a controller of this stage is configured with: for one that runs in a process of its own. */
  environment(settings?: Readonly<Record<string, string>>): Readonly<Record<string, string>>;
  startController(settings?: Readonly<Record<string, string>>): Promise<Service>;
  tariff(name: string, csv: string, currency?: string): Promise<void>;
  account(document: Readonly<Record<string, unknown>>): Promise<void>;
  route(document: Readonly<Record<string, unknown>>): Promise<void>;
  topUp(account: string, amount: string, id?: string): Promise<void>;
  balance(account: string): Promise<Micros>;
  cdrs(account: string): Promise<readonly Cdr[]>;
  /** Everything that `verify` would find, in words. */
  findings(): Promise<readonly string[]>;
  close(): Promise<void>;
};

export const micros = (text: string): Micros => parseMicros(text) as Micros;

export async function createStage(
  redisUrl: string,
  options: {
    readonly logLevel?: string;
    /** A record elsewhere than in a file of the stage's own. */
    readonly databaseUrl?: string;
    /** How many FreeSWITCH servers; unset: one. */
    readonly nodes?: number;
  } = {},
): Promise<Stage> {
  const folder = mkdtempSync(join(tmpdir(), 'tollgate-stage-'));
  const databaseUrl = options.databaseUrl ?? join(folder, 'record.sqlite');
  const database = await openDatabase({ url: databaseUrl });
  const sim = await createSimulator();
  const sims = [sim];
  while (sims.length < (options.nodes ?? 1)) sims.push(await createSimulator());
  const addresses = sims.map(({ port, password }, n) => ({
    id: `fs${n + 1}`,
    host: '127.0.0.1',
    port,
    password,
  }));
  /** Those that were not stopped. */
  const services = new Set<Service>();
  let started = 0;
  const closers: (() => Promise<void>)[] = [];
  let connected: Promise<LiveState> | undefined;
  let topUps = 0;

  const environment = (
    settings: Readonly<Record<string, string>> = {},
  ): Readonly<Record<string, string>> => ({
    ...(sims.length > 1
      ? { TOLLGATE_FREESWITCH_NODES: JSON.stringify(addresses) }
      : {
          TOLLGATE_FREESWITCH_HOST: '127.0.0.1',
          TOLLGATE_FREESWITCH_PORT: `${sim.port}`,
          TOLLGATE_FREESWITCH_PASSWORD: sim.password,
        }),
    TOLLGATE_REDIS_URL: redisUrl,
    TOLLGATE_DATABASE_URL: databaseUrl,
    TOLLGATE_GATES_SOCKET_PORT: '0',
    TOLLGATE_LOG_LEVEL: options.logLevel ?? process.env['TEST_LOG_LEVEL'] ?? 'silent',
    TOLLGATE_CONTROLLER_ID: `controller-${started + 1}`,
    ...settings,
  });

  const configOf = (settings?: Readonly<Record<string, string>>): ServiceConfig => {
    const loaded = loadConfig({
      file: undefined,
      environment: environment(settings),
      parseDefaults: parseOperatorLimits,
    });
    if (loaded.kind === 'bad') throw new Error(JSON.stringify(loaded.problems));
    return loaded.config;
  };

  const live = async (): Promise<LiveState> => {
    connected ??= connectLiveState(configOf()).then((state) => {
      closers.push(() => state.close());
      return state.live;
    });
    return await connected;
  };

  /** A controller reads a change a moment after it was announced: the next call is to be decided by it. */
  const inForce = async (): Promise<void> => {
    const accounts = await database.accounts.revision();
    const tariffs = await database.tariffs.revision();
    await eventually(
      () => [...services].map((service) => service.revisions()),
      (read) => read.every((revisions) => revisions.accounts >= accounts && revisions.tariffs >= tariffs),
    );
  };

  const saved = async (verdict: Promise<{ readonly kind: string }>): Promise<void> => {
    const { kind } = await verdict;
    if (kind !== 'saved' && kind !== 'unchanged' && kind !== 'imported')
      throw new Error(JSON.stringify(await verdict));
  };

  return {
    sim,
    sims,
    database,
    live,
    environment,
    async startController(settings) {
      const config = configOf(settings);
      started += 1;
      const service = await startService({ config, log: createLog(config.log.level) });
      const standing: Service = {
        ...service,
        async stop() {
          services.delete(standing);
          await service.stop();
        },
      };
      services.add(standing);
      return standing;
    },
    async tariff(name, csv, currency = 'EUR') {
      const read = await readTariffCsv({ file: `${name}.csv`, bytes: [new TextEncoder().encode(csv)] });
      if (read.kind === 'errors') throw new Error(JSON.stringify(read.errors));
      await saved(
        database.tariffs.importVersion({
          tariff: name as TariffName,
          currency,
          rounding: DEFAULT_ROUNDING,
          startsAt: toEpochMs(0),
          zone: 'UTC',
          rates: read.rates,
        }),
      );
      if (services.size > 0) await (await live()).announceTariffs();
      await inForce();
    },
    async account(document) {
      const { accounts } = await database.accounts.loadAll();
      const parsed = parseAccount(document, { classificationsOf: classificationsOn(accounts) });
      if (parsed.kind === 'bad') throw new Error(JSON.stringify(parsed.problems));
      await saved(database.accounts.saveAccount(parsed.value));
      if (services.size > 0) await (await live()).announceAccounts([parsed.value.path]);
      await inForce();
    },
    async route(document) {
      const parsed = parseRoute(document);
      if (parsed.kind === 'bad') throw new Error(JSON.stringify(parsed.problems));
      await saved(database.accounts.saveRoute(parsed.value));
      if (services.size > 0) await (await live()).announceAccounts([]);
      await inForce();
    },
    async topUp(path, amount, id = `stage-${(topUps += 1)}`) {
      const account = path as AccountPath;
      const transfer = {
        id: `topup:${id}`,
        kind: 'topup',
        debit: systemLedger('cash', rootOf(account)),
        credit: walletLedger(account),
        amount: micros(amount),
        currency: 'EUR',
        at: toEpochMs(Date.now()),
        reference: '',
      } as const;
      await database.records.insertTransfer(transfer);
      await (await live()).fund({ account, transferId: transfer.id, amount: transfer.amount });
    },
    async balance(account) {
      return await database.records.balance(walletLedger(account as AccountPath), 'EUR');
    },
    async cdrs(account) {
      const page = await database.records.cdrs({
        account: account as AccountPath,
        scope: 'subtree',
        from: toEpochMs(0),
        to: toEpochMs(Number.MAX_SAFE_INTEGER),
        order: 'oldest_first',
        limit: 1000,
      });
      return page.rows;
    },
    async findings() {
      const found: string[] = [];
      for await (const finding of proveRecord(database.evidence)) found.push(describeFinding(finding));
      const proof = await (await live()).proveLive({ fix: false });
      return [...found, ...proof.findings];
    },
    async close() {
      for (const service of [...services].toReversed()) await service.stop();
      for (const close of closers) await close();
      for (const each of sims) await each.close();
      await database.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Waits for what must become true soon; says what it was when it does not. */
export async function eventually<T>(
  read: () => Promise<T> | T,
  isRight: (value: T) => boolean,
  withinMs = 20_000,
): Promise<T> {
  const until = performance.now() + withinMs;
  for (;;) {
    const value = await read();
    if (isRight(value)) return value;
    if (performance.now() > until) throw new Error(`still wrong after ${withinMs} ms: ${show(value)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function show(value: unknown): string {
  const text = JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? `${part}` : part));
  // JSON has no word for undefined.
  return `${text as string | undefined}`.slice(0, 2000);
}

/** The dialplan of `freeswitch-conf`, in the simulator's words: through a gate, then to the carrier or the account. */
export function useDialplan(sim: Simulator, gate: 'socket' | 'park', socketPort: number | undefined): void {
  sim.dialplan((call) => {
    const decided =
      call.variable('tollgate_decision') !== undefined &&
      call.variable('tollgate_admitted_destination') === call.destination;
    const onward = [
      ['set', 'hangup_after_bridge=true'],
      ['bridge', `sofia/gateway/pstn/${call.destination}`],
    ] as const;
    if (gate === 'park') {
      if (decided) return onward;
      return [
        ['set', 'tollgate_ask=true'],
        ['set', 'park_timeout=5:NORMAL_TEMPORARY_FAILURE'],
        ['park', ''],
      ];
    }
    return [['socket', `127.0.0.1:${socketPort} async full`], ...onward];
  });
}
